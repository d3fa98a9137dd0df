//! Keys: bytes whose order, byte by byte, is the order of values ([`compare`](super::compare)). They lie on disk.
//!
//! A value is its class ([`TypeClass`](super::type_class::TypeClass)) in one byte, then:
//!
//! - number: see [`number`]; equal values of all types give equal bytes
//! - string, symbol, code: UTF-8, zero bytes as `00 FF`, then `00 01`
//! - document: for each field the class of the value, the name and a zero, the value without its class; `00`
//! - array: each element; `00`
//! - binary: length (4 bytes, big-endian, as all here), subtype, bytes
//! - object id: its 12 bytes; bool: `00` or `01`; date: 8 bytes, the sign inverted
//! - timestamp: seconds, counter; 4 bytes each
//! - regex: pattern and options, as strings
//! - DBPointer: length of the namespace, namespace, zero, id
//! - code with scope: the code as a string, the scope as a document
//! - null and the other values without content: nothing
//!
//! No encoding begins another, so that keys of several fields are those of the fields, one after the other. A
//! descending field has all its bytes inverted.
//!
//! A key above [`MAX_WHOLE`] bytes is cut there, and SHA-256 of the whole is appended. Cut keys are equal when the
//! values are. Their order is that of the values only up to the cut: among keys that agree so far, it is none.

mod encode;
pub mod number;

use ::bson::RawBsonRef;
use sha2::{Digest as _, Sha256};

use super::compare::sort_value;

/// The format of keys. What is on disk has one; a change of any key's bytes gives a new one.
pub const FORMAT_VERSION: u32 = 1;

/// The bytes of a key that is kept as it is: with the hash, it stays far below the 2,704 bytes of a row in
/// PostgreSQL's index.
pub const MAX_WHOLE: usize = 1000;

/// The order of a field in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Low values first.
    Ascending,
    /// High values first.
    Descending,
}

/// The key of a value, or of several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    bytes: Vec<u8>,
}

/// Puts a key together, field by field.
#[derive(Clone, Debug, Default)]
pub struct KeyBuilder {
    bytes: Vec<u8>,
}

impl Key {
    /// The key of one value, ascending.
    #[must_use]
    pub fn of(value: RawBsonRef<'_>) -> Self {
        let mut builder = KeyBuilder::default();
        builder.push(Some(value), Direction::Ascending);
        builder.finish()
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether it ends with a hash: its order must be checked on the values.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.bytes.len() > MAX_WHOLE
    }

    /// The bytes that are in order: all, or those before the hash.
    #[must_use]
    pub fn ordered(&self) -> &[u8] {
        self.bytes.get(..MAX_WHOLE).unwrap_or(&self.bytes)
    }
}

impl KeyBuilder {
    /// Append a field; a missing one counts as `null`.
    pub fn push(&mut self, value: Option<RawBsonRef<'_>>, direction: Direction) {
        let start = self.bytes.len();
        encode::append(&mut self.bytes, sort_value(value));
        if direction == Direction::Descending {
            for byte in self.bytes.iter_mut().skip(start) {
                *byte = !*byte;
            }
        }
    }

    /// The bytes of what was pushed so far, never cut: for sorting in memory, not for storing.
    #[must_use]
    pub fn into_whole_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The key of what was pushed so far.
    #[must_use]
    pub fn finish(self) -> Key {
        let mut bytes = self.bytes;
        if bytes.len() > MAX_WHOLE {
            let hash = Sha256::digest(&bytes);
            bytes.truncate(MAX_WHOLE);
            bytes.extend_from_slice(&hash);
        }
        Key { bytes }
    }
}
