//! `"char"`: one byte.

use crate::DecodeError;

/// Decodes the byte.
///
/// # Errors
/// There are more or fewer.
pub fn decode(bytes: &[u8]) -> Result<u8, DecodeError> {
    super::array(bytes, "one byte").map(|[byte]| byte)
}

/// Appends the byte.
pub fn encode(value: &u8, out: &mut Vec<u8>) {
    out.push(*value);
}
