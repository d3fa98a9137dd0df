//! What an update changed: `updateDescription`.
//!
//! The documents before and after are compared. Where an operator set a whole value, the whole value is told, as
//! MongoDB does; a pipeline's result is compared down to its parts, and told as a replacement where that is shorter.

mod difference;
mod places;

use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawDocument, RawDocumentBuf, rawdoc};

use difference::{Difference, Part, Path};
use places::Places;

use crate::bson::path::is_number;

/// What MongoDB adds to a difference that it writes down: what is longer with it than the document is a replacement.
const METADATA: usize = 15;

/// How a client said what becomes of a document.
#[derive(Clone, Copy, Debug, Default)]
pub enum Origin<'a> {
    /// By the document itself.
    #[default]
    Replacement,
    /// By operators.
    Operators(&'a RawDocument),
    /// By stages.
    Pipeline,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum Description {
    /// Another document took its place.
    Replaced,
    /// Parts of it changed: `updateDescription`, with `disambiguatedPaths`.
    Updated(RawDocumentBuf),
}

/// What changed from one document to the other.
#[must_use]
pub fn describe(old: &RawDocument, new: &RawDocument, origin: Origin<'_>) -> Description {
    match origin {
        Origin::Replacement => Description::Replaced,
        Origin::Operators(operators) => {
            let places = Places::of(operators);
            Description::Updated(document(&Difference::by_operators(old, new, &places)))
        }
        Origin::Pipeline => {
            let difference = Difference::by_pipeline(old, new);
            if difference.cost() + METADATA >= new.as_bytes().len() {
                return Description::Replaced;
            }
            Description::Updated(document(&difference))
        }
    }
}

fn document(difference: &Difference<'_>) -> RawDocumentBuf {
    let mut updated = RawDocumentBuf::new();
    let mut removed = RawArrayBuf::new();
    let mut truncated = RawArrayBuf::new();
    let mut paths = RawDocumentBuf::new();
    let mut note = |path: &Path<'_>, text: &CString| {
        if is_ambiguous(path) {
            paths.append(text, parts(path));
        }
    };
    for (path, value) in &difference.updated {
        let Some(text) = text(path) else { continue };
        updated.append(&text, *value);
        note(path, &text);
    }
    for path in &difference.removed {
        let Some(text) = text(path) else { continue };
        removed.push(text.as_str());
        note(path, &text);
    }
    for (path, size) in &difference.truncated {
        let Some(text) = text(path) else { continue };
        let size = i32::try_from(*size).unwrap_or(i32::MAX);
        truncated.push(rawdoc! { "field": text.as_str(), "newSize": size });
        note(path, &text);
    }
    let mut description = RawDocumentBuf::new();
    description.append(cstr!("updatedFields"), updated);
    description.append(cstr!("removedFields"), removed);
    description.append(cstr!("truncatedArrays"), truncated);
    description.append(cstr!("disambiguatedPaths"), paths);
    description
}

/// A path with dots; none for one that no document can have.
fn text(path: &Path<'_>) -> Option<CString> {
    let mut text = String::new();
    for (number, part) in path.iter().enumerate() {
        if number > 0 {
            text.push('.');
        }
        match part {
            Part::Name(name) => text.push_str(name),
            Part::Index(index) => text.push_str(&index.to_string()),
        }
    }
    CString::try_from(text).ok()
}

/// Whether the dotted path could be that of another field: a name that looks like an index, or has a dot itself.
fn is_ambiguous(path: &Path<'_>) -> bool {
    path.iter().any(|part| match part {
        Part::Index(_) => false,
        Part::Name(name) => name.contains('.') || is_number(name),
    })
}

fn parts(path: &Path<'_>) -> RawArrayBuf {
    let mut parts = RawArrayBuf::new();
    for part in path {
        match part {
            Part::Name(name) => parts.push(*name),
            Part::Index(index) => parts.push(i32::try_from(*index).unwrap_or(i32::MAX)),
        }
    }
    parts
}
