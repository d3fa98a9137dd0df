//! `bool`: `t` or `f`.

use crate::DecodeError;

/// Decodes `t` or `f` (also `true` and `false`, which casts to text print).
///
/// # Errors
/// It is neither.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<bool, DecodeError> {
    match bytes {
        b"t" | b"true" => Ok(true),
        b"f" | b"false" => Ok(false),
        _ => Err(DecodeError::text("a boolean as t or f", bytes)),
    }
}

/// Appends `t` or `f`.
pub fn encode(value: &bool, out: &mut Vec<u8>) {
    out.push(if *value { b't' } else { b'f' });
}
