//! `time`: microseconds after midnight, 64 bits.

use super::int8;
use crate::DecodeError;
use crate::civil::Time;

/// Decodes a number of microseconds.
///
/// # Errors
/// There are not 8 bytes, or they are more than a day.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Time, DecodeError> {
    Ok(Time::from_microseconds(int8::decode(bytes)?)?)
}

/// Appends a number of microseconds.
pub fn encode(value: &Time, out: &mut Vec<u8>) {
    int8::encode(&value.to_microseconds(), out);
}
