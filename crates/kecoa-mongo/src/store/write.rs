//! What is written.

use ::bson::{RawDocument, RawDocumentBuf};

use super::read::Stored;
use super::record::Record;
use crate::error::Error;

/// A document to insert.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The document. It has an `_id`, and was validated.
    pub document: RawDocumentBuf,
    /// What to record of it.
    pub record: Option<Record>,
}

/// A document to put in place of another one with the same `_id`.
#[derive(Clone, Debug)]
pub struct Replace<'a> {
    /// The document that it was made from.
    pub old: &'a Stored,
    /// The document.
    pub new: &'a RawDocument,
    /// What to record of it.
    pub record: Option<Record>,
}

/// How a client said what becomes of documents.
pub use crate::change::Origin;

/// A document to remove.
#[derive(Clone, Debug)]
pub struct Delete<'a> {
    /// The document that was seen.
    pub old: &'a Stored,
    /// What to record of it.
    pub record: Option<Record>,
}

/// What became of an insert.
#[derive(Clone, Debug, Default)]
pub struct Inserted {
    /// How many documents went in.
    pub inserted: usize,
    /// Those that did not, by their number, in order; of an ordered insert at most one, and none behind it was tried.
    pub failures: Vec<(usize, Error)>,
    /// Those that were not tried, by their number, in order: the catalogue has changed since others went in.
    pub left: Vec<usize>,
}

/// What became of replacements, or of removals.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Whether each was done. One that was not, and is not `failure`, met another version of its document, or none:
    /// read it again, and match again.
    pub done: Vec<bool>,
    /// The first that failed: its number, and why. None behind it was tried.
    pub failure: Option<(usize, Error)>,
}

/// A version that no document had: random, so that who sees it knows whose write it is.
pub(super) fn new_version() -> i64 {
    fastrand::i64(1..i64::MAX)
}
