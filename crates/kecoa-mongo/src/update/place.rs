//! Where an operator is in a document, and what it says of it.

use ::bson::RawBsonRef;

use crate::collation::Collator;
use crate::expression::Variables;

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing.
    Same,
    /// It is another one.
    Changed,
    /// It is to go.
    Removed,
}

/// Where an operator is, and what it may look at.
pub(super) struct Place<'p> {
    /// The names and numbers that led here.
    pub(super) way: &'p [Step<'p>],
    /// `_id` of the document.
    pub(super) id: Option<RawBsonRef<'p>>,
    pub(super) collator: &'p Collator,
    pub(super) variables: &'p Variables,
    /// Whether the document is made by an upsert.
    pub(super) inserting: bool,
}

/// What an operator does where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenMissing {
    /// It makes a value.
    Create,
    /// Nothing, but something must be able to be there.
    CheckWay,
    /// Nothing.
    Nothing,
}

/// A step on the way into a document.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl Place<'_> {
    /// The path, with the numbers of elements.
    pub(super) fn path(&self) -> String {
        path_text(self.way)
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> String {
        self.way.last().map(Step::to_string).unwrap_or_default()
    }
}

/// A path from its steps.
pub(super) fn path_text(way: &[Step<'_>]) -> String {
    let mut path = String::new();
    for (at, step) in way.iter().enumerate() {
        if at > 0 {
            path.push('.');
        }
        path.push_str(&step.to_string());
    }
    path
}

impl std::fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}
