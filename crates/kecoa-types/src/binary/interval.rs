//! `interval`: microseconds, 64 bits, then days and months, 32 bits each.

use super::{int4, int8};
use crate::DecodeError;
use crate::civil::Interval;

/// Decodes the three numbers.
///
/// # Errors
/// There are not 16 bytes.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Interval, DecodeError> {
    let refused = || DecodeError::binary("an interval of 16 bytes", bytes);
    let (microseconds, rest) = bytes.split_at_checked(8).ok_or_else(refused)?;
    let (days, months) = rest.split_at_checked(4).ok_or_else(refused)?;
    Ok(Interval {
        months: int4::decode(months).map_err(|_| refused())?,
        days: int4::decode(days)?,
        microseconds: int8::decode(microseconds)?,
    })
}

/// Appends the three numbers.
pub fn encode(value: &Interval, out: &mut Vec<u8>) {
    int8::encode(&value.microseconds, out);
    int4::encode(&value.days, out);
    int4::encode(&value.months, out);
}
