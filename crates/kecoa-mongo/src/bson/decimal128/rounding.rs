//! What fits into a Decimal128: 34 digits, half to even; the bounds of the exponent.

use super::{DIGITS, Decimal, MAX_EXPONENT, MIN_EXPONENT, Magnitude};
use crate::bson::wide::Wide;

/// 256 bits: every product of two coefficients, and 76 digits.
pub(super) type Coefficient = Wide<4>;

/// A result, and whether it is exactly what was to be rounded.
pub(super) struct Rounded {
    pub(super) value: Decimal,
    pub(super) exact: bool,
}

pub(super) fn round(negative: bool, coefficient: Coefficient, exponent: i64) -> Rounded {
    let finite = |coefficient, exponent: i64| {
        let exponent = i32::try_from(exponent).unwrap_or(MAX_EXPONENT);
        Decimal { negative, magnitude: Magnitude::Finite { coefficient, exponent } }
    };
    let (least, most) = (i64::from(MIN_EXPONENT), i64::from(MAX_EXPONENT));
    let digits = i64::from(coefficient.digits());
    if digits == 0 {
        return Rounded { value: finite(0, exponent.clamp(least, most)), exact: true };
    }
    let drop = (digits - i64::from(DIGITS)).max(least.saturating_sub(exponent)).max(0);
    if drop > digits {
        // Less than half of the least that there is.
        return Rounded { value: finite(0, least), exact: false };
    }
    let (kept, exact) = round_half_even(coefficient, u32::try_from(drop).unwrap_or(0));
    let exponent = exponent + drop;
    if exponent <= most {
        return match kept.checked_ilog10() {
            // Rounded up to one digit more: the last one is zero.
            Some(DIGITS) if exponent < most => {
                Rounded { value: finite(kept / 10, exponent + 1), exact }
            }
            Some(DIGITS) => Rounded { value: Decimal::infinity(negative), exact: false },
            _ => Rounded { value: finite(kept, exponent), exact },
        };
    }
    // Zeros at the end of the coefficient take the exponent down.
    let digits = i64::from(kept.checked_ilog10().map_or(0, |log| log + 1));
    match u32::try_from(exponent - most) {
        Ok(zeros) if digits + i64::from(zeros) <= i64::from(DIGITS) => {
            Rounded { value: finite(kept * 10_u128.pow(zeros), most), exact }
        }
        _ => Rounded { value: Decimal::infinity(negative), exact: false },
    }
}

/// Drop digits; what is left fits into 128 bits.
fn round_half_even(mut coefficient: Coefficient, drop: u32) -> (u128, bool) {
    let Some(before_last) = drop.checked_sub(1) else {
        return (coefficient.to_u128().unwrap_or(0), true);
    };
    let rest = coefficient.drop_digits(before_last);
    let last = coefficient.divide(10);
    let kept = coefficient.to_u128().unwrap_or(0);
    let up = last > 5 || last == 5 && (rest || kept % 2 == 1);
    (kept + u128::from(up), !rest && last == 0)
}
