//! `numeric`.

use std::fmt;
use std::str::FromStr;

use super::integer::{parse, push_padded};
use crate::error::DecodeError;
use crate::numeric::{MAX_SCALE, Numeric, Parts};

const EXPECTED: &str = "a numeric as digits[.digits][e±digits], NaN or ±Infinity";
const TOO_LARGE: &str =
    "a numeric of at most 131072 digits before and 16383 after the decimal point";

/// The most digits before the decimal point.
const MAX_BEFORE: i64 = 131_072;

/// Decodes digits with an optional sign, decimal point and exponent, `NaN`, `Infinity` or
/// `-Infinity`.
///
/// # Errors
/// It is none of these, or has more digits than the server holds.
pub fn decode(bytes: &[u8]) -> Result<Numeric, DecodeError> {
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let refused = || DecodeError::text(EXPECTED, bytes);
    let whole_len = unsigned.iter().take_while(|byte| is_digit(byte)).count();
    let (whole, rest) = unsigned.split_at_checked(whole_len).ok_or_else(refused)?;
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let len = rest.iter().take_while(|byte| is_digit(byte)).count();
            rest.split_at_checked(len).ok_or_else(refused)?
        }
        _ => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return special(bytes).ok_or_else(refused);
    }
    match rest {
        [] => group(negative, whole, fraction),
        [b'e' | b'E', exponent @ ..] => {
            let exponent = parse(exponent).ok_or_else(refused)?;
            shift(negative, whole, fraction, exponent)
        }
        _ => return Err(refused()),
    }
    .ok_or_else(|| DecodeError::text(TOO_LARGE, bytes))
}

#[cold]
fn special(bytes: &[u8]) -> Option<Numeric> {
    match bytes {
        b"NaN" => Some(Numeric::NAN),
        b"Infinity" | b"+Infinity" => Some(Numeric::INFINITY),
        b"-Infinity" => Some(Numeric::NEG_INFINITY),
        _ => None,
    }
}

/// Moves the decimal point by an exponent; refuses what would be too long before writing it out.
#[cold]
fn shift(negative: bool, whole: &[u8], fraction: &[u8], exponent: i64) -> Option<Numeric> {
    let digits = [whole, fraction].concat();
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if scale > i64::from(MAX_SCALE) {
        return None;
    }
    if digits.iter().all(|digit| *digit == b'0') {
        let zeros = vec![b'0'; usize::try_from(scale).unwrap_or(0)];
        return group(negative, b"", &zeros);
    }
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    if point.checked_sub(i64::try_from(leading).ok()?)? > MAX_BEFORE {
        return None;
    }
    match usize::try_from(point) {
        Ok(point) => {
            let mut digits = digits;
            if digits.len() < point {
                digits.resize(point, b'0');
            }
            let (whole, fraction) = digits.split_at_checked(point)?;
            group(negative, whole, fraction)
        }
        Err(_) => {
            let zeros = usize::try_from(point.unsigned_abs()).ok()?;
            group(negative, b"", &[&vec![b'0'; zeros], &digits[..]].concat())
        }
    }
}

/// Digits before and after the decimal point, put into groups of four around it.
#[inline]
fn group(negative: bool, whole: &[u8], fraction: &[u8]) -> Option<Numeric> {
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = whole.get(zeros..)?;
    let scale = u16::try_from(fraction.len()).ok()?;
    let groups = whole.len().div_ceil(4);
    let weight = i16::try_from(i64::try_from(groups).ok()? - 1).ok()?;
    let mut digits = Vec::with_capacity(groups + fraction.len().div_ceil(4));
    let (first, whole) = whole.split_at_checked(whole.len() % 4)?;
    if !first.is_empty() {
        digits.push(number(first));
    }
    digits.extend(whole.chunks_exact(4).map(number));
    let mut chunks = fraction.chunks_exact(4);
    digits.extend(chunks.by_ref().map(number));
    digits.extend(match chunks.remainder() {
        [] => None,
        [a] => Some(number(&[*a, b'0', b'0', b'0'])),
        [a, b] => Some(number(&[*a, *b, b'0', b'0'])),
        [a, b, c, ..] => Some(number(&[*a, *b, *c, b'0'])),
    });
    Numeric::from_parts(negative, weight, scale, digits).ok()
}

/// Up to four digits that were checked to be digits.
#[inline]
fn number(digits: &[u8]) -> u16 {
    digits.iter().fold(0, |value, digit| value * 10 + u16::from(digit.wrapping_sub(b'0') & 15))
}

/// Appends it without exponent, with as many digits of fraction as its scale; or `NaN`,
/// `Infinity`, `-Infinity`.
pub fn encode(value: &Numeric, out: &mut Vec<u8>) {
    let Some(Parts { negative, weight, scale, digits }) = value.parts() else {
        return out.extend_from_slice(if value.is_nan() {
            b"NaN"
        } else if *value == Numeric::INFINITY {
            b"Infinity"
        } else {
            b"-Infinity"
        });
    };
    if negative {
        out.push(b'-');
    }
    let weight = i32::from(weight);
    // The group at a power of 10,000; those that are not kept are zero.
    let at = |power: i32| {
        usize::try_from(weight - power)
            .ok()
            .and_then(|index| digits.get(index))
            .map_or(0, |digit| u64::from(*digit))
    };
    push_padded(at(weight.max(0)), 1, out);
    for power in (0..weight).rev() {
        push_padded(at(power), 4, out);
    }
    if scale == 0 {
        return;
    }
    out.push(b'.');
    let end = out.len() + usize::from(scale);
    let mut power = -1;
    while out.len() < end {
        push_padded(at(power), 4, out);
        power -= 1;
    }
    out.truncate(end);
}

impl fmt::Display for Numeric {
    /// As the server prints it: without exponent, with as many digits of fraction as the scale.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        encode(self, &mut out);
        f.write_str(std::str::from_utf8(&out).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Numeric {
    type Err = DecodeError;

    /// Digits with an optional sign, decimal point and exponent; `NaN`, `Infinity`, `-Infinity`.
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        decode(s.as_bytes())
    }
}
