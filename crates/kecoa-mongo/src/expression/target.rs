//! What `$convert` converts to.

use ::bson::RawBsonRef;

use super::describe;
use super::integers::{to_int32, to_int64};
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// A type, and the subtype of binary data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Type,
    pub(super) subtype: u8,
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

impl Target {
    /// Read `to`; none if it is `null`.
    pub(super) fn read(value: Option<RawBsonRef<'_>>) -> Result<Option<Self>, Error> {
        let simple = |kind| Ok(Some(Self { kind, subtype: 0 }));
        match value {
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => Ok(None),
            Some(RawBsonRef::Document(document)) => {
                let (mut kind, mut subtype) = (None, 0);
                for (name, value) in document.iter().map_while(Result::ok) {
                    match name.as_str() {
                        "type" => kind = Some(read_type(value)?),
                        "subtype" => {
                            let number = Number::from_bson(value).and_then(to_int32);
                            subtype = match number.and_then(|number| u8::try_from(number).ok()) {
                                Some(subtype) => subtype,
                                None => {
                                    let text = "In $convert, numeric value for 'subtype' does not correspond to a BinData type";
                                    return Err(Error::location(4_341_107, text));
                                }
                            };
                        }
                        other => {
                            let text =
                                format!("$convert found an unknown argument in 'to': {other}");
                            return Err(Error::new(Code::FAILED_TO_PARSE, text));
                        }
                    }
                }
                match kind {
                    Some(kind) => Ok(Some(Self { kind, subtype })),
                    None => {
                        let text = "$convert's 'to' argument must have a 'type'";
                        Err(Error::new(Code::FAILED_TO_PARSE, text))
                    }
                }
            }
            Some(value) => simple(read_type(value)?),
        }
    }
}

fn read_type(value: RawBsonRef<'_>) -> Result<Type, Error> {
    let refuse = |text: String| Err(Error::new(Code::FAILED_TO_PARSE, text));
    if let RawBsonRef::String(name) = value {
        let found = TYPES.iter().find(|(known, _, _)| *known == name);
        return found
            .map(|(_, _, kind)| *kind)
            .ok_or_else(|| Error::new(Code::BAD_VALUE, format!("Unknown type name: {name}")));
    }
    let Some(number) = Number::from_bson(value) else {
        let found = describe::type_name(Some(value));
        return refuse(format!(
            "$convert's 'to' argument must be a string or number, but is {found}"
        ));
    };
    let Some(number) = to_int64(number) else {
        return refuse("In $convert, numeric 'to' argument is not an integer".to_owned());
    };
    let found = TYPES.iter().find(|(_, known, _)| i64::from(*known) == number);
    match found {
        Some((_, _, kind)) => Ok(*kind),
        None => refuse(format!(
            "In $convert, numeric value for 'to' does not correspond to a BSON type: {number}"
        )),
    }
}
