//! `$in` and `$all`.

use std::collections::HashSet;

use ::bson::{RawBson, RawBsonRef};

use super::{Parser, bad_value, begins_with_operator, compare, field, first_name, is_operators};
use crate::error::Error;
use crate::query::comparison::ComparisonOperator;
use crate::query::field_path::FieldPath;
use crate::query::in_list::InList;
use crate::query::node::{Node, Test};
use crate::query::pattern::Pattern;

impl Parser<'_> {
    pub(super) fn in_list(
        self,
        path: &FieldPath,
        name: &str,
        value: RawBsonRef<'_>,
    ) -> Result<Node, Error> {
        let RawBsonRef::Array(array) = value else {
            return Err(bad_value(format!("{name} needs an array")));
        };
        let (mut values, mut patterns) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for value in array.into_iter().map_while(Result::ok) {
            match value {
                RawBsonRef::Document(inner) if is_operators(inner, false) => {
                    return Err(bad_value(format!("cannot nest $ under {name}")));
                }
                RawBsonRef::Undefined => {
                    return Err(bad_value("cannot compare to undefined"));
                }
                RawBsonRef::RegularExpression(regex) => {
                    self.scope.interrupt().check()?;
                    let (pattern, options) = (regex.pattern.as_str(), regex.options.as_str());
                    if seen.insert((pattern, options)) {
                        patterns.push(Pattern::new(pattern, options)?);
                    }
                }
                value => values.push(RawBson::from(value)),
            }
        }
        Ok(field(path, Test::In(InList::new(values, patterns, self.collator()))))
    }

    pub(super) fn all(self, path: &FieldPath, value: RawBsonRef<'_>) -> Result<Node, Error> {
        let RawBsonRef::Array(array) = value else {
            return Err(bad_value("$all needs an array"));
        };
        let mut values = array.into_iter().map_while(Result::ok).peekable();
        let is_element_match =
            |value: RawBsonRef<'_>| value.as_document().and_then(first_name) == Some("$elemMatch");
        let Some(first) = values.peek().copied() else { return Ok(Node::Constant(false)) };
        let of_elements = is_element_match(first);
        let mut nodes = Vec::new();
        for value in values {
            nodes.push(match value {
                RawBsonRef::Document(inner) if of_elements => {
                    if !is_element_match(value) {
                        return Err(bad_value("$all/$elemMatch has to be consistent"));
                    }
                    // What stands behind it is not read, as MongoDB does not.
                    let (_, filter) = inner.iter().next().and_then(Result::ok).unzip();
                    self.element_match(path, filter.unwrap_or(RawBsonRef::Null))?
                }
                _ if of_elements => {
                    return Err(bad_value("$all/$elemMatch has to be consistent"));
                }
                RawBsonRef::Document(inner) if begins_with_operator(inner) => {
                    return Err(bad_value("no $ expressions in $all"));
                }
                RawBsonRef::Undefined => return Err(bad_value("cannot compare to undefined")),
                RawBsonRef::RegularExpression(regex) => {
                    let pattern = Pattern::new(regex.pattern.as_str(), regex.options.as_str())?;
                    field(path, Test::Pattern(pattern))
                }
                value => compare(path, ComparisonOperator::Equal, value),
            });
        }
        Ok(Node::And(nodes))
    }
}
