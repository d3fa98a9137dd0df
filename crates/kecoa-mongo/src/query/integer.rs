//! Whole numbers among BSON's numbers.

use ::bson::RawBsonRef;

use crate::bson::decimal128::{Decimal, Magnitude};
use crate::bson::number::Number;
use crate::expression::shown;

/// 2^63 as a double: the first that is above all int64.
pub(super) const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Why a number is no int64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotInteger {
    /// It is no number.
    NotNumber,
    /// It is NaN or infinite.
    NotFinite,
    /// It is beyond 64 bits.
    OutOfRange,
    /// It has a fraction.
    Fraction,
}

/// The number, if it is whole and within 64 bits.
pub(super) fn exact(value: RawBsonRef<'_>) -> Result<i64, NotInteger> {
    let whole = truncated(value)?;
    let number = Number::from_bson(value).ok_or(NotInteger::NotNumber)?;
    if Number::Int64(whole) == number { Ok(whole) } else { Err(NotInteger::Fraction) }
}

/// The number without its fraction, if that is within 64 bits.
pub(super) fn truncated(value: RawBsonRef<'_>) -> Result<i64, NotInteger> {
    match Number::from_bson(value).ok_or(NotInteger::NotNumber)? {
        Number::Int32(value) => Ok(value.into()),
        Number::Int64(value) => Ok(value),
        Number::Double(value) => of_double(value),
        Number::Decimal(value) => of_decimal(value),
    }
}

/// What is wrong with the argument of an operator that must be a whole number, for a message.
pub(super) fn problem(name: &str, value: RawBsonRef<'_>, problem: NotInteger) -> String {
    let found = shown(value);
    match problem {
        NotInteger::NotNumber => format!("Expected a number in: {name}: {found}"),
        NotInteger::NotFinite if found == "NaN" => {
            format!("Expected an integer, but found NaN in: {name}: {found}")
        }
        NotInteger::Fraction => format!("Expected an integer: {name}: {found}"),
        NotInteger::NotFinite | NotInteger::OutOfRange => {
            format!("Cannot represent as a 64-bit integer: {name}: {found}")
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
fn of_double(value: f64) -> Result<i64, NotInteger> {
    if !value.is_finite() {
        Err(NotInteger::NotFinite)
    } else if (-TWO_TO_63..TWO_TO_63).contains(&value) {
        Ok(value.trunc() as i64)
    } else {
        Err(NotInteger::OutOfRange)
    }
}

fn of_decimal(value: Decimal) -> Result<i64, NotInteger> {
    let Magnitude::Finite { coefficient, exponent } = value.magnitude else {
        return Err(NotInteger::NotFinite);
    };
    if coefficient == 0 {
        return Ok(0);
    }
    let power = 10_u128.checked_pow(exponent.unsigned_abs());
    let whole = match (exponent < 0, power) {
        (true, power) => power.map_or(0, |power| coefficient / power),
        (false, power) => {
            power.and_then(|power| coefficient.checked_mul(power)).ok_or(NotInteger::OutOfRange)?
        }
    };
    let whole = i128::try_from(whole).map_err(|_| NotInteger::OutOfRange)?;
    let signed = if value.negative { -whole } else { whole };
    signed.try_into().map_err(|_| NotInteger::OutOfRange)
}
