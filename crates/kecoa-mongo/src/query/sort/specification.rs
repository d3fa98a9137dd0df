//! A sort as a client gives it.

use ::bson::{RawBsonRef, RawDocument};

use super::field::{SortField, SortMode};
use crate::bson::key::Direction;
use crate::bson::limits::MAX_DEPTH;
use crate::error::{Code, Error};
use crate::expression::shown;
use crate::query::field_path::FieldPath;
use crate::query::integer;

/// The fields of one sort.
const MAX_FIELDS: usize = 32;

type Parts = (Vec<SortField>, Option<Direction>);

pub(super) fn parse(specification: &RawDocument, mode: SortMode) -> Result<Parts, Error> {
    let mut fields: Vec<SortField> = Vec::new();
    for (name, value) in specification.iter().map_while(Result::ok) {
        let name = name.as_str();
        if name == "$natural" && mode == SortMode::Find {
            return natural(specification, value);
        }
        let field = field(name, value)?;
        let is_same = |other: &SortField| {
            other.path.as_ref().is_some_and(|path| field.path.as_ref() == Some(path))
        };
        if fields.iter().any(is_same) {
            return Err(Error::location(
                7_472_500,
                format!("$sort key must not contain duplicate keys (field '{name}')"),
            ));
        }
        if fields.len() == MAX_FIELDS {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!("expected a sort by at most {MAX_FIELDS} fields, found more"),
            ));
        }
        fields.push(field);
    }
    if fields.is_empty() && mode == SortMode::Aggregate {
        return Err(Error::location(15976, "$sort stage must have at least one sort key"));
    }
    Ok((fields, None))
}

fn natural(specification: &RawDocument, value: RawBsonRef<'_>) -> Result<Parts, Error> {
    if specification.iter_elements().nth(1).is_some() {
        return Err(Error::new(Code::BAD_VALUE, "Cannot include '$natural' in compound sort"));
    }
    match integer::exact(value) {
        Ok(1) => Ok((Vec::new(), Some(Direction::Ascending))),
        Ok(-1) => Ok((Vec::new(), Some(Direction::Descending))),
        _ => Err(Error::new(
            Code::BAD_VALUE,
            "$natural sort cannot be set to a value other than -1 or 1.",
        )),
    }
}

fn field(name: &str, value: RawBsonRef<'_>) -> Result<SortField, Error> {
    if let RawBsonRef::Document(meta) = value {
        return by_metadata(name, meta);
    }
    let direction = match integer::truncated(value) {
        Ok(1) => Direction::Ascending,
        Ok(-1) => Direction::Descending,
        Err(integer::NotInteger::NotNumber) => return Err(illegal(name, value)),
        _ => {
            return Err(Error::location(
                15975,
                "$sort key ordering must be 1 (for ascending) or -1 (for descending)",
            ));
        }
    };
    check_path(name)?;
    Ok(SortField { path: Some(FieldPath::parse(name)?), direction })
}

fn by_metadata(name: &str, meta: &RawDocument) -> Result<SortField, Error> {
    let mut fields = meta.iter().map_while(Result::ok);
    let first = fields.next();
    let Some((_, kind)) = first.filter(|(name, _)| name.as_str() == "$meta") else {
        return Err(Error::location(
            17312,
            "$meta is the only expression supported by $sort right now",
        ));
    };
    if fields.next().is_some() {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!("Cannot have additional keys in a $meta sort specification: {name}"),
        ));
    }
    match kind.as_str() {
        Some("randVal") => Ok(SortField { path: None, direction: Direction::Ascending }),
        Some("textScore") => Err(Error::location(
            40218,
            "query requires text score metadata, but it is not available",
        )),
        Some("geoNearDistance") => {
            Err(Error::location(40218, "query requires geoNear metadata, but it is not available"))
        }
        Some("searchScore" | "vectorSearchScore") => {
            Err(Error::location(40218, "query requires search metadata, but it is not available"))
        }
        _ => Err(Error::location(31138, format!("Illegal $meta sort: $meta: {}", shown(kind)))),
    }
}

fn check_path(path: &str) -> Result<(), Error> {
    if path.is_empty() {
        return Err(Error::location(40352, "FieldPath cannot be constructed with empty string"));
    }
    if path.ends_with('.') {
        return Err(Error::location(40353, "FieldPath must not end with a '.'."));
    }
    if path.split('.').count() > MAX_DEPTH {
        return Err(Error::new(Code::OVERFLOW, "FieldPath is too long"));
    }
    for component in path.split('.') {
        if component.is_empty() {
            return Err(Error::location(15998, "FieldPath field names may not be empty strings."));
        }
        if component.starts_with('$') && !["$id", "$ref", "$db"].contains(&component) {
            return Err(Error::location(
                16410,
                format!(
                    "FieldPath field names may not start with '$'. Consider using $getField or $setField. Found '{component}'"
                ),
            ));
        }
    }
    Ok(())
}

fn illegal(name: &str, value: RawBsonRef<'_>) -> Error {
    let value = shown(value);
    Error::location(15974, format!("Illegal key in $sort specification: {name}: {value}"))
}
