//! `$reduce`: one value of all elements.
//!
//! A value that only grows at its end is not copied at each step: arrays and texts of many parts are made in one go.

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::arguments::Named;
use super::boolean::holds;
use super::context::{Context, Outcome};
use super::describe;
use super::iteration::evaluate_within;
use super::node::{Evaluate, Node};
use super::outcome::{array, elements, fail, is_nullish, null, type_of};
use super::parser::{Definition, Operator, Parser};
use super::size::{bytes_of, check_size, held_by};
use crate::bson::depth::is_deeper;
use crate::bson::limits::MAX_DEPTH;
use crate::error::{Code, Error};
use crate::interrupt::Interrupt;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] =
    &[Operator { name: "$reduce", definition: Definition::Own(reduce) }];

/// The bytes by which a small value has changed before one looks how deep it is; a large one by half of it, for the
/// look goes over all of it.
const LOOK_AFTER: usize = 4096;
/// How deep conditions within conditions are looked into for values that grow at their end.
const MOST_CHOICES: usize = 20;

#[derive(Debug)]
struct Reduce {
    input: Node,
    initial: Node,
    /// `$$this`.
    element: usize,
    /// `$$value`.
    value: usize,
    each: Step,
}

/// How a value becomes the next one.
#[derive(Debug)]
enum Step {
    /// It stays: `$$value`.
    Keep,
    /// Arrays are put behind it: `$concatArrays` that begins with it.
    Arrays(Vec<Node>),
    /// Texts are put behind it: `$concat` that begins with it.
    Texts(Vec<Node>),
    /// One or the other: `$cond`.
    Choose(Box<(Node, Step, Step)>),
    /// Anything else.
    Make(Node),
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
        let context = context.holding(held_by(input.as_ref()))?;
        let mut result = self.initial.evaluate(&context)?.map(Value::into_owned);
        let mut changed = 0_usize;
        for element in elements(array) {
            context.variables.interrupt().check()?;
            let before = result.as_ref().map_or(0, bytes_of);
            result = self.next(&self.each, result, element, &context)?;
            let Some(made) = &result else { continue };
            let bytes = bytes_of(made);
            changed = changed.saturating_add(bytes.abs_diff(before));
            if changed < (bytes / 2).max(LOOK_AFTER) {
                continue;
            }
            changed = 0;
            if is_deeper(made.as_raw_bson_ref(), MAX_DEPTH) {
                let text = format!("$reduce: expected a value of at most {MAX_DEPTH} levels");
                return Err(Error::new(Code::OVERFLOW, text));
            }
        }
        Ok(result.map(Value::Owned))
    }
}

impl Reduce {
    /// The value after an element.
    fn next(
        &self,
        step: &Step,
        so_far: Option<RawBson>,
        element: RawBsonRef<'_>,
        context: &Context<'_>,
    ) -> Result<Option<RawBson>, Error> {
        let evaluated = |node: &Node, held: usize| {
            let context =
                context.holding(so_far.as_ref().map_or(0, bytes_of).saturating_add(held))?;
            let value = so_far.as_ref().map(RawBson::as_raw_bson_ref);
            let value = context.binding(self.value, value);
            let outer = context.with(&value);
            let element = outer.binding(self.element, Some(element));
            evaluate_within(node, &outer.with(&element))
        };
        match step {
            Step::Keep => Ok(so_far),
            Step::Make(node) => evaluated(node, 0),
            Step::Choose(choice) => {
                let (condition, then, otherwise) = &**choice;
                let holds = holds(evaluated(condition, 0)?.map(Value::Owned).as_ref());
                self.next(if holds { then } else { otherwise }, so_far, element, context)
            }
            Step::Arrays(nodes) => {
                let mut parts = Vec::with_capacity(nodes.len());
                let mut held = 0_usize;
                for node in nodes {
                    let part = evaluated(node, held)?;
                    held = held.saturating_add(part.as_ref().map_or(0, bytes_of));
                    parts.push(part);
                }
                with_arrays(so_far, parts, context.variables.interrupt())
            }
            Step::Texts(nodes) => {
                let Some(mut whole) = text_of(&so_far)?.map(|_| String::new()) else {
                    return Ok(Some(RawBson::Null));
                };
                for node in nodes {
                    let part = evaluated(node, whole.len())?;
                    let Some(part) = text_of(&part)? else { return Ok(Some(RawBson::Null)) };
                    check_size(whole.len().saturating_add(part.len()))?;
                    whole.push_str(part);
                }
                let Some(RawBson::String(mut text)) = so_far else { return Ok(so_far) };
                check_size(text.len().saturating_add(whole.len()))?;
                text.push_str(&whole);
                Ok(Some(RawBson::String(text)))
            }
        }
    }
}

/// What `$concatArrays` makes of an array and others behind it.
fn with_arrays(
    so_far: Option<RawBson>,
    parts: Vec<Option<RawBson>>,
    interrupt: &Interrupt,
) -> Result<Option<RawBson>, Error> {
    let mut whole: Option<RawArrayBuf> = None;
    for part in std::iter::once(so_far).chain(parts) {
        let part = match part {
            None | Some(RawBson::Null | RawBson::Undefined) => return Ok(Some(RawBson::Null)),
            Some(RawBson::Array(part)) => part,
            other => {
                let found = describe::type_name(other.as_ref().map(RawBson::as_raw_bson_ref));
                return fail(28664, format!("$concatArrays only supports arrays, not {found}"));
            }
        };
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                check_size(whole.as_bytes().len().saturating_add(part.as_bytes().len()))?;
                for element in elements(&part) {
                    interrupt.check()?;
                    whole.push(element);
                }
            }
        }
    }
    Ok(whole.map(RawBson::Array))
}

/// The text that `$concat` takes; none where that gives `null`.
fn text_of(value: &Option<RawBson>) -> Result<Option<&str>, Error> {
    match value {
        None | Some(RawBson::Null | RawBson::Undefined) => Ok(None),
        Some(RawBson::String(text)) => Ok(Some(text)),
        Some(other) => {
            let found = describe::type_name(Some(other.as_raw_bson_ref()));
            fail(16702, format!("$concat only supports strings, not {found}"))
        }
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
    let each = match named.get("in") {
        Some(each) => step(each, &inner, MOST_CHOICES)?,
        None => Step::Make(named.required("in", &inner, missing(40079, "in"))?),
    };
    Ok(Node::special(Reduce { input, initial, element, value, each }))
}

fn step(each: RawBsonRef<'_>, parser: &Parser<'_>, choices: usize) -> Result<Step, Error> {
    if is_value(each) {
        parser.operand(each)?;
        return Ok(Step::Keep);
    }
    if let Some((name, arguments)) = operator(each) {
        let mut arguments = arguments.into_iter();
        match (name, arguments.next()) {
            ("$concatArrays" | "$concat", Some(first)) if is_value(first) => {
                parser.operand(first)?;
                let nodes = arguments.map(|argument| parser.operand(argument));
                let nodes = nodes.collect::<Result<_, _>>()?;
                let is_text = name == "$concat";
                return Ok(if is_text { Step::Texts(nodes) } else { Step::Arrays(nodes) });
            }
            ("$cond", Some(condition)) if choices > 0 => {
                if let (Some(then), Some(otherwise), None) =
                    (arguments.next(), arguments.next(), arguments.next())
                {
                    let condition = parser.operand(condition)?;
                    let then = step(then, parser, choices - 1)?;
                    let otherwise = step(otherwise, parser, choices - 1)?;
                    return Ok(Step::Choose(Box::new((condition, then, otherwise))));
                }
            }
            _ => {}
        }
    }
    parser.operand(each).map(Step::Make)
}

/// Whether it is `$$value` itself.
fn is_value(value: RawBsonRef<'_>) -> bool {
    matches!(value, RawBsonRef::String("$$value"))
}

/// The name and arguments of an operator; those of `$cond` in its order.
fn operator(value: RawBsonRef<'_>) -> Option<(&str, Vec<RawBsonRef<'_>>)> {
    let document = value.as_document()?;
    let mut fields = document.iter().map_while(Result::ok);
    let (name, argument) = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let arguments = match argument {
        RawBsonRef::Array(array) => elements(array).collect(),
        RawBsonRef::Document(named) if named.iter_elements().count() == 3 => {
            let part = |name| named.get(name).ok().flatten();
            vec![part("if")?, part("then")?, part("else")?]
        }
        _ => return None,
    };
    Some((name.as_str(), arguments))
}
