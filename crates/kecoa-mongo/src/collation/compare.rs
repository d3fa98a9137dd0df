//! Values compared with their strings by the rules of a language.

use std::cmp::Ordering;

use ::bson::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use icu_collator::CollatorBorrowed;

use crate::bson::compare::compare;
use crate::bson::limits::MAX_DEPTH;
use crate::bson::type_class::TypeClass;

pub(super) fn values(
    rules: &CollatorBorrowed<'_>,
    left: RawBsonRef<'_>,
    right: RawBsonRef<'_>,
    depth: usize,
) -> Ordering {
    use RawBsonRef as Value;
    match (left, right) {
        (
            Value::String(left) | Value::Symbol(left),
            Value::String(right) | Value::Symbol(right),
        ) => rules.compare(left, right),
        (Value::Document(left), Value::Document(right)) if depth < MAX_DEPTH => {
            documents(rules, left, right, depth + 1)
        }
        (Value::Array(left), Value::Array(right)) if depth < MAX_DEPTH => {
            arrays(rules, left, right, depth + 1)
        }
        _ => compare(left, right),
    }
}

/// The value with sort keys instead of strings; `None` where it has no strings.
///
/// A sort key is bytes; each becomes the character of that number, which keeps their order.
pub(super) fn with_sort_keys(
    rules: &CollatorBorrowed<'_>,
    value: RawBsonRef<'_>,
    depth: usize,
) -> Option<RawBson> {
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => {
            let mut key = Vec::with_capacity(text.len() * 2);
            let Ok(()) = rules.write_sort_key_to(text, &mut key);
            Some(RawBson::String(key.into_iter().map(char::from).collect()))
        }
        RawBsonRef::Document(document) if depth < MAX_DEPTH && has_strings(document, depth) => {
            let mut changed = RawDocumentBuf::new();
            for (name, value) in document.iter().map_while(Result::ok) {
                match with_sort_keys(rules, value, depth + 1) {
                    Some(value) => changed.append(name, value),
                    None => changed.append(name, value),
                }
            }
            Some(RawBson::Document(changed))
        }
        RawBsonRef::Array(array) if depth < MAX_DEPTH => {
            let elements = RawDocument::from_bytes(array.as_bytes()).ok()?;
            if !has_strings(elements, depth) {
                return None;
            }
            let mut changed = RawArrayBuf::new();
            for value in array.into_iter().map_while(Result::ok) {
                match with_sort_keys(rules, value, depth + 1) {
                    Some(value) => changed.push(value),
                    None => changed.push(value),
                }
            }
            Some(RawBson::Array(changed))
        }
        _ => None,
    }
}

fn has_strings(document: &RawDocument, depth: usize) -> bool {
    let mut values = document.iter().map_while(Result::ok);
    depth < MAX_DEPTH
        && values.any(|(_, value)| match value {
            RawBsonRef::String(_) | RawBsonRef::Symbol(_) => true,
            RawBsonRef::Document(inner) => has_strings(inner, depth + 1),
            RawBsonRef::Array(inner) => RawDocument::from_bytes(inner.as_bytes())
                .is_ok_and(|elements| has_strings(elements, depth + 1)),
            _ => false,
        })
}

fn documents(
    rules: &CollatorBorrowed<'_>,
    left: &RawDocument,
    right: &RawDocument,
    depth: usize,
) -> Ordering {
    let (mut left, mut right) = (left.iter(), right.iter());
    loop {
        match (left.next().and_then(Result::ok), right.next().and_then(Result::ok)) {
            (Some((left_name, left)), Some((right_name, right))) => {
                let order = TypeClass::of(left)
                    .cmp(&TypeClass::of(right))
                    .then_with(|| left_name.as_str().as_bytes().cmp(right_name.as_str().as_bytes()))
                    .then_with(|| values(rules, left, right, depth));
                if order.is_ne() {
                    return order;
                }
            }
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

fn arrays(
    rules: &CollatorBorrowed<'_>,
    left: &RawArray,
    right: &RawArray,
    depth: usize,
) -> Ordering {
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    loop {
        match (left.next().and_then(Result::ok), right.next().and_then(Result::ok)) {
            (Some(left), Some(right)) => {
                let order = values(rules, left, right, depth);
                if order.is_ne() {
                    return order;
                }
            }
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}
