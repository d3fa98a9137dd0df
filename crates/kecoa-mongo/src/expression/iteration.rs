//! `$let`, `$map`, `$filter`: expressions that see variables of their own.

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::arguments::{self, Named};
use super::boolean::holds;
use super::context::{Context, Outcome};
use super::describe;
use super::integers::to_int32;
use super::naming;
use super::node::{Evaluate, Node, evaluate_all};
use super::outcome::{array, elements, fail, is_nullish, null, present, shown, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::size::{check_size, held_by};
use crate::bson::number::Number;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$filter", definition: Definition::Own(filter) },
    Operator { name: "$let", definition: Definition::Own(bind) },
    Operator { name: "$map", definition: Definition::Own(map) },
];

/// Variables, and what sees them.
#[derive(Debug)]
struct Let {
    bindings: Vec<(usize, Node)>,
    result: Node,
}

impl Evaluate for Let {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        // All are evaluated before one is bound: they don't see each other.
        let values = evaluate_all(self.bindings.iter().map(|(_, node)| node), context)?;
        let held =
            values.iter().map(|value| held_by(value.as_ref())).fold(0, usize::saturating_add);
        let result = bind_all(&self.bindings, &values, &context.holding(held)?, &self.result)?;
        Ok(result.map(Value::Owned))
    }
}

/// Bind the values one within another, and evaluate what sees them all.
fn bind_all(
    bindings: &[(usize, Node)],
    values: &[Option<Value<'_>>],
    context: &Context<'_>,
    result: &Node,
) -> Result<Option<RawBson>, Error> {
    match (bindings, values) {
        ([(slot, _), bindings @ ..], [value, values @ ..]) => {
            let binding = context.binding(*slot, view(value));
            bind_all(bindings, values, &context.with(&binding), result)
        }
        _ => evaluate_within(result, context),
    }
}

fn bind(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(16874, "$let only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (16875, format!("Unrecognized parameter to $let: {field}"));
    let named = Named::read(document, &["vars", "in"], unknown)?;
    let Some(variables) = named.get("vars") else {
        return fail(16876, "Missing 'vars' parameter to $let".to_owned());
    };
    let missing = || (16877, "Missing 'in' parameter to $let".to_owned());
    if named.get("in").is_none() {
        let (code, text) = missing();
        return fail(code, text);
    }
    let RawBsonRef::Document(variables) = variables else {
        return fail(10065, "invalid parameter: expected an object (vars)".to_owned());
    };
    let mut inner = parser.clone();
    let mut bindings = Vec::new();
    for field in arguments::fields(variables) {
        let (name, value) = field?;
        if bindings.len() >= MOST_VARIABLES {
            let text = format!("expected at most {MOST_VARIABLES} variables in $let, found more");
            return Err(Error::new(crate::error::Code::OVERFLOW, text));
        }
        naming::check_user_variable(name)?;
        let node = parser.operand(value)?;
        let slot;
        (inner, slot) = inner.with_local(name);
        bindings.push((slot, node));
    }
    let result = named.required("in", &inner, missing)?;
    Ok(Node::special(Let { bindings, result }))
}

/// The variables of one `$let`, which are bound one within another.
const MOST_VARIABLES: usize = 200;

#[derive(Debug)]
struct Map {
    input: Node,
    slot: usize,
    each: Node,
}

impl Evaluate for Map {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(array) = array(&input) else {
            return fail(16883, format!("input to $map must be an array not {}", type_of(&input)));
        };
        let context = context.holding(held_by(input.as_ref()))?;
        let mut mapped = RawArrayBuf::new();
        for element in elements(array) {
            let inner = context.holding(mapped.as_bytes().len())?;
            let binding = inner.binding(self.slot, Some(element));
            let value = evaluate_within(&self.each, &inner.with(&binding))?;
            mapped.push(value.unwrap_or(RawBson::Null));
        }
        check_size(mapped.as_bytes().len())?;
        present(mapped)
    }
}

/// The value of an expression that sees a variable, apart from that variable.
pub(super) fn evaluate_within(
    node: &Node,
    context: &Context<'_>,
) -> Result<Option<RawBson>, Error> {
    Ok(node.evaluate(context)?.map(Value::into_owned))
}

/// The name of the variable that stands for an element.
fn element_name<'a>(named: &Named<'a>) -> Result<&'a str, Error> {
    match named.get("as") {
        None => Ok("this"),
        Some(RawBsonRef::String(name)) => {
            naming::check_user_variable(name)?;
            Ok(name)
        }
        Some(other) => {
            let found = describe::type_name(Some(other));
            Err(Error::new(
                crate::error::Code::FAILED_TO_PARSE,
                format!("expected a string for 'as', found {found}"),
            ))
        }
    }
}

fn map(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(16878, "$map only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (16879, format!("Unrecognized parameter to $map: {field}"));
    let named = Named::read(document, &["input", "as", "in"], unknown)?;
    let missing = |code, field| move || (code, format!("Missing '{field}' parameter to $map"));
    if named.get("in").is_none() && named.get("input").is_some() {
        return fail(16882, "Missing 'in' parameter to $map".to_owned());
    }
    let input = named.required("input", parser, missing(16880, "input"))?;
    let (inner, slot) = parser.with_local(element_name(&named)?);
    let each = named.required("in", &inner, missing(16882, "in"))?;
    Ok(Node::special(Map { input, slot, each }))
}

#[derive(Debug)]
struct Filter {
    input: Node,
    slot: usize,
    condition: Node,
    limit: Option<Node>,
}

impl Evaluate for Filter {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(array) = array(&input) else {
            let found = type_of(&input);
            return fail(28651, format!("input to $filter must be an array not {found}"));
        };
        if array.is_empty() {
            return present(RawArrayBuf::new());
        }
        let most = match &self.limit {
            Some(limit) => most(&limit.evaluate(context)?)?,
            None => usize::MAX,
        };
        // What is kept is no larger than the input.
        let context = context.holding(held_by(input.as_ref()).saturating_mul(2))?;
        let mut kept = RawArrayBuf::new();
        let mut count = 0;
        for element in elements(array) {
            let binding = context.binding(self.slot, Some(element));
            if holds(self.condition.evaluate(&context.with(&binding))?.as_ref()) {
                kept.push(element);
                count += 1;
                if count >= most {
                    break;
                }
            }
        }
        present(kept)
    }
}

/// How many elements `limit` lets through.
fn most(limit: &Option<Value<'_>>) -> Result<usize, Error> {
    if is_nullish(limit.as_ref()) {
        return Ok(usize::MAX);
    }
    let number = view(limit).and_then(Number::from_bson);
    match number.and_then(to_int32) {
        Some(value) if value > 0 => Ok(usize::try_from(value).unwrap_or(usize::MAX)),
        Some(value) => fail(327_392, format!("$filter: limit must be greater than 0: {value}")),
        None => {
            let found = shown(limit);
            fail(
                327_391,
                format!("$filter: limit must be represented as a 32-bit integral value: {found}"),
            )
        }
    }
}

fn filter(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return fail(28646, "$filter only supports an object as its argument".to_owned());
    };
    let unknown = |field: &str| (28647, format!("Unrecognized parameter to $filter: {field}"));
    let named = Named::read(document, &["input", "as", "cond", "limit"], unknown)?;
    let missing = |code, field| move || (code, format!("Missing '{field}' parameter to $filter"));
    if named.get("cond").is_none() && named.get("input").is_some() {
        return fail(28650, "Missing 'cond' parameter to $filter".to_owned());
    }
    let input = named.required("input", parser, missing(28648, "input"))?;
    let (inner, slot) = parser.with_local(element_name(&named)?);
    let condition = named.required("cond", &inner, missing(28650, "cond"))?;
    let limit = named.optional("limit", parser)?;
    Ok(Node::special(Filter { input, slot, condition, limit }))
}
