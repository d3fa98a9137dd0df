//! Arguments of keywords, checked.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use crate::bson::number::Number;
use crate::bson::type_class::type_name;
use crate::error::{Code, Error};
use crate::query::integer;

pub(super) fn failed(message: impl Into<String>) -> Error {
    Error::new(Code::FAILED_TO_PARSE, message)
}

pub(super) fn wrong_type(message: impl Into<String>) -> Error {
    Error::new(Code::TYPE_MISMATCH, message)
}

fn must_be(name: &str, expected: &str, value: RawBsonRef<'_>) -> Error {
    let found = type_name(value);
    wrong_type(format!("$jsonSchema keyword '{name}' must be {expected}, but found {found}"))
}

pub(super) fn text<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| must_be(name, "a string", value))
}

pub(super) fn boolean(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| must_be(name, "a boolean", value))
}

pub(super) fn object<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a RawDocument, Error> {
    value.as_document().ok_or_else(|| must_be(name, "an object", value))
}

pub(super) fn array<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a RawArray, Error> {
    value.as_array().ok_or_else(|| must_be(name, "an array", value))
}

pub(super) fn number(name: &str, value: RawBsonRef<'_>) -> Result<Number, Error> {
    Number::from_bson(value).ok_or_else(|| must_be(name, "a number", value))
}

/// A count: a whole number that is not negative.
pub(super) fn count(name: &str, value: RawBsonRef<'_>) -> Result<u64, Error> {
    let number =
        integer::exact(value).map_err(|problem| failed(integer::problem(name, value, problem)))?;
    u64::try_from(number)
        .map_err(|_| failed(format!("Expected a non-negative number in: {name}: {number}")))
}

/// Names of fields: at least one, none twice.
pub(super) fn names(name: &str, array: &RawArray) -> Result<Vec<Box<str>>, Error> {
    let mut seen = std::collections::HashSet::new();
    let mut names = Vec::new();
    for value in array.into_iter().map_while(Result::ok) {
        let text = value.as_str().ok_or_else(|| {
            wrong_type(format!(
                "$jsonSchema keyword '{name}' must be an array of strings, but found an element of type {}",
                type_name(value)
            ))
        })?;
        if !seen.insert(text) {
            return Err(failed(format!(
                "$jsonSchema keyword '{name}' array cannot contain duplicate values: {text}"
            )));
        }
        names.push(text.into());
    }
    if names.is_empty() {
        return Err(failed(format!("$jsonSchema keyword '{name}' cannot be an empty array")));
    }
    Ok(names)
}
