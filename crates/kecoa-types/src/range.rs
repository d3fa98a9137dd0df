//! Ranges and multiranges of any type, in both forms.

pub mod binary;
pub mod text;

use std::ops::Bound;

/// A range: empty, or all between two bounds.
///
/// The server keeps ranges of whole numbers and of days as `[lower,upper)`, and none whose bounds are
/// the wrong way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Range<T> {
    /// Holds nothing.
    #[default]
    Empty,
    /// Holds what lies between a lower and an upper bound.
    Between(Bound<T>, Bound<T>),
}

impl<T> Range<T> {
    /// The lower bound; nothing where the range is empty or has none.
    pub fn lower(&self) -> Option<&T> {
        match self {
            Self::Between(Bound::Included(bound) | Bound::Excluded(bound), _) => Some(bound),
            _ => None,
        }
    }

    /// The upper bound; nothing where the range is empty or has none.
    pub fn upper(&self) -> Option<&T> {
        match self {
            Self::Between(_, Bound::Included(bound) | Bound::Excluded(bound)) => Some(bound),
            _ => None,
        }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// A lower bound that belongs to the range and an upper one that does not.
impl<T> From<std::ops::Range<T>> for Range<T> {
    fn from(range: std::ops::Range<T>) -> Self {
        Self::Between(Bound::Included(range.start), Bound::Excluded(range.end))
    }
}

/// A multirange: ranges in order, none of them empty, none touching the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multirange<T>(pub Vec<Range<T>>);

impl<T> Default for Multirange<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
