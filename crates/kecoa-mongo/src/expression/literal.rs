//! `$literal`, and `$expr`, which stands for what is in it.

use ::bson::RawBsonRef;

use super::node::Node;
use super::parser::{Definition, Operator, Parser};
use crate::error::Error;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$literal", definition: Definition::Own(literal) },
    Operator { name: "$const", definition: Definition::Own(literal) },
    Operator { name: "$expr", definition: Definition::Own(parenthesis) },
];

fn parenthesis(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    parser.operand(argument)
}

fn literal(_: &'static str, argument: RawBsonRef<'_>, _: &Parser<'_>) -> Result<Node, Error> {
    Ok(Node::Constant(Some(argument.into())))
}
