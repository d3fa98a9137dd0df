//! `$pop`, `$pull` and `$pullAll`.

use ::bson::raw::cstr;
use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::integer::whole;
use super::node::Node;
use super::place::{Outcome, Place};
use super::set::Members;
use super::text;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::{ElementFilter, Filter};

/// Which elements go.
#[derive(Clone, Debug)]
pub(super) enum Removal {
    /// `$pop`: one at an end.
    Pop {
        /// At the beginning.
        first: bool,
    },
    /// `$pull`.
    Matching(Condition),
    /// `$pullAll`: those that equal one of the values.
    Equal(Vec<RawBson>),
}

/// What `$pull` asks of an element.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// Equality.
    Value(RawBson),
    /// A filter of documents.
    Documents(Box<ElementFilter>),
    /// Operators or a regular expression: a filter of the field with the empty name. An element that is an array
    /// passes if one of its own elements does.
    Wrapped(Box<Filter>),
}

impl Removal {
    pub(super) fn pop(field: &str, argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let failed = |message| Err(Error::new(Code::FAILED_TO_PARSE, message));
        if crate::bson::number::Number::from_bson(argument).is_none() {
            return failed(format!("Expected a number in: {}", text::field(field, argument)));
        }
        match whole(argument) {
            Some(1) => Ok(Self::Pop { first: false }),
            Some(-1) => Ok(Self::Pop { first: true }),
            Some(other) => failed(format!("$pop expects 1 or -1, found: {other}")),
            None => failed(format!("Expected an integer: {}", text::field(field, argument))),
        }
    }

    pub(super) fn pull(argument: RawBsonRef<'_>, scope: &Scope) -> Result<Self, Error> {
        Ok(Self::Matching(Condition::parse(argument, scope)?))
    }

    pub(super) fn pull_all(argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let RawBsonRef::Array(values) = argument else {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "$pullAll requires an array argument but was given a {}",
                    text::type_name(argument)
                ),
            ));
        };
        Ok(Self::Equal(values.into_iter().map_while(Result::ok).map(Into::into).collect()))
    }

    pub(super) fn change<'a>(
        &'a self,
        node: &mut Node<'a>,
        place: &Place<'_>,
    ) -> Result<Outcome, Error> {
        let elements = match node.open()? {
            Node::Array(elements) => elements,
            other => return Err(self.no_array(other.value()?.as_ref(), place)),
        };
        let before = elements.len();
        match self {
            Self::Pop { first: true } if !elements.is_empty() => {
                elements.remove(0);
            }
            Self::Pop { .. } => {
                elements.pop();
            }
            Self::Equal(values) => {
                let mut members = Members::new(place.collator);
                for value in values {
                    members.insert(value.as_raw_bson_ref());
                }
                retain(elements, |element| Ok(!members.contains(element)))?;
            }
            Self::Matching(condition) => retain(elements, |element| {
                Ok(!condition.meets(element, place.collator, place.variables)?)
            })?,
        }
        Ok(if elements.len() < before { Outcome::Changed } else { Outcome::Same })
    }

    fn no_array(&self, found: RawBsonRef<'_>, place: &Place<'_>) -> Error {
        match self {
            Self::Pop { .. } => Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "Path '{}' contains an element of non-array type '{}'",
                    place.path(),
                    text::type_name(found)
                ),
            ),
            _ => Error::new(Code::BAD_VALUE, "Cannot apply $pull to a non-array value"),
        }
    }
}

impl Condition {
    fn parse(argument: RawBsonRef<'_>, scope: &Scope) -> Result<Self, Error> {
        match argument {
            RawBsonRef::Document(document) => {
                let filter = ElementFilter::parse(document, scope)?;
                if !filter.is_of_values() {
                    return Ok(Self::Documents(Box::new(filter)));
                }
                Ok(Self::Wrapped(Box::new(Filter::parse_plain(&wrap(argument), scope)?)))
            }
            RawBsonRef::RegularExpression(_) => {
                Ok(Self::Wrapped(Box::new(Filter::parse_plain(&wrap(argument), scope)?)))
            }
            value => Ok(Self::Value(value.into())),
        }
    }

    fn meets(
        &self,
        element: RawBsonRef<'_>,
        collator: &Collator,
        variables: &Variables,
    ) -> Result<bool, Error> {
        match self {
            Self::Value(value) => Ok(collator.equal(value.as_raw_bson_ref(), element)),
            Self::Documents(filter) => filter.matches(element, variables),
            Self::Wrapped(filter) => filter.matches(&wrap(element), variables),
        }
    }
}

/// A document whose one field has no name.
fn wrap(value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!(""), value);
    document
}

fn retain(
    elements: &mut Vec<Node<'_>>,
    mut keep: impl FnMut(RawBsonRef<'_>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let mut kept = Vec::with_capacity(elements.len());
    for element in elements.drain(..) {
        let stays = keep(element.value()?.as_ref())?;
        if stays {
            kept.push(element);
        }
    }
    *elements = kept;
    Ok(())
}
