//! Operators that take arrays for sets. Unions and intersections are in the order of values.

use std::cmp::Ordering;
use std::collections::HashSet;

use ::bson::{RawArray, RawBson, RawBsonRef};

use super::boolean::is_true;
use super::collated::{Collated, Comparing};
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{array, elements, fail, gathered, is_nullish, null, present, type_of};
use super::parser::{Definition, Operator, Parser};
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
fn sorted<'a>(
    array: &'a RawArray,
    comparing: &Comparing<'_>,
) -> Result<Vec<RawBsonRef<'a>>, Error> {
    let mut all: Vec<_> = elements(array).collect();
    sort_once(&mut all, comparing)?;
    Ok(all)
}

fn sort_once(all: &mut Vec<RawBsonRef<'_>>, comparing: &Comparing<'_>) -> Result<(), Error> {
    comparing.sort(all, false)?;
    all.dedup_by(|left, right| comparing.collator.equal(*left, *right));
    Ok(())
}

fn parse_union(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let whole = |nodes| Collated::node(nodes, parser, union);
    Ok(whole(parser.grouped(parser.positional(argument)?, true, whole)))
}

fn union<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
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
    sort_once(&mut all, comparing)?;
    present(gathered(all, comparing.interrupt)?)
}

fn parse_intersection(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let whole = |nodes| Collated::node(nodes, parser, intersection);
    Ok(whole(parser.grouped(parser.positional(argument)?, true, whole)))
}

fn intersection<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
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
        let next = sorted(array, comparing)?;
        common = Some(match common {
            None => next,
            Some(common) => in_both(common, &next, comparing)?,
        });
    }
    present(gathered(common.unwrap_or_default(), comparing.interrupt)?)
}

/// The elements of `left` that are in `right` as well; both are sorted.
fn in_both<'a>(
    left: Vec<RawBsonRef<'a>>,
    right: &[RawBsonRef<'_>],
    comparing: &Comparing<'_>,
) -> Result<Vec<RawBsonRef<'a>>, Error> {
    let mut right = right.iter().peekable();
    let mut both = Vec::new();
    for element in left {
        comparing.interrupt.check()?;
        let order = loop {
            match right.peek().map(|other| comparing.collator.compare(**other, element)) {
                Some(Ordering::Less) => right.next(),
                order => break order,
            };
        };
        if order == Some(Ordering::Equal) {
            both.push(element);
        }
    }
    Ok(both)
}

/// Compares one array to the others, until one differs.
#[derive(Debug)]
struct Equals {
    arrays: Vec<Node>,
    /// Which is compared to the others.
    pivot: usize,
    collator: Collator,
}

impl Evaluate for Equals {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let comparing =
            Comparing { collator: &self.collator, interrupt: context.variables.interrupt() };
        let read = |node: &'v Node| -> Result<Vec<RawBson>, Error> {
            let value = node.evaluate(context)?;
            let Some(array) = array(&value) else { return no_set(17044, type_of(&value)) };
            Ok(sorted(array, &comparing)?.into_iter().map(Into::into).collect())
        };
        let Some(pivot) = self.arrays.get(self.pivot) else { return present(true) };
        let pivot = read(pivot)?;
        for (index, node) in self.arrays.iter().enumerate() {
            if index == self.pivot {
                continue;
            }
            let other = read(node)?;
            let same = |(left, right): (&RawBson, &RawBson)| {
                self.collator.equal(left.as_raw_bson_ref(), right.as_raw_bson_ref())
            };
            if pivot.len() != other.len() || !pivot.iter().zip(&other).all(same) {
                return present(false);
            }
        }
        present(true)
    }
}

fn no_set<T>(code: i32, found: &str) -> Result<T, Error> {
    fail(
        code,
        format!("All operands of $setEquals must be arrays. One argument is of type: {found}"),
    )
}

fn parse_equals(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let arrays = parser.positional(argument)?;
    let found = arrays.len();
    if found < 2 {
        return fail(17045, format!("$setEquals needs at least two arguments had: {found}"));
    }
    let mut pivot = None;
    for (index, node) in arrays.iter().enumerate() {
        match node.as_constant() {
            None => {}
            Some(Some(RawBsonRef::Array(_))) => pivot = pivot.or(Some(index)),
            Some(other) => {
                let refused: Result<(), Error> = no_set(5_887_502, describe::type_name(other));
                refused.unwrap_or_else(|error| parser.note_failure(error));
            }
        }
    }
    let collator = parser.scope.collator().clone();
    Ok(Node::special(Equals { arrays, pivot: pivot.unwrap_or(0), collator }))
}

fn parse_is_subset(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes: [Node; 2] = parser.exactly(name, argument)?;
    // Beside a set that is known, MongoDB's checks have numbers of their own.
    let [part, whole] = &nodes;
    let function = match (part.as_constant(), whole.as_constant()) {
        (None, Some(Some(RawBsonRef::Array(_)))) => is_subset_of_known,
        (None, Some(other)) => {
            let refused: Result<(), Error> = no_subset(17311, "Second", describe::type_name(other));
            refused.unwrap_or_else(|error| parser.note_failure(error));
            is_subset
        }
        _ => is_subset,
    };
    Ok(Collated::node(nodes.into(), parser, function))
}

fn no_subset<T>(code: i32, which: &str, found: &str) -> Result<T, Error> {
    fail(
        code,
        format!(
            "both operands of $setIsSubset must be arrays. {which} argument is of type: {found}"
        ),
    )
}

fn is_subset<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
    subset(&values, comparing, 17046)
}

fn is_subset_of_known<'v>(
    values: Vec<Option<Value<'v>>>,
    comparing: &Comparing<'_>,
) -> Outcome<'v> {
    subset(&values, comparing, 17310)
}

fn subset<'v>(values: &[Option<Value<'_>>], comparing: &Comparing<'_>, first: i32) -> Outcome<'v> {
    let [left, right] = values else { return null() };
    let Some(part) = array(left) else { return no_subset(first, "First", type_of(left)) };
    let Some(whole) = array(right) else { return no_subset(17042, "Second", type_of(right)) };
    let part = sorted(part, comparing)?;
    let count = part.len();
    present(in_both(part, &sorted(whole, comparing)?, comparing)?.len() == count)
}

fn parse_difference(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes: [Node; 2] = parser.exactly(name, argument)?;
    Ok(Collated::node(nodes.into(), parser, difference))
}

fn difference<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
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
    let mut seen = HashSet::new();
    let mut is_new = |element| {
        comparing.interrupt.check()?;
        Ok::<_, Error>(seen.insert(comparing.collator.hash_key(element).into_bytes()))
    };
    for element in elements(without) {
        is_new(element)?;
    }
    let mut kept = Vec::new();
    for element in elements(from) {
        if is_new(element)? {
            kept.push(element);
        }
    }
    present(gathered(kept, comparing.interrupt)?)
}
