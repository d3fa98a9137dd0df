//! What `$convert` converts to.

use ::bson::RawBsonRef;

use super::describe;
use super::integers::to_int32;
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// A type, and the subtype of binary data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) kind: Type,
    /// As it was given; it is looked at where it is needed.
    subtype: Option<RawBsonRef<'a>>,
}

/// The types that there are conversions to, and the others by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Double,
    String,
    Binary,
    ObjectId,
    Bool,
    Date,
    Int,
    Long,
    Decimal,
    Other(&'static str),
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::String => "string",
            Self::Binary => "binData",
            Self::ObjectId => "objectId",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Int => "int",
            Self::Long => "long",
            Self::Decimal => "decimal",
            Self::Other(name) => name,
        }
    }
}

/// Names and numbers of all types.
const TYPES: [(&str, i32, Type); 22] = [
    ("double", 1, Type::Double),
    ("string", 2, Type::String),
    ("object", 3, Type::Other("object")),
    ("array", 4, Type::Other("array")),
    ("binData", 5, Type::Binary),
    ("undefined", 6, Type::Other("undefined")),
    ("objectId", 7, Type::ObjectId),
    ("bool", 8, Type::Bool),
    ("date", 9, Type::Date),
    ("null", 10, Type::Other("null")),
    ("regex", 11, Type::Other("regex")),
    ("dbPointer", 12, Type::Other("dbPointer")),
    ("javascript", 13, Type::Other("javascript")),
    ("symbol", 14, Type::Other("symbol")),
    ("javascriptWithScope", 15, Type::Other("javascriptWithScope")),
    ("int", 16, Type::Int),
    ("timestamp", 17, Type::Other("timestamp")),
    ("long", 18, Type::Long),
    ("decimal", 19, Type::Decimal),
    ("minKey", -1, Type::Other("minKey")),
    ("maxKey", 127, Type::Other("maxKey")),
    ("missing", 0, Type::Other("missing")),
];

impl<'a> Target<'a> {
    /// Read `to`: a type, or an object of `type` and `subtype`; none if it is `null`.
    pub(super) fn read(value: Option<RawBsonRef<'a>>) -> Result<Option<Self>, Error> {
        match value {
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => Ok(None),
            Some(RawBsonRef::Document(document)) => {
                let get = |name| document.get(name).ok().flatten();
                Ok(Some(Self { kind: read_type(get("type"))?, subtype: get("subtype") }))
            }
            value => Ok(Some(Self { kind: read_type(value)?, subtype: None })),
        }
    }

    /// The subtype of binary data, which is 0 if none was given.
    pub(super) fn subtype(&self) -> Result<u8, Error> {
        let refuse = |code, text: &str| Err(Error::location(code, text));
        let Some(value) = self.subtype else { return Ok(0) };
        let Some(number) = Number::from_bson(value) else {
            return refuse(4_341_108, "$convert's 'subtype' argument must be a number");
        };
        let Some(number) = to_int32(number) else {
            return refuse(4_341_106, "In $convert, numeric 'subtype' argument is not an integer");
        };
        match u8::try_from(number) {
            Ok(subtype @ (0..=8 | 128..)) => Ok(subtype),
            _ => {
                let text = "In $convert, numeric value for 'subtype' does not correspond to a BinData type";
                refuse(4_341_107, text)
            }
        }
    }
}

fn read_type(value: Option<RawBsonRef<'_>>) -> Result<Type, Error> {
    let refuse = |text: String| Err(Error::new(Code::FAILED_TO_PARSE, text));
    if let Some(RawBsonRef::String(name)) = value {
        let found = TYPES.iter().find(|(known, _, _)| *known == name);
        return found
            .map(|(_, _, kind)| *kind)
            .ok_or_else(|| Error::new(Code::BAD_VALUE, format!("Unknown type name: {name}")));
    }
    let Some(number) = value.and_then(Number::from_bson) else {
        let found = describe::type_name(value);
        return refuse(format!(
            "$convert's 'to' argument must be a string or number, but is {found}"
        ));
    };
    let Some(number) = to_int32(number) else {
        return refuse("In $convert, numeric 'to' argument is not an integer".to_owned());
    };
    let found = TYPES.iter().find(|(_, known, _)| *known == number);
    match found {
        Some((_, _, kind)) => Ok(*kind),
        None => refuse(format!(
            "In $convert, numeric value for 'to' does not correspond to a BSON type: {number}"
        )),
    }
}
