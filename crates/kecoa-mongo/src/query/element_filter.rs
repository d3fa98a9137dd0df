//! A filter of elements of an array.

use ::bson::{RawBsonRef, RawDocument};

use super::context::Context;
use super::filter::Filter;
use super::node::Node;
use super::parser::{self, Parser};
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::{Scope, Variables};

/// Which elements of an array are meant: by operators that the element passes, or by a filter of documents.
#[derive(Clone, Debug)]
pub struct ElementFilter {
    kind: Kind,
    collator: Collator,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `{$gt: 5}`
    Operators(Node),
    /// `{a: 1}`, also `{$or: [...]}`
    Document(Filter),
}

impl ElementFilter {
    /// Read it as `$pull` does: operators if the first name is one of a field's, but for `$not`, else a filter.
    ///
    /// # Errors
    ///
    /// Those of [`Filter::parse_plain`].
    pub fn parse(filter: &RawDocument, scope: &Scope) -> Result<Self, Error> {
        let kind = if parser::begins_with_operator(filter) {
            Kind::Operators(
                Parser::new(scope).with(parser::Features::Plain).value_operators(filter)?,
            )
        } else {
            Kind::Document(Filter::parse_plain(filter, scope)?)
        };
        Ok(Self { kind, collator: scope.collator().clone() })
    }

    /// Whether an element passes. A filter of documents passes no element that is none.
    ///
    /// # Errors
    ///
    /// Those of [`Filter::matches`].
    pub fn matches(&self, element: RawBsonRef<'_>, variables: &Variables) -> Result<bool, Error> {
        match (&self.kind, element) {
            (Kind::Operators(node), _) => {
                node.accepts_value(element, Context { variables, collator: &self.collator })
            }
            (Kind::Document(filter), RawBsonRef::Document(document)) => {
                filter.matches(document, variables)
            }
            (Kind::Document(_), _) => Ok(false),
        }
    }

    /// Whether it is made of operators on the element itself.
    #[must_use]
    pub fn is_of_values(&self) -> bool {
        matches!(self.kind, Kind::Operators(_))
    }
}
