//! Decimals beside doubles, without a loss.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use super::decimal128::DIGITS;
use super::wide::Wide;

/// A positive decimal, compared with a positive double that may be infinite.
pub(crate) fn compare(coefficient: u128, exponent: i32, double: f64) -> Ordering {
    if double.is_infinite() {
        return Ordering::Less;
    }
    let nearest = nearest(coefficient, exponent);
    // To round keeps the order, so that a difference afterwards was one before.
    match nearest.total_cmp(&double) {
        Ordering::Equal => beside_nearest(coefficient, exponent, double),
        different => different,
    }
}

/// The highest double that is not above a positive decimal, and whether it is the decimal.
pub(crate) fn truncate(coefficient: u128, exponent: i32) -> (f64, bool) {
    let nearest = nearest(coefficient, exponent).min(f64::MAX);
    match beside_nearest(coefficient, exponent, nearest) {
        Ordering::Less => (nearest.next_down(), false),
        Ordering::Equal => (nearest, true),
        Ordering::Greater => (nearest, false),
    }
}

/// A positive decimal with as many digits as a coefficient may have, zeros at the end. Two are equal if these are,
/// and the higher exponent makes the greater one.
pub(crate) fn normalize(coefficient: u128, exponent: i32) -> (u128, i32) {
    let digits = coefficient.checked_ilog10().map_or(0, |log| log + 1);
    let zeros = DIGITS.saturating_sub(digits);
    (coefficient * 10_u128.pow(zeros), exponent - zeros.cast_signed())
}

/// The double that is nearest to a decimal; infinity if it is above all.
fn nearest(coefficient: u128, exponent: i32) -> f64 {
    let mut text = Text { bytes: [0; 64], length: 0 };
    // 39 digits and an exponent fit.
    let written = write!(text, "{coefficient}e{exponent}");
    debug_assert!(written.is_ok());
    text.as_str().parse().unwrap_or(f64::INFINITY)
}

/// Compare a decimal with the finite double that is nearest to it.
fn beside_nearest(coefficient: u128, exponent: i32, double: f64) -> Ordering {
    if double == 0.0 {
        return coefficient.cmp(&0);
    }
    if exponent > 400 {
        // Above all doubles; the nearest was cut down to the highest.
        return Ordering::Greater;
    }
    let (mantissa, power) = parts(double);
    // coefficient * 10^exponent beside mantissa * 2^power: multiplied by powers until both are integers. The
    // double is near, so that neither comes to more than 1,300 bits.
    let mut left = Wide::<32>::new(coefficient);
    let mut right = Wide::<32>::new(u128::from(mantissa));
    if exponent >= 0 {
        left.multiply_power(10, exponent.unsigned_abs());
    } else {
        right.multiply_power(10, exponent.unsigned_abs());
    }
    if power >= 0 {
        right.shift_left(power.unsigned_abs());
    } else {
        left.shift_left(power.unsigned_abs());
    }
    left.cmp(&right)
}

/// A positive double as an integer times a power of two.
fn parts(double: f64) -> (u64, i32) {
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = double.to_bits();
    let fraction = bits & ((1 << FRACTION) - 1);
    match i32::try_from(bits >> FRACTION & 0x7ff).unwrap_or(0) {
        0 => (fraction, -1074),
        biased => (fraction | 1 << FRACTION, biased - 1075),
    }
}

/// Text on the stack.
struct Text {
    bytes: [u8; 64],
    length: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or(&[]);
        std::str::from_utf8(written).unwrap_or("")
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.length + more.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}
