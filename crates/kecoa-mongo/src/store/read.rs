//! Pages of documents.

use ::bson::{RawDocument, RawDocumentBuf};
use kecoa::Row;

use super::failure::{read, unexpected};
use crate::bson::key::{Key, MAX_WHOLE};
use crate::error::{Code, Error};

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

/// A document as it came from the database, with the row that it came in: looking at it copies nothing.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Version of the catalogue, key, version, document, and the entry's key.
    row: Row,
}

impl Fetched {
    /// That of a row; none, where the row tells the version of the catalogue alone.
    pub(super) fn of(row: Row) -> Option<Self> {
        row.raw(1).is_some().then_some(Self { row })
    }

    /// The document.
    ///
    /// # Errors
    ///
    /// 22 for bytes that are none.
    pub fn document(&self) -> Result<&RawDocument, Error> {
        let bytes = self.row.raw(3).unwrap_or_default();
        RawDocument::from_bytes(bytes)
            .map_err(|error| Error::new(Code::INVALID_BSON, format!("a stored document: {error}")))
    }

    /// The same, taken out.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document), and 1 for a row without a version.
    pub fn stored(&self) -> Result<Stored, Error> {
        let document = self.document()?.to_owned();
        Ok(Stored { id_key: self.id_key().to_vec(), version: read(&self.row, 2)?, document })
    }

    /// The key of its `_id`.
    pub(super) fn id_key(&self) -> &[u8] {
        self.row.raw(1).unwrap_or_default()
    }

    /// The key of its entry; empty where documents are read by `_id`.
    pub(super) fn key(&self) -> Result<&[u8], Error> {
        self.row.raw(4).ok_or_else(|| unexpected("a document without a key"))
    }

    /// How large the document is, in bytes.
    pub(super) fn size(&self) -> usize {
        self.row.raw(3).map_or(0, <[u8]>::len)
    }
}

/// Documents, and where to go on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The documents, in the order of the access.
    pub documents: Vec<Fetched>,
    /// Where the next page begins; nothing behind the last one.
    pub next: Option<Position>,
    /// Where the last document is, of a read in the order of insertion.
    pub last: Option<Position>,
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

/// How much a page holds, about: where it is likely to be more by far, it is no more than one document beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// Documents.
    pub documents: usize,
    /// Bytes of documents.
    pub bytes: usize,
}

impl Page {
    /// Its documents, taken out.
    ///
    /// # Errors
    ///
    /// Those of [`Fetched::stored`].
    pub fn stored(&self) -> Result<Vec<Stored>, Error> {
        self.documents.iter().map(Fetched::stored).collect()
    }

    /// The last page.
    pub(super) fn new(documents: Vec<Fetched>) -> Self {
        let has_cut_keys = documents.iter().any(|document| document.id_key().len() > MAX_WHOLE);
        Self { documents, next: None, last: None, has_cut_keys }
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
