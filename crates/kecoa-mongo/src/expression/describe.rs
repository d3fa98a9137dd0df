//! Values and their types in messages.

use std::fmt::Write as _;

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::decimal128::Decimal;
use crate::bson::type_class;

/// The name of a value's type, as `$type` says it.
pub(super) fn type_name(value: Option<RawBsonRef<'_>>) -> &'static str {
    value.map_or("missing", type_class::type_name)
}

/// A value as messages show it, cut where it is long.
pub(super) fn value(value: Option<RawBsonRef<'_>>) -> String {
    let mut text = String::new();
    append(&mut text, value);
    text
}

/// A document as messages show it.
pub(super) fn document(document: &RawDocument) -> String {
    value(Some(RawBsonRef::Document(document)))
}

/// The most that a message shows of a value.
const MOST: usize = 500;

fn append(text: &mut String, value: Option<RawBsonRef<'_>>) {
    if text.len() > MOST {
        return;
    }
    // Writing to a string does not fail.
    let _ = match value {
        None => write!(text, "missing"),
        Some(RawBsonRef::Double(value)) => write!(text, "{value}"),
        Some(RawBsonRef::Int32(value)) => write!(text, "{value}"),
        Some(RawBsonRef::Int64(value)) => write!(text, "{value}"),
        Some(RawBsonRef::Decimal128(value)) => write!(text, "{}", Decimal::from_bson(value)),
        Some(RawBsonRef::String(value) | RawBsonRef::Symbol(value)) => {
            let cut: String = value.chars().take(MOST).collect();
            write!(text, "\"{cut}\"")
        }
        Some(RawBsonRef::Boolean(value)) => write!(text, "{value}"),
        Some(RawBsonRef::Null) => write!(text, "null"),
        Some(RawBsonRef::Undefined) => write!(text, "undefined"),
        Some(RawBsonRef::MinKey) => write!(text, "MinKey"),
        Some(RawBsonRef::MaxKey) => write!(text, "MaxKey"),
        Some(RawBsonRef::ObjectId(value)) => write!(text, "ObjectId('{}')", value.to_hex()),
        Some(RawBsonRef::DateTime(value)) => match value.try_to_rfc3339_string() {
            Ok(date) => write!(text, "{date}"),
            Err(_) => write!(text, "{}", value.timestamp_millis()),
        },
        Some(RawBsonRef::Timestamp(value)) => {
            write!(text, "Timestamp({}, {})", value.time, value.increment)
        }
        Some(RawBsonRef::RegularExpression(value)) => {
            write!(text, "/{}/{}", value.pattern.as_str(), value.options.as_str())
        }
        Some(RawBsonRef::Document(document)) => {
            text.push_str("{ ");
            for (index, (name, value)) in document.iter().map_while(Result::ok).enumerate() {
                if text.len() > MOST {
                    break;
                }
                let _ = write!(text, "{}{}: ", if index > 0 { ", " } else { "" }, name.as_str());
                append(text, Some(value));
            }
            write!(text, " }}")
        }
        Some(RawBsonRef::Array(array)) => {
            text.push('[');
            for (index, value) in array.into_iter().map_while(Result::ok).enumerate() {
                if text.len() > MOST {
                    break;
                }
                text.push_str(if index > 0 { ", " } else { "" });
                append(text, Some(value));
            }
            write!(text, "]")
        }
        Some(RawBsonRef::Binary(value)) => {
            write!(text, "BinData({}, {} bytes)", u8::from(value.subtype), value.bytes.len())
        }
        Some(other) => write!(text, "{}", type_name(Some(other))),
    };
}
