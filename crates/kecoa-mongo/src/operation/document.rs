//! What a document must be before it is stored.

use ::bson::oid::ObjectId;
use ::bson::raw::cstr;
use ::bson::spec::ElementType;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf, Timestamp};

use crate::bson::limits::{MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH};
use crate::bson::validate::{InvalidDocument, Limits, validate};
use crate::error::{Code, Error};

/// A document as it is stored: `_id` first, made where there is none; empty timestamps at the top filled with `now`.
/// Size and depth were checked.
///
/// # Errors
///
/// 2, 52 for an `_id` that cannot be one; 10334 for a document that is too large with the `_id` that is made.
pub fn prepare(document: &RawDocument, now: Timestamp) -> Result<RawDocumentBuf, Error> {
    let mut ids = 0_u32;
    let mut id_is_first = false;
    let mut has_empty_timestamp = false;
    for (place, element) in document.iter_elements().map_while(Result::ok).enumerate() {
        if element.key().as_str() == "_id" {
            ids += 1;
            id_is_first |= place == 0;
            if let Ok(value) = element.value() {
                check_id(value)?;
            }
        } else if element.element_type() == ElementType::Timestamp {
            has_empty_timestamp |= element.value().is_ok_and(is_empty_timestamp);
        }
    }
    if ids > 1 {
        return Err(Error::new(Code::BAD_VALUE, "can't have multiple _id fields in one document"));
    }
    if id_is_first && !has_empty_timestamp {
        return Ok(document.to_owned());
    }
    let prepared = rebuild(document, ids == 0, now);
    // An `_id` that was made here counts, too.
    check_bytes(&prepared)?;
    Ok(prepared)
}

/// Check bytes and depth of a document that came to be here: the result of an update.
///
/// # Errors
///
/// 10334, 15.
pub fn check_size(document: &RawDocument) -> Result<(), Error> {
    check_bytes(document)?;
    match validate(document.as_bytes(), Limits::DOCUMENT) {
        Ok(_) => Ok(()),
        Err(InvalidDocument::TooDeep { .. }) => Err(Error::new(
            Code::OVERFLOW,
            format!(
                "cannot insert document because it exceeds {MAX_DOCUMENT_DEPTH} levels of nesting"
            ),
        )),
        Err(error) => Err(Error::location(error.code(), error.to_string())),
    }
}

/// Check that a value can be an `_id`.
///
/// # Errors
///
/// 2 for an array, a regular expression or undefined, 52 for a document with names that begin with `$`.
pub fn check_id(value: RawBsonRef<'_>) -> Result<(), Error> {
    let refused = match value {
        RawBsonRef::Array(_) => "an array",
        RawBsonRef::RegularExpression(_) => "a regex",
        RawBsonRef::Undefined => "undefined",
        RawBsonRef::Document(document) => return check_id_fields(document),
        _ => return Ok(()),
    };
    Err(Error::new(Code::BAD_VALUE, format!("can't use {refused} for _id")))
}

fn check_id_fields(document: &RawDocument) -> Result<(), Error> {
    for element in document.iter_elements().map_while(Result::ok) {
        let name = element.key().as_str();
        if name.starts_with('$') && !matches!(name, "$ref" | "$id" | "$db") {
            return Err(Error::new(
                Code::DOLLAR_PREFIXED_FIELD_NAME,
                format!(
                    "_id fields may not contain '$'-prefixed fields: {name} is not valid for storage."
                ),
            ));
        }
    }
    Ok(())
}

fn check_bytes(document: &RawDocument) -> Result<(), Error> {
    let found = document.as_bytes().len();
    if found > MAX_DOCUMENT_BYTES {
        return Err(Error::new(
            Code::BSON_OBJECT_TOO_LARGE,
            format!(
                "object to insert too large. size in bytes: {found}, max size: {MAX_DOCUMENT_BYTES}"
            ),
        ));
    }
    Ok(())
}

fn rebuild(document: &RawDocument, make_id: bool, now: Timestamp) -> RawDocumentBuf {
    let mut prepared = RawDocumentBuf::new();
    if make_id {
        prepared.append(cstr!("_id"), ObjectId::new());
    } else if let Ok(Some(id)) = document.get("_id") {
        prepared.append(cstr!("_id"), id);
    }
    for (name, value) in document.iter().map_while(Result::ok) {
        match value {
            _ if name.as_str() == "_id" => {}
            value if is_empty_timestamp(value) => prepared.append(name, now),
            value => prepared.append(name, value),
        }
    }
    prepared
}

fn is_empty_timestamp(value: RawBsonRef<'_>) -> bool {
    matches!(value, RawBsonRef::Timestamp(Timestamp { time: 0, increment: 0 }))
}
