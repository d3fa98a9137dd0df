//! The keys of a field that a test lets through.

use ::bson::{RawBson, RawBsonRef};

use super::field_ranges::{Range, intersection, normalized};
use super::key_field::KeyField;
use super::predicates::Tested;
use super::regex_prefix::literal_prefix;
use crate::bson::number::Number;
use crate::bson::path::is_number;
use crate::bson::type_class::TypeClass;
use crate::collation::Collator;
use crate::index::FieldKind;
use crate::plan::access::KeyRange;
use crate::query::{Comparison, ComparisonOperator, Node, Pattern, Test};

/// The ranges that hold a key of every document that passes; `None` if that is all keys.
pub(super) fn ranges(
    tested: Tested<'_>,
    field: &KeyField<'_>,
    collator: &Collator,
) -> Option<Vec<Range>> {
    let ranges = match tested {
        Tested::Missing => vec![Range::point(&field.key(RawBsonRef::Null))],
        Tested::Passes(test) => of_test(test, field, collator)?,
    };
    Some(normalized(ranges))
}

/// Whether a document that passes has a value there that is not missing: sparse indexes have an entry of it.
pub(super) fn implies_presence(tested: Tested<'_>) -> bool {
    let Tested::Passes(test) = tested else { return false };
    match test {
        Test::Compare(comparison) => match comparison.value.as_raw_bson_ref() {
            RawBsonRef::Null | RawBsonRef::MaxKey | RawBsonRef::MinKey => {
                // A missing value is equal to null, and compares with the ends of the order.
                comparison.operator == ComparisonOperator::Equal
                    && !matches!(comparison.value, RawBson::Null)
            }
            _ => true,
        },
        Test::In(list) => !list.values().iter().any(|value| matches!(value, RawBson::Null)),
        _ => true,
    }
}

fn of_test(test: &Test, field: &KeyField<'_>, collator: &Collator) -> Option<Vec<Range>> {
    let hashed = field.kind == FieldKind::Hashed;
    match test {
        Test::Compare(comparison) if comparison.operator == ComparisonOperator::Equal => {
            equal(comparison.value.as_raw_bson_ref(), field, collator)
        }
        Test::In(list) => {
            let mut ranges = Vec::new();
            for value in list.values() {
                ranges.extend(equal(value.as_raw_bson_ref(), field, collator)?);
            }
            for pattern in list.patterns() {
                if hashed {
                    return None;
                }
                ranges.extend(matching(pattern, field));
            }
            Some(ranges)
        }
        _ if hashed => None,
        Test::Compare(comparison) => compared(comparison, field, collator),
        Test::Pattern(pattern) => Some(matching(pattern, field)),
        Test::Modulo(_) => Some(vec![Range::prefix(&[field.class_byte(TypeClass::Number)])]),
        // An array at a number is indexed whole: its elements have no entries.
        Test::ElementValue(_) if has_number(field.name) => None,
        Test::ElementValue(inner) => within_element(inner, field, collator),
        _ => None,
    }
}

/// The tests that one element passes.
fn within_element(node: &Node, field: &KeyField<'_>, collator: &Collator) -> Option<Vec<Range>> {
    match node {
        Node::And(parts) => {
            let mut all: Option<Vec<Range>> = None;
            for part in parts {
                let Some(ranges) = within_element(part, field, collator) else { continue };
                all = Some(match all {
                    None => ranges,
                    Some(before) => intersection(&before, &ranges),
                });
            }
            all
        }
        // The elements of an element have no entries.
        Node::Field(inner) if inner.test.is_of_whole_arrays() => None,
        Node::Field(inner) if inner.path.as_str().is_empty() => {
            of_test(&inner.test, field, collator).map(normalized)
        }
        _ => None,
    }
}

/// Whether a part of a path may be the place of an element.
fn has_number(path: &str) -> bool {
    path.split('.').any(is_number)
}

fn equal(value: RawBsonRef<'_>, field: &KeyField<'_>, collator: &Collator) -> Option<Vec<Range>> {
    if value == RawBsonRef::Null && has_number(field.name) {
        // What is missing on one of its ways may be there on the other, which the index has.
        return None;
    }
    if !is_comparable(value, field, collator) {
        if field.kind == FieldKind::Hashed {
            return None;
        }
        return match value {
            RawBsonRef::Array(_) => None,
            value => Some(vec![Range::prefix(&[field.class_byte(TypeClass::of(value))])]),
        };
    }
    let mut ranges = vec![Range::point(&field.key(value))];
    if let RawBsonRef::Array(array) = value {
        // The entries of an array are those of its elements.
        let first = array.into_iter().next().and_then(Result::ok);
        ranges.push(Range::point(&field.key(first.unwrap_or(RawBsonRef::Undefined))));
    }
    Some(ranges)
}

fn compared(
    comparison: &Comparison,
    field: &KeyField<'_>,
    collator: &Collator,
) -> Option<Vec<Range>> {
    let value = comparison.value.as_raw_bson_ref();
    let class = TypeClass::of(value);
    match class {
        // They compare with values of all types; the elements of an array say nothing of its order.
        TypeClass::MinKey | TypeClass::MaxKey | TypeClass::Array => return None,
        TypeClass::Null | TypeClass::Undefined => {
            return Some(vec![Range::point(&field.key(value))]);
        }
        _ => {}
    }
    let of_class = field.class_byte(class);
    if !is_comparable(value, field, collator) {
        return Some(vec![Range::prefix(&[of_class])]);
    }
    let key = field.key(value);
    if is_nan(value) {
        return Some(vec![Range::point(&key)]);
    }
    let (above, included) = match comparison.operator {
        ComparisonOperator::Greater => (true, false),
        ComparisonOperator::GreaterOrEqual => (true, true),
        ComparisonOperator::Less => (false, false),
        ComparisonOperator::LessOrEqual => (false, true),
        ComparisonOperator::Equal => return Some(vec![Range::point(&key)]),
    };
    let class_end: &[u8] = &[of_class];
    let range = if above == field.is_descending() {
        KeyRange::between(Some((class_end, true)), Some((key.as_bytes(), included)))
    } else {
        KeyRange::between(Some((key.as_bytes(), included)), Some((class_end, true)))
    };
    Some(vec![Range::from(&range)])
}

/// Texts that a regular expression may be found in, and all regular expressions: one equals itself.
fn matching(pattern: &Pattern, field: &KeyField<'_>) -> Vec<Range> {
    let expressions = Range::prefix(&[field.class_byte(TypeClass::Regex)]);
    let texts = literal_prefix(pattern.text(), pattern.options())
        .filter(|_| field.collator().is_simple())
        .map(|prefix| {
            let key = field.key(RawBsonRef::String(&prefix));
            // Without the two bytes that end a text.
            let bytes = key.ordered();
            let beginning = if key.is_cut() { bytes.len() } else { bytes.len().saturating_sub(2) };
            Range::prefix(bytes.get(..beginning).unwrap_or(bytes))
        });
    let texts = texts.unwrap_or_else(|| Range::prefix(&[field.class_byte(TypeClass::String)]));
    vec![texts, expressions]
}

/// Whether the filter and the index compare the value's strings alike.
fn is_comparable(value: RawBsonRef<'_>, field: &KeyField<'_>, collator: &Collator) -> bool {
    match value {
        RawBsonRef::String(_)
        | RawBsonRef::Symbol(_)
        | RawBsonRef::Document(_)
        | RawBsonRef::Array(_) => field.collator() == collator,
        _ => true,
    }
}

fn is_nan(value: RawBsonRef<'_>) -> bool {
    match Number::from_bson(value) {
        Some(Number::Double(value)) => value.is_nan(),
        Some(Number::Decimal(value)) => value.is_nan(),
        _ => false,
    }
}
