//! `jsonb`: the version 1, then its text.

use crate::{DecodeError, Json, text};

/// Checks the version and that the text is UTF-8.
///
/// # Errors
/// The version is another, or the text not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<Json, DecodeError> {
    match bytes {
        [1, text @ ..] => text::json::decode(text),
        _ => Err(DecodeError::binary("jsonb of version 1", bytes)),
    }
}

/// Appends the version and the text.
pub fn encode(value: &Json, out: &mut Vec<u8>) {
    out.push(1);
    text::json::encode(value, out);
}
