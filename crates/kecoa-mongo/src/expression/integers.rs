//! Integers out of numbers of any type.

use crate::bson::decimal128::{Decimal, Magnitude};
use crate::bson::number::Number;

/// The value, if it is an integer within 64 bits.
pub(super) fn to_int64(number: Number) -> Option<i64> {
    match number {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        Number::Double(value) => double_to_int64(value).filter(|_| value.fract() == 0.0),
        Number::Decimal(value) => match decimal_to_int64(value)? {
            (whole, true) => Some(whole),
            (_, false) => None,
        },
    }
}

/// The value, if it is an integer within 32 bits.
pub(super) fn to_int32(number: Number) -> Option<i32> {
    to_int64(number).and_then(|value| i32::try_from(value).ok())
}

/// The value without a fraction; at the ends of 64 bits where it lies beyond, zero for NaN.
pub(super) fn truncated(number: Number) -> i64 {
    match number {
        Number::Int32(value) => i64::from(value),
        Number::Int64(value) => value,
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        Number::Double(value) => value as i64,
        Number::Decimal(value) => match value.magnitude {
            Magnitude::NaN => 0,
            _ => decimal_to_int64(value)
                .map_or(if value.negative { i64::MIN } else { i64::MAX }, |(whole, _)| whole),
        },
    }
}

/// The double without its fraction, if it fits into 64 bits.
pub(super) fn double_to_int64(value: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    (-BEYOND..BEYOND).contains(&value).then_some(value as i64)
}

/// The decimal without its fraction, if it fits into 64 bits; and whether there was no fraction.
pub(super) fn decimal_to_int64(value: Decimal) -> Option<(i64, bool)> {
    let Magnitude::Finite { coefficient, exponent } = value.magnitude else { return None };
    let (whole, exact) = if exponent >= 0 {
        if coefficient == 0 {
            (0, true)
        } else {
            let power = 10_u128.checked_pow(exponent.unsigned_abs())?;
            (coefficient.checked_mul(power)?, true)
        }
    } else {
        match 10_u128.checked_pow(exponent.unsigned_abs()) {
            Some(power) => (coefficient / power, coefficient % power == 0),
            None => (0, coefficient == 0),
        }
    };
    let whole = i128::try_from(whole).ok()?;
    let signed = if value.negative { -whole } else { whole };
    Some((i64::try_from(signed).ok()?, exact))
}
