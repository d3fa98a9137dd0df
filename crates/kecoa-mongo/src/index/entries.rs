//! The entries that a document has in an index.

use ::bson::RawDocument;

use super::definition::Index;
use crate::bson::key::Key;
use crate::error::{Code, Error};

/// The entries of one document in one index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The keys, in ascending order, each once.
    pub keys: Vec<Key>,
    /// Whether an array was met on the way.
    pub multikey: bool,
}

impl Index {
    /// The entries of a document.
    ///
    /// # Errors
    ///
    /// 171 for arrays on two paths; 16766 for an array on a hashed one.
    pub fn entries(&self, document: &RawDocument) -> Result<Entries, Error> {
        let _ = document;
        Err(Error::new(Code::NOT_IMPLEMENTED, "entries of indexes are not there yet"))
    }
}
