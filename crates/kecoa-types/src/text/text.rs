//! `text`, and the types that look like it: `varchar`, `bpchar`, `name`, `unknown`.

use crate::DecodeError;

/// Checks that the bytes are UTF-8, the client encoding.
///
/// # Errors
/// They are not.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<&str, DecodeError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| DecodeError::text("text in UTF-8", bytes))
}

/// Appends the text as it is.
pub fn encode(value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(value.as_bytes());
}
