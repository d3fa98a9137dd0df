//! `float4`.

use super::real::{Shortest, spelling};
use crate::DecodeError;

/// Decodes a number, `NaN`, `Infinity` or `-Infinity`.
///
/// # Errors
/// It is none of these.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<f32, DecodeError> {
    match bytes {
        b"NaN" => Ok(f32::NAN),
        b"Infinity" => Ok(f32::INFINITY),
        b"-Infinity" => Ok(f32::NEG_INFINITY),
        _ => spelling(bytes)
            .and_then(|text| text.parse().ok())
            // What has too large an exponent parses as infinite; the server never prints that.
            .filter(|value: &f32| value.is_finite())
            .ok_or_else(|| DecodeError::text("a float4 number", bytes)),
    }
}

/// Appends the shortest digits that read back as the same number, spelt as PostgreSQL spells them.
///
/// PostgreSQL itself prints more digits for the few numbers whose shortest digits stand exactly
/// halfway to the next number (`1e+23`, to it
/// `9.999999999999999e+22`); both read back the same.
pub fn encode(value: &f32, out: &mut Vec<u8>) {
    Shortest::of(*value).push(6, false, out);
}
