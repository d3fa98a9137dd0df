//! Checks a document against a table of arguments.

use ::bson::RawBsonRef;
use ::bson::RawDocument;
use ::bson::spec::{BinarySubtype, ElementType};

use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::wire::Sequence;

use super::argument::{Argument, Kind};
use super::values::{Slot, Values, whole};
use crate::bson::type_class::{element_type_name, type_name};

const NUMBERS: &[ElementType] =
    &[ElementType::Int64, ElementType::Int32, ElementType::Decimal128, ElementType::Double];
const BOOLEANS: &[ElementType] = &[
    ElementType::Boolean,
    ElementType::Int64,
    ElementType::Int32,
    ElementType::Decimal128,
    ElementType::Double,
];

/// How the fields of a document are checked.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether fields that no table has are let through.
    pub open: bool,
    /// Whether arguments that the stable API does not have are refused.
    pub strict: bool,
}

/// Reads a command's document: the field after the first ones. `place` is the command's name; a field that is
/// not in `table` may be in `common`.
///
/// # Errors
/// 40415 for an unknown field, 40413 for one that is there twice, 40414 for a missing one, 14 for a wrong type,
/// and what a row says of its range.
pub fn read<'a>(
    place: &str,
    body: &'a RawDocument,
    sequences: &'a [Sequence],
    table: &'static [Argument],
    common: &'static [Argument],
    rules: Rules,
) -> Result<(Values<'a>, Values<'a>), Error> {
    let (mut own, mut shared) = (Values::empty(table), Values::empty(common));
    for field in body.iter().skip(1) {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        let name = name.as_str();
        let (position, row, values) = match lookup(table, name) {
            Some((position, row)) => (position, row, &mut own),
            None => match lookup(common, name) {
                Some((position, row)) => (position, row, &mut shared),
                None if rules.open => continue,
                None => return Err(unknown(place, name)),
            },
        };
        if rules.strict && !row.stable {
            return Err(unstable(place, name));
        }
        take(place, row, position, value, values)?;
    }
    for sequence in sequences {
        let name = sequence.name();
        let Some((position, row)) = lookup(table, name) else {
            if rules.open {
                continue;
            }
            return Err(unknown(place, name));
        };
        if !matches!(row.kind, Kind::Documents | Kind::Array) {
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "BSON field '{place}.{name}' is the wrong type 'array', expected type '{}'",
                    expected(row)
                ),
            ));
        }
        if !own.put(position, Slot::Sequence(sequence)) {
            return Err(duplicate(place, name));
        }
    }
    require(place, &own)?;
    require(place, &shared)?;
    Ok((own, shared))
}

/// Reads a document within a command: a statement of an update, the options of a cursor. `place` is its path,
/// `update.updates` for example.
///
/// # Errors
/// As [`read`].
pub fn read_nested<'a>(
    place: &str,
    document: &'a RawDocument,
    table: &'static [Argument],
) -> Result<Values<'a>, Error> {
    let mut values = Values::empty(table);
    for field in document {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        let (position, row) =
            lookup(table, name.as_str()).ok_or_else(|| unknown(place, name.as_str()))?;
        take(place, row, position, value, &mut values)?;
    }
    require(place, &values)?;
    Ok(values)
}

/// Checks one value against a row.
///
/// # Errors
/// 14 for a wrong type, and what the row says of its range.
pub fn check(place: &str, row: &Argument, value: RawBsonRef<'_>) -> Result<(), Error> {
    let found = value.element_type();
    let accepted = match row.kind {
        Kind::Any => return Ok(()),
        Kind::Whole => return whole_number(row.name, value),
        Kind::Time => return time(place, row, value),
        Kind::Boolean => found == ElementType::Boolean,
        Kind::LenientBoolean => BOOLEANS.contains(&found),
        Kind::Integer { .. } | Kind::Number => NUMBERS.contains(&found),
        Kind::Long => found == ElementType::Int64,
        Kind::Int => found == ElementType::Int32,
        Kind::String | Kind::Enumeration(_) => found == ElementType::String,
        Kind::Document => found == ElementType::EmbeddedDocument,
        Kind::Array | Kind::Documents | Kind::Strings => found == ElementType::Array,
        Kind::Timestamp => found == ElementType::Timestamp,
        Kind::Uuid => found == ElementType::Binary,
        Kind::OneOf(types) | Kind::Parsed { types, .. } => types.contains(&found),
        Kind::Collection { code } => return collection(value, code),
        Kind::CollectionOrOne if NUMBERS.contains(&found) => return one(row.name, value),
        Kind::CollectionOrOne => return collection(value, Code::TYPE_MISMATCH),
    };
    if !accepted {
        let error = wrong_type(place, row, value);
        return Err(match row.kind {
            Kind::Parsed { code, .. } => Error::new(code, error.message()),
            _ => error,
        });
    }
    match (row.kind, value) {
        (Kind::Integer { least, most, code }, _) => {
            within(row.name, whole(value).unwrap_or(0), least, most, code)
        }
        (Kind::Enumeration(words), RawBsonRef::String(word)) if !words.contains(&word) => {
            Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "Enumeration value '{word}' for field '{place}.{}' is not a valid value.",
                    row.name
                ),
            ))
        }
        (Kind::Documents, RawBsonRef::Array(array)) => {
            elements(place, row, array, ElementType::EmbeddedDocument)
        }
        (Kind::Strings, RawBsonRef::Array(array)) => {
            elements(place, row, array, ElementType::String)
        }
        (Kind::Uuid, RawBsonRef::Binary(binary)) if binary.subtype != BinarySubtype::Uuid => {
            Err(wrong_subtype(place, row.name, binary.subtype.into()))
        }
        (Kind::Uuid, RawBsonRef::Binary(binary)) if binary.bytes.len() != 16 => Err(Error::new(
            Code::INVALID_UUID,
            format!(
                "uuid must be a 16-byte binary field with UUID (4) subtype, found {} bytes",
                binary.bytes.len()
            ),
        )),
        _ => Ok(()),
    }
}

/// An unknown field: 40415.
#[must_use]
pub fn unknown(place: &str, name: &str) -> Error {
    Error::location(40415, format!("BSON field '{place}.{name}' is an unknown field."))
}

/// A field that is missing: 40414.
#[must_use]
pub fn missing(place: &str, name: &str) -> Error {
    Error::location(40414, format!("BSON field '{place}.{name}' is missing but a required field"))
}

/// A field of a wrong type: 14.
#[must_use]
pub fn wrong_type(place: &str, row: &Argument, value: RawBsonRef<'_>) -> Error {
    let (found, name) = (type_name(value), row.name);
    let expected = expected(row);
    let plural = if expected.starts_with('[') { "s" } else { "" };
    Error::new(
        Code::TYPE_MISMATCH,
        format!(
            "BSON field '{place}.{name}' is the wrong type '{found}', expected type{plural} '{expected}'"
        ),
    )
}

fn take<'a>(
    place: &str,
    row: &Argument,
    position: usize,
    value: RawBsonRef<'a>,
    values: &mut Values<'a>,
) -> Result<(), Error> {
    let absent =
        matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) && !row.kind.takes_null();
    if absent {
        return if values.mark(position) { Ok(()) } else { Err(duplicate(place, row.name)) };
    }
    check(place, row, value)?;
    if values.put(position, Slot::Value(value)) { Ok(()) } else { Err(duplicate(place, row.name)) }
}

fn require(place: &str, values: &Values<'_>) -> Result<(), Error> {
    values.missing().map_or(Ok(()), |row| Err(missing(place, row.name)))
}

fn lookup(table: &'static [Argument], name: &str) -> Option<(usize, &'static Argument)> {
    table.iter().enumerate().find(|(_, row)| row.name == name)
}

fn duplicate(place: &str, name: &str) -> Error {
    Error::location(40413, format!("BSON field '{place}.{name}' is a duplicate field"))
}

fn unstable(place: &str, name: &str) -> Error {
    Error::new(
        Code::API_STRICT_ERROR,
        format!("BSON field '{place}.{name}' is not allowed with apiStrict:true."),
    )
}

fn wrong_subtype(place: &str, name: &str, found: u8) -> Error {
    let found = match found {
        0 => "general".to_owned(),
        1 => "function".to_owned(),
        2 => "binary".to_owned(),
        3 => "UUID (deprecated)".to_owned(),
        5 => "MD5".to_owned(),
        other => other.to_string(),
    };
    Error::new(
        Code::TYPE_MISMATCH,
        format!(
            "BSON field '{place}.{name}' is the wrong binData type '{found}', expected type 'UUID'"
        ),
    )
}

fn collection(value: RawBsonRef<'_>, code: Code) -> Result<(), Error> {
    match value {
        RawBsonRef::String(_) => Ok(()),
        RawBsonRef::Binary(binary) if binary.subtype == BinarySubtype::Uuid => Err(Error::new(
            Code::BAD_VALUE,
            "Collection name must be provided. UUID is not valid in this context",
        )),
        _ => {
            Err(Error::new(code, format!("collection name has invalid type {}", type_name(value))))
        }
    }
}

/// A number that is whole and has an opposite.
fn whole_number(name: &str, value: RawBsonRef<'_>) -> Result<(), Error> {
    let Some(number) = Number::from_bson(value) else {
        return Err(Error::new(Code::BAD_VALUE, format!("{name} value is not a valid number")));
    };
    let cut = whole(value).unwrap_or(0);
    if Number::Int64(cut) != number {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!("{name}: expected an integer of at most 64 bits"),
        ));
    }
    if cut == i64::MIN {
        return Err(Error::new(
            Code::BAD_VALUE,
            format!("{name} value cannot be the smallest long"),
        ));
    }
    Ok(())
}

/// The commands that take anything as `maxTimeMS`, and refuse what is no number of milliseconds as a bad value. The
/// others read it as they read their other numbers.
const TIMES_ARE_PARSED: &[&str] = &["count", "find"];

fn time(place: &str, row: &Argument, value: RawBsonRef<'_>) -> Result<(), Error> {
    let name = row.name;
    let is_plain = !TIMES_ARE_PARSED.contains(&place);
    if is_plain && matches!(value, RawBsonRef::Null | RawBsonRef::Undefined) {
        return Ok(());
    }
    let Some(milliseconds) = whole(value) else {
        return Err(match is_plain {
            true => wrong_type(place, row, value),
            false => Error::new(Code::BAD_VALUE, format!("{name} must be a number")),
        });
    };
    if place == "aggregate" && milliseconds < 0 {
        return within(name, milliseconds, 0, i64::MAX, Code::location(51024));
    }
    if !(0..=i64::from(i32::MAX)).contains(&milliseconds) {
        return Err(Error::new(
            Code::BAD_VALUE,
            format!("{milliseconds} value for {name} is out of range"),
        ));
    }
    if matches!(value, RawBsonRef::Double(number) if number.trunc() != number) {
        return Err(Error::new(Code::BAD_VALUE, format!("{name} has non-integral value")));
    }
    Ok(())
}

fn one(name: &str, value: RawBsonRef<'_>) -> Result<(), Error> {
    if Number::from_bson(value) == Some(Number::Int32(1)) {
        return Ok(());
    }
    let message =
        format!("Invalid command format: the '{name}' field must specify a collection name or 1");
    Err(Error::new(Code::FAILED_TO_PARSE, message))
}

fn within(name: &str, value: i64, least: i64, most: i64, code: Code) -> Result<(), Error> {
    let (sign, limit) = if value < least {
        (">=", least)
    } else if value > most {
        ("<=", most)
    } else {
        return Ok(());
    };
    Err(Error::new(
        code,
        format!("BSON field '{name}' value must be {sign} {limit}, actual value '{value}'"),
    ))
}

fn elements(
    place: &str,
    row: &Argument,
    array: &::bson::RawArray,
    wanted: ElementType,
) -> Result<(), Error> {
    for (index, element) in array.iter_elements().enumerate() {
        let found = element
            .map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?
            .element_type();
        if found != wanted {
            let (found, wanted) = (element_type_name(found), element_type_name(wanted));
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "BSON field '{place}.{}.{index}' is the wrong type '{found}', expected type '{wanted}'",
                    row.name
                ),
            ));
        }
    }
    Ok(())
}

fn expected(row: &Argument) -> String {
    let list = |types: &[ElementType]| match types {
        [one] => element_type_name(*one).to_owned(),
        many => {
            let names: Vec<_> = many.iter().map(|one| element_type_name(*one)).collect();
            format!("[{}]", names.join(", "))
        }
    };
    match row.kind {
        Kind::Any => "any".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::LenientBoolean => list(BOOLEANS),
        Kind::Integer { .. } | Kind::Number | Kind::Whole | Kind::Time => list(NUMBERS),
        Kind::Long => "long".to_owned(),
        Kind::Int => "int".to_owned(),
        Kind::String | Kind::Enumeration(_) | Kind::Collection { .. } | Kind::CollectionOrOne => {
            "string".to_owned()
        }
        Kind::Document => "object".to_owned(),
        Kind::Array | Kind::Documents | Kind::Strings => "array".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::Uuid => "binData".to_owned(),
        Kind::OneOf(types) | Kind::Parsed { types, .. } => list(types),
    }
}
