//! How much memory values take.

use ::bson::RawBsonRef;

/// About how many bytes a value takes.
pub(super) fn size_of(value: RawBsonRef<'_>) -> usize {
    const FIXED: usize = 32;
    FIXED
        + match value {
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) => text.len(),
            RawBsonRef::Document(document) => document.as_bytes().len(),
            RawBsonRef::Array(array) => array.as_bytes().len(),
            RawBsonRef::Binary(binary) => binary.bytes.len(),
            RawBsonRef::JavaScriptCode(code) => code.len(),
            _ => 0,
        }
}
