//! Equality that does not look at the order of fields.

use ::bson::raw::CStr;
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::key::Key;
use crate::bson::limits::MAX_DEPTH;

/// Bytes that are equal for values that differ in nothing but the order of fields.
pub(super) fn key(value: RawBsonRef<'_>) -> Key {
    match value {
        RawBsonRef::Document(_) | RawBsonRef::Array(_) => {
            Key::of(sorted(value, 0).as_raw_bson_ref())
        }
        value => Key::of(value),
    }
}

fn sorted(value: RawBsonRef<'_>, depth: usize) -> RawBson {
    match value {
        RawBsonRef::Document(document) if depth < MAX_DEPTH => {
            RawBson::Document(sorted_fields(document, depth))
        }
        RawBsonRef::Array(array) if depth < MAX_DEPTH => {
            let mut elements = RawArrayBuf::new();
            for value in array.into_iter().map_while(Result::ok) {
                elements.push(sorted(value, depth + 1));
            }
            RawBson::Array(elements)
        }
        value => RawBson::from(value),
    }
}

fn sorted_fields(document: &RawDocument, depth: usize) -> RawDocumentBuf {
    let mut fields: Vec<(&CStr, RawBsonRef<'_>)> = document.iter().map_while(Result::ok).collect();
    fields.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
    let mut document = RawDocumentBuf::new();
    for (name, value) in fields {
        document.append(name, sorted(value, depth + 1));
    }
    document
}
