//! `float8`.

use super::real::{Shortest, number_text};
use crate::DecodeError;

/// Decodes a number, `NaN`, `Infinity` or `-Infinity`.
///
/// # Errors
/// It is none of these.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<f64, DecodeError> {
    match bytes {
        b"NaN" => Ok(f64::NAN),
        b"Infinity" => Ok(f64::INFINITY),
        b"-Infinity" => Ok(f64::NEG_INFINITY),
        _ => number_text(bytes)
            .and_then(|text| text.parse().ok())
            // What has too large an exponent parses as infinite; the server never prints that.
            .filter(|value: &f64| value.is_finite())
            .ok_or_else(|| DecodeError::text("a float8 number", bytes)),
    }
}

/// Appends the fewest digits that are nearer to this number than to any other, as PostgreSQL
/// prints them with `extra_float_digits` 1, the default, or more.
pub fn encode(value: &f64, out: &mut Vec<u8>) {
    Shortest::strict(*value).push(15, false, out);
}
