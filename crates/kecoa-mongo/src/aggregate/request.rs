//! What a stage asks the caller for.

use ::bson::RawDocumentBuf;

use crate::expression::Variables;

/// A collection by its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The database.
    pub database: Box<str>,
    /// The collection.
    pub collection: Box<str>,
}

/// Documents to write, of `$out` and `$merge`. The answer has no documents.
#[derive(Clone, Debug)]
pub struct Write {
    /// The collection.
    pub namespace: Namespace,
    /// What to do; none for `$out`, which replaces the collection by these documents.
    pub merge: Option<Merge>,
    /// All documents.
    pub documents: Vec<RawDocumentBuf>,
    /// What the pipeline of `whenMatched` sees beside `$$new`.
    pub variables: Variables,
}

/// How `$merge` writes.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The fields that identify a document; a unique index must cover them. None: `_id`.
    pub on: Option<Vec<Box<str>>>,
    /// What happens to a document that is there.
    pub when_matched: WhenMatched,
    /// What happens where there is none.
    pub when_not_matched: WhenNotMatched,
    /// The variables of `whenMatched`'s pipeline, as written; `{new: "$$ROOT"}` where the client gave none.
    pub variables: RawDocumentBuf,
}

/// What `$merge` does with a document that is there.
#[derive(Clone, Debug)]
pub enum WhenMatched {
    /// The new one takes its place.
    Replace,
    /// It stays.
    KeepExisting,
    /// It gets the new one's fields.
    Merge,
    /// It is an error.
    Fail,
    /// It goes through these stages, as an update's pipeline.
    Pipeline(::bson::raw::RawArrayBuf),
}

/// What `$merge` does where there is no such document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenNotMatched {
    /// It is inserted.
    Insert,
    /// It is left out.
    Discard,
    /// It is an error.
    Fail,
}
