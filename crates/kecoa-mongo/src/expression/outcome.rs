//! Shorthands for what operators give and take.

use ::bson::{RawArray, RawArrayBuf, RawBson, RawBsonRef};

use super::context::Outcome;
use super::describe;
use crate::bson::number::Number;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

/// A value that is there.
pub(super) fn present<'v>(value: impl Into<RawBson>) -> Outcome<'v> {
    Ok(Some(Value::Owned(value.into())))
}

/// `null`.
pub(super) fn null<'v>() -> Outcome<'v> {
    Ok(Some(Value::Borrowed(RawBsonRef::Null)))
}

/// Whether a value is missing, `null` or `undefined`.
pub(super) fn is_nullish(value: Option<&Value<'_>>) -> bool {
    value.is_none_or(Value::is_nullish)
}

/// What there is to look at.
pub(super) fn view<'a>(value: &'a Option<Value<'_>>) -> Option<RawBsonRef<'a>> {
    value.as_ref().map(Value::as_ref)
}

/// The name of a value's type.
pub(super) fn type_of(value: &Option<Value<'_>>) -> &'static str {
    describe::type_name(view(value))
}

/// The value in messages.
pub(super) fn shown(value: &Option<Value<'_>>) -> String {
    describe::value(view(value))
}

/// The value as a number.
pub(super) fn number(value: &Option<Value<'_>>) -> Option<Number> {
    view(value).and_then(Number::from_bson)
}

/// The value as text.
pub(super) fn text<'a>(value: &'a Option<Value<'_>>) -> Option<&'a str> {
    match view(value) {
        Some(RawBsonRef::String(text)) => Some(text),
        _ => None,
    }
}

/// The value as an array.
pub(super) fn array<'a>(value: &'a Option<Value<'_>>) -> Option<&'a RawArray> {
    match view(value) {
        Some(RawBsonRef::Array(array)) => Some(array),
        _ => None,
    }
}

/// The elements of an array whose bytes were validated.
pub(super) fn elements(array: &RawArray) -> impl Iterator<Item = RawBsonRef<'_>> {
    array.into_iter().map_while(Result::ok)
}

/// An array of elements, unless the work is to end meanwhile.
pub(super) fn gathered<'e>(
    elements: impl IntoIterator<Item = RawBsonRef<'e>>,
    interrupt: &Interrupt,
) -> Result<RawArrayBuf, Error> {
    let mut array = RawArrayBuf::new();
    for element in elements {
        interrupt.check()?;
        array.push(element);
    }
    Ok(array)
}

/// An error with a number that has no name.
pub(super) fn fail<T>(number: i32, text: String) -> Result<T, Error> {
    Err(Error::location(number, text))
}
