//! `timestamptz`: microseconds from 2000-01-01 UTC, 64 bits; the smallest and greatest number are infinities.

use super::int8;
use crate::DecodeError;
use crate::civil::{CivilTimestampTz, TimestampTz};

/// Decodes a number of microseconds; the value has offset 0.
///
/// # Errors
/// There are not 8 bytes, or the timestamp is outside PostgreSQL's limits.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<TimestampTz, DecodeError> {
    match int8::decode(bytes)? {
        i64::MIN => Ok(TimestampTz::NegInfinity),
        i64::MAX => Ok(TimestampTz::Infinity),
        microseconds => Ok(TimestampTz::Finite(CivilTimestampTz::from_microseconds(microseconds)?)),
    }
}

/// Appends a number of microseconds.
pub fn encode(value: &TimestampTz, out: &mut Vec<u8>) {
    let microseconds = match value {
        TimestampTz::NegInfinity => i64::MIN,
        TimestampTz::Infinity => i64::MAX,
        TimestampTz::Finite(parts) => parts.to_microseconds(),
    };
    int8::encode(&microseconds, out);
}
