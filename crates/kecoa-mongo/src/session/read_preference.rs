//! `$readPreference`: which member answers. There is one, so it is checked and not used.

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::number::Number;
use crate::error::{Code, Error};

const MODES: &[&str] =
    &["primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"];
const LEAST_STALENESS: i32 = 90;

/// Checks `$readPreference`.
///
/// # Errors
/// 40415 for an unknown field, 40414 without a mode, 14 for a wrong type, 2 for an unknown mode, 160 for a staleness
/// below 90 seconds, 72 for parts that a primary does not have.
pub fn check(document: &RawDocument) -> Result<(), Error> {
    const PLACE: &str = "$readPreference";
    let wrong = |name: &str, wanted: &str| {
        let message =
            format!("BSON field '{PLACE}.{name}' is the wrong type, expected type '{wanted}'");
        Err(Error::new(Code::TYPE_MISMATCH, message))
    };
    let (mut mode, mut has_tags, mut staleness, mut is_hedged) = (None, false, None, false);
    for field in document {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        match (name.as_str(), value) {
            (_, RawBsonRef::Null | RawBsonRef::Undefined) => {}
            ("mode", RawBsonRef::String(name)) => mode = Some(name),
            ("mode", _) => return wrong("mode", "string"),
            ("tags", RawBsonRef::Array(tags)) => {
                for tag in tags {
                    match tag {
                        // One empty set of tags is what a primary says by itself.
                        Ok(RawBsonRef::Document(tag)) => has_tags |= !tag.is_empty(),
                        _ => return wrong("tags", "array of objects"),
                    }
                }
            }
            ("tags", _) => return wrong("tags", "array"),
            ("maxStalenessSeconds", value) => match Number::from_bson(value) {
                Some(number) => staleness = Some(number),
                None => return wrong("maxStalenessSeconds", "number"),
            },
            ("hedge", RawBsonRef::Document(_)) => is_hedged = true,
            ("hedge", _) => return wrong("hedge", "object"),
            (name, _) => {
                return Err(Error::location(
                    40415,
                    format!("BSON field '{PLACE}.{name}' is an unknown field."),
                ));
            }
        }
    }
    let mode = mode.ok_or_else(|| {
        Error::location(40414, format!("BSON field '{PLACE}.mode' is missing but a required field"))
    })?;
    if !MODES.contains(&mode) {
        let message =
            format!("Enumeration value '{mode}' for field '{PLACE}.mode' is not a valid value.");
        return Err(Error::new(Code::BAD_VALUE, message));
    }
    let staleness = staleness.filter(|staleness| *staleness > Number::Int32(0));
    if mode == "primary" && (has_tags || staleness.is_some() || is_hedged) {
        let message = "mode 'primary' does not go with tags, maxStalenessSeconds or hedge";
        return Err(Error::new(
            if has_tags { Code::BAD_VALUE } else { Code::INVALID_OPTIONS },
            message,
        ));
    }
    if staleness.is_some_and(|staleness| staleness < Number::Int32(LEAST_STALENESS)) {
        let message = format!("maxStalenessSeconds value can not be less than {LEAST_STALENESS}");
        return Err(Error::location(160, message));
    }
    Ok(())
}
