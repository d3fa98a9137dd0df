//! `timestamp`, with DateStyle `ISO`.

use super::datetime;
use crate::DecodeError;
use crate::civil::Timestamp;

const EXPECTED: &str = "a timestamp as YYYY-MM-DD HH:MM:SS[.ffffff][ BC] (DateStyle ISO)";

/// Decodes `YYYY-MM-DD HH:MM:SS[.ffffff][ BC]`, `infinity` or `-infinity`.
///
/// # Errors
/// It is none of these (other DateStyles are not read), or a timestamp that cannot be.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Timestamp, DecodeError> {
    let refused = || DecodeError::text(EXPECTED, bytes);
    let Some(day) = datetime::day(bytes) else {
        return match bytes {
            b"infinity" => Ok(Timestamp::Infinity),
            b"-infinity" => Ok(Timestamp::NegInfinity),
            _ => Err(refused()),
        };
    };
    let [b' ', rest @ ..] = day.rest else { return Err(refused()) };
    let (time, rest) = datetime::time(rest).ok_or_else(refused)?;
    let year = datetime::era(day.year, rest).ok_or_else(refused)?;
    time.and_then(|time| Timestamp::new(year, day.month, day.day, time))
        .map_err(|error| DecodeError::text(error.expected(), bytes))
}

/// Appends `YYYY-MM-DD HH:MM:SS[.f][ BC]`, `infinity` or `-infinity`.
pub fn encode(value: &Timestamp, out: &mut Vec<u8>) {
    match value {
        Timestamp::NegInfinity => out.extend_from_slice(b"-infinity"),
        Timestamp::Infinity => out.extend_from_slice(b"infinity"),
        Timestamp::Finite(parts) => {
            datetime::push_day(parts.year(), parts.month(), parts.day(), out);
            out.push(b' ');
            datetime::push_time(parts.time(), out);
            datetime::push_era(parts.year(), out);
        }
    }
}
