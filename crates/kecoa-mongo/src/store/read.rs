//! Pages of documents.

use ::bson::RawDocumentBuf;

/// A document as it lies in the database.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The key of its `_id`.
    pub id_key: Vec<u8>,
    /// Its version: another one after each change.
    pub version: i64,
    /// The document.
    pub document: RawDocumentBuf,
}

/// Documents, and where to go on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The documents, in the order of the access.
    pub documents: Vec<Stored>,
    /// Where the next page begins; nothing behind the last one.
    pub next: Option<Position>,
}

/// Where a page ended: in which range, at which key, at which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub(super) range: usize,
    pub(super) key: Vec<u8>,
    pub(super) id_key: Vec<u8>,
}

/// How much a page holds at most, but one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Documents.
    pub documents: usize,
    /// Bytes of documents.
    pub bytes: usize,
}

impl Default for PageLimit {
    fn default() -> Self {
        Self { documents: 10_000, bytes: 1024 * 1024 }
    }
}

/// Whether others may change what was read, before the transaction ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lock {
    /// They may; this transaction's writes fail then.
    #[default]
    None,
    /// They may not. Fails at once with 112 where somebody else has it. Of use in a transaction, for
    /// [`Access::Ids`](crate::plan::access::Access::Ids).
    Update,
}
