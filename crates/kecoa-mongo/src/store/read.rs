//! Pages of documents.

use ::bson::RawDocumentBuf;

use crate::bson::key::{Key, MAX_WHOLE};

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
    /// Whether some key was cut: among documents whose keys agree so far, the order is none.
    pub has_cut_keys: bool,
}

/// Where a page ended: in which range, at which key, at which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The first of the access's ranges that is not done.
    pub(super) range: usize,
    /// The last entry's key; empty where documents are read by `_id`.
    pub(super) key: Vec<u8>,
    /// The last document's.
    pub(super) id_key: Vec<u8>,
    /// How large documents are, in bytes, as far as the last page tells.
    pub(super) size: usize,
}

impl Position {
    /// Behind the document of this `_id`, where the whole collection is read.
    #[must_use]
    pub fn behind(id: &Key) -> Self {
        Self { range: 0, key: Vec::new(), id_key: id.as_bytes().to_vec(), size: 0 }
    }
}

/// How much a page holds at most, but one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Documents.
    pub documents: usize,
    /// Bytes of documents.
    pub bytes: usize,
}

impl Page {
    /// The last page.
    pub(super) fn new(documents: Vec<Stored>) -> Self {
        let has_cut_keys = documents.iter().any(|document| document.id_key.len() > MAX_WHOLE);
        Self { documents, next: None, has_cut_keys }
    }
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
