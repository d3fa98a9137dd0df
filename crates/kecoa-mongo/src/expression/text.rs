//! `$concat`, `$toLower`, `$toUpper`, `$strcasecmp`, `$strLenBytes`, `$strLenCP`, `$split`.

use std::borrow::Cow;

use ::bson::{RawArrayBuf, RawBson, RawBsonRef};

use super::coercion;
use super::context::{Context, Outcome};
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, present, text, type_of, view};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$concat", definition: Definition::Own(parse_concat) },
    Operator { name: "$split", definition: Definition::StoppableExactly(2, split) },
    Operator {
        name: "$strLenBytes",
        definition: Definition::Unary(|value| length("$strLenBytes", 34473, value, str::len)),
    },
    Operator {
        name: "$strLenCP",
        definition: Definition::Unary(|value| {
            length("$strLenCP", 34471, value, |text| text.chars().count())
        }),
    },
    Operator { name: "$strcasecmp", definition: Definition::Binary(compare_without_case) },
    Operator {
        name: "$toLower",
        definition: Definition::Unary(|value| present(plain(&value)?.to_ascii_lowercase())),
    },
    Operator {
        name: "$toUpper",
        definition: Definition::Unary(|value| present(plain(&value)?.to_ascii_uppercase())),
    },
];

/// The value as these operators see it: text, also of numbers and dates; nothing where there is none.
pub(super) fn plain<'a>(value: &'a Option<Value<'_>>) -> Result<Cow<'a, str>, Error> {
    coercion::to_text(view(value))
}

#[derive(Debug)]
struct Concat(Vec<Node>);

impl Evaluate for Concat {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let mut whole = String::new();
        for node in &self.0 {
            let value = node.evaluate(context)?;
            if is_nullish(value.as_ref()) {
                return null();
            }
            let Some(part) = text(&value) else {
                return fail(
                    16702,
                    format!("$concat only supports strings, not {}", type_of(&value)),
                );
            };
            check_size(whole.len() + part.len())?;
            whole.push_str(part);
        }
        present(whole)
    }
}

fn parse_concat(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let whole = |nodes| Node::special(Concat(nodes));
    Ok(whole(parser.grouped(parser.positional(argument)?, false, whole)))
}

fn length<'v>(
    operator: &str,
    code: i32,
    value: Option<Value<'v>>,
    count: fn(&str) -> usize,
) -> Outcome<'v> {
    let Some(text) = text(&value) else {
        let found = type_of(&value);
        return fail(code, format!("{operator} requires a string argument, found: {found}"));
    };
    present(i32::try_from(count(text)).unwrap_or(i32::MAX))
}

fn compare_without_case<'v>(left: Option<Value<'v>>, right: Option<Value<'v>>) -> Outcome<'v> {
    let left = plain(&left)?.to_ascii_uppercase();
    let right = plain(&right)?.to_ascii_uppercase();
    present(RawBson::Int32(left.as_bytes().cmp(right.as_bytes()) as i32))
}

fn split<'v>(values: Vec<Option<Value<'v>>>, interrupt: &Interrupt) -> Outcome<'v> {
    let [value, separator] = &values[..] else { return null() };
    if is_nullish(value.as_ref()) || is_nullish(separator.as_ref()) {
        return null();
    }
    let refuse = |code, which: &str, found: &Option<Value<'_>>| {
        let found = type_of(found);
        fail(
            code,
            format!(
                "$split requires an expression that evaluates to a string as a {which} argument, found: {found}"
            ),
        )
    };
    let Some(text_found) = text(value) else { return refuse(40085, "first", value) };
    let Some(between) = text(separator) else { return refuse(40086, "second", separator) };
    if between.is_empty() {
        return fail(40087, "$split requires a non-empty separator".to_owned());
    }
    let mut parts = RawArrayBuf::new();
    for part in text_found.split(between) {
        interrupt.check()?;
        parts.push(part);
        check_size(parts.as_bytes().len())?;
    }
    present(parts)
}
