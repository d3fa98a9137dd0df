//! `json` and `jsonb`: the text of the JSON value.

use crate::{DecodeError, Json};

/// Checks that the bytes are UTF-8; whether they are JSON is the server's to check.
///
/// # Errors
/// They are not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<Json, DecodeError> {
    simdutf8::basic::from_utf8(bytes)
        .map(Json::new)
        .map_err(|_| DecodeError::text("JSON text in UTF-8", bytes))
}

/// Appends the text as it is.
pub fn encode(value: &Json, out: &mut Vec<u8>) {
    out.extend_from_slice(value.as_str().as_bytes());
}
