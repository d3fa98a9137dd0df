//! Operators that compare strings by the collation of the command.

use std::cmp::Ordering;

use ::bson::RawBsonRef;

use super::context::{Context, Outcome};
use super::node::{Evaluate, Node, evaluate_all};
use super::parser::Parser;
use crate::collation::Collator;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::value::Value;

/// A function of values, and of how they are compared.
type Function = for<'v> fn(Vec<Option<Value<'v>>>, &Comparing<'_>) -> Outcome<'v>;

/// How values are compared, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparing<'a> {
    pub(super) collator: &'a Collator,
    pub(super) interrupt: &'a Interrupt,
}

impl Comparing<'_> {
    /// Puts values in order, or in the opposite one.
    pub(super) fn sort(
        &self,
        values: &mut [RawBsonRef<'_>],
        descending: bool,
    ) -> Result<(), Error> {
        self.interrupt.sort_by(values, |left, right| {
            directed(self.collator.compare(*left, *right), descending)
        })
    }
}

/// An order, or the opposite one.
pub(super) fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

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
        let comparing =
            Comparing { collator: &self.collator, interrupt: context.variables.interrupt() };
        (self.function)(evaluate_all(&self.arguments, context)?, &comparing)
    }
}
