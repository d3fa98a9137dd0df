//! `int8`.

use super::integer;
use crate::DecodeError;

/// Decodes a decimal number.
///
/// # Errors
/// It is not one, or it is out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<i64, DecodeError> {
    integer::parse(bytes).ok_or_else(|| {
        DecodeError::text("an integer from -9223372036854775808 to 9223372036854775807", bytes)
    })
}

/// Appends a decimal number.
pub fn encode(value: &i64, out: &mut Vec<u8>) {
    integer::push(*value, out);
}
