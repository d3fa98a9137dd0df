//! `$rename`: from one place of a document to another, neither of them in an array.

use ::bson::{RawBsonRef, RawDocument};

use super::modifier::Modifier;
use super::node::Node;
use super::path::{UpdatePath, array_index};
use super::text;
use super::tree::Branch;
use crate::error::{Code, Error};

/// Put a renaming among the operators: one at the new place, one that keeps others from the old place.
pub(super) fn insert(branch: &mut Branch, from: &str, to: RawBsonRef<'_>) -> Result<(), Error> {
    let RawBsonRef::String(target) = to else {
        return Err(bad(format!(
            "The 'to' field for $rename must be a string: {}",
            text::field(from, to)
        )));
    };
    if target.contains('\0') {
        return Err(bad("The 'to' field for $rename cannot contain an embedded null byte".into()));
    }
    let shown = || text::field(from, to);
    let (source, target) = (UpdatePath::parse(from)?, UpdatePath::parse(target)?);
    if source.text == target.text {
        return Err(bad(format!(
            "The source and target field for $rename must differ: {}",
            shown()
        )));
    }
    let shorter = source.components.len().min(target.components.len());
    if source.components.get(..shorter) == target.components.get(..shorter) {
        return Err(bad(format!(
            "The source and target field for $rename must not be on the same path: {}",
            shown()
        )));
    }
    if !source.is_static() {
        return Err(bad(format!(
            "The source field for $rename may not be dynamic: {}",
            source.text
        )));
    }
    if !target.is_static() {
        return Err(bad(format!(
            "The destination field for $rename may not be dynamic: {}",
            target.text
        )));
    }
    branch.insert(&source, Modifier::MovedAway)?;
    branch.insert(&target, Modifier::MoveFrom(source))
}

/// The value at the old place.
pub(super) fn source<'a>(
    document: &'a RawDocument,
    id: Option<RawBsonRef<'_>>,
    path: &UpdatePath,
) -> Result<Option<RawBsonRef<'a>>, Error> {
    let names: Vec<&str> = path.names().collect();
    let mut current = RawBsonRef::Document(document);
    let mut reached = "";
    for name in &names {
        let next = match current {
            RawBsonRef::Document(document) => document.get(name).ok().flatten(),
            RawBsonRef::Array(array) if array_index(name).is_some() => {
                array_index(name).and_then(|index| array.get(index).ok().flatten())
            }
            other => {
                return Err(Error::new(
                    Code::PATH_NOT_VIABLE,
                    format!(
                        "Cannot use the part ({name}) of ({}) to traverse the element ({{{}}})",
                        path.text,
                        text::field(reached, other)
                    ),
                ));
            }
        };
        let Some(next) = next else { return Ok(None) };
        (current, reached) = (next, name);
    }
    check_no_array(document, &names, "source", id)?;
    Ok(Some(current))
}

/// No part of a path but the last may be an array.
pub(super) fn check_no_array(
    document: &RawDocument,
    names: &[&str],
    which: &str,
    id: Option<RawBsonRef<'_>>,
) -> Result<(), Error> {
    let Some((_, way)) = names.split_last() else { return Ok(()) };
    let mut current = document;
    for name in way {
        match current.get(name).ok().flatten() {
            Some(RawBsonRef::Document(inner)) => current = inner,
            Some(RawBsonRef::Array(_)) => {
                let identity = id.map_or_else(|| "no id".to_owned(), |id| text::field("_id", id));
                return Err(bad(format!(
                    "The {which} field cannot be an array element, '{}' in doc with {identity} has \
                     an array field called '{name}'",
                    names.join(".")
                )));
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Remove what was moved.
pub(super) fn remove(root: &mut Node<'_>, path: &UpdatePath) -> Result<(), Error> {
    let names: Vec<&str> = path.names().collect();
    let Some((last, way)) = names.split_last() else { return Ok(()) };
    let mut current = root;
    for name in way {
        let Node::Document(fields) = current.open()? else { return Ok(()) };
        let Some(next) = fields.get_mut(name) else { return Ok(()) };
        current = next;
    }
    if let Node::Document(fields) = current.open()? {
        fields.take(last);
    }
    Ok(())
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
