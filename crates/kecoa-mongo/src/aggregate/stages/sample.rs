//! `$sample`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{fields, is_number};
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::Variables;

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    _: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(28745, "the $sample stage specification must be an object"));
    };
    let mut size = None;
    for field in fields(document) {
        match field? {
            ("size", value) if is_number(value) => size = Some(value),
            ("size", _) => {
                return Err(Error::location(28746, "size argument to $sample must be a number"));
            }
            (name, _) => {
                return Err(Error::location(
                    28748,
                    format!("unrecognized option to $sample: {name}"),
                ));
            }
        }
    }
    let size = size.ok_or_else(|| Error::location(28749, "$sample stage must specify a size"))?;
    let size = Number::from_bson(size).map_or(0.0, crate::aggregate::number::to_double);
    // The fraction is cut off; NaN counts as zero.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = size as u64;
    if count == 0 {
        return Err(Error::location(28747, "size argument to $sample must be a positive integer"));
    }
    Ok(vec![Arc::new(Sample(usize::try_from(count).unwrap_or(usize::MAX)))])
}

/// `$sample`.
#[derive(Debug)]
struct Sample(usize);

impl Stage for Sample {
    fn operator(&self, _: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Sampling {
            count: self.0,
            seen: 0,
            documents: Vec::new(),
            memory: Memory::new("$sample", options),
        })
    }
}

/// Each document is kept with the same probability, however many there are.
struct Sampling {
    count: usize,
    seen: usize,
    documents: Vec<RawDocumentBuf>,
    memory: Memory,
}

impl Operator for Sampling {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        self.seen += 1;
        if self.documents.len() < self.count {
            self.memory.add(document.as_bytes().len())?;
            self.documents.push(document);
        } else if let Some(replaced) = self.documents.get_mut(fastrand::usize(..self.seen)) {
            self.memory.release(replaced.as_bytes().len());
            self.memory.add(document.as_bytes().len())?;
            *replaced = document;
        }
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        fastrand::shuffle(&mut self.documents);
        out.extend(self.documents.drain(..));
        Ok(())
    }
}
