//! `date`: days from 2000-01-01, 32 bits; the smallest and greatest number are infinities.

use super::int4;
use crate::DecodeError;
use crate::civil::{CivilDate, Date};

/// Decodes a number of days.
///
/// # Errors
/// There are not 4 bytes, or the date is outside PostgreSQL's limits.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Date, DecodeError> {
    match int4::decode(bytes)? {
        i32::MIN => Ok(Date::NegInfinity),
        i32::MAX => Ok(Date::Infinity),
        days => Ok(Date::Finite(CivilDate::from_days(days)?)),
    }
}

/// Appends a number of days.
pub fn encode(value: &Date, out: &mut Vec<u8>) {
    let days = match value {
        Date::NegInfinity => i32::MIN,
        Date::Infinity => i32::MAX,
        Date::Finite(date) => date.to_days(),
    };
    int4::encode(&days, out);
}
