//! Partial indexes: which documents have entries.

use ::bson::{DateTime, RawBsonRef, RawDocument, Timestamp};

use super::definition::Partial;
use super::shell_text::text;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::{Filter, Node, Test};

/// How deep `$and` and `$or` may lie within each other.
const DEEPEST: usize = 100;

impl Partial {
    pub(super) fn parse(filter: &RawDocument, collator: &Collator) -> Result<Self, Error> {
        check_features(filter, 0)?;
        let parsed = Filter::parse(filter, &Scope::new().with_collator(collator.clone()))?;
        if !is_supported(parsed.root(), 0) {
            return Err(Error::new(
                Code::CANNOT_CREATE_INDEX,
                format!(
                    "Expression not supported in partial index: {}",
                    text(RawBsonRef::Document(filter))
                ),
            ));
        }
        Ok(Self { document: filter.to_owned(), filter: parsed })
    }

    pub(super) fn matches(&self, document: &RawDocument) -> Result<bool, Error> {
        // What is allowed in it asks for no variable.
        let start = Timestamp { time: 0, increment: 0 };
        self.filter.matches(document, &Variables::new(DateTime::from_millis(0), start))
    }
}

/// What no index can go by, wherever it stands.
fn check_features(filter: &RawDocument, depth: usize) -> Result<(), Error> {
    for (name, value) in filter.iter().map_while(Result::ok) {
        let code = match name.as_str() {
            "$expr" | "$jsonSchema" => Code::QUERY_FEATURE_NOT_ALLOWED,
            "$where" | "$text" => Code::BAD_VALUE,
            "$and" | "$or" | "$nor" if depth < DEEPEST => {
                let parts = value.as_array().into_iter().flatten().map_while(Result::ok);
                for part in parts.filter_map(RawBsonRef::as_document) {
                    check_features(part, depth + 1)?;
                }
                continue;
            }
            _ => continue,
        };
        return Err(Error::new(code, format!("{} is not allowed in this context", name.as_str())));
    }
    Ok(())
}

/// `$eq $gt $gte $lt $lte $in $type`, `$exists: true`, and `$and` and `$or` of them.
fn is_supported(node: &Node, depth: usize) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            depth < DEEPEST && parts.iter().all(|part| is_supported(part, depth + 1))
        }
        Node::Field(field) => {
            matches!(field.test, Test::Compare(_) | Test::In(_) | Test::Exists | Test::Type(_))
        }
        _ => false,
    }
}
