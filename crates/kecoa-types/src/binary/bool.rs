//! `bool`: one byte.

use crate::DecodeError;

/// Decodes 0 as false and 1 as true.
///
/// # Errors
/// It is neither.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<bool, DecodeError> {
    match bytes {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(DecodeError::binary("a boolean as the byte 0 or 1", bytes)),
    }
}

/// Appends 0 or 1.
pub fn encode(value: &bool, out: &mut Vec<u8>) {
    out.push(u8::from(*value));
}
