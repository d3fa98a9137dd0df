//! MongoDB's order over all values, on raw BSON.
//!
//! It is total: classes of types first ([`TypeClass`]), then values within a class. Documents compare field by
//! field: class of the value, name, value; then the shorter one is below. Nothing is copied, but for
//! DBPointers.

use std::cmp::Ordering;

use ::bson::spec::BinarySubtype;
use ::bson::{RawArray, RawBinaryRef, RawBsonRef, RawDocument};

use super::limits::MAX_DEPTH;
use super::number::Number;
use super::pointer;
use super::type_class::TypeClass;

/// Compare two values.
#[must_use]
pub fn compare(left: RawBsonRef<'_>, right: RawBsonRef<'_>) -> Ordering {
    values(left, right, 0)
}

/// Compare two values, either of which may be missing. A missing one is what `undefined` is.
#[must_use]
pub fn compare_optional(left: Option<RawBsonRef<'_>>, right: Option<RawBsonRef<'_>>) -> Ordering {
    let present = |value: Option<_>| value.unwrap_or(RawBsonRef::Undefined);
    compare(present(left), present(right))
}

/// Compare two documents.
#[must_use]
pub fn compare_documents(left: &RawDocument, right: &RawDocument) -> Ordering {
    documents(left, right, 0)
}

/// What a field counts as in a sort and in an index: `null` if it is missing.
#[must_use]
pub fn sort_value(value: Option<RawBsonRef<'_>>) -> RawBsonRef<'_> {
    value.unwrap_or(RawBsonRef::Null)
}

/// The length of binary data by which it is compared: its bytes, and the inner length of the old subtype.
pub(crate) fn binary_length(value: RawBinaryRef<'_>) -> usize {
    value.bytes.len() + if value.subtype == BinarySubtype::BinaryOld { 4 } else { 0 }
}

fn values(left: RawBsonRef<'_>, right: RawBsonRef<'_>, depth: usize) -> Ordering {
    use RawBsonRef as Value;
    match (left, right) {
        (
            Value::String(left) | Value::Symbol(left),
            Value::String(right) | Value::Symbol(right),
        )
        | (Value::JavaScriptCode(left), Value::JavaScriptCode(right)) => {
            left.as_bytes().cmp(right.as_bytes())
        }
        (Value::Document(left), Value::Document(right)) => documents(left, right, depth),
        (Value::Array(left), Value::Array(right)) => arrays(left, right, depth),
        (Value::Binary(left), Value::Binary(right)) => binary_length(left)
            .cmp(&binary_length(right))
            .then_with(|| u8::from(left.subtype).cmp(&u8::from(right.subtype)))
            .then_with(|| left.bytes.cmp(right.bytes)),
        (Value::ObjectId(left), Value::ObjectId(right)) => left.bytes().cmp(&right.bytes()),
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(&right),
        (Value::DateTime(left), Value::DateTime(right)) => {
            left.timestamp_millis().cmp(&right.timestamp_millis())
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            (left.time, left.increment).cmp(&(right.time, right.increment))
        }
        (Value::RegularExpression(left), Value::RegularExpression(right)) => {
            let (first, second) = (left.pattern.as_str(), right.pattern.as_str());
            first.as_bytes().cmp(second.as_bytes()).then_with(|| {
                left.options.as_str().as_bytes().cmp(right.options.as_str().as_bytes())
            })
        }
        (Value::DbPointer(_), Value::DbPointer(_)) => {
            pointer::comparable(left).cmp(&pointer::comparable(right))
        }
        (Value::JavaScriptCodeWithScope(left), Value::JavaScriptCodeWithScope(right)) => left
            .code
            .as_bytes()
            .cmp(right.code.as_bytes())
            .then_with(|| documents(left.scope, right.scope, depth)),
        _ => match (Number::from_bson(left), Number::from_bson(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
            // Of one class, these are values that have no content.
            _ => TypeClass::of(left).cmp(&TypeClass::of(right)),
        },
    }
}

fn documents(left: &RawDocument, right: &RawDocument, depth: usize) -> Ordering {
    if depth >= MAX_DEPTH {
        return left.as_bytes().cmp(right.as_bytes());
    }
    let (mut left, mut right) = (left.iter(), right.iter());
    loop {
        match (left.next().and_then(Result::ok), right.next().and_then(Result::ok)) {
            (Some((left_name, left)), Some((right_name, right))) => {
                let order = TypeClass::of(left)
                    .cmp(&TypeClass::of(right))
                    .then_with(|| left_name.as_str().as_bytes().cmp(right_name.as_str().as_bytes()))
                    .then_with(|| values(left, right, depth + 1));
                if order.is_ne() {
                    return order;
                }
            }
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

fn arrays(left: &RawArray, right: &RawArray, depth: usize) -> Ordering {
    if depth >= MAX_DEPTH {
        return left.as_bytes().cmp(right.as_bytes());
    }
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    loop {
        match (left.next().and_then(Result::ok), right.next().and_then(Result::ok)) {
            (Some(left), Some(right)) => {
                let order = values(left, right, depth + 1);
                if order.is_ne() {
                    return order;
                }
            }
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}
