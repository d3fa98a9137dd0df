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

impl Accumulator {
    /// Whether what it starts with is the same for every group.
    pub(in crate::aggregate) fn has_constant_start(&self) -> bool {
        match &self.operation {
            Operation::Select(Select { count: Some(count), .. }) => count.as_constant().is_some(),
            _ => true,
        }
    }
}

/// Accumulators that keep several values.
#[derive(Clone, Debug)]
pub(super) struct Select {
    /// How many; it may be computed of the fields of the group's `_id`. None is one.
    pub(super) count: Option<Arc<Expression>>,
    pub(super) order: Order,
    /// Whether the result is an array: not of `$top` and `$bottom`.
    pub(super) is_array: bool,
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
