//! `$limit` and `$skip`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{describe, integer, is_number};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;

pub(in crate::aggregate) fn parse_limit(
    name: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    match count(name, argument, 5_107_201)? {
        0 => Err(Error::location(15958, "the limit must be positive")),
        count => Ok(vec![Arc::new(Limit(count))]),
    }
}

pub(in crate::aggregate) fn parse_skip(
    name: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    Ok(vec![Arc::new(Skip(count(name, argument, 5_107_200)?))])
}

fn count(name: &str, argument: RawBsonRef<'_>, number: i32) -> Result<u64, Error> {
    let refused = |expected: &str| {
        Error::location(
            number,
            format!(
                "invalid argument to {name} stage: Expected {expected} in: {name}: {}",
                describe(argument)
            ),
        )
    };
    if !is_number(argument) {
        return Err(refused("a number"));
    }
    let Some(count) = integer(argument) else { return Err(refused("an integer")) };
    u64::try_from(count).map_err(|_| refused("a non-negative number"))
}

/// `$limit`.
#[derive(Debug)]
struct Limit(u64);

/// `$skip`.
#[derive(Debug)]
struct Skip(u64);

impl Stage for Limit {
    fn operator(&self, _: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Limiting { left: self.0 })
    }

    fn part(&self) -> Part<'_> {
        Part::Limit(self.0)
    }
}

impl Stage for Skip {
    fn operator(&self, _: &Variables, _: &Options) -> Box<dyn Operator> {
        Box::new(Skipping { left: self.0 })
    }

    fn part(&self) -> Part<'_> {
        Part::Skip(self.0)
    }
}

struct Limiting {
    left: u64,
}

impl Operator for Limiting {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        if self.left > 0 {
            self.left -= 1;
            out.push_back(document);
        }
        Ok(if self.left == 0 { Flow::Done } else { Flow::More })
    }
}

struct Skipping {
    left: u64,
}

impl Operator for Skipping {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        if self.left > 0 {
            self.left -= 1;
        } else {
            out.push_back(document);
        }
        Ok(Flow::More)
    }
}
