//! Operators on arrays and their elements.

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::collated::{Collated, Comparing};
use super::context::Outcome;
use super::describe;
use super::integers::to_int32;
use super::node::Node;
use super::outcome::{
    array, elements, fail, gathered, is_nullish, null, number, present, shown, type_of, view,
};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::{Code, Error};
use crate::interrupt::Interrupt;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$arrayElemAt", definition: Definition::Binary(element_at) },
    Operator { name: "$concatArrays", definition: Definition::Own(parse_concat) },
    Operator { name: "$first", definition: Definition::Unary(|value| end("$first", value, 0)) },
    Operator { name: "$in", definition: Definition::Own(parse_is_in) },
    Operator { name: "$indexOfArray", definition: Definition::Own(parse_index_of) },
    Operator { name: "$isArray", definition: Definition::Unary(is_array) },
    Operator { name: "$last", definition: Definition::Unary(|value| end("$last", value, -1)) },
    Operator { name: "$range", definition: Definition::StoppableRanged(2, 3, range) },
    Operator { name: "$reverseArray", definition: Definition::StoppableExactly(1, reverse) },
    Operator { name: "$size", definition: Definition::Unary(size) },
    Operator { name: "$slice", definition: Definition::StoppableRanged(2, 3, slice) },
];

fn is_array(value: Option<Value<'_>>) -> Outcome<'_> {
    present(matches!(view(&value), Some(RawBsonRef::Array(_))))
}

fn size(value: Option<Value<'_>>) -> Outcome<'_> {
    let Some(array) = array(&value) else {
        let found = type_of(&value);
        let text = format!("The argument to $size must be an array, but was of type: {found}");
        return fail(17124, text);
    };
    present(i32::try_from(elements(array).count()).unwrap_or(i32::MAX))
}

/// The element at an index, from the end if that is negative; borrowed where the array is.
fn pick<'v>(value: Option<Value<'v>>, index: i32) -> Outcome<'v> {
    let position = |count: usize| {
        if index >= 0 {
            usize::try_from(index).ok()
        } else {
            count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
        }
    };
    match value {
        Some(Value::Borrowed(RawBsonRef::Array(array))) => {
            let count = if index < 0 { elements(array).count() } else { 0 };
            Ok(position(count).and_then(|at| elements(array).nth(at)).map(Value::Borrowed))
        }
        Some(Value::Owned(RawBson::Array(array))) => {
            let count = if index < 0 { elements(&array).count() } else { 0 };
            let element = position(count).and_then(|at| elements(&array).nth(at));
            Ok(element.map(|element| Value::Owned(element.into())))
        }
        _ => Ok(None),
    }
}

fn end<'v>(name: &str, value: Option<Value<'v>>, index: i32) -> Outcome<'v> {
    if is_nullish(value.as_ref()) {
        return null();
    }
    if array(&value).is_none() {
        let found = type_of(&value);
        return fail(28689, format!("{name}'s argument must be an array, but is {found}"));
    }
    pick(value, index)
}

fn element_at<'v>(value: Option<Value<'v>>, index: Option<Value<'v>>) -> Outcome<'v> {
    if is_nullish(value.as_ref()) || is_nullish(index.as_ref()) {
        return null();
    }
    if array(&value).is_none() {
        let found = type_of(&value);
        let text = format!("$arrayElemAt's first argument must be an array, but is {found}");
        return fail(28689, text);
    }
    let Some(position) = number(&index) else {
        let found = type_of(&index);
        let text =
            format!("$arrayElemAt's second argument must be a numeric value, but is {found}");
        return fail(28690, text);
    };
    let Some(position) = to_int32(position) else {
        let found = shown(&index);
        let text = format!(
            "$arrayElemAt's second argument must be representable as a 32-bit integer: {found}"
        );
        return fail(28691, text);
    };
    pick(value, position)
}

fn reverse<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let Some(value) = values.into_iter().next() else { return null() };
    if is_nullish(value.as_ref()) {
        return null();
    }
    let Some(array) = array(&value) else {
        let found = type_of(&value);
        let text =
            format!("The argument to $reverseArray must be an array, but was of type: {found}");
        return fail(34435, text);
    };
    let all: Vec<_> = elements(array).collect();
    present(gathered(all.into_iter().rev(), interrupt)?)
}

fn parse_concat(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let whole = |nodes: Vec<Node>| Node::Stoppable(concat, nodes.into());
    let nodes = parser.grouped(parser.positional(argument)?, false, whole);
    Ok(whole(nodes))
}

fn concat<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let mut whole = RawArrayBuf::new();
    for value in &values {
        if is_nullish(value.as_ref()) {
            return null();
        }
        let Some(array) = array(value) else {
            let found = type_of(value);
            return fail(28664, format!("$concatArrays only supports arrays, not {found}"));
        };
        check_size(whole.as_bytes().len() + array.as_bytes().len())?;
        for element in elements(array) {
            interrupt.check()?;
            whole.push(element);
        }
    }
    present(whole)
}

fn slice<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let [value, second, third @ ..] = &values[..] else { return null() };
    if is_nullish(value.as_ref()) || is_nullish(second.as_ref()) {
        return null();
    }
    let Some(array) = array(value) else {
        let found = type_of(value);
        let text = format!("First argument to $slice must be an array, but is of type: {found}");
        return fail(28724, text);
    };
    let second = slice_number("Second", second, (28725, 28726))?;
    let third = match third {
        [third, ..] if is_nullish(third.as_ref()) => return null(),
        [third, ..] => Some(slice_number("Third", third, (28727, 28728))?),
        [] => None,
    };
    if let Some(length) = third
        && length <= 0
    {
        return fail(28729, format!("Third argument to $slice must be positive: {length}"));
    }
    let count = elements(array).count();
    let size = |value: i32| usize::try_from(value.unsigned_abs()).unwrap_or(usize::MAX);
    let (skip, take) = match (second, third) {
        (from, Some(length)) if from < 0 => (count.saturating_sub(size(from)), size(length)),
        (from, Some(length)) => (size(from), size(length)),
        (length, None) if length < 0 => (count.saturating_sub(size(length)), usize::MAX),
        (length, None) => (0, size(length)),
    };
    present(gathered(elements(array).skip(skip).take(take), interrupt)?)
}

fn slice_number(
    which: &str,
    value: &Option<Value<'_>>,
    (not_numeric, not_narrow): (i32, i32),
) -> Result<i32, Error> {
    let Some(found) = number(value) else {
        let found = type_of(value);
        let text = format!("{which} argument to $slice must be numeric, but is of type: {found}");
        return fail(not_numeric, text);
    };
    to_int32(found).map_or_else(
        || {
            let found = shown(value);
            let text = format!(
                "{which} argument to $slice can't be represented as a 32-bit integer: {found}"
            );
            fail(not_narrow, text)
        },
        Ok,
    )
}

fn range<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let whole = |value: &Option<Value<'_>>, what: &str, not_numeric, not_narrow| {
        let Some(found) = number(value) else {
            let found = type_of(value);
            let text =
                format!("$range requires a numeric {what} value, found value of type: {found}");
            return fail(not_numeric, text);
        };
        to_int32(found).map_or_else(
            || {
                let found = shown(value);
                let text = format!(
                    "$range requires a {what} value that can be represented as a 32-bit integer, found value: {found}"
                );
                fail(not_narrow, text)
            },
            Ok,
        )
    };
    let [start, end, step @ ..] = &values[..] else { return null() };
    let start = whole(start, "starting", 34443, 34444)?;
    let end = whole(end, "ending", 34445, 34446)?;
    let step = match step {
        [step, ..] => whole(step, "step", 34447, 34448)?,
        [] => 1,
    };
    if step == 0 {
        return fail(34449, "$range requires a non-zero step value".to_owned());
    }
    let (start, end, step) = (i64::from(start), i64::from(end), i64::from(step));
    let distance = if step > 0 { end - start } else { start - end };
    let count = if distance <= 0 { 0 } else { (distance - 1) / step.abs() + 1 };
    // What MongoDB counts for the array, and for a value.
    const ARRAY: i64 = 24;
    const BYTES: i64 = 16;
    const MOST: i64 = 100 * 1024 * 1024;
    let steps = (end - start) / step;
    let bytes = ARRAY + if steps >= 0 { (steps + 1) * BYTES } else { 0 };
    if bytes >= MOST {
        let text = format!(
            "$range would use too much memory ({bytes} bytes) and cannot spill to disk. Memory limit: {MOST} bytes"
        );
        return Err(Error::new(Code::EXCEEDED_MEMORY_LIMIT, text));
    }
    let mut array = RawArrayBuf::new();
    let mut next = start;
    for _ in 0..count {
        interrupt.check()?;
        array.push(i32::try_from(next).unwrap_or(0));
        next += step;
    }
    present(array)
}

fn parse_is_in(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes: [Node; 2] = parser.exactly(name, argument)?;
    Ok(Collated::node(nodes.into(), parser, is_in))
}

fn is_in<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
    let [value, list] = &values[..] else { return null() };
    let Some(array) = array(list) else {
        let found = type_of(list);
        return fail(40081, format!("$in requires an array as a second argument, found: {found}"));
    };
    for element in elements(array) {
        comparing.interrupt.check()?;
        if comparing.collator.compare_optional(view(value), Some(element)).is_eq() {
            return present(true);
        }
    }
    present(false)
}

fn parse_index_of(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let nodes = parser.ranged(name, (2, 4), argument)?;
    let constants = nodes.iter().filter(|node| node.as_constant().is_some()).count();
    if constants < nodes.len()
        && let Some(list) = nodes.first().and_then(Node::as_constant)
    {
        match list {
            Some(RawBsonRef::Array(_)) => {}
            None | Some(RawBsonRef::Null | RawBsonRef::Undefined) => {
                return Ok(Node::constant(RawBson::Null));
            }
            Some(other) => {
                let found = describe::type_name(Some(other));
                let text = format!("First operand of $indexOfArray must be an array, not {found}");
                parser.note_failure(Error::location(50809, text));
            }
        }
    }
    Ok(Collated::node(nodes, parser, index_of))
}

fn index_of<'v>(values: Vec<Option<Value<'v>>>, comparing: &Comparing<'_>) -> Outcome<'v> {
    let [list, sought, bounds @ ..] = &values[..] else { return null() };
    if is_nullish(list.as_ref()) {
        return null();
    }
    let Some(array) = array(list) else {
        let found = type_of(list);
        let text = format!("$indexOfArray requires an array as a first argument, found: {found}");
        return fail(40090, text);
    };
    let start = match bounds {
        [start, ..] => index_bound("$indexOfArray", start, "starting")?,
        [] => 0,
    };
    let end = match bounds {
        [_, end, ..] => index_bound("$indexOfArray", end, "ending")?,
        _ => usize::MAX,
    };
    for (index, element) in elements(array).enumerate().take(end).skip(start) {
        comparing.interrupt.check()?;
        if comparing.collator.compare_optional(view(sought), Some(element)).is_eq() {
            return present(i32::try_from(index).unwrap_or(-1));
        }
    }
    present(-1)
}

/// An index that `$indexOfArray` and its like begin or end at.
pub(super) fn index_bound(
    operator: &str,
    value: &Option<Value<'_>>,
    which: &str,
) -> Result<usize, Error> {
    let Some(index) = number(value).and_then(to_int32) else {
        let (kind, found) = (describe::type_name(view(value)), shown(value));
        let text = format!(
            "{operator} requires an integral {which} index, found a value of type: {kind}, with value: \"{found}\""
        );
        return fail(40096, text);
    };
    usize::try_from(index).or_else(|_| {
        fail(40097, format!("{operator} requires a nonnegative {which} index, found: {index}"))
    })
}
