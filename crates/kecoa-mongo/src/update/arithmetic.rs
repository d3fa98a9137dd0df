//! `$inc`, `$mul` and `$bit`.

use ::bson::{RawBson, RawBsonRef};

use super::place::Place;
use super::text;
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// `$inc` or `$mul` with its number.
#[derive(Clone, Debug)]
pub(super) struct Arithmetic {
    multiply: bool,
    operand: Number,
}

/// `$bit` with its operations, in their order.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    operations: Vec<(Operation, Integer)>,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, Debug)]
enum Integer {
    Int32(i32),
    Int64(i64),
}

impl Arithmetic {
    pub(super) fn parse(
        multiply: bool,
        field: &str,
        argument: RawBsonRef<'_>,
    ) -> Result<Self, Error> {
        let Some(operand) = Number::from_bson(argument) else {
            let verb = if multiply { "multiply" } else { "increment" };
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "Cannot {verb} with non-numeric argument: {{{}}}",
                    text::field(field, argument)
                ),
            ));
        };
        Ok(Self { multiply, operand })
    }

    /// The new value where there is one.
    pub(super) fn result(
        &self,
        current: RawBsonRef<'_>,
        place: &Place<'_>,
    ) -> Result<RawBson, Error> {
        let operator = if self.multiply { "$mul" } else { "$inc" };
        let Some(number) = Number::from_bson(current) else {
            let field = place.name();
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "Cannot apply {operator} to a value of non-numeric type. {} has the field \
                     '{field}' of non-numeric type {}",
                    text::identity(place.id),
                    text::type_name(current)
                ),
            ));
        };
        let result = if self.multiply {
            number.checked_mul(self.operand)
        } else {
            number.checked_add(self.operand)
        };
        let result = result.map_err(|_| {
            let kind =
                if matches!(current, RawBsonRef::Int32(_)) { "NumberInt" } else { "NumberLong" };
            Error::new(
                Code::BAD_VALUE,
                format!(
                    "Failed to apply {operator} operations to current value (({kind}){}) for \
                     document {}",
                    text::value(current),
                    text::identity(place.id)
                ),
            )
        })?;
        Ok(result.to_bson())
    }

    /// The value where none is: a missing one counts as 0.
    pub(super) fn first(&self, place: &Place<'_>) -> Result<RawBson, Error> {
        if self.multiply {
            return self.result(RawBsonRef::Int32(0), place);
        }
        Ok(self.operand.to_bson())
    }
}

impl Bits {
    pub(super) fn parse(field: &str, argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let RawBsonRef::Document(document) = argument else {
            return Err(bad(format!(
                "The $bit modifier is not compatible with a {}. You must pass in an embedded \
                 document: {{$bit: {{field: {{and/or/xor: #}}}}",
                text::type_name(argument)
            )));
        };
        let mut operations = Vec::new();
        for (name, value) in document.iter().map_while(Result::ok) {
            let operation = match name.as_str() {
                "and" => Operation::And,
                "or" => Operation::Or,
                "xor" => Operation::Xor,
                other => {
                    return Err(bad(format!(
                        "The $bit modifier only supports 'and', 'or', and 'xor', not '{other}' \
                         which is an unknown operator: {{{}}}",
                        text::field(other, value)
                    )));
                }
            };
            let Some(operand) = Integer::from_bson(value) else {
                return Err(bad(format!(
                    "The $bit modifier field must be an Integer(32/64 bit); a '{}' is not supported \
                     here: {{{}}}",
                    text::type_name(value),
                    text::field(name.as_str(), value)
                )));
            };
            operations.push((operation, operand));
        }
        if operations.is_empty() {
            return Err(bad(format!(
                "You must pass in at least one bitwise operation. The format is: {{$bit: {{field: \
                 {{and/or/xor: #}}}}, found {field}: {{}}"
            )));
        }
        Ok(Self { operations })
    }

    /// The new value; a missing one counts as 0.
    pub(super) fn result(
        &self,
        current: Option<RawBsonRef<'_>>,
        place: &Place<'_>,
    ) -> Result<RawBson, Error> {
        let mut value = match current {
            None => Integer::Int32(0),
            Some(current) => Integer::from_bson(current).ok_or_else(|| {
                let field = place.name();
                bad(format!(
                    "Cannot apply $bit to a value of non-integral type.{} has the field {field} of \
                     non-integer type {}",
                    text::identity(place.id),
                    text::type_name(current)
                ))
            })?,
        };
        for (operation, operand) in &self.operations {
            value = operation.of(value, *operand);
        }
        Ok(match value {
            Integer::Int32(value) => RawBson::Int32(value),
            Integer::Int64(value) => RawBson::Int64(value),
        })
    }
}

impl Integer {
    fn from_bson(value: RawBsonRef<'_>) -> Option<Self> {
        match value {
            RawBsonRef::Int32(value) => Some(Self::Int32(value)),
            RawBsonRef::Int64(value) => Some(Self::Int64(value)),
            _ => None,
        }
    }

    fn wide(self) -> i64 {
        match self {
            Self::Int32(value) => i64::from(value),
            Self::Int64(value) => value,
        }
    }
}

impl Operation {
    fn of(self, left: Integer, right: Integer) -> Integer {
        match (left, right) {
            (Integer::Int32(left), Integer::Int32(right)) => Integer::Int32(match self {
                Self::And => left & right,
                Self::Or => left | right,
                Self::Xor => left ^ right,
            }),
            (left, right) => {
                let (left, right) = (left.wide(), right.wide());
                Integer::Int64(match self {
                    Self::And => left & right,
                    Self::Or => left | right,
                    Self::Xor => left ^ right,
                })
            }
        }
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
