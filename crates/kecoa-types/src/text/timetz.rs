//! `timetz`.

use super::datetime;
use crate::DecodeError;
use crate::civil::TimeTz;

/// Decodes `HH:MM:SS[.ffffff]±HH[:MM[:SS]]`.
///
/// # Errors
/// It is not in that form, or out of range.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<TimeTz, DecodeError> {
    let Some((time, rest)) = datetime::time(bytes) else { return Err(refused(bytes)) };
    let Some((offset, [])) = datetime::offset(rest) else { return Err(refused(bytes)) };
    time.and_then(|time| TimeTz::new(time, offset))
        .map_err(|error| DecodeError::text(error.expected(), bytes))
}

#[cold]
fn refused(bytes: &[u8]) -> DecodeError {
    DecodeError::text("a time as HH:MM:SS[.ffffff] and an offset as ±HH[:MM[:SS]]", bytes)
}

/// Appends `HH:MM:SS[.f]±HH[:MM[:SS]]`.
pub fn encode(value: &TimeTz, out: &mut Vec<u8>) {
    datetime::push_time(value.time(), out);
    datetime::push_offset(value.offset(), out);
}
