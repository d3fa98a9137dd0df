//! Values as MongoDB writes them in its messages.

use std::fmt::Write as _;

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::decimal128::Decimal;
use crate::bson::limits::MAX_DOCUMENT_DEPTH;
pub(super) use crate::bson::type_class::type_name;

/// The bytes of a value that a message shows.
const MOST: usize = 1024;

/// A field as `name: value`.
pub(super) fn field(name: &str, value: RawBsonRef<'_>) -> String {
    let mut out = format!("{name}: ");
    write(&mut out, value, 0);
    out
}

/// A value.
pub(super) fn value(value: RawBsonRef<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

/// How a document is named in a message: by its `_id`.
pub(super) fn identity(id: Option<RawBsonRef<'_>>) -> String {
    match id {
        Some(id) => format!("{{{}}}", field("_id", id)),
        None => "{no id}".to_owned(),
    }
}

fn write(out: &mut String, value: RawBsonRef<'_>, depth: usize) {
    if out.len() > MOST || depth > MAX_DOCUMENT_DEPTH {
        return out.push_str("...");
    }
    // Writing to a string does not fail.
    let _ = match value {
        RawBsonRef::Double(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
            write!(out, "{value:.1}")
        }
        RawBsonRef::Double(value) => write!(out, "{value}"),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => {
            let end = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
            write!(out, "\"{}\"", text.get(..end).unwrap_or_default())
        }
        RawBsonRef::Document(document) => return document_text(out, document, depth),
        RawBsonRef::Array(array) => {
            out.push('[');
            for (at, element) in array.into_iter().map_while(Result::ok).enumerate() {
                out.push_str(if at == 0 { " " } else { ", " });
                write(out, element, depth + 1);
                if out.len() > MOST {
                    break;
                }
            }
            return out.push_str(" ]");
        }
        RawBsonRef::ObjectId(id) => write!(out, "ObjectId('{}')", id.to_hex()),
        RawBsonRef::Boolean(value) => write!(out, "{value}"),
        RawBsonRef::DateTime(date) => write!(out, "new Date({})", date.timestamp_millis()),
        RawBsonRef::Null => write!(out, "null"),
        RawBsonRef::RegularExpression(regex) => {
            write!(out, "/{}/{}", regex.pattern.as_str(), regex.options.as_str())
        }
        RawBsonRef::Int32(value) => write!(out, "{value}"),
        RawBsonRef::Int64(value) => write!(out, "{value}"),
        RawBsonRef::Timestamp(value) => {
            write!(out, "Timestamp({}, {})", value.time, value.increment)
        }
        RawBsonRef::Decimal128(value) => write!(out, "{}", Decimal::from_bson(value)),
        RawBsonRef::MinKey => write!(out, "MinKey"),
        RawBsonRef::MaxKey => write!(out, "MaxKey"),
        RawBsonRef::Undefined => write!(out, "undefined"),
        RawBsonRef::Binary(data) => write!(out, "BinData({}, ...)", u8::from(data.subtype)),
        RawBsonRef::JavaScriptCode(code) => write!(out, "{code}"),
        RawBsonRef::JavaScriptCodeWithScope(code) => write!(out, "CodeWScope( {}, ...)", code.code),
        RawBsonRef::DbPointer(_) => write!(out, "DBRef(...)"),
    };
}

fn document_text(out: &mut String, document: &RawDocument, depth: usize) {
    if document.is_empty() {
        return out.push_str("{}");
    }
    out.push('{');
    for (at, element) in document.iter().map_while(Result::ok).enumerate() {
        let (name, value) = element;
        out.push_str(if at == 0 { " " } else { ", " });
        let _ = write!(out, "{}: ", name.as_str());
        write(out, value, depth + 1);
        if out.len() > MOST {
            break;
        }
    }
    out.push_str(" }");
}
