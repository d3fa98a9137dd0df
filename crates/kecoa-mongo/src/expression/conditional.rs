//! `$cond`, `$ifNull`, `$switch`.

use ::bson::RawBsonRef;

use super::arguments::{self, Named};
use super::boolean::{holds, is_true};
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish};
use super::parser::{Definition, Operator, Parser};
use crate::error::Error;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$cond", definition: Definition::Own(cond) },
    Operator { name: "$ifNull", definition: Definition::Own(if_null) },
    Operator { name: "$switch", definition: Definition::Own(switch) },
];

/// `if`, `then`, `else`.
#[derive(Debug)]
struct Cond([Node; 3]);

impl Evaluate for Cond {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let [condition, then, otherwise] = &self.0;
        let taken = if holds(condition.evaluate(context)?.as_ref()) { then } else { otherwise };
        taken.evaluate(context)
    }
}

fn cond(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Ok(Node::special(Cond(parser.exactly(name, argument)?)));
    };
    let unknown = |field: &str| (17083, format!("Unrecognized parameter to $cond: {field}"));
    let named = Named::read(document, &["if", "then", "else"], unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || (code, format!("Missing '{field}' parameter to $cond")))
    };
    let parts = [required("if", 17080)?, required("then", 17081)?, required("else", 17082)?];
    Ok(Node::special(Cond(parts)))
}

/// The first value that is there, or else the last.
#[derive(Debug)]
struct IfNull {
    values: Vec<Node>,
    otherwise: Node,
}

impl Evaluate for IfNull {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        for node in &self.values {
            let value = node.evaluate(context)?;
            if !is_nullish(value.as_ref()) {
                return Ok(value);
            }
        }
        self.otherwise.evaluate(context)
    }
}

fn if_null(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let mut values = parser.positional(argument)?;
    let found = values.len();
    match values.pop() {
        Some(otherwise) if found >= 2 => Ok(Node::special(IfNull { values, otherwise })),
        _ => fail(1_257_300, format!("$ifNull needs at least two arguments, had: {found}")),
    }
}

#[derive(Debug)]
struct Switch {
    branches: Vec<(Node, Node)>,
    otherwise: Option<Node>,
}

impl Evaluate for Switch {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        for (case, then) in &self.branches {
            if holds(case.evaluate(context)?.as_ref()) {
                return then.evaluate(context);
            }
        }
        match &self.otherwise {
            Some(otherwise) => otherwise.evaluate(context),
            None => fail(
                40066,
                "$switch could not find a matching branch for an input, and no default was specified."
                    .to_owned(),
            ),
        }
    }
}

fn switch(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(40060, format!("$switch requires an object as an argument, found: {found}"));
    };
    let (mut branches, mut otherwise) = (Vec::new(), None);
    let mut reached = Reached::Branch;
    for field in arguments::fields(document) {
        match field? {
            ("branches", RawBsonRef::Array(array)) => {
                for element in array.into_iter().map_while(Result::ok) {
                    branches.push(branch(element, parser, &mut reached)?);
                }
            }
            ("branches", other) => {
                let found = describe::type_name(Some(other));
                let text = format!("$switch expected an array for 'branches', found: {found}");
                return fail(40061, text);
            }
            ("default", value) => otherwise = Some(parser.operand(value)?),
            (other, _) => {
                return fail(40067, format!("$switch found an unknown argument: {other}"));
            }
        }
    }
    if branches.is_empty() {
        return fail(40068, "$switch requires at least one branch.".to_owned());
    }
    let never = |case: &Node| case.as_constant().is_some_and(|value| !is_true(value));
    if otherwise.is_none() && branches.iter().all(|(case, _)| never(case)) {
        let text = "One cannot execute a switch statement where all the cases evaluate to false \
                    without a default.";
        parser.note_failure(Error::location(40069, text));
    }
    Ok(Node::special(Switch { branches, otherwise }))
}

/// Whether a branch may be taken on some document. What fails in one that never is does not matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Branch,
    Nothing,
}

fn branch(
    value: RawBsonRef<'_>,
    parser: &Parser<'_>,
    reached: &mut Reached,
) -> Result<(Node, Node), Error> {
    let RawBsonRef::Document(document) = value else {
        let found = describe::type_name(Some(value));
        return fail(
            40062,
            format!("$switch expected each branch to be an object, found: {found}"),
        );
    };
    let unknown =
        |field: &str| (40063, format!("$switch found an unknown argument to a branch: {field}"));
    let named = Named::read(document, &["case", "then"], unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || {
            (code, format!("$switch requires each branch have a '{field}' expression"))
        })
    };
    let (case, case_failure) = parser.apart(|| required("case", 40064));
    let (then, then_failure) = parser.apart(|| required("then", 40065));
    let (case, then) = (case?, then?);
    if *reached == Reached::Branch {
        let holds = case.as_constant().map(is_true);
        let failures = [case_failure, then_failure.filter(|_| holds != Some(false))];
        failures.into_iter().flatten().for_each(|failure| parser.note_failure(failure));
        if holds == Some(true) {
            *reached = Reached::Nothing;
        }
    }
    Ok((case, then))
}
