//! A document under change: opened along the paths that are touched, raw bytes elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;

use ::bson::raw::{CStr, CString};
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::limits::MAX_DOCUMENT_DEPTH;
use crate::error::{Code, Error};
use crate::value::Value;

/// A value of a document under change.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// As it was stored, at the place where it was.
    Stored(RawBsonRef<'a>),
    /// From the update, or from another place of the document.
    Given(RawBsonRef<'a>),
    /// Made by an operator.
    Made(RawBson),
    /// A document that was looked into.
    Document(Fields<'a>),
    /// An array that was looked into.
    Array(Vec<Node<'a>>),
}

/// The fields of an opened document, in their order. A removed one leaves a gap, so that positions stay.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    entries: Vec<Option<(Cow<'a, CStr>, Node<'a>)>>,
    /// Names to positions; made once the names have been searched often enough.
    positions: Option<HashMap<Box<str>, usize>>,
    searches: usize,
}

impl<'a> Node<'a> {
    /// The value as it is now.
    pub(super) fn value(&self) -> Result<Value<'_>, Error> {
        Ok(match self {
            Self::Stored(value) | Self::Given(value) => Value::Borrowed(*value),
            Self::Made(value) => Value::Borrowed(value.as_raw_bson_ref()),
            Self::Document(fields) => Value::Owned(RawBson::Document(fields.write(0)?)),
            Self::Array(elements) => Value::Owned(RawBson::Array(write_array(elements, 0)?)),
        })
    }

    /// Open a document or an array, so that its parts can be changed. All else stays what it is.
    pub(super) fn open(&mut self) -> Result<&mut Self, Error> {
        let opened = match self {
            Self::Stored(RawBsonRef::Document(document)) => {
                Self::Document(Fields::open(document, Self::Stored)?)
            }
            Self::Given(RawBsonRef::Document(document)) => {
                Self::Document(Fields::open(document, Self::Given)?)
            }
            Self::Stored(RawBsonRef::Array(array)) => {
                Self::Array(elements(array.iter_elements(), Self::Stored)?)
            }
            Self::Given(RawBsonRef::Array(array)) => {
                Self::Array(elements(array.iter_elements(), Self::Given)?)
            }
            Self::Made(RawBson::Document(document)) => {
                Self::Document(Fields::open_owned(document)?)
            }
            Self::Made(RawBson::Array(array)) => {
                let made = |value: RawBsonRef<'_>| Node::Made(value.into());
                Self::Array(elements(array.iter_elements(), made)?)
            }
            _ => return Ok(self),
        };
        *self = opened;
        Ok(self)
    }

    /// Append it to a document. `level` is that of the document around it; the outermost is 1.
    fn write(&self, name: &CStr, out: &mut RawDocumentBuf, level: usize) -> Result<(), Error> {
        match self {
            Self::Stored(value) => out.append(name, *value),
            Self::Given(value) => {
                check_depth(*value, level)?;
                out.append(name, *value);
            }
            Self::Made(value) => {
                check_depth(value.as_raw_bson_ref(), level)?;
                out.append(name, value.as_raw_bson_ref());
            }
            Self::Document(fields) => out.append(name, &*fields.write(level + 1)?),
            Self::Array(elements) => out.append(name, &*write_array(elements, level + 1)?),
        }
        Ok(())
    }
}

impl<'a> Fields<'a> {
    /// Open a document; `node` says where its values are from.
    pub(super) fn open(
        document: &'a RawDocument,
        node: impl Fn(RawBsonRef<'a>) -> Node<'a>,
    ) -> Result<Self, Error> {
        let mut entries = Vec::new();
        for element in document {
            let (name, value) = element.map_err(unreadable)?;
            entries.push(Some((Cow::Borrowed(name), node(value))));
        }
        Ok(Self { entries, ..Self::default() })
    }

    fn open_owned(document: &RawDocument) -> Result<Self, Error> {
        let mut entries = Vec::new();
        for element in document {
            let (name, value) = element.map_err(unreadable)?;
            entries.push(Some((Cow::Owned(name.to_owned()), Node::Made(value.into()))));
        }
        Ok(Self { entries, ..Self::default() })
    }

    /// The first field of a name.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node<'a>> {
        let position = self.position(name)?;
        self.entries.get_mut(position)?.as_mut().map(|(_, node)| node)
    }

    /// Put a field behind the others.
    pub(super) fn append(&mut self, name: &'a str, node: Node<'a>) -> Result<(), Error> {
        let key: Cow<'a, CStr> = match <&CStr>::try_from(name) {
            Ok(name) => Cow::Borrowed(name),
            Err(_) => Cow::Owned(to_name(name)?),
        };
        if let Some(positions) = &mut self.positions {
            positions.entry(name.into()).or_insert(self.entries.len());
        }
        self.entries.push(Some((key, node)));
        Ok(())
    }

    /// Take the first field of a name away.
    pub(super) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let position = self.position(name)?;
        if let Some(positions) = &mut self.positions {
            positions.remove(name);
        }
        self.entries.get_mut(position)?.take().map(|(_, node)| node)
    }

    /// The document. `level` is its own; the outermost is 1.
    pub(super) fn write(&self, level: usize) -> Result<RawDocumentBuf, Error> {
        check_level(level)?;
        let mut document = RawDocumentBuf::new();
        for (name, node) in self.entries.iter().flatten() {
            node.write(name, &mut document, level)?;
        }
        Ok(document)
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        // So many searches one by one cost less than the map.
        const FEW: usize = 8;
        if let Some(positions) = &self.positions {
            return positions.get(name).copied();
        }
        self.searches += 1;
        let named = |entry: &Option<(Cow<'_, CStr>, _)>| {
            entry.as_ref().is_some_and(|(key, _)| key.as_str() == name)
        };
        if self.searches <= FEW {
            return self.entries.iter().position(named);
        }
        let mut positions = HashMap::with_capacity(self.entries.len());
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some((key, _)) = entry {
                positions.entry(Box::from(key.as_str())).or_insert(at);
            }
        }
        let found = positions.get(name).copied();
        self.positions = Some(positions);
        found
    }
}

/// An array, on its level.
fn write_array(elements: &[Node<'_>], level: usize) -> Result<RawArrayBuf, Error> {
    check_level(level)?;
    let mut array = RawArrayBuf::new();
    for element in elements {
        match element {
            Node::Stored(value) => array.push(*value),
            Node::Given(value) => {
                check_depth(*value, level)?;
                array.push(*value);
            }
            Node::Made(value) => {
                check_depth(value.as_raw_bson_ref(), level)?;
                array.push(value.as_raw_bson_ref());
            }
            Node::Document(fields) => array.push(&*fields.write(level + 1)?),
            Node::Array(inner) => array.push(&*write_array(inner, level + 1)?),
        }
    }
    Ok(array)
}

fn elements<'a, 'n>(
    elements: impl Iterator<Item = Result<::bson::raw::RawElement<'a>, ::bson::error::Error>>,
    node: impl Fn(RawBsonRef<'a>) -> Node<'n>,
) -> Result<Vec<Node<'n>>, Error> {
    elements
        .map(|element| element.and_then(|element| element.value()).map(&node).map_err(unreadable))
        .collect()
}

/// A name of a field.
pub(super) fn to_name(name: &str) -> Result<CString, Error> {
    CString::try_from(name).map_err(|_| {
        Error::new(Code::BAD_VALUE, "a field name cannot contain an embedded null byte")
    })
}

/// A document that cannot be read was not validated.
pub(super) fn unreadable(error: ::bson::error::Error) -> Error {
    Error::new(Code::INVALID_BSON, format!("expected valid BSON, found: {error}"))
}

fn check_level(level: usize) -> Result<(), Error> {
    if level > MAX_DOCUMENT_DEPTH {
        return Err(too_deep());
    }
    Ok(())
}

fn too_deep() -> Error {
    Error::new(
        Code::OVERFLOW,
        format!("Document exceeds maximum nesting object depth: {MAX_DOCUMENT_DEPTH}"),
    )
}

/// A value that comes to lie in a document on the level `level` may not go too deep.
pub(super) fn check_depth(value: RawBsonRef<'_>, level: usize) -> Result<(), Error> {
    let document = match value {
        RawBsonRef::Document(document) => document,
        RawBsonRef::Array(array) => {
            RawDocument::from_bytes(array.as_bytes()).map_err(unreadable)?
        }
        RawBsonRef::JavaScriptCodeWithScope(code) => code.scope,
        _ => return Ok(()),
    };
    check_level(level + 1)?;
    for element in document {
        check_depth(element.map_err(unreadable)?.1, level + 1)?;
    }
    Ok(())
}
