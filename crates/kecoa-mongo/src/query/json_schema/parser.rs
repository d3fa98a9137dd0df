//! From a schema's document to a schema.

use std::collections::HashSet;

use ::bson::{RawBson, RawBsonRef, RawDocument};

use super::arguments::{array, boolean, count, failed, names, number, object, text, wrong_type};
use super::schema::{Dependency, Fields, Keyword, Limit, Others, Schema};
use super::{encryption, keywords, multiple, types, unordered};
use crate::bson::number::Number;
use crate::bson::type_class::type_name;
use crate::error::{Code, Error};
use crate::query::pattern::Pattern;

/// How deep schemas may lie within schemas.
const MAX_DEPTH: usize = 100;

/// What a keyword leaves to be checked when all were read.
#[derive(Default)]
struct Pending {
    minimum: Option<RawBson>,
    maximum: Option<RawBson>,
    exclusive_minimum: Option<RawBson>,
    exclusive_maximum: Option<RawBson>,
}

impl Schema {
    /// Read the argument of `$jsonSchema`.
    ///
    /// # Errors
    ///
    /// 9 for unknown keywords and values out of range, 14 for wrong types, 2 for unknown types, 51091 for a regular
    /// expression that can't be read.
    pub fn parse(value: RawBsonRef<'_>) -> Result<Self, Error> {
        match value {
            RawBsonRef::Document(document) => schema(document, 0),
            _ => Err(wrong_type("$jsonSchema must be an object")),
        }
    }
}

fn schema(document: &RawDocument, depth: usize) -> Result<Schema, Error> {
    if depth > MAX_DEPTH {
        return Err(failed("Maximum number of nested schemas exceeded: 100"));
    }
    keywords::check(document)?;
    let mut schema = Schema::default();
    let mut pending = Pending::default();
    for (name, value) in document.iter().map_while(Result::ok) {
        keyword(&mut schema, &mut pending, name.as_str(), value, depth + 1)?;
    }
    pending.finish(&mut schema)?;
    Ok(schema)
}

fn keyword(
    schema: &mut Schema,
    pending: &mut Pending,
    name: &str,
    value: RawBsonRef<'_>,
    depth: usize,
) -> Result<(), Error> {
    let keyword = match name {
        "title" => {
            schema.title = Some(text(name, value)?.into());
            return Ok(());
        }
        "description" => {
            schema.description = Some(text(name, value)?.into());
            return Ok(());
        }
        "properties" => return properties(&mut schema.fields, object(name, value)?, depth),
        "patternProperties" => {
            for (pattern, value) in object(name, value)?.iter().map_while(Result::ok) {
                let pattern = Pattern::new(pattern.as_str(), "")?;
                let inner = inner(name, value, depth)?;
                schema.fields.patterns.push((pattern, inner));
            }
            return Ok(());
        }
        "additionalProperties" => {
            schema.fields.others = Some(others(name, value, depth)?);
            return Ok(());
        }
        "items" => {
            match value {
                RawBsonRef::Document(_) => {
                    schema.items.every = Some(Box::new(inner(name, value, depth)?));
                }
                RawBsonRef::Array(_) => schema.items.each = Some(several(name, value, depth)?),
                _ => {
                    return Err(wrong_type(format!(
                        "$jsonSchema keyword 'items' must be an array or an object, not {}",
                        type_name(value)
                    )));
                }
            }
            return Ok(());
        }
        "additionalItems" => {
            schema.items.others = Some(others(name, value, depth)?);
            return Ok(());
        }
        "minimum" => {
            number(name, value)?;
            pending.minimum = Some(RawBson::from(value));
            return Ok(());
        }
        "maximum" => {
            number(name, value)?;
            pending.maximum = Some(RawBson::from(value));
            return Ok(());
        }
        "exclusiveMinimum" => {
            pending.exclusive_minimum = Some(RawBson::from(value));
            return Ok(());
        }
        "exclusiveMaximum" => {
            pending.exclusive_maximum = Some(RawBson::from(value));
            return Ok(());
        }
        "uniqueItems" if !boolean(name, value)? => return Ok(()),
        "uniqueItems" => Keyword::UniqueItems,
        "encryptMetadata" => {
            let metadata = object(name, value)?;
            if metadata.is_empty() {
                return Err(failed("$jsonSchema keyword 'encryptMetadata' cannot be empty"));
            }
            encryption::check(name, metadata)?;
            return Ok(());
        }
        _ => simple(name, value, depth)?,
    };
    schema.keywords.push(keyword);
    Ok(())
}

/// A keyword that needs no other.
fn simple(name: &str, value: RawBsonRef<'_>, depth: usize) -> Result<Keyword, Error> {
    Ok(match name {
        "type" => types::parse("type", value)?,
        "bsonType" => types::parse("bsonType", value)?,
        "required" => Keyword::Required(names(name, array(name, value)?)?),
        "dependencies" => dependencies(object(name, value)?, depth)?,
        "multipleOf" => {
            let number = number(name, value)?;
            if !multiple::is_divisor(number) {
                return Err(Error::new(
                    Code::BAD_VALUE,
                    "$jsonSchema keyword 'multipleOf' must be neither NaN nor infinite",
                ));
            }
            if number <= Number::Int32(0) {
                return Err(failed("$jsonSchema keyword 'multipleOf' must have a positive value"));
            }
            Keyword::MultipleOf(number)
        }
        "minLength" => Keyword::MinLength(count(name, value)?),
        "maxLength" => Keyword::MaxLength(count(name, value)?),
        "minItems" => Keyword::MinItems(count(name, value)?),
        "maxItems" => Keyword::MaxItems(count(name, value)?),
        "minProperties" => Keyword::MinProperties(count(name, value)?),
        "maxProperties" => Keyword::MaxProperties(count(name, value)?),
        "pattern" => Keyword::Pattern(Pattern::new(text(name, value)?, "")?),
        "enum" => one_of(name, value)?,
        "allOf" => Keyword::AllOf(several(name, value, depth)?),
        "anyOf" => Keyword::AnyOf(several(name, value, depth)?),
        "oneOf" => Keyword::OneOf(several(name, value, depth)?),
        "not" => {
            object(name, value)?;
            Keyword::Not(Box::new(inner(name, value, depth)?))
        }
        "encrypt" => {
            encryption::check(name, object(name, value)?)?;
            Keyword::Encrypt
        }
        _ => return Err(keywords::unknown(name)),
    })
}

fn properties(fields: &mut Fields, document: &RawDocument, depth: usize) -> Result<(), Error> {
    for (name, value) in document.iter().map_while(Result::ok) {
        let inner = inner(name.as_str(), value, depth)?;
        fields.places.insert(name.as_str().into(), fields.named.len());
        fields.named.push((name.as_str().into(), inner));
    }
    Ok(())
}

fn inner(name: &str, value: RawBsonRef<'_>, depth: usize) -> Result<Schema, Error> {
    let RawBsonRef::Document(document) = value else {
        return Err(wrong_type(format!(
            "Nested schema for $jsonSchema property '{name}' must be an object"
        )));
    };
    schema(document, depth)
}

fn others(name: &str, value: RawBsonRef<'_>, depth: usize) -> Result<Others, Error> {
    match value {
        RawBsonRef::Boolean(true) => Ok(Others::Allowed),
        RawBsonRef::Boolean(false) => Ok(Others::Refused),
        RawBsonRef::Document(document) => Ok(Others::Schema(Box::new(schema(document, depth)?))),
        _ => Err(wrong_type(format!(
            "$jsonSchema keyword '{name}' must be either an object or a boolean, but got {}",
            type_name(value)
        ))),
    }
}

fn several(name: &str, value: RawBsonRef<'_>, depth: usize) -> Result<Vec<Schema>, Error> {
    let schemas = array(name, value)?
        .into_iter()
        .map_while(Result::ok)
        .map(|value| match value {
            RawBsonRef::Document(document) => schema(document, depth),
            _ => Err(wrong_type(format!(
                "$jsonSchema keyword '{name}' must be an array of objects, but found an element of type {}",
                type_name(value)
            ))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if schemas.is_empty() && name != "items" {
        return Err(Error::new(
            Code::BAD_VALUE,
            format!("$jsonSchema keyword '{name}' must be a non-empty array"),
        ));
    }
    Ok(schemas)
}

fn dependencies(document: &RawDocument, depth: usize) -> Result<Keyword, Error> {
    let mut dependencies = Vec::new();
    for (name, value) in document.iter().map_while(Result::ok) {
        let dependency = match value {
            RawBsonRef::Document(document) => Dependency::Schema(schema(document, depth)?),
            RawBsonRef::Array(array) => Dependency::Fields(names("dependencies", array)?),
            _ => {
                return Err(wrong_type(format!(
                    "$jsonSchema keyword 'dependencies' must hold arrays and objects, but found {} \
                     for '{}'",
                    type_name(value),
                    name.as_str()
                )));
            }
        };
        dependencies.push((name.as_str().into(), dependency));
    }
    Ok(Keyword::Dependencies(dependencies))
}

fn one_of(name: &str, value: RawBsonRef<'_>) -> Result<Keyword, Error> {
    let mut keys = HashSet::new();
    for value in array(name, value)?.into_iter().map_while(Result::ok) {
        if !keys.insert(unordered::key(value)) {
            return Err(failed(
                "$jsonSchema keyword 'enum' array cannot contain duplicate values.",
            ));
        }
    }
    if keys.is_empty() {
        return Err(failed("$jsonSchema keyword 'enum' cannot be an empty array"));
    }
    Ok(Keyword::Enum { values: RawBson::from(value), keys })
}

impl Pending {
    fn finish(self, schema: &mut Schema) -> Result<(), Error> {
        for (number, exclusive, is_minimum) in [
            (self.minimum, self.exclusive_minimum, true),
            (self.maximum, self.exclusive_maximum, false),
        ] {
            let (one, other) = if is_minimum {
                ("minimum", "exclusiveMinimum")
            } else {
                ("maximum", "exclusiveMaximum")
            };
            match (number, exclusive) {
                (None, Some(_)) => {
                    return Err(failed(format!(
                        "$jsonSchema keyword '{one}' must be a present if {other} is present"
                    )));
                }
                (Some(number), exclusive) => {
                    let exclusive = match exclusive {
                        Some(exclusive) => boolean(other, exclusive.as_raw_bson_ref())?,
                        None => false,
                    };
                    schema.keywords.push(Keyword::Limit(Limit { is_minimum, exclusive, number }));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }
}
