//! Arguments of stages: numbers, documents, errors that name the stage.

use ::bson::raw::CStr;
use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::number::Number;
use crate::error::{Code, Error};
pub(super) use crate::projection::{check_field_path, describe, type_name};

/// The fields of a document.
pub(super) fn fields(
    document: &RawDocument,
) -> impl Iterator<Item = Result<(&str, RawBsonRef<'_>), Error>> {
    document.iter().map(|field| match field {
        Ok((name, value)) => Ok((name.as_str(), value)),
        Err(error) => Err(unreadable(error)),
    })
}

/// The elements of an array.
pub(super) fn items(array: &RawArray) -> impl Iterator<Item = Result<RawBsonRef<'_>, Error>> {
    array.into_iter().map(|item| item.map_err(unreadable))
}

pub(super) fn unreadable(error: ::bson::error::Error) -> Error {
    Error::new(Code::INVALID_BSON, format!("expected a readable document, found: {error}"))
}

/// The integer that a number of any type is; none if it has a fraction, is out of range, or is no number.
pub(super) fn integer(value: RawBsonRef<'_>) -> Option<i64> {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    match Number::from_bson(value)? {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        Number::Double(value) => {
            // In range, as was checked.
            #[allow(clippy::cast_possible_truncation)]
            let whole = value as i64;
            (value.fract() == 0.0 && (-BOUND..BOUND).contains(&value)).then_some(whole)
        }
        Number::Decimal(decimal) => {
            let text = decimal.to_bson().to_string();
            let double = text.parse::<f64>().ok()?;
            if !(-BOUND..BOUND).contains(&double) || double.fract() != 0.0 {
                return None;
            }
            #[allow(clippy::cast_possible_truncation)]
            let whole = double as i64;
            (Number::Int64(whole) == Number::Decimal(decimal)).then_some(whole)
        }
    }
}

pub(super) fn is_number(value: RawBsonRef<'_>) -> bool {
    Number::from_bson(value).is_some()
}

/// The names of a document's fields must be among these.
pub(super) fn unknown_field(stage: &str, name: &str) -> Error {
    Error::location(40415, format!("BSON field '{stage}.{name}' is an unknown field."))
}

pub(super) fn missing_field(stage: &str, name: &str) -> Error {
    Error::location(40414, format!("BSON field '{stage}.{name}' is missing but a required field"))
}

pub(super) fn wrong_type(stage: &str, name: &str, value: RawBsonRef<'_>, expected: &str) -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        format!(
            "BSON field '{stage}.{name}' is the wrong type '{}', expected type '{expected}'",
            type_name(value)
        ),
    )
}

/// A document of one field.
pub(super) fn single(name: &CStr, value: impl ::bson::raw::BindRawBsonRef) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(name, value);
    document
}

/// The name of an expression's operator, if a document is one.
pub(super) fn operator_name(document: &RawDocument) -> Option<&str> {
    let (name, _) = document.iter().next()?.ok()?;
    let name = name.as_str();
    name.starts_with('$').then_some(name)
}
