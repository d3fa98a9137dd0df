//! `$let`, `$map`, `$filter`, `$reduce`: expressions that see variables of their own.

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::arguments::{self, Named};
use super::boolean::holds;
use super::context::{Context, Outcome};
use super::describe;
use super::integers::to_int32;
use super::naming;
use super::node::{Evaluate, Node};
use super::outcome::{array, elements, fail, is_nullish, null, present, shown, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::bson::number::Number;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$filter", definition: Definition::Own(filter) },
    Operator { name: "$let", definition: Definition::Own(bind) },
    Operator { name: "$map", definition: Definition::Own(map) },
    Operator { name: "$reduce", definition: Definition::Own(reduce) },
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
        let values: Result<Vec<_>, Error> =
            self.bindings.iter().map(|(_, node)| node.evaluate(context)).collect();
        let values = values?;
        let result = bind_all(&self.bindings, &values, context, &self.result)?;
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
        let mut mapped = RawArrayBuf::new();
        for element in elements(array) {
            let binding = context.binding(self.slot, Some(element));
            let value = evaluate_within(&self.each, &context.with(&binding))?;
            mapped.push(value.unwrap_or(RawBson::Null));
            check_size(mapped.as_bytes().len())?;
        }
        present(mapped)
    }
}

/// The value of an expression that sees a variable, apart from that variable.
fn evaluate_within(node: &Node, context: &Context<'_>) -> Result<Option<RawBson>, Error> {
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

#[derive(Debug)]
struct Reduce {
    input: Node,
    initial: Node,
    /// `$$this`.
    element: usize,
    /// `$$value`.
    value: usize,
    each: Node,
}

impl Evaluate for Reduce {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(array) = array(&input) else {
            let found = type_of(&input);
            return fail(
                40080,
                format!("$reduce requires that 'input' be an array, found: {found}"),
            );
        };
        let mut result = self.initial.evaluate(context)?.map(Value::into_owned);
        for element in elements(array) {
            let next = {
                let so_far = result.as_ref().map(RawBson::as_raw_bson_ref);
                let value = context.binding(self.value, so_far);
                let outer = context.with(&value);
                let element = outer.binding(self.element, Some(element));
                evaluate_within(&self.each, &outer.with(&element))?
            };
            result = next;
        }
        Ok(result.map(Value::Owned))
    }
}

fn reduce(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(40075, format!("$reduce requires an object as an argument, found: {found}"));
    };
    let unknown = |field: &str| (40076, format!("$reduce found an unknown argument: {field}"));
    let named = Named::read(document, &["input", "initialValue", "in"], unknown)?;
    let missing =
        |code, field| move || (code, format!("$reduce requires '{field}' to be specified"));
    let input = named.required("input", parser, missing(40077, "input"))?;
    let initial = named.required("initialValue", parser, missing(40078, "initialValue"))?;
    let (outer, value) = parser.with_local("value");
    let (inner, element) = outer.with_local("this");
    let each = named.required("in", &inner, missing(40079, "in"))?;
    Ok(Node::special(Reduce { input, initial, element, value, each }))
}
