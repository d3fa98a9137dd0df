//! `timetz`: microseconds after midnight, 64 bits, then seconds *west* of UTC, 32 bits.

use super::{int4, int8};
use crate::DecodeError;
use crate::civil::{Time, TimeTz};

/// Decodes a time and its offset.
///
/// # Errors
/// There are not 12 bytes, or a part is out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<TimeTz, DecodeError> {
    let (time, zone) = bytes
        .split_at_checked(8)
        .ok_or_else(|| DecodeError::binary("a time and an offset of 12 bytes", bytes))?;
    let time = Time::from_microseconds(int8::decode(time)?)?;
    // The one number without an opposite is out of range by itself.
    let offset = int4::decode(zone)?.checked_neg().unwrap_or(i32::MAX);
    Ok(TimeTz::new(time, offset)?)
}

/// Appends a time and its offset.
pub fn encode(value: &TimeTz, out: &mut Vec<u8>) {
    int8::encode(&value.time().to_microseconds(), out);
    int4::encode(&-value.offset(), out);
}
