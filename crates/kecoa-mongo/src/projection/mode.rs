//! Where projections stand.

/// Where a projection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `find` and `findAndModify`: with `$slice`, `$elemMatch` and `a.$`.
    Find,
    /// `$project`.
    Aggregate,
}
