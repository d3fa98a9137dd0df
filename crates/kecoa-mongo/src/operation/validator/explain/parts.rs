//! Parts of a rule, run by themselves.

use ::bson::raw::CString;
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::expression::{Scope, Variables};
use crate::query::Filter;

/// How deep parts of parts are looked into.
pub(super) const MAX_DEPTH: usize = 20;

/// Whether a part holds; one that cannot be run counts as one that holds.
pub(super) fn holds(part: &RawDocument, document: &RawDocument) -> bool {
    let variables =
        Variables::new(::bson::DateTime::now(), ::bson::Timestamp { time: 0, increment: 0 });
    Filter::parse(part, &Scope::default())
        .and_then(|filter| filter.matches(document, &variables))
        .unwrap_or(true)
}

/// The value at a dotted path through documents.
pub(super) fn field<'doc>(document: &'doc RawDocument, path: &str) -> Option<RawBsonRef<'doc>> {
    let mut value = RawBsonRef::Document(document);
    for name in path.split('.') {
        value = value.as_document()?.get(name).ok().flatten()?;
    }
    Some(value)
}

/// A document of one field.
pub(super) fn with(name: &str, value: RawBson) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    if let Ok(name) = CString::try_from(name) {
        document.append(&name, value);
    }
    document
}
