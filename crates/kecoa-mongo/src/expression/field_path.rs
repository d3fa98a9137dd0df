//! `$a.b`, `$$variable.a`: a value, and the way from it.

use ::bson::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocument};

use super::context::{Context, Outcome};
use super::naming;
use crate::bson::limits::MAX_DEPTH;
use crate::error::{Code, Error};
use crate::value::Value;

/// A dotted path into the value of a variable. In the middle, an array stands for those of its elements that are
/// documents; numbers are names alone.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    base: Base,
    path: Box<[Box<str>]>,
}

/// The value that a path begins at.
#[derive(Clone, Debug)]
pub(crate) enum Base {
    Root,
    Current,
    Now,
    ClusterTime,
    UserRoles,
    /// A variable of the command's `let`.
    Bound(Box<str>),
    /// A variable of an operator around.
    Local(usize),
}

impl FieldPath {
    pub(super) fn new(base: Base, path: &[Box<str>]) -> Self {
        Self { base, path: path.into() }
    }

    /// The path, if it begins at the document.
    pub(super) fn of_root(&self) -> Option<String> {
        match self.base {
            Base::Root | Base::Current if !self.path.is_empty() => Some(self.path.join(".")),
            _ => None,
        }
    }

    pub(super) fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let base = match &self.base {
            Base::Root => return Ok(in_document(context.root, &self.path)),
            Base::Current => return Ok(in_document(context.current, &self.path)),
            Base::Now => Some(RawBsonRef::DateTime(context.variables.now)),
            Base::ClusterTime => Some(RawBsonRef::Timestamp(context.variables.cluster_time)),
            Base::UserRoles => context.variables.user_roles(),
            Base::Bound(name) => context.variables.get(name),
            Base::Local(slot) => context.local(*slot),
        };
        Ok(base.and_then(|base| in_value(base, &self.path)))
    }
}

/// Take a path apart.
///
/// # Errors
///
/// 40352, 40353, 15998, 16410, 16411.
pub(super) fn split(path: &str) -> Result<Vec<Box<str>>, Error> {
    if path.is_empty() {
        return Err(Error::location(40352, "FieldPath cannot be constructed with empty string"));
    }
    if path.ends_with('.') {
        return Err(Error::location(40353, "FieldPath must not end with a '.'."));
    }
    let names: Vec<Box<str>> = path.split('.').map(Into::into).collect();
    for name in &names {
        naming::check_field(name)?;
    }
    if names.len() > MAX_DEPTH {
        let text =
            format!("FieldPath is too long: at most {MAX_DEPTH} names, found {}", names.len());
        return Err(Error::new(Code::OVERFLOW, text));
    }
    Ok(names)
}

/// Follow a path from a value.
pub(super) fn in_value<'v>(value: RawBsonRef<'v>, path: &[Box<str>]) -> Option<Value<'v>> {
    match (path, value) {
        ([], value) => Some(Value::Borrowed(value)),
        (_, RawBsonRef::Document(document)) => in_document(document, path),
        (_, RawBsonRef::Array(array)) => Some(in_array(array, path)),
        _ => None,
    }
}

fn in_document<'v>(document: &'v RawDocument, path: &[Box<str>]) -> Option<Value<'v>> {
    match path {
        [] => Some(Value::Borrowed(RawBsonRef::Document(document))),
        [name, rest @ ..] => in_value(field(document, name)?, rest),
    }
}

/// The values that the documents in an array lead to.
fn in_array<'v>(array: &'v RawArray, path: &[Box<str>]) -> Value<'v> {
    let mut found = RawArrayBuf::new();
    for element in array.into_iter().map_while(Result::ok) {
        if let RawBsonRef::Document(document) = element
            && let Some(value) = in_document(document, path)
        {
            found.push(value.as_ref());
        }
    }
    Value::Owned(RawBson::Array(found))
}

/// The first field of that name, without a look at the other values.
pub(super) fn field<'v>(document: &'v RawDocument, name: &str) -> Option<RawBsonRef<'v>> {
    let mut elements = document.iter_elements().map_while(Result::ok);
    elements.find(|element| element.key().as_str() == name)?.value().ok()
}
