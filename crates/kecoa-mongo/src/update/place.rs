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
    /// The path, with the numbers of elements.
    pub(super) path: String,
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
