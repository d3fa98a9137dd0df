//! How deep values are.

use ::bson::{RawBsonRef, RawDocument};

/// Whether a value has more levels of documents and arrays than that. Nothing below is looked at.
#[must_use]
pub fn is_deeper(value: RawBsonRef<'_>, levels: usize) -> bool {
    let inner = match value {
        RawBsonRef::Document(document) => document,
        RawBsonRef::Array(array) => match RawDocument::from_bytes(array.as_bytes()) {
            Ok(elements) => elements,
            Err(_) => return false,
        },
        _ => return false,
    };
    let Some(below) = levels.checked_sub(1) else { return true };
    inner.iter().map_while(Result::ok).any(|(_, value)| is_deeper(value, below))
}
