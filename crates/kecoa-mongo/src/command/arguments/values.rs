//! The arguments that were found, by name.

use ::bson::{RawArray, RawBsonRef, RawDocument, Timestamp};

pub use crate::bson::number::whole;
use crate::wire::Sequence;

use super::argument::{Argument, Fallback};
use super::documents::Documents;

/// The arguments of one document, checked against a table.
///
/// Accessors take names of the table. A name that the table does not have answers as a missing argument.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    table: &'static [Argument],
    slots: Vec<Option<Slot<'a>>>,
    /// Which were there, a null that counts as missing included.
    seen: Vec<bool>,
}

/// What stands in a place of the table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot<'a> {
    /// A field.
    Value(RawBsonRef<'a>),
    /// A document sequence.
    Sequence(&'a Sequence),
}

impl<'a> Values<'a> {
    /// Nothing found yet.
    #[must_use]
    pub(super) fn empty(table: &'static [Argument]) -> Self {
        Self { table, slots: vec![None; table.len()], seen: vec![false; table.len()] }
    }

    /// Puts what was found into a place; answers whether it was free.
    pub(super) fn put(&mut self, position: usize, found: Slot<'a>) -> bool {
        let free = self.mark(position);
        if let Some(slot) = self.slots.get_mut(position).filter(|_| free) {
            *slot = Some(found);
        }
        free
    }

    /// Says that a place was there without a value; answers whether it was free.
    pub(super) fn mark(&mut self, position: usize) -> bool {
        self.seen.get_mut(position).is_some_and(|seen| !std::mem::replace(seen, true))
    }

    /// The first argument that is missing and must not be.
    pub(super) fn missing(&self) -> Option<&'static Argument> {
        self.table
            .iter()
            .zip(&self.slots)
            .find(|(row, slot)| row.required && slot.is_none())
            .map(|(row, _)| row)
    }

    fn find(&self, name: &str) -> Option<(&'static Argument, Option<Slot<'a>>)> {
        let position = self.table.iter().position(|row| row.name == name)?;
        Some((self.table.get(position)?, self.slots.get(position).copied().flatten()))
    }

    /// Whether it was given, and not as a null that counts as missing.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        matches!(self.find(name), Some((_, Some(_))))
    }

    /// The value as it came; `None` for a document sequence.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<RawBsonRef<'a>> {
        match self.find(name)?.1? {
            Slot::Value(value) => Some(value),
            Slot::Sequence(_) => None,
        }
    }

    /// A boolean, strict or lenient; its default when missing, false without one.
    #[must_use]
    pub fn boolean(&self, name: &str) -> bool {
        self.optional_boolean(name).unwrap_or(false)
    }

    /// A boolean, strict or lenient; its default when missing.
    #[must_use]
    pub fn optional_boolean(&self, name: &str) -> Option<bool> {
        let (row, slot) = self.find(name)?;
        match slot {
            Some(Slot::Value(value)) => Some(truth(value)),
            _ => match row.fallback {
                Fallback::Boolean(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A number cut to a whole one; its default when missing.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        let (row, slot) = self.find(name)?;
        match slot {
            Some(Slot::Value(value)) => whole(value),
            _ => match row.fallback {
                Fallback::Integer(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A string.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<&'a str> {
        self.value(name)?.as_str()
    }

    /// An object.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<&'a RawDocument> {
        self.value(name)?.as_document()
    }

    /// An array.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&'a RawArray> {
        self.value(name)?.as_array()
    }

    /// A timestamp.
    #[must_use]
    pub fn timestamp(&self, name: &str) -> Option<Timestamp> {
        self.value(name)?.as_timestamp()
    }

    /// Objects, from an array or a document sequence.
    #[must_use]
    pub fn documents(&self, name: &str) -> Option<Documents<'a>> {
        match self.find(name)?.1? {
            Slot::Value(value) => value.as_array().map(Documents::Array),
            Slot::Sequence(documents) => Some(Documents::Sequence(documents)),
        }
    }
}

/// A boolean or number as a boolean: zero is false, NaN is true.
#[must_use]
pub fn truth(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Boolean(value) => value,
        RawBsonRef::Int32(value) => value != 0,
        RawBsonRef::Int64(value) => value != 0,
        RawBsonRef::Double(value) => value != 0.0,
        RawBsonRef::Decimal128(_) => {
            crate::bson::compare::compare(value, RawBsonRef::Int32(0)) != std::cmp::Ordering::Equal
        }
        RawBsonRef::Null | RawBsonRef::Undefined => false,
        _ => true,
    }
}
