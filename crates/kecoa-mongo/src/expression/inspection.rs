//! `$type`, `$isNumber`, `$bsonSize`, `$binarySize`, `$toHashedIndexKey`, `$tsSecond`, `$tsIncrement`.

use std::sync::Arc;

use ::bson::RawBsonRef;

use super::context::Outcome;
use super::hashed::hash;
use super::node::{Node, Unary};
use super::outcome::{fail, is_nullish, null, number, present, type_of, view};
use super::parser::{Definition, Operator, Parser};
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$binarySize", definition: Definition::Unary(binary_size) },
    Operator { name: "$bsonSize", definition: Definition::Unary(bson_size) },
    Operator {
        name: "$isNumber",
        definition: Definition::Unary(|value| present(number(&value).is_some())),
    },
    Operator { name: "$toHashedIndexKey", definition: Definition::Own(parse_hash) },
    Operator { name: "$tsIncrement", definition: Definition::Unary(increment) },
    Operator { name: "$tsSecond", definition: Definition::Unary(second) },
    Operator { name: "$type", definition: Definition::Unary(|value| present(type_of(&value))) },
];

/// An array is hashed as such, and is no list of arguments.
fn parse_hash(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let hashed: Unary = |value| present(hash(view(&value).unwrap_or(RawBsonRef::Null)));
    Ok(Node::Unary(hashed, Arc::new(parser.operand(argument)?)))
}

fn size(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

fn bson_size(value: Option<Value<'_>>) -> Outcome<'_> {
    match view(&value) {
        Some(RawBsonRef::Document(document)) => present(size(document.as_bytes().len())),
        _ if is_nullish(value.as_ref()) => null(),
        _ => {
            let found = type_of(&value);
            fail(31393, format!("$bsonSize requires a document input, found: {found}"))
        }
    }
}

fn binary_size(value: Option<Value<'_>>) -> Outcome<'_> {
    match view(&value) {
        Some(RawBsonRef::String(text)) => present(size(text.len())),
        Some(RawBsonRef::Binary(binary)) => present(size(binary.bytes.len())),
        _ if is_nullish(value.as_ref()) => null(),
        _ => {
            let found = type_of(&value);
            fail(
                51276,
                format!("$binarySize requires a string or BinData argument, found: {found}"),
            )
        }
    }
}

fn second(value: Option<Value<'_>>) -> Outcome<'_> {
    match view(&value) {
        Some(RawBsonRef::Timestamp(timestamp)) => present(i64::from(timestamp.time)),
        _ if is_nullish(value.as_ref()) => null(),
        _ => {
            let found = type_of(&value);
            fail(5_687_301, format!("Argument to $tsSecond must be a timestamp, but is {found}"))
        }
    }
}

fn increment(value: Option<Value<'_>>) -> Outcome<'_> {
    match view(&value) {
        Some(RawBsonRef::Timestamp(timestamp)) => present(i64::from(timestamp.increment)),
        _ if is_nullish(value.as_ref()) => null(),
        _ => {
            let found = type_of(&value);
            fail(5_687_302, format!("Argument to $tsIncrement must be a timestamp, but is {found}"))
        }
    }
}
