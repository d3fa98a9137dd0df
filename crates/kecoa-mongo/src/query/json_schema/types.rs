//! `type` and `bsonType`.

use ::bson::{RawBson, RawBsonRef};

use super::arguments::{failed, wrong_type};
use super::schema::Keyword;
use crate::error::Error;
use crate::query::type_set::TypeSet;

/// From the argument of `type` or `bsonType`.
pub(super) fn parse(name: &'static str, value: RawBsonRef<'_>) -> Result<Keyword, Error> {
    let alias = |text: &str| if name == "type" { json(text) } else { TypeSet::from_name(text) };
    let not_text = || {
        wrong_type(format!(
            "$jsonSchema keyword '{name}' must be either a string or an array of strings"
        ))
    };
    let types = match value {
        RawBsonRef::String(text) => alias(text)?,
        RawBsonRef::Array(array) => {
            let mut types = TypeSet::default();
            for value in array.into_iter().map_while(Result::ok) {
                let text = value.as_str().ok_or_else(not_text)?;
                let more = alias(text)?;
                if types.union(more) == types {
                    return Err(failed(format!(
                        "$jsonSchema keyword '{name}' has duplicate value: {text}"
                    )));
                }
                types = types.union(more);
            }
            if types == TypeSet::default() {
                return Err(failed(format!(
                    "$jsonSchema keyword '{name}' must name at least one type"
                )));
            }
            types
        }
        _ => return Err(not_text()),
    };
    Ok(Keyword::Type { name, types, argument: RawBson::from(value) })
}

/// JSON's names of types.
fn json(name: &str) -> Result<TypeSet, Error> {
    match name {
        "object" | "array" | "number" | "string" | "null" => TypeSet::from_name(name),
        "boolean" => TypeSet::from_name("bool"),
        "integer" => Err(failed("$jsonSchema type 'integer' is not currently supported.")),
        _ => TypeSet::from_name("").map_err(|_| {
            Error::new(crate::error::Code::BAD_VALUE, format!("Unknown type name alias: {name}"))
        }),
    }
}
