//! Types of values by name and number.

use ::bson::RawBsonRef;

use super::integer::{self, NotInteger};
use crate::error::{Code, Error};
use crate::expression::shown;

/// Some of BSON's types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeSet(u32);

const TYPES: [(&str, i64); 21] = [
    ("double", 1),
    ("string", 2),
    ("object", 3),
    ("array", 4),
    ("binData", 5),
    ("undefined", 6),
    ("objectId", 7),
    ("bool", 8),
    ("date", 9),
    ("null", 10),
    ("regex", 11),
    ("dbPointer", 12),
    ("javascript", 13),
    ("symbol", 14),
    ("javascriptWithScope", 15),
    ("int", 16),
    ("timestamp", 17),
    ("long", 18),
    ("decimal", 19),
    ("minKey", -1),
    ("maxKey", 127),
];

impl TypeSet {
    /// The types of numbers.
    pub(super) const NUMBER: Self = Self(bit(1) | bit(16) | bit(18) | bit(19));

    /// A type by its name; `number` is four of them.
    ///
    /// # Errors
    ///
    /// 2 for an unknown name.
    pub fn from_name(name: &str) -> Result<Self, Error> {
        if name == "number" {
            return Ok(Self::NUMBER);
        }
        let found = TYPES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, number)| Self(bit(*number)))
            .ok_or_else(|| Error::new(Code::BAD_VALUE, format!("Unknown type name alias: {name}")))
    }

    /// The argument of `$type`: a name, a number, or an array of them.
    pub(super) fn parse(value: RawBsonRef<'_>) -> Result<Self, Error> {
        let RawBsonRef::Array(array) = value else { return Self::parse_one(value) };
        let mut set = Self::default();
        for value in array.into_iter().map_while(Result::ok) {
            set = set.union(Self::parse_one(value)?);
        }
        if set == Self::default() {
            let message = "$type must match at least one type";
            return Err(Error::new(Code::FAILED_TO_PARSE, message));
        }
        Ok(set)
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a value's type is among them.
    #[must_use]
    pub fn contains(self, value: RawBsonRef<'_>) -> bool {
        let number = match value.element_type() as u8 {
            0xff => -1,
            number => i64::from(number),
        };
        self.0 & bit(number) != 0
    }

    /// The names of the types.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        TYPES.iter().filter(move |(_, number)| self.0 & bit(*number) != 0).map(|(name, _)| *name)
    }

    fn parse_one(value: RawBsonRef<'_>) -> Result<Self, Error> {
        let invalid = |text: String| {
            Err(Error::new(Code::BAD_VALUE, format!("Invalid numerical type code: {text}")))
        };
        match (value, integer::exact(value)) {
            (RawBsonRef::String(name), _) => Self::from_name(name),
            (_, Ok(0)) => invalid("0. Instead use {$exists:false}.".to_owned()),
            (_, Ok(number)) if TYPES.iter().any(|(_, known)| *known == number) => {
                Ok(Self(bit(number)))
            }
            (_, Ok(number)) => invalid(number.to_string()),
            (_, Err(NotInteger::NotNumber)) => Err(Error::new(
                Code::TYPE_MISMATCH,
                "type must be represented as a number or a string",
            )),
            (value, Err(_)) => invalid(shown(value)),
        }
    }
}

/// The place of a type in the set.
const fn bit(number: i64) -> u32 {
    match number {
        -1 => 1 << 20,
        127 => 1 << 21,
        1..=19 => 1 << number,
        _ => 0,
    }
}
