//! Names of fields and types, as errors speak of them.

use ::bson::RawBsonRef;

pub(crate) use crate::bson::type_class::type_name;

use crate::bson::limits::MAX_DEPTH;
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::is_of_reference;

/// Refuse what is no path of fields.
pub(crate) fn check_field_path(path: &str) -> Result<(), Error> {
    if path.is_empty() {
        return Err(Error::location(40352, "FieldPath cannot be constructed with empty string"));
    }
    if path.ends_with('.') {
        return Err(Error::location(40353, "FieldPath must not end with a '.'."));
    }
    if path.split('.').count() > MAX_DEPTH {
        return Err(Error::new(Code::OVERFLOW, "FieldPath is too long"));
    }
    for name in path.split('.') {
        if name.is_empty() {
            return Err(Error::location(15998, "FieldPath field names may not be empty strings."));
        }
        if name.starts_with('$') && !is_of_reference(name) {
            return Err(Error::location(
                16410,
                "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
            ));
        }
        if name.contains('\0') {
            return Err(Error::location(16411, "FieldPath field names may not contain '\\0'."));
        }
    }
    Ok(())
}

/// Whether a boolean or a number includes; none for other types.
pub(crate) fn is_truthy(value: RawBsonRef<'_>) -> Option<bool> {
    match value {
        RawBsonRef::Boolean(value) => Some(value),
        _ => Number::from_bson(value).map(|number| number != Number::Int32(0)),
    }
}

/// A value for a message; long ones are cut.
pub(crate) fn describe(value: RawBsonRef<'_>) -> String {
    const LONGEST: usize = 200;
    let mut text = String::new();
    write_value(&mut text, value, 0);
    if text.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(cut);
        text.push_str("...");
    }
    text
}

fn write_value(text: &mut String, value: RawBsonRef<'_>, depth: usize) {
    use std::fmt::Write as _;
    const ENOUGH: usize = 300;
    if depth > 10 || text.len() > ENOUGH {
        text.push_str("...");
        return;
    }
    // Writing to a string cannot fail.
    let _ = match value {
        RawBsonRef::Double(value) => write!(text, "{value:?}"),
        RawBsonRef::String(value) | RawBsonRef::Symbol(value) => write!(text, "\"{value}\""),
        RawBsonRef::Boolean(value) => write!(text, "{value}"),
        RawBsonRef::Null => write!(text, "null"),
        RawBsonRef::Int32(value) => write!(text, "{value}"),
        RawBsonRef::Int64(value) => write!(text, "{value}"),
        RawBsonRef::Decimal128(value) => write!(text, "{value}"),
        RawBsonRef::ObjectId(value) => write!(text, "ObjectId('{value}')"),
        RawBsonRef::DateTime(value) => write!(text, "new Date({})", value.timestamp_millis()),
        RawBsonRef::Timestamp(value) => {
            write!(text, "Timestamp({}, {})", value.time, value.increment)
        }
        RawBsonRef::Document(document) => {
            text.push_str("{ ");
            for (place, (name, value)) in document.iter().map_while(Result::ok).enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                if text.len() > ENOUGH {
                    break;
                }
                let _ = write!(text, "{}: ", name.as_str());
                write_value(text, value, depth + 1);
            }
            write!(text, " }}")
        }
        RawBsonRef::Array(array) => {
            text.push_str("[ ");
            for (place, value) in array.into_iter().map_while(Result::ok).enumerate() {
                if place > 0 {
                    text.push_str(", ");
                }
                if text.len() > ENOUGH {
                    break;
                }
                write_value(text, value, depth + 1);
            }
            write!(text, " ]")
        }
        other => write!(text, "{}", type_name(other)),
    };
}

#[cfg(test)]
mod tests {
    use super::check_field_path;

    #[test]
    fn a_path_may_lead_into_a_reference() {
        for path in ["a.$id", "a.$ref", "a.$db", "a.b.$id"] {
            check_field_path(path).unwrap();
        }
        for path in ["a.$ids", "a.$", "$a"] {
            assert_eq!(check_field_path(path).unwrap_err().code().number(), 16410);
        }
    }
}
