//! `$rand`, `$meta`, and what can't be evaluated here: JavaScript.

use ::bson::RawBsonRef;

use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{fail, present};
use super::parser::{Definition, Operator, Parser};
use crate::error::{Code, Error};

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$accumulator", definition: Definition::Own(javascript) },
    Operator { name: "$function", definition: Definition::Own(javascript) },
    Operator { name: "$meta", definition: Definition::Own(meta) },
    Operator { name: "$rand", definition: Definition::Own(rand) },
];

#[derive(Debug)]
struct Random;

impl Evaluate for Random {
    fn evaluate<'v>(&'v self, _: &Context<'v>) -> Outcome<'v> {
        present(fastrand::f64())
    }
}

fn rand(_: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let empty = match argument {
        RawBsonRef::Document(document) => document.is_empty(),
        RawBsonRef::Array(array) => array.is_empty(),
        other => {
            let found = describe::type_name(Some(other));
            return fail(
                10065,
                format!("invalid parameter: expected an object ($rand), found {found}"),
            );
        }
    };
    parser.note_unknown();
    if empty {
        Ok(Node::special(Random))
    } else {
        fail(3_040_501, "$rand does not currently accept arguments".to_owned())
    }
}

fn meta(_: &'static str, argument: RawBsonRef<'_>, _: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::String(name) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(17307, format!("$meta only supports string arguments, found {found}"));
    };
    match name {
        "textScore" | "geoNearDistance" | "geoNearPoint" => {
            let text = format!("query requires {name} metadata, but it is not available");
            fail(40218, text)
        }
        // Metadata that no plan here makes is missing.
        "recordId"
        | "indexKey"
        | "sortKey"
        | "searchScore"
        | "searchHighlights"
        | "searchScoreDetails"
        | "searchSequenceToken"
        | "vectorSearchScore"
        | "timeseriesBucketMinTime"
        | "timeseriesBucketMaxTime"
        | "randVal" => Ok(Node::Constant(None)),
        other => fail(17308, format!("Unsupported argument to $meta: {other}")),
    }
}

fn javascript(name: &'static str, _: RawBsonRef<'_>, _: &Parser<'_>) -> Result<Node, Error> {
    let text = format!("{name} runs JavaScript, which this server does not do");
    Err(Error::new(Code::NOT_IMPLEMENTED, text))
}
