//! What fits into one reply of a cursor.

use ::bson::{RawArrayBuf, RawDocument};

/// The documents of a first batch whose size is not given.
pub const DEFAULT_FIRST_BATCH: usize = 101;

/// The bytes after which a batch takes no further document; one document is always taken.
pub const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// A batch that is being filled.
#[derive(Debug)]
pub struct Batch {
    documents: RawArrayBuf,
    count: usize,
    bytes: usize,
    most: Option<usize>,
}

impl Batch {
    /// An empty batch of at most `most` documents.
    #[must_use]
    pub fn new(most: Option<usize>) -> Self {
        Self { documents: RawArrayBuf::new(), count: 0, bytes: 0, most }
    }

    /// Whether it takes no further document, whatever that is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.count >= most) || self.bytes >= MAX_BATCH_BYTES
    }

    /// Whether `document` still fits.
    #[must_use]
    pub fn fits(&self, document: &RawDocument) -> bool {
        !self.is_full()
            && (self.count == 0 || self.bytes + document.as_bytes().len() <= MAX_BATCH_BYTES)
    }

    /// Add a document.
    pub fn push(&mut self, document: &RawDocument) {
        self.bytes += document.as_bytes().len();
        self.count += 1;
        self.documents.push(document);
    }

    /// How many documents it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The documents as the reply holds them.
    #[must_use]
    pub fn into_documents(self) -> RawArrayBuf {
        self.documents
    }
}
