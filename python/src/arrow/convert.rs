//! From Arrow's values to the server's: the ranges and units of both.

use kecoa_types::civil::{
    CivilDate, CivilTimestamp, CivilTimestampTz, Date, Interval, Time, Timestamp, TimestampTz,
};
use kecoa_types::{DecodeError, Numeric, text};

use super::source::Unit;
use super::units::{DAYS_1970_TO_2000, MICROSECONDS_1970_TO_2000, MonthDayNano, format_decimal};
use super::view::Value;

/// What does not fit, as what was expected and what was found.
pub(super) type Misfit = DecodeError;

pub(super) fn misfit(expected: &'static str, found: impl std::fmt::Display) -> Misfit {
    DecodeError::new(expected, found.to_string())
}

/// Microseconds of a number of units; nothing is rounded.
fn microseconds(number: i64, unit: Unit) -> Result<i64, Misfit> {
    let scaled = match unit {
        Unit::Second => number.checked_mul(1_000_000),
        Unit::Milli => number.checked_mul(1_000),
        Unit::Micro => Some(number),
        Unit::Nano if number % 1_000 == 0 => Some(number / 1_000),
        Unit::Nano => {
            let expected = "whole microseconds (cast to a unit of us to round)";
            return Err(misfit(expected, format!("{number} ns")));
        }
    };
    scaled.ok_or_else(|| misfit("a time within 292,000 years", number))
}

pub(super) fn date(days: i64) -> Result<Date, Misfit> {
    let days = days.checked_sub(DAYS_1970_TO_2000.into()).and_then(|days| i32::try_from(days).ok());
    let days = days.ok_or_else(|| misfit("a date within PostgreSQL's limits", "one beyond"))?;
    CivilDate::from_days(days).map(Date::Finite).map_err(DecodeError::from)
}

pub(super) fn time(number: i64, unit: Unit) -> Result<Time, Misfit> {
    Time::from_microseconds(microseconds(number, unit)?).map_err(DecodeError::from)
}

fn from_2000(number: i64, unit: Unit) -> Result<i64, Misfit> {
    microseconds(number, unit)?
        .checked_sub(MICROSECONDS_1970_TO_2000)
        .ok_or_else(|| misfit("a timestamp within PostgreSQL's limits", number))
}

pub(super) fn timestamp(number: i64, unit: Unit) -> Result<Timestamp, Misfit> {
    CivilTimestamp::from_microseconds(from_2000(number, unit)?)
        .map(Timestamp::Finite)
        .map_err(DecodeError::from)
}

pub(super) fn timestamptz(number: i64, unit: Unit) -> Result<TimestampTz, Misfit> {
    CivilTimestampTz::from_microseconds(from_2000(number, unit)?)
        .map(TimestampTz::Finite)
        .map_err(DecodeError::from)
}

pub(super) fn interval(parts: MonthDayNano) -> Result<Interval, Misfit> {
    Ok(Interval::new(parts.months, parts.days, microseconds(parts.nanoseconds, Unit::Nano)?))
}

pub(super) fn duration(number: i64, unit: Unit) -> Result<Interval, Misfit> {
    Ok(Interval::new(0, 0, microseconds(number, unit)?))
}

/// A number in text form, as `numeric` reads it; false when the value is none.
pub(super) fn push_number(value: &Value<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Float(number) => text::float4::encode(number, out),
        Value::Double(number) => text::float8::encode(number, out),
        Value::Decimal(unscaled, scale) => format_decimal(*unscaled, *scale, out),
        _ => return false,
    }
    true
}

pub(super) fn numeric(value: &Value<'_>) -> Result<Option<Numeric>, Misfit> {
    let mut written = Vec::new();
    if !push_number(value, &mut written) {
        return Ok(None);
    }
    text::numeric::decode(&written).map(Some)
}

/// A 64-bit number in 32 bits; rounded, but never to infinity.
pub(super) fn narrow(number: f64) -> Result<f32, Misfit> {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what float4 does")]
    let narrowed = number as f32;
    if narrowed.is_infinite() && number.is_finite() {
        return Err(misfit("a number from -3.4e38 to 3.4e38", number));
    }
    Ok(narrowed)
}

/// A whole number as a floating-point number that is the same.
pub(super) fn exact(number: i128, bits: u32) -> Result<f64, Misfit> {
    if number.unsigned_abs() > 1 << bits {
        return Err(misfit("a whole number that a floating-point column can hold exactly", number));
    }
    #[expect(clippy::cast_precision_loss, reason = "it has at most 53 bits")]
    Ok(number as f64)
}
