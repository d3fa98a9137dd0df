//! What is wrong with an option of a specification.

use ::bson::RawBsonRef;

use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::type_name;
use crate::index::shell_text::text;

/// A bool, or a number.
pub(super) fn flag(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    match value {
        RawBsonRef::Boolean(value) => Ok(value),
        _ => match Number::from_bson(value) {
            Some(number) => Ok(number != Number::Int32(0)),
            None => Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "The field '{name}' has value {name}: {}, which is not convertible to bool",
                    text(value)
                ),
            )),
        },
    }
}

/// 14.
pub(super) fn wrong_type(name: &str, expected: &str, found: RawBsonRef<'_>) -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        format!("The field '{name}' must be {expected}, but got {}", type_name(Some(found))),
    )
}

/// 67.
pub(super) fn cannot(message: &str) -> Error {
    Error::new(Code::CANNOT_CREATE_INDEX, message)
}
