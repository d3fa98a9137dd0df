//! Arguments by name.

use ::bson::{RawBsonRef, RawDocument};

use super::node::Node;
use super::parser::{Parser, malformed};
use crate::error::Error;

/// The fields of a document, whose bytes were validated.
pub(super) fn fields(
    document: &RawDocument,
) -> impl Iterator<Item = Result<(&str, RawBsonRef<'_>), Error>> {
    document.iter().map(|field| {
        let (name, value) = field.map_err(malformed)?;
        Ok((name.as_str(), value))
    })
}

/// The arguments of an operator that takes them by name.
pub(super) struct Named<'a> {
    found: Vec<(&'a str, RawBsonRef<'a>)>,
}

impl<'a> Named<'a> {
    /// Read a document that has no fields but `known` ones. Of a field that is there twice, the last one counts.
    pub(super) fn read(
        document: &'a RawDocument,
        known: &[&str],
        unknown: impl FnOnce(&str) -> (i32, String),
    ) -> Result<Self, Error> {
        let mut found: Vec<(&'a str, RawBsonRef<'a>)> = Vec::with_capacity(known.len());
        for field in fields(document) {
            let (name, value) = field?;
            if !known.contains(&name) {
                let (code, text) = unknown(name);
                return Err(Error::location(code, text));
            }
            found.retain(|(seen, _)| *seen != name);
            found.push((name, value));
        }
        Ok(Self { found })
    }

    /// The value of an argument.
    pub(super) fn get(&self, name: &str) -> Option<RawBsonRef<'a>> {
        self.found.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    /// An argument that may be left out.
    pub(super) fn optional(&self, name: &str, parser: &Parser<'_>) -> Result<Option<Node>, Error> {
        self.get(name).map(|value| parser.operand(value)).transpose()
    }

    /// An argument that must be there.
    pub(super) fn required(
        &self,
        name: &str,
        parser: &Parser<'_>,
        missing: impl FnOnce() -> (i32, String),
    ) -> Result<Node, Error> {
        self.optional(name, parser)?.ok_or_else(|| {
            let (code, text) = missing();
            Error::location(code, text)
        })
    }
}
