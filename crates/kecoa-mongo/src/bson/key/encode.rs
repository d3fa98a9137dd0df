//! Values of all types as bytes in their order.

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::number;
use crate::bson::compare::binary_length;
use crate::bson::limits::MAX_DEPTH;
use crate::bson::number::Number;
use crate::bson::pointer;
use crate::bson::type_class::TypeClass;

/// Below the class of every value.
const END: u8 = 0;

pub(super) fn append(out: &mut Vec<u8>, value: RawBsonRef<'_>) {
    out.push(TypeClass::of(value) as u8);
    content(out, value, 0);
}

/// The value without its class.
fn content(out: &mut Vec<u8>, value: RawBsonRef<'_>, depth: usize) {
    match value {
        RawBsonRef::MinKey | RawBsonRef::Undefined | RawBsonRef::Null | RawBsonRef::MaxKey => {}
        RawBsonRef::Int32(_)
        | RawBsonRef::Int64(_)
        | RawBsonRef::Double(_)
        | RawBsonRef::Decimal128(_) => {
            if let Some(value) = Number::from_bson(value) {
                number::append(out, value);
            }
        }
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => {
            escaped(out, text.as_bytes());
        }
        RawBsonRef::Document(value) => document(out, value, depth),
        RawBsonRef::Array(value) => array(out, value, depth),
        RawBsonRef::Binary(value) => {
            let length = u32::try_from(binary_length(value)).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.push(value.subtype.into());
            out.extend_from_slice(value.bytes);
        }
        RawBsonRef::ObjectId(value) => out.extend_from_slice(&value.bytes()),
        RawBsonRef::Boolean(value) => out.push(u8::from(value)),
        RawBsonRef::DateTime(value) => {
            let shifted = value.timestamp_millis().cast_unsigned() ^ (1 << 63);
            out.extend_from_slice(&shifted.to_be_bytes());
        }
        RawBsonRef::Timestamp(value) => {
            out.extend_from_slice(&value.time.to_be_bytes());
            out.extend_from_slice(&value.increment.to_be_bytes());
        }
        RawBsonRef::RegularExpression(value) => {
            escaped(out, value.pattern.as_str().as_bytes());
            escaped(out, value.options.as_str().as_bytes());
        }
        RawBsonRef::DbPointer(_) => out.extend_from_slice(&pointer::comparable(value)),
        RawBsonRef::JavaScriptCodeWithScope(value) => {
            escaped(out, value.code.as_bytes());
            document(out, value.scope, depth);
        }
    }
}

fn document(out: &mut Vec<u8>, value: &RawDocument, depth: usize) {
    if depth >= MAX_DEPTH {
        return escaped(out, value.as_bytes());
    }
    for (name, value) in value.iter().map_while(Result::ok) {
        out.push(TypeClass::of(value) as u8);
        // No zero is in a name.
        out.extend_from_slice(name.as_str().as_bytes());
        out.push(0);
        content(out, value, depth + 1);
    }
    out.push(END);
}

fn array(out: &mut Vec<u8>, value: &RawArray, depth: usize) {
    if depth >= MAX_DEPTH {
        return escaped(out, value.as_bytes());
    }
    for value in value.into_iter().map_while(Result::ok) {
        out.push(TypeClass::of(value) as u8);
        content(out, value, depth + 1);
    }
    out.push(END);
}

/// Bytes that end where a longer text is above: zero bytes as `00 FF`, then `00 01`.
fn escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for (at, part) in bytes.split(|byte| *byte == 0).enumerate() {
        if at > 0 {
            out.extend_from_slice(&[0, 0xff]);
        }
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[0, 1]);
}
