//! Conversions of single values.

use ::bson::oid::ObjectId;
use ::bson::{DateTime, RawBson, RawBsonRef};

use super::integers::{decimal_to_int64, double_to_int64};
use super::target::Type;
use super::{boolean, coercion, date_text, describe, zone};
use crate::bson::decimal128::{Decimal, Magnitude};
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// A value that can't be converted.
pub(super) fn refused(text: String) -> Error {
    Error::new(Code::CONVERSION_FAILURE, text)
}

fn unsupported(value: RawBsonRef<'_>, kind: Type) -> Error {
    refused(format!(
        "Unsupported conversion from {} to {} in $convert with no onError value",
        describe::type_name(Some(value)),
        kind.name()
    ))
}

fn overflow(value: RawBsonRef<'_>) -> Error {
    refused(format!(
        "Conversion would overflow target type in $convert with no onError value: {}",
        describe::value(Some(value))
    ))
}

fn no_number(text: &str, reason: &str) -> Error {
    refused(format!("Failed to parse number '{text}' in $convert with no onError value: {reason}"))
}

/// A value that is not `null` as one of another type.
pub(super) fn cast(value: RawBsonRef<'_>, kind: Type) -> Result<RawBson, Error> {
    match kind {
        Type::Double => to_double(value),
        Type::String => to_string(value),
        Type::ObjectId => to_object_id(value),
        Type::Bool => Ok(RawBson::Boolean(boolean::is_true(Some(value)))),
        Type::Date => to_date(value),
        Type::Int => {
            let whole = to_integer(value, kind)?;
            i32::try_from(whole).map(RawBson::Int32).map_err(|_| match value {
                RawBsonRef::String(text) => no_number(text, "Overflow"),
                _ => overflow(value),
            })
        }
        Type::Long => to_integer(value, kind).map(RawBson::Int64),
        Type::Decimal => to_decimal(value),
        Type::Binary | Type::Other(_) => Err(unsupported(value, kind)),
    }
}

fn to_double(value: RawBsonRef<'_>) -> Result<RawBson, Error> {
    Ok(RawBson::Double(match value {
        RawBsonRef::Boolean(value) => f64::from(u8::from(value)),
        RawBsonRef::DateTime(value) => value.timestamp_millis() as f64,
        RawBsonRef::String(text) => parse_double(text)?,
        _ => match Number::from_bson(value) {
            Some(Number::Decimal(decimal)) => {
                let double = decimal.to_double();
                if double.is_infinite() && decimal.magnitude != Magnitude::Infinity {
                    return Err(overflow(value));
                }
                double
            }
            Some(number) => number.lossy_double(),
            None => return Err(unsupported(value, Type::Double)),
        },
    }))
}

fn parse_double(text: &str) -> Result<f64, Error> {
    if text.is_empty() {
        return Err(no_number(text, "Empty string"));
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        return Err(no_number(text, "Illegal hexadecimal input in $convert with no onError value"));
    }
    let value: f64 = text.parse().map_err(|_| no_number(text, "Did not consume whole string."))?;
    if value.is_infinite()
        && unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    {
        return Err(no_number(text, "Out of range"));
    }
    Ok(value)
}

fn to_string(value: RawBsonRef<'_>) -> Result<RawBson, Error> {
    Ok(RawBson::String(match value {
        RawBsonRef::Boolean(value) => value.to_string(),
        RawBsonRef::ObjectId(id) => id.to_hex(),
        RawBsonRef::DateTime(date) => coercion::date(date)?,
        RawBsonRef::String(_)
        | RawBsonRef::Int32(_)
        | RawBsonRef::Int64(_)
        | RawBsonRef::Double(_)
        | RawBsonRef::Decimal128(_) => coercion::to_text(Some(value))?.into_owned(),
        _ => return Err(unsupported(value, Type::String)),
    }))
}

fn to_object_id(value: RawBsonRef<'_>) -> Result<RawBson, Error> {
    match value {
        RawBsonRef::ObjectId(id) => Ok(RawBson::ObjectId(id)),
        RawBsonRef::String(text) => {
            let reason = if text.len() != 24 {
                format!(
                    "Invalid string length for parsing to OID, expected 24 but found {}",
                    text.len()
                )
            } else if let Some(invalid) = text.chars().find(|digit| !digit.is_ascii_hexdigit()) {
                format!("Invalid character found in hex string: '{invalid}'")
            } else {
                return ObjectId::parse_str(text)
                    .map(RawBson::ObjectId)
                    .map_err(|error| refused(error.to_string()));
            };
            Err(refused(format!(
                "Failed to parse objectId '{text}' in $convert with no onError value: {reason}"
            )))
        }
        _ => Err(unsupported(value, Type::ObjectId)),
    }
}

fn to_date(value: RawBsonRef<'_>) -> Result<RawBson, Error> {
    let milliseconds = match value {
        RawBsonRef::String(text) => date_text::parse(text, None).map_err(refused)?,
        RawBsonRef::Int64(_) | RawBsonRef::Double(_) | RawBsonRef::Decimal128(_) => {
            to_integer(value, Type::Date)?
        }
        _ => zone::instant_of(value).ok_or_else(|| unsupported(value, Type::Date))?,
    };
    Ok(RawBson::DateTime(DateTime::from_millis(milliseconds)))
}

fn to_integer(value: RawBsonRef<'_>, kind: Type) -> Result<i64, Error> {
    let no_integer = |what: &str| {
        Err(refused(format!(
            "Attempt to convert {what} value to integer type in $convert with no onError value"
        )))
    };
    match value {
        RawBsonRef::Boolean(value) => Ok(i64::from(value)),
        RawBsonRef::DateTime(date) if kind == Type::Long => Ok(date.timestamp_millis()),
        RawBsonRef::String(text) => parse_integer(text),
        _ => match Number::from_bson(value) {
            Some(Number::Int32(value)) => Ok(i64::from(value)),
            Some(Number::Int64(value)) => Ok(value),
            Some(Number::Double(double)) if double.is_nan() => no_integer("NaN"),
            Some(Number::Double(double)) if double.is_infinite() => no_integer("infinity"),
            Some(Number::Double(double)) => double_to_int64(double).ok_or_else(|| overflow(value)),
            Some(Number::Decimal(decimal)) => match decimal.magnitude {
                Magnitude::NaN => no_integer("NaN"),
                Magnitude::Infinity => no_integer("infinity"),
                Magnitude::Finite { .. } => {
                    decimal_to_int64(decimal).map(|(whole, _)| whole).ok_or_else(|| overflow(value))
                }
            },
            None => Err(unsupported(value, kind)),
        },
    }
}

fn parse_integer(text: &str) -> Result<i64, Error> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if text.is_empty() {
        return Err(no_number(text, "Empty string"));
    }
    if digits.is_empty() || !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(no_number(text, "Did not consume any digits"));
    }
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(no_number(text, "Did not consume whole string."));
    }
    text.parse().map_err(|_| no_number(text, "Overflow"))
}

fn to_decimal(value: RawBsonRef<'_>) -> Result<RawBson, Error> {
    let decimal = match value {
        RawBsonRef::Boolean(value) => Decimal::from(i64::from(value)),
        RawBsonRef::DateTime(date) => Decimal::from(date.timestamp_millis()),
        RawBsonRef::String(text) => {
            let decimal = Decimal::parse(text)
                .map_err(|_| no_number(text, "Failed to parse string to decimal"))?;
            let named = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
            if decimal.magnitude == Magnitude::Infinity && !named {
                return Err(no_number(text, "Conversion from string to decimal would overflow"));
            }
            decimal
        }
        _ => match Number::from_bson(value) {
            Some(number) => number.lossy_decimal(),
            None => return Err(unsupported(value, Type::Decimal)),
        },
    };
    Ok(RawBson::Decimal128(decimal.to_bson()))
}
