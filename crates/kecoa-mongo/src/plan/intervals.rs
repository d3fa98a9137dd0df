//! The bounds of a plan as `explain` shows them: intervals of values, field by field.

use std::cmp::Ordering;

use ::bson::oid::ObjectId;
use ::bson::{DateTime, RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf, Timestamp};

use super::predicates::{Predicates, Tested};
use super::regex_prefix::literal_prefix;
use crate::bson::compare::compare;
use crate::bson::key::Direction;
use crate::bson::type_class::TypeClass;
use crate::index::{FieldKind, Index, shell_text};
use crate::query::{Comparison, ComparisonOperator, Filter, Node, Pattern, Test};

/// How many intervals of a field are shown.
const MOST: usize = 1000;

/// Values between two others.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    lower: RawBson,
    includes_lower: bool,
    upper: RawBson,
    includes_upper: bool,
}

/// The intervals of each field of an index, as texts in the direction in which the index is read.
///
/// They say what the filter asks of each field; the ranges that are read may be wider.
#[must_use]
pub fn texts(filter: &Filter, index: &Index, backward: bool) -> Vec<Vec<String>> {
    let predicates = Predicates::of(filter.root());
    // An index that is read for its order alone has no bounds.
    let first = index.fields().first().map_or("", |field| field.name());
    let is_bounded = of_field(&predicates, first, index.is_multikey()).is_some();
    index
        .fields()
        .iter()
        .map(|field| {
            let is_ordered = field.kind() != FieldKind::Hashed;
            let found = of_field(&predicates, field.name(), index.is_multikey())
                .filter(|_| is_bounded && is_ordered);
            let intervals = found.unwrap_or_else(|| vec![Interval::all()]);
            let is_descending = field.kind() == FieldKind::Ordered(Direction::Descending);
            let is_reversed = is_descending != backward;
            let mut texts: Vec<_> =
                intervals.iter().map(|interval| interval.text(is_reversed)).collect();
            if is_reversed {
                texts.reverse();
            }
            texts.truncate(MOST);
            texts
        })
        .collect()
}

fn of_field(predicates: &Predicates<'_>, name: &str, multikey: bool) -> Option<Vec<Interval>> {
    let mut chosen: Option<Vec<Interval>> = None;
    for predicate in predicates.on(name) {
        let Some(intervals) = of_tested(predicate.test) else { continue };
        chosen = Some(match chosen {
            None => intervals,
            Some(before) if multikey => {
                let are_points = |list: &[Interval]| list.iter().all(Interval::is_point);
                if are_points(&intervals) && !are_points(&before) { intervals } else { before }
            }
            Some(before) => intersection(&before, &intervals),
        });
    }
    chosen
}

fn of_tested(tested: Tested<'_>) -> Option<Vec<Interval>> {
    let intervals = match tested {
        Tested::Missing => vec![Interval::point(RawBson::Null)],
        Tested::Passes(test) => of_test(test)?,
    };
    Some(in_order(intervals))
}

fn of_test(test: &Test) -> Option<Vec<Interval>> {
    match test {
        Test::Compare(comparison) => compared(comparison),
        Test::In(list) => {
            let mut intervals = Vec::new();
            for value in list.values() {
                intervals.extend(equal(value));
            }
            for pattern in list.patterns() {
                intervals.extend(matching(pattern));
            }
            Some(intervals)
        }
        Test::Pattern(pattern) => Some(matching(pattern)),
        Test::Modulo(_) => {
            let (lower, upper) = class_ends(TypeClass::Number)?;
            Some(vec![Interval::between(lower, true, upper, true)])
        }
        Test::ElementValue(inner) => within_element(inner),
        _ => None,
    }
}

fn within_element(node: &Node) -> Option<Vec<Interval>> {
    match node {
        Node::And(parts) => parts
            .iter()
            .filter_map(within_element)
            .reduce(|before, next| intersection(&in_order(before), &in_order(next))),
        Node::Field(inner) if inner.test.is_of_whole_arrays() => None,
        Node::Field(inner) if inner.path.as_str().is_empty() => of_test(&inner.test),
        _ => None,
    }
}

fn equal(value: &RawBson) -> Vec<Interval> {
    let mut intervals = vec![Interval::point(value.clone())];
    if let RawBson::Array(array) = value {
        let first = array.into_iter().next().and_then(Result::ok).map(RawBson::from);
        intervals.push(Interval::point(first.unwrap_or(RawBson::Undefined)));
    }
    intervals
}

fn compared(comparison: &Comparison) -> Option<Vec<Interval>> {
    let value = comparison.value.clone();
    if comparison.operator == ComparisonOperator::Equal {
        return Some(equal(&value));
    }
    let class = TypeClass::of(value.as_raw_bson_ref());
    if matches!(class, TypeClass::Null | TypeClass::Undefined) {
        return Some(vec![Interval::point(value)]);
    }
    let (lowest, highest) = class_ends(class)?;
    // An end that belongs to the next type is not of this one.
    let whole = highest.as_raw_bson_ref();
    let includes_highest = TypeClass::of(whole) == class;
    Some(vec![match comparison.operator {
        ComparisonOperator::Greater => Interval::between(value, false, highest, includes_highest),
        ComparisonOperator::GreaterOrEqual => {
            Interval::between(value, true, highest, includes_highest)
        }
        ComparisonOperator::Less => Interval::between(lowest, true, value, false),
        _ => Interval::between(lowest, true, value, true),
    }])
}

/// The ends of the values of a type.
fn class_ends(class: TypeClass) -> Option<(RawBson, RawBson)> {
    Some(match class {
        TypeClass::Number => (RawBson::Double(f64::NEG_INFINITY), RawBson::Double(f64::INFINITY)),
        TypeClass::String => {
            (RawBson::String(String::new()), RawBson::Document(RawDocumentBuf::new()))
        }
        TypeClass::Object => {
            (RawBson::Document(RawDocumentBuf::new()), RawBson::Array(RawArrayBuf::new()))
        }
        TypeClass::ObjectId => (
            RawBson::ObjectId(ObjectId::from_bytes([0; 12])),
            RawBson::ObjectId(ObjectId::from_bytes([0xff; 12])),
        ),
        TypeClass::Bool => (RawBson::Boolean(false), RawBson::Boolean(true)),
        TypeClass::Date => (RawBson::DateTime(DateTime::MIN), RawBson::DateTime(DateTime::MAX)),
        TypeClass::Timestamp => (
            RawBson::Timestamp(Timestamp { time: 0, increment: 0 }),
            RawBson::Timestamp(Timestamp { time: u32::MAX, increment: u32::MAX }),
        ),
        _ => return None,
    })
}

fn matching(pattern: &Pattern) -> Vec<Interval> {
    let prefix = literal_prefix(pattern.text(), pattern.options());
    let texts = match prefix.as_deref().and_then(|prefix| Some((prefix, successor(prefix)?))) {
        Some((prefix, end)) => {
            Interval::between(RawBson::String(prefix.to_owned()), true, RawBson::String(end), false)
        }
        None => Interval::between(
            RawBson::String(String::new()),
            true,
            RawBson::Document(RawDocumentBuf::new()),
            false,
        ),
    };
    let (Ok(text), Ok(options)) =
        (pattern.text().to_owned().try_into(), pattern.options().to_owned().try_into())
    else {
        return vec![texts];
    };
    let itself = RawBson::RegularExpression(::bson::Regex { pattern: text, options });
    vec![texts, Interval::point(itself)]
}

/// The text above all that begin with one: its last letter is the next one.
fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    let last = text.pop()?;
    let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32)?;
    text.push(next);
    Some(text)
}

impl Interval {
    fn all() -> Self {
        Self::between(RawBson::MinKey, true, RawBson::MaxKey, true)
    }

    fn point(value: RawBson) -> Self {
        Self::between(value.clone(), true, value, true)
    }

    fn between(lower: RawBson, includes_lower: bool, upper: RawBson, includes_upper: bool) -> Self {
        Self { lower, includes_lower, upper, includes_upper }
    }

    fn is_point(&self) -> bool {
        self.includes_lower && self.includes_upper && order(&self.lower, &self.upper).is_eq()
    }

    fn is_empty(&self) -> bool {
        match order(&self.lower, &self.upper) {
            Ordering::Less => false,
            Ordering::Equal => !(self.includes_lower && self.includes_upper),
            Ordering::Greater => true,
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        let (lower, includes_lower) = match order(&self.lower, &other.lower) {
            Ordering::Less => (&other.lower, other.includes_lower),
            Ordering::Equal => (&self.lower, self.includes_lower && other.includes_lower),
            Ordering::Greater => (&self.lower, self.includes_lower),
        };
        let (upper, includes_upper) = match order(&self.upper, &other.upper) {
            Ordering::Less => (&self.upper, self.includes_upper),
            Ordering::Equal => (&self.upper, self.includes_upper && other.includes_upper),
            Ordering::Greater => (&other.upper, other.includes_upper),
        };
        Self::between(lower.clone(), includes_lower, upper.clone(), includes_upper)
    }

    fn text(&self, reversed: bool) -> String {
        let bracket = |includes: bool, open: bool| match (includes, open) {
            (true, true) => '[',
            (true, false) => ']',
            (false, true) => '(',
            (false, false) => ')',
        };
        let ends = [(&self.lower, self.includes_lower), (&self.upper, self.includes_upper)];
        let [low, high] = ends;
        let [(first, in_first), (last, in_last)] = if reversed { [high, low] } else { [low, high] };
        format!(
            "{}{}, {}{}",
            bracket(in_first, true),
            shell_text::text(first.as_raw_bson_ref()),
            shell_text::text(last.as_raw_bson_ref()),
            bracket(in_last, false)
        )
    }
}

fn order(left: &RawBson, right: &RawBson) -> Ordering {
    let (left, right): (RawBsonRef<'_>, RawBsonRef<'_>) =
        (left.as_raw_bson_ref(), right.as_raw_bson_ref());
    compare(left, right)
}

/// In order, each once.
fn in_order(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_by(|left, right| {
        order(&left.lower, &right.lower).then_with(|| order(&left.upper, &right.upper))
    });
    intervals.dedup_by(|next, before| {
        order(&next.lower, &before.lower).is_eq() && order(&next.upper, &before.upper).is_eq()
    });
    intervals
}

fn intersection(left: &[Interval], right: &[Interval]) -> Vec<Interval> {
    let mut both = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let interval = first.intersection(second);
        if !interval.is_empty() {
            both.push(interval);
        }
        if order(&first.upper, &second.upper).is_le() {
            left.next();
        } else {
            right.next();
        }
    }
    both
}
