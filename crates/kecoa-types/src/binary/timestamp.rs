//! `timestamp`: microseconds from 2000-01-01, 64 bits; the smallest and greatest number are infinities.

use super::int8;
use crate::DecodeError;
use crate::civil::{CivilTimestamp, Timestamp};

/// Decodes a number of microseconds.
///
/// # Errors
/// There are not 8 bytes, or the timestamp is outside PostgreSQL's limits.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Timestamp, DecodeError> {
    match int8::decode(bytes)? {
        i64::MIN => Ok(Timestamp::NegInfinity),
        i64::MAX => Ok(Timestamp::Infinity),
        microseconds => Ok(Timestamp::Finite(CivilTimestamp::from_microseconds(microseconds)?)),
    }
}

/// Appends a number of microseconds.
pub fn encode(value: &Timestamp, out: &mut Vec<u8>) {
    let microseconds = match value {
        Timestamp::NegInfinity => i64::MIN,
        Timestamp::Infinity => i64::MAX,
        Timestamp::Finite(parts) => parts.to_microseconds(),
    };
    int8::encode(&microseconds, out);
}
