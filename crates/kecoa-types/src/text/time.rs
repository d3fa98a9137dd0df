//! `time`.

use super::datetime;
use crate::DecodeError;
use crate::civil::Time;

/// Decodes `HH:MM:SS[.ffffff]`.
///
/// # Errors
/// It is not in that form, or out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Time, DecodeError> {
    match datetime::time(bytes) {
        Some((time, [])) => time.map_err(|error| DecodeError::text(error.expected(), bytes)),
        _ => Err(DecodeError::text("a time as HH:MM:SS[.ffffff]", bytes)),
    }
}

/// Appends `HH:MM:SS[.f]`.
pub fn encode(value: &Time, out: &mut Vec<u8>) {
    datetime::push_time(*value, out);
}
