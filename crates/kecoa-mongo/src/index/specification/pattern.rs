//! The key pattern of a specification.

use ::bson::{RawBsonRef, RawDocument};

use super::problems::cannot;
use crate::bson::key::Direction;
use crate::bson::number::{Number, whole};
use crate::bson::path::Path;
use crate::error::{Code, Error};
use crate::expression::type_name;
use crate::index::definition::{Field, FieldKind, MAX_FIELDS};

/// How large a key pattern may be.
const MAX_PATTERN_BYTES: usize = 2048;

/// Whether it is `_id`'s own, or would be if it were well formed.
pub(super) fn is_id(pattern: &RawDocument) -> bool {
    let mut fields = pattern.iter().filter_map(Result::ok);
    let first = fields.next();
    let is_one = |value| matches!(whole(value), Some(1 | -1));
    fields.next().is_none()
        && first.is_some_and(|(name, value)| name.as_str() == "_id" && is_one(value))
}

/// Whether it is `{_id: 1}`.
pub(super) fn is_plain_id(pattern: &RawDocument) -> bool {
    let value = pattern.get("_id").ok().flatten();
    value.and_then(Number::from_bson).is_some_and(|number| number == Number::Int32(1))
}

/// What is checked of a key pattern before its fields are.
pub(super) fn check_pattern(pattern: &RawDocument) -> Result<(), Error> {
    let mut seen: Vec<&str> = Vec::new();
    for (name, _) in pattern.iter().filter_map(Result::ok) {
        let name = name.as_str();
        if seen.contains(&name) {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!("The field '{name}' appears multiple times in the index key pattern"),
            ));
        }
        if seen.len() <= MAX_FIELDS {
            seen.push(name);
        }
    }
    if pattern.as_bytes().len() > MAX_PATTERN_BYTES {
        return Err(cannot("Index key pattern too large."));
    }
    let mut plugin: Option<&str> = None;
    for (_, value) in pattern.iter().filter_map(Result::ok) {
        if let RawBsonRef::String(name) = value {
            if plugin.is_some_and(|plugin| plugin != name) {
                return Err(cannot("Can't use more than one index plugin for a single index."));
            }
            plugin = Some(name);
        }
    }
    fields(pattern).map(|_| ())
}

/// The fields of a pattern.
pub(super) fn fields(pattern: &RawDocument) -> Result<Vec<Field>, Error> {
    let mut fields: Vec<Field> = Vec::new();
    for field in pattern.iter() {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        let name = name.as_str();
        let kind = kind(value)?;
        check_name(name)?;
        if fields.len() == MAX_FIELDS {
            return Err(Error::location(
                13103,
                format!("too many compound keys: an index has at most {MAX_FIELDS} fields"),
            ));
        }
        let path = Path::parse(name).map_err(|error| cannot(&error.to_string()))?;
        fields.push(Field { name: name.to_owned(), path, kind });
    }
    if fields.is_empty() {
        return Err(cannot("Index keys cannot be an empty object."));
    }
    Ok(fields)
}

fn check_name(name: &str) -> Result<(), Error> {
    if name == "$**" || name.ends_with(".$**") {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "wildcard indexes ($**) are not implemented",
        ));
    }
    if name == "_fts" {
        return Err(cannot("Index key contains an illegal field name: '_fts'"));
    }
    for (at, part) in name.split('.').enumerate() {
        if part.is_empty() {
            return Err(cannot("Index keys cannot contain an empty field."));
        }
        if part.starts_with('$') && (at == 0 || !matches!(part, "$id" | "$ref" | "$db")) {
            return Err(cannot(
                "Index key contains an illegal field name: field name starts with '$'.",
            ));
        }
    }
    Ok(())
}

fn kind(value: RawBsonRef<'_>) -> Result<FieldKind, Error> {
    if let Some(number) = Number::from_bson(value) {
        let zero = Number::Int32(0);
        if is_nan(value) {
            return Err(cannot("Values in the index key pattern cannot be NaN."));
        }
        return match number.cmp(&zero) {
            std::cmp::Ordering::Equal => {
                Err(cannot("Values in the index key pattern cannot be 0."))
            }
            std::cmp::Ordering::Greater => Ok(FieldKind::Ordered(Direction::Ascending)),
            std::cmp::Ordering::Less => Ok(FieldKind::Ordered(Direction::Descending)),
        };
    }
    match value {
        RawBsonRef::String("") => {
            Err(cannot("Values in the index key pattern cannot be empty strings."))
        }
        RawBsonRef::String("hashed") => Ok(FieldKind::Hashed),
        RawBsonRef::String(plugin @ ("text" | "2dsphere" | "2d")) => Err(Error::new(
            Code::NOT_IMPLEMENTED,
            format!("indexes of kind '{plugin}' are not implemented"),
        )),
        RawBsonRef::String(plugin) => Err(cannot(&format!("Unknown index plugin '{plugin}'"))),
        _ => Err(cannot(&format!(
            "Values in v:2 index key pattern cannot be of type {}. Only numbers > 0, numbers < 0, and strings are \
             allowed.",
            type_name(Some(value))
        ))),
    }
}

/// Both are equal to themselves here.
fn is_nan(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Double(number) => number.is_nan(),
        RawBsonRef::Decimal128(_) => {
            crate::bson::compare::compare(value, RawBsonRef::Double(f64::NAN)).is_eq()
        }
        _ => false,
    }
}
