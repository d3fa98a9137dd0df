//! How large the values may be that an expression makes.

use ::bson::RawBson;

use crate::error::{Code, Error};
use crate::value::Value;

/// How many bytes the values may have that an expression holds at a time: as MongoDB has it, more than a document may.
const MOST_BYTES: usize = 100 * 1024 * 1024;

/// Values of so many bytes may be held.
pub(super) fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let text = format!(
        "an expression would use too much memory: expected values of at most {MOST_BYTES} bytes at a time, found {bytes}"
    );
    Err(Error::new(Code::EXCEEDED_MEMORY_LIMIT, text))
}

/// The bytes that a value holds; none where it is part of another.
pub(super) fn held_by(value: Option<&Value<'_>>) -> usize {
    match value {
        Some(Value::Owned(value)) => bytes_of(value),
        _ => 0,
    }
}

/// The bytes of a value that is as long as somebody wants.
pub(super) fn bytes_of(value: &RawBson) -> usize {
    match value {
        RawBson::Document(document) => document.as_bytes().len(),
        RawBson::Array(array) => array.as_bytes().len(),
        RawBson::String(text) | RawBson::Symbol(text) => text.len(),
        RawBson::Binary(binary) => binary.bytes.len(),
        _ => 0,
    }
}
