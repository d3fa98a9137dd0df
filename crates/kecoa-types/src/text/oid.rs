//! `oid`.

use super::integer;
use crate::DecodeError;

/// Decodes a decimal number.
///
/// # Errors
/// It is not one, or it is out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<u32, DecodeError> {
    integer::parse_unsigned(bytes)
        .and_then(|value| u32::try_from(value).ok())
        .ok_or_else(|| DecodeError::text("an oid from 0 to 4294967295", bytes))
}

/// Appends a decimal number.
pub fn encode(value: &u32, out: &mut Vec<u8>) {
    integer::push_unsigned(u64::from(*value), out);
}
