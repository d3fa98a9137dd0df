//! Puts an object together whose fields may be set more than once.

use std::collections::HashMap;

use ::bson::raw::CStr;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

/// Fields in the order in which they were set first.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    fields: Vec<(&'a CStr, Option<RawBsonRef<'a>>)>,
    positions: HashMap<&'a str, usize>,
}

impl<'a> Fields<'a> {
    /// Set a field; one that is there keeps its place.
    pub(super) fn set(&mut self, name: &'a CStr, value: RawBsonRef<'a>) {
        self.put(name, Some(value));
    }

    /// Remove a field.
    pub(super) fn remove(&mut self, name: &'a str) {
        let at = self.positions.remove(name);
        if let Some((_, value)) = at.and_then(|at| self.fields.get_mut(at)) {
            *value = None;
        }
    }

    /// Set all fields of a document.
    pub(super) fn extend(&mut self, document: &'a RawDocument) {
        for (name, value) in document.iter().map_while(Result::ok) {
            self.set(name, value);
        }
    }

    pub(super) fn into_document(self) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        for (name, value) in self.fields {
            if let Some(value) = value {
                document.append(name, value);
            }
        }
        document
    }

    fn put(&mut self, name: &'a CStr, value: Option<RawBsonRef<'a>>) {
        match self.positions.get(name.as_str()).and_then(|at| self.fields.get_mut(*at)) {
            Some(field) => field.1 = value,
            None => {
                self.positions.insert(name.as_str(), self.fields.len());
                self.fields.push((name, value));
            }
        }
    }
}
