//! `$push` with `$each`, `$position`, `$sort` and `$slice`.

use std::cmp::Ordering;

use ::bson::{RawBson, RawBsonRef};

use super::integer::whole;
use super::node::Node;
use super::path::array_index;
use super::place::{Outcome, Place};
use super::text;
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::value::Value;

/// What is pushed, and what becomes of the array.
#[derive(Clone, Debug)]
pub(super) struct Push {
    values: Vec<RawBson>,
    position: Option<i64>,
    sort: Option<Order>,
    slice: Option<i64>,
}

/// How `$sort` orders elements.
#[derive(Clone, Debug)]
enum Order {
    /// As they are.
    Whole { descending: bool },
    /// By fields of documents.
    Fields(Vec<(Vec<String>, bool)>),
}

impl Push {
    pub(super) fn parse(argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let mut push = Self { values: Vec::new(), position: None, sort: None, slice: None };
        let clauses = match argument {
            RawBsonRef::Document(document)
                if document.get("$each").is_ok_and(|it| it.is_some()) =>
            {
                document
            }
            value => {
                push.values.push(value.into());
                return Ok(push);
            }
        };
        let mut seen = Vec::new();
        for (name, value) in clauses.iter().map_while(Result::ok) {
            let name = name.as_str();
            if seen.contains(&name) {
                return Err(bad(format!("Only one {name} is supported.")));
            }
            match name {
                "$each" => {
                    let RawBsonRef::Array(values) = value else {
                        return Err(bad(format!(
                            "The argument to $each in $push must be an array but it was of type: {}",
                            text::type_name(value)
                        )));
                    };
                    push.values =
                        values.into_iter().map_while(Result::ok).map(Into::into).collect();
                }
                "$position" => {
                    push.position = Some(whole(value).ok_or_else(|| {
                        bad(format!(
                            "The value for $position must be an integer value, not of type: {}",
                            text::type_name(value)
                        ))
                    })?);
                }
                "$slice" => {
                    push.slice = Some(whole(value).ok_or_else(|| {
                        bad(format!(
                            "The value for $slice must be an integer value but was given type: {}",
                            text::type_name(value)
                        ))
                    })?);
                }
                "$sort" => push.sort = Some(Order::parse(value)?),
                other => return Err(bad(format!("Unrecognized clause in $push: {other}"))),
            }
            // Only known names come here, so that the list is short.
            seen.push(name);
        }
        Ok(push)
    }

    pub(super) fn create<'a>(&'a self, place: &Place<'_>) -> Result<Node<'a>, Error> {
        let mut elements = Vec::new();
        self.push_to(&mut elements, place.collator)?;
        Ok(Node::Array(elements))
    }

    pub(super) fn change<'a>(
        &'a self,
        node: &mut Node<'a>,
        place: &Place<'_>,
    ) -> Result<Outcome, Error> {
        let Node::Array(elements) = node.open()? else {
            return Err(bad(format!(
                "The field '{}' must be an array but is of type {} in document {}",
                place.path(),
                text::type_name(node.value()?.as_ref()),
                text::identity(place.id)
            )));
        };
        let dropped = self.push_to(elements, place.collator)?;
        let changed = dropped || !self.values.is_empty() || self.sort.is_some();
        Ok(if changed { Outcome::Changed } else { Outcome::Same })
    }

    /// Push, sort and cut; whether elements were dropped.
    fn push_to<'a>(
        &'a self,
        elements: &mut Vec<Node<'a>>,
        collator: &Collator,
    ) -> Result<bool, Error> {
        let at = insertion_point(elements.len(), self.position);
        elements
            .splice(at..at, self.values.iter().map(|value| Node::Given(value.as_raw_bson_ref())));
        if let Some(order) = &self.sort {
            order.sort(elements, collator)?;
        }
        let before = elements.len();
        match self.slice {
            None => {}
            Some(most) if most >= 0 => {
                elements.truncate(usize::try_from(most).unwrap_or(usize::MAX))
            }
            Some(last) => {
                let keep = usize::try_from(last.unsigned_abs()).unwrap_or(usize::MAX);
                elements.drain(..elements.len().saturating_sub(keep));
            }
        }
        Ok(elements.len() < before)
    }
}

/// Where a position is in an array of a length: from the end where it is negative, at the end where it is behind it.
fn insertion_point(length: usize, position: Option<i64>) -> usize {
    match position {
        None => length,
        Some(position) => {
            let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            if position < 0 { length.saturating_sub(distance) } else { distance.min(length) }
        }
    }
}

impl Order {
    fn parse(argument: RawBsonRef<'_>) -> Result<Self, Error> {
        const INVALID: &str = "The $sort is invalid: use 1/-1 to sort the whole element, or \
                               {field:1/-1} to sort embedded fields";
        let RawBsonRef::Document(pattern) = argument else {
            let descending = direction(argument).ok_or_else(|| bad(INVALID.to_owned()))?;
            return Ok(Self::Whole { descending });
        };
        let mut fields = Vec::new();
        for (name, value) in pattern.iter().map_while(Result::ok) {
            let name = name.as_str();
            let Some(descending) = direction(value) else {
                return Err(bad("The $sort element value must be either 1 or -1".to_owned()));
            };
            if name.is_empty() {
                return Err(bad("The $sort field cannot be empty".to_owned()));
            }
            let parts: Vec<_> = name.split('.').map(str::to_owned).collect();
            if parts.iter().any(String::is_empty) {
                return Err(bad(format!(
                    "The $sort field is a dotted field but has an empty part: {name}"
                )));
            }
            fields.push((parts, descending));
        }
        if fields.is_empty() {
            return Err(bad(
                "The $sort pattern is empty when it should be a set of fields.".to_owned()
            ));
        }
        Ok(Self::Fields(fields))
    }

    /// Sort; equal elements keep their order.
    fn sort(&self, elements: &mut Vec<Node<'_>>, collator: &Collator) -> Result<(), Error> {
        let mut order: Vec<usize> = (0..elements.len()).collect();
        {
            let values: Vec<Value<'_>> =
                elements.iter().map(Node::value).collect::<Result<_, _>>()?;
            let keys: Vec<Vec<RawBsonRef<'_>>> =
                values.iter().map(|value| self.key(value.as_ref())).collect();
            let none = Vec::new();
            order.sort_by(|left, right| {
                let key = |at: &usize| keys.get(*at).unwrap_or(&none);
                self.compare(key(left), key(right), collator)
            });
        }
        let mut taken: Vec<Option<Node<'_>>> = elements.drain(..).map(Some).collect();
        elements
            .extend(order.into_iter().filter_map(|at| taken.get_mut(at).and_then(Option::take)));
        Ok(())
    }

    fn key<'v>(&self, value: RawBsonRef<'v>) -> Vec<RawBsonRef<'v>> {
        match self {
            Self::Whole { .. } => vec![value],
            Self::Fields(fields) => fields
                .iter()
                .map(|(path, _)| look_up(value, path).unwrap_or(RawBsonRef::Null))
                .collect(),
        }
    }

    fn compare(
        &self,
        left: &[RawBsonRef<'_>],
        right: &[RawBsonRef<'_>],
        collator: &Collator,
    ) -> Ordering {
        let directed = |order: Ordering, descending: bool| {
            if descending { order.reverse() } else { order }
        };
        match self {
            Self::Whole { descending } => left
                .iter()
                .zip(right)
                .map(|(left, right)| directed(collator.compare(*left, *right), *descending))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal),
            Self::Fields(fields) => left
                .iter()
                .zip(right)
                .zip(fields)
                .map(|((left, right), (_, descending))| {
                    directed(collator.compare(*left, *right), *descending)
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal),
        }
    }
}

/// The value at a path, where numbers lead into arrays.
fn look_up<'v>(value: RawBsonRef<'v>, path: &[String]) -> Option<RawBsonRef<'v>> {
    // An element that is an array itself has no fields.
    let mut current = match value {
        RawBsonRef::Document(_) => value,
        _ => return None,
    };
    for name in path {
        current = match current {
            RawBsonRef::Document(document) => document.get(name).ok()??,
            RawBsonRef::Array(array) => array.get(array_index(name)?).ok()??,
            _ => return None,
        };
    }
    Some(current)
}

/// Whether 1 or -1 is given: whether the order is descending.
fn direction(value: RawBsonRef<'_>) -> Option<bool> {
    let number = Number::from_bson(value)?;
    if number == Number::Int32(1) {
        Some(false)
    } else if number == Number::Int32(-1) {
        Some(true)
    } else {
        None
    }
}

fn bad(message: String) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
