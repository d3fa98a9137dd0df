//! The entries that a document has in an index.

use ::bson::RawDocument;

use super::definition::Index;
use super::walk::combinations;
use crate::bson::key::{Key, KeyBuilder};
use crate::error::Error;

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
    /// 171 for arrays on two paths, 16766 for an array on a hashed one, 16746 for a number in a path that is both a
    /// position and a field.
    pub fn entries(&self, document: &RawDocument) -> Result<Entries, Error> {
        if !self.covers(document)? {
            return Ok(Entries::default());
        }
        let mut keys = Vec::new();
        let multikey = combinations(&self.fields, document, &mut |values| {
            if self.sparse && values.iter().all(Option::is_none) {
                return;
            }
            keys.push(self.key(values));
        })?;
        keys.sort_unstable();
        keys.dedup();
        Ok(Entries { keys, multikey })
    }

    /// Whether a document is one that the index has entries of.
    ///
    /// # Errors
    ///
    /// Those of the filter.
    pub fn covers(&self, document: &RawDocument) -> Result<bool, Error> {
        match &self.partial {
            None => Ok(true),
            Some(partial) => partial.matches(document),
        }
    }

    /// The key of values, one for each field.
    pub(super) fn key(&self, values: &[Option<::bson::RawBsonRef<'_>>]) -> Key {
        let mut builder = KeyBuilder::default();
        for (field, value) in self.fields.iter().zip(values) {
            self.push_value(&mut builder, field, *value);
        }
        builder.finish()
    }
}
