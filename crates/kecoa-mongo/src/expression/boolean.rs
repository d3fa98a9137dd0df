//! `$and`, `$or`, `$not`.

use ::bson::{RawBson, RawBsonRef};

use super::context::{Context, Outcome};
use super::node::{Evaluate, Node};
use super::parser::{Definition, Operator, Parser};
use crate::bson::number::Number;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$and", definition: Definition::Own(and) },
    Operator { name: "$not", definition: Definition::Unary(not) },
    Operator { name: "$or", definition: Definition::Own(or) },
];

/// Whether a value counts as true.
pub(super) fn is_true(value: Option<RawBsonRef<'_>>) -> bool {
    match value {
        None | Some(RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::Boolean(false)) => false,
        Some(value) => Number::from_bson(value).is_none_or(|number| number != Number::Int32(0)),
    }
}

/// The same of an expression's value.
pub(super) fn holds(value: Option<&Value<'_>>) -> bool {
    is_true(value.map(Value::as_ref))
}

fn not(value: Option<Value<'_>>) -> Outcome<'_> {
    Ok(Some(RawBson::Boolean(!holds(value.as_ref())).into()))
}

/// Looks at its arguments until one of them decides.
#[derive(Debug)]
struct Junction {
    arguments: Vec<Node>,
    /// What decides: false for `$and`, true for `$or`.
    decisive: bool,
}

impl Evaluate for Junction {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        for argument in &self.arguments {
            if holds(argument.evaluate(context)?.as_ref()) == self.decisive {
                return Ok(Some(RawBson::Boolean(self.decisive).into()));
            }
        }
        Ok(Some(RawBson::Boolean(!self.decisive).into()))
    }
}

fn and(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    junction(parser.positional(argument)?, false)
}

fn or(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    junction(parser.positional(argument)?, true)
}

/// Where an argument that is known decides, the others are never looked at, not even those before it.
fn junction(arguments: Vec<Node>, decisive: bool) -> Result<Node, Error> {
    let mut known = arguments.iter().filter_map(Node::as_constant);
    if known.any(|value| is_true(value) == decisive) {
        return Ok(Node::constant(decisive));
    }
    Ok(Node::special(Junction { arguments, decisive }))
}
