//! The document that an upsert begins with: what the query says by equality.

use ::bson::{RawBson, RawBsonRef};

use super::node::{Fields, Node};
use super::text;
use crate::error::{Code, Error};
use crate::query::{ComparisonOperator, Filter, Node as Condition, Test};

/// A path and the value that the query wants there.
type Equality<'f> = (&'f str, RawBsonRef<'f>);

/// The fields that a query gives by equality: `$eq`, also in `$and`, an `$in`, `$or` or `$all` of one.
///
/// # Errors
///
/// `NotSingleValueField` where it gives two values for a path, or one for a part of another.
pub(super) fn seed(filter: &Filter) -> Result<Fields<'_>, Error> {
    let mut equalities = Vec::new();
    collect(filter.root(), &mut equalities);
    check(&equalities)?;
    let mut root = Node::Document(Fields::default());
    for (path, value) in equalities {
        put(&mut root, path, value)?;
    }
    match root {
        Node::Document(fields) => Ok(fields),
        _ => Ok(Fields::default()),
    }
}

/// `_id` alone, for a replacement.
///
/// # Errors
///
/// `NotExactValueField` for an equality of something in `_id`, `NotSingleValueField` for two of `_id`.
pub(super) fn id(filter: &Filter) -> Result<Option<RawBson>, Error> {
    let mut equalities = Vec::new();
    collect(filter.root(), &mut equalities);
    equalities.retain(|(path, _)| *path == "_id" || path.starts_with("_id."));
    if let Some((path, _)) = equalities.iter().find(|(path, _)| *path != "_id") {
        return Err(Error::new(
            Code::NOT_EXACT_VALUE_FIELD,
            format!("field at '_id' must be exactly specified, field at sub-path '{path}' found"),
        ));
    }
    check(&equalities)?;
    Ok(equalities.first().map(|(_, value)| (*value).into()))
}

fn collect<'f>(condition: &'f Condition, found: &mut Vec<Equality<'f>>) {
    match condition {
        Condition::And(parts) => parts.iter().for_each(|part| collect(part, found)),
        Condition::Or(parts) => {
            if let [only] = parts.as_slice() {
                collect(only, found);
            }
        }
        Condition::Field(field) => {
            let value = match &field.test {
                Test::Compare(comparison) if comparison.operator == ComparisonOperator::Equal => {
                    &comparison.value
                }
                Test::In(list) => match (list.values(), list.patterns().is_empty()) {
                    ([only], true) => only,
                    _ => return,
                },
                _ => return,
            };
            found.push((field.path.as_str(), value.as_raw_bson_ref()));
        }
        _ => {}
    }
}

fn check(equalities: &[Equality<'_>]) -> Result<(), Error> {
    let mut paths: Vec<&str> = equalities.iter().map(|(path, _)| *path).collect();
    // A path that begins another comes in front of it, with what has the same names before in between only.
    paths.sort_by(|left, right| left.split('.').cmp(right.split('.')));
    for (path, next) in paths.iter().zip(paths.iter().skip(1)) {
        if path == next {
            return Err(Error::new(
                Code::NOT_SINGLE_VALUE_FIELD,
                format!("cannot infer query fields to set, path '{path}' is matched twice"),
            ));
        }
        if next.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')) {
            return Err(Error::new(
                Code::NOT_SINGLE_VALUE_FIELD,
                format!(
                    "cannot infer query fields to set, both paths '{next}' and '{path}' are matched"
                ),
            ));
        }
    }
    Ok(())
}

fn put<'f>(root: &mut Node<'f>, path: &'f str, value: RawBsonRef<'f>) -> Result<(), Error> {
    let mut current = root;
    let mut reached = "";
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let Node::Document(fields) = current else {
            return Err(Error::new(
                Code::PATH_NOT_VIABLE,
                format!(
                    "Cannot create field '{name}' in element {{{}}}",
                    text::field(reached, current.value()?.as_ref())
                ),
            ));
        };
        if names.peek().is_none() {
            return fields.append(name, Node::Given(value));
        }
        if fields.get_mut(name).is_none() {
            fields.append(name, Node::Document(Fields::default()))?;
        }
        let Some(next) = fields.get_mut(name) else { return Ok(()) };
        (current, reached) = (next, name);
    }
    Ok(())
}
