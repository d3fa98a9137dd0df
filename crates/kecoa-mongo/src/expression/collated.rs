//! Operators that compare strings by the collation of the command.

use super::context::{Context, Outcome};
use super::node::{Evaluate, Node, evaluate_all};
use super::parser::Parser;
use crate::collation::Collator;
use crate::value::Value;

/// A function of values and a collation.
type Function = for<'v> fn(Vec<Option<Value<'v>>>, &Collator) -> Outcome<'v>;

/// An operator that is such a function.
#[derive(Debug)]
pub(super) struct Collated {
    arguments: Vec<Node>,
    collator: Collator,
    function: Function,
}

impl Collated {
    pub(super) fn node(arguments: Vec<Node>, parser: &Parser<'_>, function: Function) -> Node {
        let collator = parser.scope.collator().clone();
        Node::special(Self { arguments, collator, function })
    }
}

impl Evaluate for Collated {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        (self.function)(evaluate_all(&self.arguments, context)?, &self.collator)
    }
}
