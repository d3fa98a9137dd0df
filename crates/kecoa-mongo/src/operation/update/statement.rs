//! A statement of an update, and what it comes to.

use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::operation::statement_result::StatementResult;
use crate::operation::target::Selection;
use crate::store::Origin;

/// A statement of `update`, or what `findAndModify` does.
#[derive(Clone, Copy, Debug)]
pub struct UpdateStatement<'a> {
    /// Which documents.
    pub selection: Selection<'a>,
    /// What becomes of them: operators, a document, or a pipeline.
    pub update: RawBsonRef<'a>,
    /// Constants of the pipeline.
    pub constants: Option<&'a RawDocument>,
    /// Which elements `$[name]` stands for.
    pub array_filters: Option<&'a RawArray>,
    /// Whether all documents are updated, not the first alone.
    pub multi: bool,
    /// Whether a document is inserted where there is none.
    pub upsert: bool,
    /// Whether the collection's rule is left aside.
    pub bypass_validation: bool,
}

impl UpdateStatement<'_> {
    /// How it says what becomes of documents.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        match self.update {
            RawBsonRef::Array(_) => Origin::Pipeline,
            RawBsonRef::Document(update) => match update.iter().next() {
                Some(Ok((name, _))) if name.as_str().starts_with('$') => Origin::Operators(update),
                _ => Origin::Replacement,
            },
            _ => Origin::Replacement,
        }
    }
}

/// What an update of one document came to.
#[derive(Clone, Debug, Default)]
pub struct Updated {
    /// The numbers.
    pub result: StatementResult,
    /// The document before; none where there was none.
    pub before: Option<RawDocumentBuf>,
    /// The document after.
    pub after: Option<RawDocumentBuf>,
}

/// Which picture of the document is kept with the result, for `findAndModify` that is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// None.
    None,
    /// As it was.
    Before,
    /// As it became.
    After,
}
