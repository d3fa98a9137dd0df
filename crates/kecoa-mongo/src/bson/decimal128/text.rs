//! Decimal128 as text, in the form that MongoDB's shells and drivers share.

use std::fmt;

use super::error::ParseDecimalError;
use super::rounding::{Coefficient, round};
use super::{Decimal, Magnitude};

impl Decimal {
    /// Read a number, rounded half to even where 34 digits do not hold it.
    ///
    /// # Errors
    ///
    /// [`ParseDecimalError::Syntax`].
    pub fn parse(text: &str) -> Result<Self, ParseDecimalError> {
        Ok(read(text)?.0)
    }

    /// Read a number as it stands.
    ///
    /// # Errors
    ///
    /// [`ParseDecimalError`], also where [`parse`](Self::parse) rounds.
    pub fn parse_exact(text: &str) -> Result<Self, ParseDecimalError> {
        match read(text)? {
            (value, true) => Ok(value),
            (_, false) => Err(ParseDecimalError::Inexact),
        }
    }
}

/// A number, and whether it is exactly what the text says.
fn read(text: &str) -> Result<(Decimal, bool), ParseDecimalError> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let is = |word: &str| rest.eq_ignore_ascii_case(word);
    if is("nan") {
        return Ok((Decimal::NAN, true));
    }
    if is("inf") || is("infinity") {
        return Ok((Decimal::infinity(negative), true));
    }
    let (number, exponent) = match rest.find(['e', 'E']) {
        Some(at) => {
            let (number, exponent) = rest.split_at(at);
            (number, read_exponent(exponent.get(1..).unwrap_or(""))?)
        }
        None => (rest, 0),
    };
    let (digits, after_point) = read_digits(number)?;
    let rounded = round(negative, digits, exponent.saturating_add(after_point));
    Ok((rounded.value, rounded.exact))
}

fn read_exponent(text: &str) -> Result<i64, ParseDecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseDecimalError::Syntax);
    }
    // Beyond this, the number of digits in a document changes nothing.
    const FAR: i64 = 1 << 40;
    let value = digits.parse().unwrap_or(FAR).min(FAR);
    Ok(if text.starts_with('-') { -value } else { value })
}

/// The digits as an integer, and the power of ten to multiply it with.
fn read_digits(text: &str) -> Result<(Coefficient, i64), ParseDecimalError> {
    // More than enough to round by: one that is cut off and not zero only breaks a tie.
    const KEPT: u32 = 70;
    let mut coefficient = Coefficient::new(0);
    let (mut kept, mut seen, mut power) = (0, false, 0_i64);
    let (mut point, mut last, mut cut) = (false, 0, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                let digit = byte - b'0';
                if kept < KEPT {
                    coefficient.multiply(10);
                    coefficient.add(&Coefficient::new(u128::from(digit)));
                    kept += u32::from(kept > 0 || digit > 0);
                    last = digit;
                    power -= i64::from(point);
                } else {
                    cut |= digit > 0;
                    power += i64::from(!point);
                }
            }
            b'.' if !point => point = true,
            _ => return Err(ParseDecimalError::Syntax),
        }
    }
    if !seen {
        return Err(ParseDecimalError::Syntax);
    }
    if cut && last % 5 == 0 {
        coefficient.add(&Coefficient::new(1));
    }
    Ok((coefficient, power))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let (coefficient, exponent) = match self.magnitude {
            Magnitude::NaN => return f.write_str("NaN"),
            Magnitude::Infinity => return write!(f, "{sign}Infinity"),
            Magnitude::Finite { coefficient, exponent } => (coefficient, exponent),
        };
        let digits = coefficient.to_string();
        let count = i32::try_from(digits.len()).unwrap_or(0);
        let scientific = exponent + count - 1;
        if exponent > 0 || scientific < -6 {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            return write!(f, "{sign}{first}{point}{rest}E{scientific:+}");
        }
        let before_point = usize::try_from(count + exponent).unwrap_or(0);
        if exponent == 0 {
            write!(f, "{sign}{digits}")
        } else if before_point > 0 {
            let (whole, fraction) = digits.split_at(before_point);
            write!(f, "{sign}{whole}.{fraction}")
        } else {
            let width = usize::try_from(-exponent).unwrap_or(0);
            write!(f, "{sign}0.{digits:0>width$}")
        }
    }
}
