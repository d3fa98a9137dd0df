//! What a document must be to be stored after an update.

use ::bson::{RawBsonRef, RawDocument};

use super::node::{check_depth, unreadable};
use crate::bson::compare::compare;
use crate::bson::limits::MAX_DOCUMENT_BYTES;
use crate::error::{Code, Error};

/// No top-level name begins with `$`; `_id` is no array, regular expression or `undefined`, and no name directly
/// in it begins with `$`.
///
/// # Errors
///
/// `DollarPrefixedFieldName`, `InvalidIdField`.
pub(super) fn check(document: &RawDocument, replacement: bool) -> Result<(), Error> {
    for element in document {
        let (name, value) = element.map_err(unreadable)?;
        let name = name.as_str();
        if name.starts_with('$') {
            let message = if replacement {
                format!(
                    "The dollar ($) prefixed field '{name}' in '{name}' is not allowed in the \
                     context of an update's replacement document. Consider using an aggregation \
                     pipeline with $replaceWith."
                )
            } else {
                format!(
                    "The dollar ($) prefixed field '{name}' in '{name}' is not valid for storage."
                )
            };
            return Err(Error::new(Code::DOLLAR_PREFIXED_FIELD_NAME, message));
        }
        if name == "_id" {
            check_id(value)?;
        }
    }
    Ok(())
}

/// Of a document that a pipeline made: its names may begin with `$`.
///
/// # Errors
///
/// `InvalidIdField`, `DollarPrefixedFieldName` for names in `_id`, `Overflow` for too many levels.
pub(super) fn check_made(document: &RawDocument) -> Result<(), Error> {
    if let Some(id) = document.get("_id").ok().flatten() {
        check_id(id)?;
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
