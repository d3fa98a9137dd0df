//! A pipeline that runs over documents as they are read.

use std::fmt;
use std::vec::IntoIter;

use ::bson::RawDocumentBuf;

use super::settings::Settings;
use crate::aggregate::{Execution, Pipeline, Read, Step, Write};
use crate::error::Error;
use crate::expression::Variables;
use crate::operation::context::Context;
use crate::operation::find::Query;
use crate::operation::reader::Examined;

/// A pipeline that runs.
pub struct Piped {
    input: Option<Query>,
    given: IntoIter<RawDocumentBuf>,
    execution: Execution,
    settings: Settings,
    done: bool,
}

/// How far a pipeline came.
pub(super) enum Advance {
    /// A document of the result.
    Document(RawDocumentBuf),
    /// Documents of another collection are to be read.
    Read(Box<Read>),
    /// Documents are to be written.
    Write(Box<Write>),
    /// There is nothing more.
    Done,
}

impl Piped {
    /// Over the documents of a query, or over those given.
    #[must_use]
    pub fn new(
        input: Option<Query>,
        given: Vec<RawDocumentBuf>,
        pipeline: &Pipeline,
        variables: &Variables,
        settings: Settings,
    ) -> Self {
        Self {
            input,
            given: given.into_iter(),
            execution: Execution::new(pipeline, variables, &settings.options),
            settings,
            done: false,
        }
    }

    /// Read the first documents of its query: see [`Query::begin`].
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn begin(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        match &mut self.input {
            Some(query) => query.begin(context).await,
            None => Ok(true),
        }
    }

    /// Go on until there is a document, or something to be answered.
    ///
    /// # Errors
    ///
    /// Those of the store and of the stages.
    pub(super) async fn advance(&mut self, context: &mut Context<'_>) -> Result<Advance, Error> {
        loop {
            if self.done {
                return Ok(Advance::Done);
            }
            match self.execution.step()? {
                Step::Document(document) => return Ok(Advance::Document(document)),
                Step::Done => self.done = true,
                Step::Read(read) => return Ok(Advance::Read(read)),
                Step::Write(write) => return Ok(Advance::Write(write)),
                Step::NeedInput => {
                    let document = match (&mut self.input, self.given.next()) {
                        (_, Some(document)) => Some(document),
                        (Some(query), None) => query.next(context).await?,
                        (None, None) => None,
                    };
                    match document {
                        Some(document) => self.execution.push(document),
                        None => self.execution.end(),
                    }
                }
            }
        }
    }

    /// Answer what was asked for: with the documents that were read, or none when all were written.
    ///
    /// # Errors
    ///
    /// Those of the stage that asked.
    pub(super) fn answer(&mut self, documents: Vec<RawDocumentBuf>) -> Result<(), Error> {
        self.execution.answer(documents)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there is certainly no further document.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.done
    }

    /// What was looked at so far.
    #[must_use]
    pub fn examined(&self) -> Examined {
        self.input.as_ref().map(Query::examined).unwrap_or_default()
    }

    /// What it reads.
    #[must_use]
    pub fn input(&self) -> Option<&Query> {
        self.input.as_ref()
    }
}

impl fmt::Debug for Piped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piped").field("input", &self.input).finish_non_exhaustive()
    }
}
