//! `int2`.

use super::integer;
use crate::DecodeError;

/// Decodes a decimal number.
///
/// # Errors
/// It is not one, or it is out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<i16, DecodeError> {
    integer::parse(bytes)
        .and_then(|value| i16::try_from(value).ok())
        .ok_or_else(|| DecodeError::text("an integer from -32768 to 32767", bytes))
}

/// Appends a decimal number.
pub fn encode(value: &i16, out: &mut Vec<u8>) {
    integer::push(i64::from(*value), out);
}
