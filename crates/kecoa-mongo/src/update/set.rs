//! `$addToSet`, and sets of values.

use std::collections::HashSet;

use ::bson::{RawBson, RawBsonRef};

use super::node::Node;
use super::place::{Outcome, Place};
use super::text;
use crate::bson::key::{Direction, KeyBuilder};
use crate::collation::Collator;
use crate::error::{Code, Error};

/// The values that `$addToSet` adds, each where it is not there yet.
#[derive(Clone, Debug)]
pub(super) struct Additions {
    values: Vec<RawBson>,
}

/// Values by equality, as a collation sees it.
pub(super) struct Members<'c> {
    collator: &'c Collator,
    keys: HashSet<Vec<u8>>,
}

impl Additions {
    pub(super) fn parse(argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let each = match argument {
            RawBsonRef::Document(document) => {
                let mut fields = document.iter().map_while(Result::ok);
                match fields.next() {
                    Some((name, value)) if name.as_str() == "$each" => {
                        if matches!(value, RawBsonRef::Array(_)) && fields.next().is_some() {
                            return Err(Error::new(
                                Code::BAD_VALUE,
                                format!(
                                    "Found unexpected fields after $each in $addToSet: {}",
                                    text::value(argument)
                                ),
                            ));
                        }
                        Some(value)
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let values = match each {
            None => vec![argument.into()],
            Some(RawBsonRef::Array(values)) => {
                values.into_iter().map_while(Result::ok).map(Into::into).collect()
            }
            Some(other) => {
                return Err(Error::new(
                    Code::TYPE_MISMATCH,
                    format!(
                        "The argument to $each in $addToSet must be an array but it was of type {}",
                        text::type_name(other)
                    ),
                ));
            }
        };
        Ok(Self { values })
    }

    pub(super) fn create<'a>(&'a self, place: &Place<'_>) -> Node<'a> {
        let mut elements = Vec::new();
        self.add_to(&mut elements, Members::new(place.collator));
        Node::Array(elements)
    }

    pub(super) fn change<'a>(
        &'a self,
        node: &mut Node<'a>,
        place: &Place<'_>,
    ) -> Result<Outcome, Error> {
        let mut members = Members::new(place.collator);
        let elements = match node.open()? {
            Node::Array(elements) => elements,
            other => {
                let field = place.name();
                return Err(Error::new(
                    Code::BAD_VALUE,
                    format!(
                        "Cannot apply $addToSet to non-array field. Field named '{field}' has \
                         non-array type {}",
                        text::type_name(other.value()?.as_ref())
                    ),
                ));
            }
        };
        for element in elements.iter() {
            members.insert(element.value()?.as_ref());
        }
        let added = self.add_to(elements, members);
        Ok(if added { Outcome::Changed } else { Outcome::Same })
    }

    fn add_to<'a>(&'a self, elements: &mut Vec<Node<'a>>, mut members: Members<'_>) -> bool {
        let before = elements.len();
        for value in &self.values {
            let value = value.as_raw_bson_ref();
            if members.insert(value) {
                elements.push(Node::Given(value));
            }
        }
        elements.len() > before
    }
}

impl<'c> Members<'c> {
    pub(super) fn new(collator: &'c Collator) -> Self {
        Self { collator, keys: HashSet::new() }
    }

    /// Add a value; whether it was not there.
    pub(super) fn insert(&mut self, value: RawBsonRef<'_>) -> bool {
        self.keys.insert(self.key(value))
    }

    pub(super) fn contains(&self, value: RawBsonRef<'_>) -> bool {
        self.keys.contains(&self.key(value))
    }

    fn key(&self, value: RawBsonRef<'_>) -> Vec<u8> {
        let mut key = KeyBuilder::default();
        self.collator.push_key(&mut key, Some(value), Direction::Ascending);
        key.finish().into_bytes()
    }
}
