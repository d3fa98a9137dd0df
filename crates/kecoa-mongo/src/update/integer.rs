//! Numbers where an operator wants a whole one.

use ::bson::RawBsonRef;

use crate::bson::decimal128::Magnitude;
use crate::bson::number::Number;

/// The value of a number without a fraction, cut to 64 bits; `None` if it is no such number.
pub(super) fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match Number::from_bson(value)? {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        Number::Double(value) => whole_double(value),
        Number::Decimal(value) => {
            let Magnitude::Finite { mut coefficient, mut exponent } = value.magnitude else {
                return None;
            };
            while exponent < 0 && coefficient != 0 {
                if coefficient % 10 != 0 {
                    return None;
                }
                coefficient /= 10;
                exponent += 1;
            }
            if coefficient == 0 {
                return Some(0);
            }
            let size = 10_u128
                .checked_pow(exponent.unsigned_abs())
                .and_then(|power| coefficient.checked_mul(power))
                .and_then(|size| i64::try_from(size).ok())?;
            Some(if value.negative { -size } else { size })
        }
    }
}

fn whole_double(value: f64) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() != 0.0 || !(-BOUND..BOUND).contains(&value) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds and without a fraction")]
    let whole = value as i64;
    Some(whole)
}
