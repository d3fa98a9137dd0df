//! What documents are sorted by.

use crate::bson::key::KeyBuilder;

/// What a document is sorted by. Keys of one sort are in the order of the documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(Vec<u8>);

impl SortKey {
    /// The bytes, whose order is that of the documents.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<KeyBuilder> for SortKey {
    fn from(builder: KeyBuilder) -> Self {
        Self(builder.into_whole_bytes())
    }
}
