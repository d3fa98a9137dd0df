//! The error of a key that another document has already.

use ::bson::raw::{CString, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use super::definition::{ID_NAME, Index};
use super::shell_text::text;
use super::walk::combinations;
use crate::error::{Code, Error};

/// The error of a document whose `_id` is another's already.
#[must_use]
pub fn duplicate_id(namespace: &str, id: RawBsonRef<'_>) -> Error {
    let mut pattern = RawDocumentBuf::new();
    pattern.append(cstr!("_id"), 1);
    let mut value = RawDocumentBuf::new();
    value.append(cstr!("_id"), id);
    error(namespace, ID_NAME, &pattern, &value)
}

/// The error of a document that has a key of a unique index that is another's already.
#[must_use]
pub fn duplicate_key(namespace: &str, index: &Index, document: &RawDocument, key: &[u8]) -> Error {
    let mut found = None;
    // It was walked through before: nothing fails.
    let _ = combinations(&index.fields, document, &mut |values| {
        if found.is_none() && index.key(values).as_bytes() == key {
            found = Some(shown(index, values));
        }
    });
    error(namespace, &index.name, index.key_pattern(), &found.unwrap_or_default())
}

/// The values of a key, by their fields.
fn shown(index: &Index, values: &[Option<RawBsonRef<'_>>]) -> RawDocumentBuf {
    let mut shown = RawDocumentBuf::new();
    for (field, value) in index.fields.iter().zip(values) {
        if let Ok(name) = CString::try_from(field.name.as_str()) {
            shown.append(name, value.unwrap_or(RawBsonRef::Null));
        }
    }
    shown
}

fn error(namespace: &str, name: &str, pattern: &RawDocument, value: &RawDocument) -> Error {
    let mut details = RawDocumentBuf::new();
    details.append(cstr!("keyPattern"), pattern);
    details.append(cstr!("keyValue"), value);
    Error::new(
        Code::DUPLICATE_KEY,
        format!(
            "E11000 duplicate key error collection: {namespace} index: {name} dup key: {}",
            text(RawBsonRef::Document(value))
        ),
    )
    .with_details(details)
}
