//! Operators that take arrays for sets. Unions and intersections are in the order of values.

use std::cmp::Ordering;
use std::collections::HashSet;

use ::bson::{RawArray, RawArrayBuf, RawBsonRef};

use super::boolean::is_true;
use super::collated::Collated;
use super::context::Outcome;
use super::node::Node;
use super::outcome::{array, elements, fail, is_nullish, null, present, type_of};
use super::parser::{Definition, Operator, Parser, count};
use crate::collation::Collator;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$allElementsTrue", definition: Definition::Unary(all_true) },
    Operator { name: "$anyElementTrue", definition: Definition::Unary(any_true) },
    Operator { name: "$setDifference", definition: Definition::Own(parse_difference) },
    Operator { name: "$setEquals", definition: Definition::Own(parse_equals) },
    Operator { name: "$setIntersection", definition: Definition::Own(parse_intersection) },
    Operator { name: "$setIsSubset", definition: Definition::Own(parse_is_subset) },
    Operator { name: "$setUnion", definition: Definition::Own(parse_union) },
];

fn all_true(value: Option<Value<'_>>) -> Outcome<'_> {
    let Some(array) = array(&value) else {
        let found = type_of(&value);
        return fail(
            17040,
            format!("$allElementsTrue's argument must be an array, but is {found}"),
        );
    };
    present(elements(array).all(|element| is_true(Some(element))))
}

fn any_true(value: Option<Value<'_>>) -> Outcome<'_> {
    let Some(array) = array(&value) else {
        let found = type_of(&value);
        return fail(17041, format!("$anyElementTrue's argument must be an array, but is {found}"));
    };
    present(elements(array).any(|element| is_true(Some(element))))
}

/// Elements in order, each once.
fn sorted<'a>(array: &'a RawArray, collator: &Collator) -> Vec<RawBsonRef<'a>> {
    let mut all: Vec<_> = elements(array).collect();
    sort_once(&mut all, collator);
    all
}

fn sort_once(all: &mut Vec<RawBsonRef<'_>>, collator: &Collator) {
    all.sort_by(|left, right| collator.compare(*left, *right));
    all.dedup_by(|left, right| collator.equal(*left, *right));
}

fn parse_union(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    Ok(Collated::node(parser.positional(argument)?, parser, union))
}

fn union<'v>(values: Vec<Option<Value<'v>>>, collator: &Collator) -> Outcome<'v> {
    let mut all = Vec::new();
    for value in &values {
        if is_nullish(value.as_ref()) {
            return null();
        }
        let Some(array) = array(value) else {
            let found = type_of(value);
            let text = format!(
                "All operands of $setUnion must be arrays. One argument is of type: {found}"
            );
            return fail(17043, text);
        };
        all.extend(elements(array));
    }
    sort_once(&mut all, collator);
    present(all.into_iter().collect::<RawArrayBuf>())
}

fn parse_intersection(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    Ok(Collated::node(parser.positional(argument)?, parser, intersection))
}

fn intersection<'v>(values: Vec<Option<Value<'v>>>, collator: &Collator) -> Outcome<'v> {
    let mut common: Option<Vec<RawBsonRef<'_>>> = None;
    for value in &values {
        if is_nullish(value.as_ref()) {
            return null();
        }
        let Some(array) = array(value) else {
            let found = type_of(value);
            let text = format!(
                "All operands of $setIntersection must be arrays. One argument is of type: {found}"
            );
            return fail(17047, text);
        };
        let next = sorted(array, collator);
        common = Some(match common {
            None => next,
            Some(common) => in_both(common, &next, collator),
        });
    }
    present(common.unwrap_or_default().into_iter().collect::<RawArrayBuf>())
}

/// The elements of `left` that are in `right` as well; both are sorted.
fn in_both<'a>(
    left: Vec<RawBsonRef<'a>>,
    right: &[RawBsonRef<'_>],
    collator: &Collator,
) -> Vec<RawBsonRef<'a>> {
    let mut right = right.iter().peekable();
    let mut both = Vec::new();
    for element in left {
        let order = loop {
            match right.peek().map(|other| collator.compare(**other, element)) {
                Some(Ordering::Less) => right.next(),
                order => break order,
            };
        };
        if order == Some(Ordering::Equal) {
            both.push(element);
        }
    }
    both
}

fn parse_equals(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let found = count(argument);
    if found < 2 {
        return fail(17045, format!("$setEquals needs at least two arguments had: {found}"));
    }
    Ok(Collated::node(parser.positional(argument)?, parser, equals))
}

fn equals<'v>(values: Vec<Option<Value<'v>>>, collator: &Collator) -> Outcome<'v> {
    let mut first: Option<Vec<RawBsonRef<'_>>> = None;
    let mut equal = true;
    for value in &values {
        let Some(array) = array(value) else {
            let found = type_of(value);
            let text = format!(
                "All operands of $setEquals must be arrays. One argument is of type: {found}"
            );
            return fail(17044, text);
        };
        if !equal {
            continue;
        }
        let next = sorted(array, collator);
        match &first {
            None => first = Some(next),
            Some(first) => {
                equal = first.len() == next.len()
                    && first.iter().zip(&next).all(|(left, right)| collator.equal(*left, *right));
            }
        }
    }
    present(equal)
}

fn parse_is_subset(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes: [Node; 2] = parser.exactly(name, argument)?;
    Ok(Collated::node(nodes.into(), parser, is_subset))
}

fn is_subset<'v>(values: Vec<Option<Value<'v>>>, collator: &Collator) -> Outcome<'v> {
    let refuse = |code, which: &str, found: &Option<Value<'_>>| {
        let found = type_of(found);
        fail(
            code,
            format!(
                "both operands of $setIsSubset must be arrays. {which} argument is of type: {found}"
            ),
        )
    };
    let [left, right] = &values[..] else { return null() };
    let Some(part) = array(left) else { return refuse(17046, "First", left) };
    let Some(whole) = array(right) else { return refuse(17042, "Second", right) };
    let part = sorted(part, collator);
    let count = part.len();
    present(in_both(part, &sorted(whole, collator), collator).len() == count)
}

fn parse_difference(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes: [Node; 2] = parser.exactly(name, argument)?;
    Ok(Collated::node(nodes.into(), parser, difference))
}

fn difference<'v>(values: Vec<Option<Value<'v>>>, collator: &Collator) -> Outcome<'v> {
    let [left, right] = &values[..] else { return null() };
    if is_nullish(left.as_ref()) || is_nullish(right.as_ref()) {
        return null();
    }
    let refuse = |code, which: &str, found: &Option<Value<'_>>| {
        let found = type_of(found);
        fail(
            code,
            format!(
                "both operands of $setDifference must be arrays. {which} argument is of type: {found}"
            ),
        )
    };
    let Some(from) = array(left) else { return refuse(17048, "First", left) };
    let Some(without) = array(right) else { return refuse(17049, "Second", right) };
    let mut seen: HashSet<_> =
        elements(without).map(|element| collator.hash_key(element).into_bytes()).collect();
    let kept =
        elements(from).filter(|element| seen.insert(collator.hash_key(*element).into_bytes()));
    present(kept.collect::<RawArrayBuf>())
}
