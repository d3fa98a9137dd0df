//! `int4`.

use super::integer;
use crate::DecodeError;

/// Decodes a decimal number.
///
/// # Errors
/// It is not one, or it is out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<i32, DecodeError> {
    integer::parse(bytes)
        .and_then(|value| i32::try_from(value).ok())
        .ok_or_else(|| DecodeError::text("an integer from -2147483648 to 2147483647", bytes))
}

/// Appends a decimal number.
pub fn encode(value: &i32, out: &mut Vec<u8>) {
    integer::push(i64::from(*value), out);
}
