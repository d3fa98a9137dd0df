//! The one validation of a document from outside: whatever passed can be read without a check.

mod error;
mod reader;

pub use error::InvalidDocument;

use ::bson::RawDocument;

use super::limits::{MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_MESSAGE_BYTES};
use reader::Reader;

/// What a document is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of the document.
    pub bytes: usize,
    /// Its levels; the document itself is the first. Not more than [`MAX_DEPTH`].
    pub depth: usize,
}

impl Limits {
    /// Of a document that is stored.
    pub const DOCUMENT: Self = Self { bytes: MAX_DOCUMENT_BYTES, depth: MAX_DOCUMENT_DEPTH };
    /// Of a command.
    pub const MESSAGE: Self = Self { bytes: MAX_MESSAGE_BYTES, depth: MAX_DEPTH };
}

/// Check lengths, types, text and depth of a document that takes the whole of `bytes`.
///
/// Names may be empty or occur twice: MongoDB takes both.
///
/// # Errors
///
/// [`InvalidDocument`], which says where and what.
pub fn validate(bytes: &[u8], limits: Limits) -> Result<&RawDocument, InvalidDocument> {
    if bytes.len() > limits.bytes {
        return Err(InvalidDocument::TooLarge { found: bytes.len(), most: limits.bytes });
    }
    let mut reader = Reader::new(bytes, limits.depth.min(MAX_DEPTH));
    reader.document(1)?;
    reader.end()?;
    RawDocument::from_bytes(bytes).map_err(|_| InvalidDocument::Malformed {
        at: 0,
        expected: "a document",
        found: bytes.len().try_into().unwrap_or(i64::MAX),
    })
}
