//! `$facet`.

use std::sync::Arc;

use ::bson::raw::{CString, RawArrayBuf};
use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::context::{Context, Place};
use crate::aggregate::execution::{Execution, Step};
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::specification::{fields, items, type_name};
use crate::aggregate::stage::Pipeline;
use crate::aggregate::stage::Request;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Stage, Stages};
use crate::error::{Code, Error};
use crate::expression::Variables;

/// `$facet`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Facet {
    facets: Arc<[(CString, Pipeline)]>,
}

impl Stage for Facet {
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator> {
        let runs = self.facets.iter().map(|(name, pipeline)| Run {
            name: name.clone(),
            execution: Execution::new(pipeline, variables, options),
            shown: RawArrayBuf::new(),
            done: false,
        });
        Box::new(Facets {
            runs: runs.collect(),
            asking: None,
            answered: None,
            memory: Memory::new("$facet", options).failing_with(4_031_700),
        })
    }

    fn pipelines(&self) -> Vec<&Pipeline> {
        self.facets.iter().map(|(_, pipeline)| pipeline).collect()
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let document = match argument {
        RawBsonRef::Document(document) if !document.is_empty() => document,
        _ => {
            return Err(Error::location(
                40169,
                "the $facet specification must be a non-empty object",
            ));
        }
    };
    let mut facets: Vec<(CString, Pipeline)> = Vec::new();
    for field in fields(document) {
        let (name, value) = field?;
        let key = field_name(name)?;
        let RawBsonRef::Array(stages) = value else {
            return Err(Error::location(
                40170,
                format!("arguments to $facet must be arrays, {name} is type {}", type_name(value)),
            ));
        };
        for stage in items(stages) {
            let stage = stage?;
            if !matches!(stage, RawBsonRef::Document(_)) {
                return Err(Error::location(
                    40171,
                    format!(
                        "elements of arrays in $facet spec must be objects, {name} argument contained an element of \
                         type {}",
                        type_name(stage)
                    ),
                ));
            }
        }
        facets.push((key, context.pipeline(stages, Place::Facet, context.scope)?));
    }
    Ok(vec![Arc::new(Facet { facets: facets.into() })])
}

/// The name of a field without dots.
fn field_name(name: &str) -> Result<CString, Error> {
    if name.is_empty() {
        return Err(Error::location(15998, "FieldPath field names may not be empty strings."));
    }
    if name.contains('.') {
        return Err(Error::location(
            16412,
            format!(
                "FieldPath field names may not contain '.'. Consider using $getField or $setField. Found: {name}"
            ),
        ));
    }
    crate::aggregate::specification::check_field_path(name)?;
    CString::try_from(name).map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))
}

struct Facets {
    runs: Vec<Run>,
    asking: Option<Request>,
    /// The pipeline that asked.
    answered: Option<usize>,
    memory: Memory,
}

struct Run {
    name: CString,
    execution: Execution,
    shown: RawArrayBuf,
    done: bool,
}

impl Facets {
    /// Let all pipelines go on, until one asks or all want input.
    fn advance(&mut self) -> Result<(), Error> {
        for (place, run) in self.runs.iter_mut().enumerate() {
            while !run.done {
                match run.execution.step()? {
                    Step::Document(document) => {
                        self.memory.add(document.as_bytes().len())?;
                        run.shown.push(document);
                    }
                    Step::NeedInput => break,
                    Step::Done => run.done = true,
                    Step::Read(read) => {
                        self.asking = Some(Request::Read(read));
                        self.answered = Some(place);
                        return Ok(());
                    }
                    Step::Write(write) => {
                        self.asking = Some(Request::Write(write));
                        self.answered = Some(place);
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

impl Operator for Facets {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        for run in &mut self.runs {
            if !run.done {
                run.execution.push(document.clone());
            }
        }
        self.advance()?;
        // Even with all pipelines done, one document comes at the end.
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        for run in &mut self.runs {
            run.execution.end();
        }
        self.advance()?;
        if self.asking.is_none() {
            let mut document = RawDocumentBuf::new();
            for run in &self.runs {
                document.append(&run.name, &run.shown);
            }
            out.push_back(document);
        }
        Ok(())
    }

    fn request(&mut self) -> Option<Request> {
        self.asking.take()
    }

    fn answer(&mut self, documents: Vec<RawDocumentBuf>, _: &mut Documents) -> Result<(), Error> {
        let run = self.answered.take().and_then(|place| self.runs.get_mut(place));
        match run {
            Some(run) => run.execution.answer(documents),
            None => Ok(()),
        }
    }
}
