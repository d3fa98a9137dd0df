//! The names of keywords, and which of them go together.

use std::collections::HashSet;

use ::bson::RawDocument;

use super::arguments::failed;
use crate::error::Error;

const KEYWORDS: [&str; 31] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "bsonType",
    "dependencies",
    "description",
    "encrypt",
    "encryptMetadata",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// JSON Schema's own that MongoDB does not take.
const UNSUPPORTED: [&str; 6] = ["$ref", "$schema", "default", "definitions", "format", "id"];

/// Those that say what type a value has: no two of them may stand together.
const TYPES: [(&str, &str); 4] = [
    ("type", "bsonType"),
    ("encrypt", "encryptMetadata"),
    ("type", "encrypt"),
    ("bsonType", "encrypt"),
];

/// Check the names of all keywords, before the value of any.
///
/// # Errors
///
/// 9 for unknown ones, for one that stands there twice, and for those that exclude each other.
pub(super) fn check(schema: &RawDocument) -> Result<(), Error> {
    let mut found = HashSet::new();
    for element in schema.iter_elements().map_while(Result::ok) {
        let name = element.key().as_str();
        if !KEYWORDS.contains(&name) {
            return Err(unknown(name));
        }
        if !found.insert(name) {
            return Err(failed(format!("Duplicate $jsonSchema keyword: {name}")));
        }
    }
    for (one, other) in TYPES {
        if found.contains(one) && found.contains(other) {
            return Err(failed(format!(
                "Cannot specify both $jsonSchema keywords '{one}' and '{other}'"
            )));
        }
    }
    Ok(())
}

pub(super) fn unknown(name: &str) -> Error {
    failed(if UNSUPPORTED.contains(&name) {
        format!("$jsonSchema keyword '{name}' is not currently supported")
    } else {
        format!("Unknown $jsonSchema keyword: {name}")
    })
}
