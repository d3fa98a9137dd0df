//! `date`, with DateStyle `ISO`.

use super::datetime;
use crate::DecodeError;
use crate::civil::Date;

const EXPECTED: &str = "a date as YYYY-MM-DD[ BC] (DateStyle ISO)";

/// Decodes `YYYY-MM-DD`, `YYYY-MM-DD BC`, `infinity` or `-infinity`.
///
/// # Errors
/// It is none of these (other DateStyles are not read), or a date that cannot be.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Date, DecodeError> {
    let refused = || DecodeError::text(EXPECTED, bytes);
    let Some(day) = datetime::day(bytes) else {
        return match bytes {
            b"infinity" => Ok(Date::Infinity),
            b"-infinity" => Ok(Date::NegInfinity),
            _ => Err(refused()),
        };
    };
    let year = datetime::era(day.year, day.rest).ok_or_else(refused)?;
    Date::new(year, day.month, day.day).map_err(|error| DecodeError::text(error.expected(), bytes))
}

/// Appends `YYYY-MM-DD[ BC]`, `infinity` or `-infinity`.
pub fn encode(value: &Date, out: &mut Vec<u8>) {
    match value {
        Date::NegInfinity => out.extend_from_slice(b"-infinity"),
        Date::Infinity => out.extend_from_slice(b"infinity"),
        Date::Finite(date) => {
            datetime::push_day(date.year(), date.month(), date.day(), out);
            datetime::push_era(date.year(), out);
        }
    }
}
