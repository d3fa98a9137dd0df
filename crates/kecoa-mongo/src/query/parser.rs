//! From a filter's document to its tree.

mod elements;
mod lists;
mod numbers;
mod operators;
mod patterns;
mod top_level;

use ::bson::{RawBson, RawBsonRef, RawDocument};

use super::comparison::{Comparison, ComparisonOperator};
use super::field_path::FieldPath;
use super::node::{FieldTest, Node, Test};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::Scope;

/// How deep filters may lie within filters. A document has no room for more `$and` within `$and`.
const MAX_DEPTH: usize = 100;

/// Reads filters.
#[derive(Clone, Copy)]
pub(super) struct Parser<'a> {
    scope: &'a Scope,
    depth: usize,
    place: Place,
    features: Features,
}

/// Which operators beside those of fields a filter may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Features {
    /// All of them.
    All,
    /// Neither `$expr`, `$jsonSchema`, `$where` nor `$text`: filters of elements in updates and projections.
    Plain,
}

/// Where a filter stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is asked of documents of a collection.
    Document,
    /// It is asked of elements of an array.
    Element,
}

impl<'a> Parser<'a> {
    pub(super) fn new(scope: &'a Scope) -> Self {
        Self { scope, depth: 0, place: Place::Document, features: Features::All }
    }

    pub(super) fn with(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// A filter of documents.
    pub(super) fn filter(self, filter: &RawDocument) -> Result<Node, Error> {
        let parser = self.deeper()?;
        let mut nodes = Vec::new();
        for (name, value) in filter.iter().map_while(Result::ok) {
            self.scope.interrupt().check()?;
            match parser.top_level(name.as_str(), value)? {
                Some(Node::And(inner)) => nodes.extend(inner),
                Some(node) => nodes.push(node),
                None => {}
            }
        }
        Ok(Node::And(nodes))
    }

    /// Operators that are asked of a value itself.
    pub(super) fn value_operators(self, operators: &RawDocument) -> Result<Node, Error> {
        let mut parser = self.deeper()?;
        parser.place = Place::Element;
        parser.operators(&FieldPath::parse("")?, operators)
    }

    fn deeper(mut self) -> Result<Self, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(bad_value(format!("expected a filter of at most {MAX_DEPTH} levels")));
        }
        Ok(self)
    }

    fn collator(&self) -> &'a Collator {
        self.scope.collator()
    }
}

/// Operators that stand in a filter of documents, where a field's name could.
const PATHLESS: [&str; 14] = [
    "$and",
    "$or",
    "$nor",
    "$expr",
    "$jsonSchema",
    "$comment",
    "$where",
    "$text",
    "$sampleRate",
    "$alwaysTrue",
    "$alwaysFalse",
    "$ref",
    "$id",
    "$db",
];

/// Operators of a field, but for `$not`.
const OF_FIELDS: [&str; 26] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$all",
    "$elemMatch",
    "$exists",
    "$type",
    "$size",
    "$mod",
    "$regex",
    "$options",
    "$bitsAllSet",
    "$bitsAnySet",
    "$bitsAllClear",
    "$bitsAnyClear",
    "$geoWithin",
    "$within",
    "$geoIntersects",
    "$geoNear",
    "$near",
    "$nearSphere",
];

/// Whether a document holds operators that are asked of a value, not a filter of documents.
pub(super) fn is_of_values(document: &RawDocument) -> bool {
    first_name(document).is_some_and(|name| !PATHLESS.contains(&name))
        && is_operators(document, true)
}

/// Whether a document begins with an operator of fields.
pub(super) fn begins_with_operator(document: &RawDocument) -> bool {
    first_name(document).is_some_and(|name| OF_FIELDS.contains(&name))
}

/// Whether a document begins with an operator, and is no DBRef.
fn is_operators(document: &RawDocument, part_of_dbref_counts: bool) -> bool {
    first_name(document).is_some_and(|name| name.starts_with('$'))
        && !is_dbref(document, part_of_dbref_counts)
}

fn first_name(document: &RawDocument) -> Option<&str> {
    Some(document.iter_elements().next()?.ok()?.key().as_str())
}

fn is_dbref(document: &RawDocument, part_counts: bool) -> bool {
    let (mut has_ref, mut has_id, mut has_db) = (false, false, false);
    for element in document.iter_elements().map_while(Result::ok) {
        match element.key().as_str() {
            "$ref" => has_ref = true,
            "$id" => has_id = true,
            "$db" => has_db = true,
            _ => {}
        }
    }
    if part_counts { has_ref || has_id || has_db } else { has_ref && has_id }
}

fn field(path: &FieldPath, test: Test) -> Node {
    Node::Field(FieldTest { path: path.clone(), test })
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

/// A comparison with what the value is, whatever it holds.
fn compare(path: &FieldPath, operator: ComparisonOperator, value: RawBsonRef<'_>) -> Node {
    field(path, Test::Compare(Comparison { operator, value: RawBson::from(value) }))
}

fn bad_value(message: impl Into<String>) -> Error {
    Error::new(Code::BAD_VALUE, message)
}
