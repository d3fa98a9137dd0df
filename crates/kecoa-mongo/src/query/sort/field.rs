//! A field of a sort.

use crate::bson::key::Direction;
use crate::query::field_path::FieldPath;

/// Where a sort stands; what it may be differs a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortMode {
    /// In find and other commands: it may be empty, or `{$natural: 1}`.
    Find,
    /// In `$sort`.
    Aggregate,
}

/// A field of a sort.
#[derive(Clone, Debug)]
pub struct SortField {
    /// Where the values are; `None` for `{$meta: "randVal"}`, an order by chance.
    pub path: Option<FieldPath>,
    /// The order.
    pub direction: Direction,
}
