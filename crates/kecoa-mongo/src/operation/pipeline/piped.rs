//! A pipeline that runs over documents as they are read.

use std::fmt;
use std::vec::IntoIter;

use ::bson::RawDocumentBuf;

use crate::aggregate::{Execution, Options, Pipeline, Step};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::Variables;
use crate::operation::context::Context;
use crate::operation::find::Query;
use crate::operation::reader::Examined;

/// A pipeline that runs.
pub struct Piped {
    input: Option<Query>,
    given: IntoIter<RawDocumentBuf>,
    execution: Execution,
    #[expect(dead_code, reason = "stages that read other collections will compare by it")]
    collator: Collator,
    done: bool,
}

impl Piped {
    /// Over the documents of a query, or over those given.
    #[must_use]
    pub fn new(
        input: Option<Query>,
        given: Vec<RawDocumentBuf>,
        pipeline: &Pipeline,
        variables: &Variables,
        options: &Options,
        collator: Collator,
    ) -> Self {
        Self {
            input,
            given: given.into_iter(),
            execution: Execution::new(pipeline, variables, options),
            collator,
            done: false,
        }
    }

    /// The next document of the result.
    ///
    /// # Errors
    ///
    /// Those of the store and of the stages.
    pub async fn next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        loop {
            if self.done {
                return Ok(None);
            }
            match self.execution.step()? {
                Step::Document(document) => return Ok(Some(document)),
                Step::Done => self.done = true,
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
                Step::Read(_) | Step::Write(_) => {
                    return Err(Error::new(
                        Code::NOT_IMPLEMENTED,
                        "stages that read or write other collections are not there yet",
                    ));
                }
            }
        }
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
