//! Whether a filter lets only documents through that a partial index has entries of.

use ::bson::{RawBson, RawBsonRef};

use super::predicates::{Predicates, Tested};
use crate::bson::type_class::TypeClass;
use crate::collation::Collator;
use crate::query::{Comparison, ComparisonOperator, Node, Test};

/// Whether every document that passes the predicates passes `partial`, as far as that is easily seen.
pub(super) fn implies(predicates: &Predicates<'_>, partial: &Node, collator: &Collator) -> bool {
    match partial {
        Node::And(parts) => parts.iter().all(|part| implies(predicates, part, collator)),
        Node::Or(parts) => parts.iter().any(|part| implies(predicates, part, collator)),
        Node::Field(wanted) => predicates.on(wanted.path.as_str()).any(|given| match given.test {
            Tested::Passes(test) => test_implies(test, &wanted.test, collator),
            Tested::Missing => false,
        }),
        _ => false,
    }
}

fn test_implies(given: &Test, wanted: &Test, collator: &Collator) -> bool {
    match (given, wanted) {
        (_, Test::Exists) => super::bounds::implies_presence(Tested::Passes(given)),
        (Test::Compare(given), Test::Compare(wanted)) => compare_implies(given, wanted, collator),
        (Test::In(given), wanted) if given.patterns().is_empty() => {
            !given.values().is_empty()
                && given.values().iter().all(|value| value_passes(value, wanted, collator))
        }
        (Test::Compare(given), wanted) if given.operator == ComparisonOperator::Equal => {
            value_passes(&given.value, wanted, collator)
        }
        (Test::Type(given), Test::Type(wanted)) => given == wanted,
        _ => false,
    }
}

/// Whether a value that equals `value` passes.
fn value_passes(value: &RawBson, wanted: &Test, collator: &Collator) -> bool {
    let equal = Comparison { operator: ComparisonOperator::Equal, value: value.clone() };
    match wanted {
        Test::Compare(wanted) => compare_implies(&equal, wanted, collator),
        Test::In(list) => list.values().iter().any(|other| {
            is_plain(value) && collator.equal(value.as_raw_bson_ref(), other.as_raw_bson_ref())
        }),
        Test::Exists => is_plain(value),
        _ => false,
    }
}

fn compare_implies(given: &Comparison, wanted: &Comparison, collator: &Collator) -> bool {
    use ComparisonOperator as Operator;
    if !is_plain(&given.value) || !is_plain(&wanted.value) {
        return false;
    }
    let (value, limit) = (given.value.as_raw_bson_ref(), wanted.value.as_raw_bson_ref());
    if TypeClass::of(value) != TypeClass::of(limit) {
        return false;
    }
    let order = collator.compare(value, limit);
    match (given.operator, wanted.operator) {
        (Operator::Equal, Operator::Equal) => order.is_eq(),
        (Operator::Equal | Operator::GreaterOrEqual, Operator::GreaterOrEqual)
        | (Operator::Greater, Operator::Greater | Operator::GreaterOrEqual) => order.is_ge(),
        (Operator::Equal | Operator::GreaterOrEqual, Operator::Greater) => order.is_gt(),
        (Operator::Equal | Operator::LessOrEqual, Operator::LessOrEqual)
        | (Operator::Less, Operator::Less | Operator::LessOrEqual) => order.is_le(),
        (Operator::Equal | Operator::LessOrEqual, Operator::Less) => order.is_lt(),
        _ => false,
    }
}

/// Whether comparisons with a value have no special rules.
fn is_plain(value: &RawBson) -> bool {
    match value.as_raw_bson_ref() {
        RawBsonRef::Null
        | RawBsonRef::Undefined
        | RawBsonRef::Array(_)
        | RawBsonRef::MinKey
        | RawBsonRef::MaxKey => false,
        RawBsonRef::Double(value) => !value.is_nan(),
        RawBsonRef::Decimal128(value) => {
            !crate::bson::decimal128::Decimal::from_bson(value).is_nan()
        }
        _ => true,
    }
}
