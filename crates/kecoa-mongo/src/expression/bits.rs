//! `$bitAnd`, `$bitOr`, `$bitXor`, `$bitNot`.

use ::bson::{RawBson, RawBsonRef};

use super::arithmetic::not_numeric;
use super::context::Outcome;
use super::node::{Node, Variadic};
use super::outcome::{fail, is_nullish, null, number, present, type_of, view};
use super::parser::{Definition, Operator, Parser};
use crate::error::{Code, Error};
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$bitAnd", definition: Definition::Own(parse) },
    Operator { name: "$bitNot", definition: Definition::Unary(not) },
    Operator { name: "$bitOr", definition: Definition::Own(parse) },
    Operator { name: "$bitXor", definition: Definition::Own(parse) },
];

fn parse(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let function: Variadic = match name {
        "$bitAnd" => |values| all("$bitAnd", values, -1, |a, b| a & b),
        "$bitOr" => |values| all("$bitOr", values, 0, |a, b| a | b),
        _ => |values| all("$bitXor", values, 0, |a, b| a ^ b),
    };
    let whole = |nodes: Vec<Node>| Node::Variadic(function, nodes.into());
    Ok(whole(parser.grouped(parser.positional(argument)?, true, whole)))
}

fn all<'v>(
    operator: &str,
    values: Vec<Option<Value<'v>>>,
    neutral: i32,
    combine: fn(i64, i64) -> i64,
) -> Outcome<'v> {
    let mut total = i64::from(neutral);
    let mut narrow = true;
    for value in &values {
        total = match view(value) {
            Some(RawBsonRef::Int32(value)) => combine(total, i64::from(value)),
            Some(RawBsonRef::Int64(value)) => {
                narrow = false;
                combine(total, value)
            }
            _ if is_nullish(value.as_ref()) => return null(),
            _ => {
                let text = format!("{operator} only supports int and long operands.");
                return Err(Error::new(Code::TYPE_MISMATCH, text));
            }
        };
    }
    present(match i32::try_from(total) {
        Ok(total) if narrow => RawBson::Int32(total),
        _ => RawBson::Int64(total),
    })
}

fn not(value: Option<Value<'_>>) -> Outcome<'_> {
    match view(&value) {
        Some(RawBsonRef::Int32(bits)) => present(!bits),
        Some(RawBsonRef::Int64(bits)) => present(!bits),
        _ if is_nullish(value.as_ref()) => null(),
        _ if number(&value).is_none() => fail(28765, not_numeric("$bitNot", &value)),
        _ => {
            let text = format!("$bitNot only supports int and long, not: {}.", type_of(&value));
            Err(Error::new(Code::TYPE_MISMATCH, text))
        }
    }
}
