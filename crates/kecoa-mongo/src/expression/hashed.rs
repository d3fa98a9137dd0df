//! The hash of a value in a hashed index: the first eight bytes of an MD5.

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};
use md5::{Digest as _, Md5};

use super::integers::truncated;
use crate::bson::number::Number;

/// The hash of a value. Numbers are hashed by their integer part, so that 1 and 1.5 have the same.
#[must_use]
pub fn hash(value: RawBsonRef<'_>) -> i64 {
    let mut hasher = Md5::new();
    // The seed.
    hasher.update(0_i32.to_le_bytes());
    update(&mut hasher, None, value);
    let digest = hasher.finalize();
    digest.first_chunk().map_or(0, |first| i64::from_le_bytes(*first))
}

fn update(hasher: &mut Md5, name: Option<&str>, value: RawBsonRef<'_>) {
    hasher.update(class(value).to_le_bytes());
    if let Some(name) = name {
        hasher.update(name.as_bytes());
        hasher.update([0]);
    }
    match value {
        RawBsonRef::Document(document) => update_fields(hasher, document),
        RawBsonRef::Array(array) => {
            for element in array.iter_elements().map_while(Result::ok) {
                if let Ok(value) = element.value() {
                    update(hasher, Some(element.key().as_str()), value);
                }
            }
            hasher.update(0_i32.to_le_bytes());
        }
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            hasher.update(code.code.as_bytes());
            hasher.update([0]);
            update_fields(hasher, code.scope);
        }
        _ => match Number::from_bson(value) {
            Some(number) => hasher.update(truncated(number).to_le_bytes()),
            None => {
                let mut document = RawDocumentBuf::new();
                document.append(cstr!(""), value);
                // Length of the document, type, empty name; the value; the document's end.
                let bytes = document.as_bytes();
                hasher.update(bytes.get(6..bytes.len() - 1).unwrap_or(&[]));
            }
        },
    }
}

fn update_fields(hasher: &mut Md5, document: &RawDocument) {
    for (name, value) in document.iter().map_while(Result::ok) {
        update(hasher, Some(name.as_str()), value);
    }
    // The end counts as a value of class 0.
    hasher.update(0_i32.to_le_bytes());
}

/// The class of a value's type in the hash.
fn class(value: RawBsonRef<'_>) -> i32 {
    match value {
        RawBsonRef::MinKey => -1,
        RawBsonRef::MaxKey => 127,
        RawBsonRef::Undefined => 0,
        RawBsonRef::Null => 5,
        RawBsonRef::Int32(_)
        | RawBsonRef::Int64(_)
        | RawBsonRef::Double(_)
        | RawBsonRef::Decimal128(_) => 10,
        RawBsonRef::String(_) | RawBsonRef::Symbol(_) => 15,
        RawBsonRef::Document(_) => 20,
        RawBsonRef::Array(_) => 25,
        RawBsonRef::Binary(_) => 30,
        RawBsonRef::ObjectId(_) => 35,
        RawBsonRef::Boolean(_) => 40,
        RawBsonRef::DateTime(_) => 45,
        RawBsonRef::Timestamp(_) => 47,
        RawBsonRef::RegularExpression(_) => 50,
        RawBsonRef::DbPointer(_) => 55,
        RawBsonRef::JavaScriptCode(_) => 60,
        RawBsonRef::JavaScriptCodeWithScope(_) => 65,
    }
}
