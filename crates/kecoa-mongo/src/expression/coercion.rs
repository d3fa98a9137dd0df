//! Text of values that are not strings.

use std::borrow::Cow;

use ::bson::{DateTime, RawBsonRef, Timestamp};

use super::date_format::MONTHS;
use super::describe;
use super::instant::{self, Civil};
use crate::bson::decimal128::Decimal;
use crate::error::Error;

/// The text that operators on strings take a value for. Nothing gives an empty text.
pub(super) fn to_text(value: Option<RawBsonRef<'_>>) -> Result<Cow<'_, str>, Error> {
    Ok(match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => Cow::Borrowed(""),
        Some(
            RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text),
        ) => Cow::Borrowed(text),
        Some(RawBsonRef::Int32(value)) => Cow::Owned(value.to_string()),
        Some(RawBsonRef::Int64(value)) => Cow::Owned(value.to_string()),
        Some(RawBsonRef::Double(value)) => Cow::Owned(double(value)),
        Some(RawBsonRef::Decimal128(value)) => Cow::Owned(Decimal::from_bson(value).to_string()),
        Some(RawBsonRef::DateTime(value)) => Cow::Owned(date(value)?),
        Some(RawBsonRef::Timestamp(value)) => Cow::Owned(timestamp(value)),
        Some(other) => {
            let found = describe::type_name(Some(other));
            return Err(Error::location(
                16007,
                format!("can't convert from BSON type {found} to String"),
            ));
        }
    })
}

/// A timestamp as `Nov 14 22:13:20:3`: without the year, the number behind the second in hexadecimal.
fn timestamp(value: Timestamp) -> String {
    let civil = Civil::from_milliseconds(i64::from(value.time) * 1000);
    let month = usize::try_from(civil.month - 1).ok().and_then(|month| MONTHS.get(month));
    let month = month.and_then(|month| month.get(..3)).unwrap_or("");
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    format!("{month} {:2} {hour:02}:{minute:02}:{second:02}:{:x}", civil.day, value.increment)
}

/// A date as `2024-02-29T12:34:56.789Z`.
pub(super) fn date(value: DateTime) -> Result<String, Error> {
    instant::iso_text(value.timestamp_millis())
}

/// A double with at most 16 digits: `1`, `0.1`, `1e+20`, `NaN`, `Infinity`.
pub(super) fn double(value: f64) -> String {
    const DIGITS: usize = 16;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}Infinity");
    }
    if value == 0.0 {
        return format!("{sign}0");
    }
    // As C's %.16g: that many digits, without zeros at the end.
    let scientific = format!("{:.*e}", DIGITS - 1, value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    let digits = digits.trim_end_matches('0');
    let count = i32::try_from(digits.len()).unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs());
    }
    if exponent < 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let before = exponent + 1;
    if count <= before {
        let zeros = "0".repeat(usize::try_from(before - count).unwrap_or(0));
        return format!("{sign}{digits}{zeros}");
    }
    let (whole, fraction) = digits.split_at(usize::try_from(before).unwrap_or(0));
    format!("{sign}{whole}.{fraction}")
}
