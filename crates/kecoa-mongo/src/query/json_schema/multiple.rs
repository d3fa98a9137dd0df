//! `multipleOf`, by decimals: 0.3 is a multiple of 0.1.

use crate::bson::decimal128::{Decimal, Magnitude};
use crate::bson::number::Number;

/// Whether a number is a multiple of another, which is positive.
pub(super) fn is_multiple(number: Number, of: Number) -> bool {
    match (decimal(number), decimal(of)) {
        (Some((coefficient, exponent)), Some((divisor, divisor_exponent))) => {
            coefficient == 0
                || (divisor != 0 && divides(coefficient, exponent, divisor, divisor_exponent))
        }
        (_, None) | (None, _) => false,
    }
}

/// Whether a number is finite; the sign does not matter.
pub(super) fn is_divisor(number: Number) -> bool {
    decimal(number).is_some()
}

/// Coefficient and exponent, without the sign; a double has 15 digits.
fn decimal(number: Number) -> Option<(u128, i32)> {
    let decimal = match number {
        Number::Int32(number) => return Some((number.unsigned_abs().into(), 0)),
        Number::Int64(number) => return Some((number.unsigned_abs().into(), 0)),
        Number::Double(number) => Decimal::parse(&format!("{number:.14e}")).ok()?,
        Number::Decimal(decimal) => decimal,
    };
    match decimal.magnitude {
        Magnitude::Finite { coefficient, exponent } => Some((coefficient, exponent)),
        _ => None,
    }
}

fn divides(number: u128, exponent: i32, divisor: u128, divisor_exponent: i32) -> bool {
    let difference = exponent - divisor_exponent;
    let power = difference.unsigned_abs();
    if difference >= 0 {
        // number * 10^power modulo divisor; coefficients have 114 bits at most.
        let mut remainder = number % divisor;
        for _ in 0..power {
            if remainder == 0 {
                return true;
            }
            remainder = remainder * 10 % divisor;
        }
        remainder == 0
    } else {
        let scaled = 10_u128.checked_pow(power).and_then(|power| divisor.checked_mul(power));
        scaled.is_some_and(|scaled| number.is_multiple_of(scaled))
    }
}
