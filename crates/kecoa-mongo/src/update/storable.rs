//! What a document must be to be stored after an update.

use ::bson::{RawBsonRef, RawDocument};

use super::modifier::identical;
use super::node::{check_depth, unreadable};
use crate::bson::compare::compare;
use crate::bson::limits::MAX_DOCUMENT_BYTES;
use crate::error::{Code, Error};

/// No top-level name begins with `$`, but for those of a DBRef; `_id` is no array, regular expression or `undefined`,
/// and no name directly in it begins with `$`.
///
/// # Errors
///
/// `DollarPrefixedFieldName`, `InvalidDBRef`, `InvalidIdField`.
pub(super) fn check(document: &RawDocument, replacement: bool) -> Result<(), Error> {
    check_where(document, replacement, |_, _| true)
}

/// The same, of the names that an update wrote.
pub(super) fn check_where(
    document: &RawDocument,
    replacement: bool,
    written: impl Fn(&str, RawBsonRef<'_>) -> bool,
) -> Result<(), Error> {
    let mut before = Vec::new();
    let mut fields = document.into_iter().peekable();
    while let Some(element) = fields.next() {
        let (name, value) = element.map_err(unreadable)?;
        let name = name.as_str();
        if name == "_id" {
            check_id(value)?;
        }
        if name.starts_with('$') {
            if written(name, value) {
                let next = fields.peek().and_then(|next| next.as_ref().ok());
                let is_id_next = next.is_some_and(|(name, _)| name.as_str() == "$id");
                check_dollar(&before, (name, value), is_id_next, replacement)?;
            }
            before.push((name, value));
        } else {
            before.clear();
        }
    }
    Ok(())
}

/// A name that begins with `$`, after those directly before it that do: `$ref`, `$id` and `$db` may stand together.
fn check_dollar(
    before: &[(&str, RawBsonRef<'_>)],
    field: (&str, RawBsonRef<'_>),
    is_id_next: bool,
    replacement: bool,
) -> Result<(), Error> {
    let invalid = |message: &str| Err(Error::new(Code::INVALID_DB_REF, message));
    let mut before = before.iter().rev().copied();
    let mut current = field;
    if current.0 == "$db" {
        if !matches!(current.1, RawBsonRef::String(_)) {
            return invalid("expected a string as $db of a DBRef");
        }
        current = match before.next() {
            Some(id) if id.0 == "$id" => id,
            _ => return invalid("Found $db field without a $id before it, which is invalid."),
        };
    }
    let has_id = current.0 == "$id";
    if has_id {
        current = match before.next() {
            Some(reference) if reference.0 == "$ref" => reference,
            _ => return invalid("Found $id field without a $ref before it, which is invalid."),
        };
    }
    if current.0 == "$ref" {
        if !matches!(current.1, RawBsonRef::String(_)) {
            return invalid("expected a string as $ref of a DBRef");
        }
        if !has_id && !is_id_next {
            return invalid("The DBRef $ref field must be followed by a $id field");
        }
        return Ok(());
    }
    let name = field.0;
    let message = if replacement {
        format!(
            "The dollar ($) prefixed field '{name}' in '{name}' is not allowed in the context of an \
             update's replacement document. Consider using an aggregation pipeline with \
             $replaceWith."
        )
    } else {
        format!("The dollar ($) prefixed field '{name}' in '{name}' is not valid for storage.")
    };
    Err(Error::new(Code::DOLLAR_PREFIXED_FIELD_NAME, message))
}

/// Of a document that a pipeline made: its names may begin with `$`.
///
/// # Errors
///
/// `InvalidIdField`, `DollarPrefixedFieldName` for names in `_id`, `Overflow` for too many levels.
pub(super) fn check_made(document: &RawDocument) -> Result<(), Error> {
    let mut ids = 0_u32;
    for (name, value) in document.iter().map_while(Result::ok) {
        if name.as_str() == "_id" {
            check_id(value)?;
            ids += 1;
        }
    }
    if ids > 1 {
        return Err(Error::new(Code::BAD_VALUE, "can't have multiple _id fields in one document"));
    }
    check_depth(RawBsonRef::Document(document), 0)
}

/// # Errors
///
/// Number 17419 above 16 MiB.
pub(super) fn check_size(document: &RawDocument) -> Result<(), Error> {
    if document.as_bytes().len() > MAX_DOCUMENT_BYTES {
        return Err(Error::location(
            17419,
            format!("Resulting document after update is larger than {MAX_DOCUMENT_BYTES}"),
        ));
    }
    Ok(())
}

/// The same of a document that an upsert inserts.
///
/// # Errors
///
/// Number 17420 above 16 MiB.
pub(super) fn check_inserted_size(document: &RawDocument) -> Result<(), Error> {
    check_size(document).map_err(|_| {
        Error::location(17420, format!("Document to upsert is larger than {MAX_DOCUMENT_BYTES}"))
    })
}

/// `_id` is what it was before, of the same type.
pub(super) fn identical_id(before: RawBsonRef<'_>, after: Option<RawBsonRef<'_>>) -> bool {
    after.is_some_and(|after| identical(before, after))
}

/// `_id` is what it was before; equal values of other types are.
pub(super) fn same_id(before: RawBsonRef<'_>, after: Option<RawBsonRef<'_>>) -> bool {
    after.is_some_and(|after| compare(before, after).is_eq())
}

fn check_id(id: RawBsonRef<'_>) -> Result<(), Error> {
    let kind = match id {
        RawBsonRef::Array(_) => "array",
        RawBsonRef::RegularExpression(_) => "regex",
        RawBsonRef::Undefined => "undefined",
        RawBsonRef::Document(document) => {
            for element in document {
                let name = element.map_err(unreadable)?.0.as_str();
                if name.starts_with('$') && !["$ref", "$id", "$db"].contains(&name) {
                    return Err(Error::new(
                        Code::DOLLAR_PREFIXED_FIELD_NAME,
                        format!(
                            "_id fields may not contain '$'-prefixed fields: {name} is not valid \
                             for storage."
                        ),
                    ));
                }
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    Err(Error::new(Code::INVALID_ID_FIELD, format!("The '_id' value cannot be of type {kind}")))
}
