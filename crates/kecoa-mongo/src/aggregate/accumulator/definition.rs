//! An accumulator as a pipeline defines it.

use std::sync::Arc;

use ::bson::raw::CString;

use crate::collation::Collator;
use crate::expression::Expression;
use crate::query::Sort;

/// A field of `$group` and how it is computed.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Accumulator {
    pub(in crate::aggregate) field: CString,
    pub(super) operation: Operation,
    /// What is accumulated of each document.
    pub(super) argument: Arc<Expression>,
    pub(super) collator: Collator,
}

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Sum,
    Average,
    Count,
    /// The least, or the greatest.
    Extreme {
        greatest: bool,
    },
    First,
    Last,
    Push,
    AddToSet,
    MergeObjects,
    Deviation {
        sample: bool,
    },
    /// `$firstN` and so on.
    Select(Select),
    Percentile {
        points: Arc<[f64]>,
        single: bool,
    },
}

/// Accumulators that keep several values.
#[derive(Clone, Debug)]
pub(super) struct Select {
    /// How many; it may be computed of the group's `_id`.
    pub(super) count: Count,
    pub(super) order: Order,
    /// Whether the result is an array: not of `$top` and `$bottom`.
    pub(super) is_array: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Count {
    Known(usize),
    Computed(Arc<Expression>),
}

/// Which values are kept.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// The first that came.
    First,
    /// The last that came.
    Last,
    /// The least, ascending.
    Least,
    /// The greatest, descending.
    Greatest,
    /// The first by a sort.
    Top(Arc<Sort>),
    /// The last by a sort.
    Bottom(Arc<Sort>),
}
