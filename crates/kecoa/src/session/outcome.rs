//! What a request has answered so far.

use std::sync::Arc;

use kecoa_proto::{Reply, RowDescription, ServerError};

use super::in_flight::CommitRisk;
use crate::error::Error;
use crate::row::ResultSet;

/// Every result of a request, and the first error.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) sets: Vec<ResultSet>,
    pub(crate) error: Option<Box<ServerError>>,
    /// How many statements were parsed, and how many portals bound.
    pub(crate) parsed: usize,
    pub(crate) bound: usize,
    /// How many results were complete when the error came.
    pub(super) complete_before_error: usize,
    pub(super) misuse: Option<&'static str>,
    /// What an error may leave open.
    pub(super) risk: CommitRisk,
    /// The result that is not over.
    pub(super) set: ResultSet,
    /// The columns of rows that the server does not describe again.
    columns: Option<Arc<RowDescription>>,
}

impl Outcome {
    /// Nothing yet. `columns` are those of rows that are not described again.
    pub(super) fn new(risk: CommitRisk, columns: Option<&Arc<RowDescription>>) -> Outcome {
        Outcome { risk, columns: columns.cloned(), ..Outcome::default() }
    }

    pub(crate) fn into_result(self) -> Result<Vec<ResultSet>, Error> {
        match (self.misuse, self.error) {
            (Some(misuse), _) => Err(Error::usage_after_the_fact(misuse)),
            (None, Some(error)) => Err(self.risk.answered(Error::from_server(error))),
            (None, None) => Ok(self.sets),
        }
    }

    /// Whether rows have come of a result that is not over.
    pub(super) fn has_rows(&self) -> bool {
        !self.set.rows.is_empty()
    }

    /// Takes a reply; those to COPY and the last one are the caller's.
    pub(super) fn take(&mut self, reply: Reply) {
        match reply {
            Reply::ParseComplete => self.parsed += 1,
            Reply::BindComplete => self.bound += 1,
            Reply::RowDescription(description) => self.set.description = Some(description),
            Reply::Rows(rows) => {
                if self.set.description.is_none() {
                    self.set.description.clone_from(&self.columns);
                }
                // Most results come in one run.
                if self.set.rows.capacity() == 0 {
                    self.set.rows = Vec::with_capacity(1);
                }
                self.set.rows.push(rows);
            }
            Reply::CommandComplete(tag) => {
                self.set.tag = Some(tag);
                self.end_of_set();
            }
            Reply::EmptyQuery => {
                self.set.empty = true;
                self.end_of_set();
            }
            Reply::PortalSuspended => {
                self.set.suspended = true;
                self.end_of_set();
            }
            Reply::ParameterDescription(types) => self.set.parameters = Some(types),
            Reply::FunctionResult(value) => self.set.function_result = Some(value),
            Reply::Error(error) => {
                if self.error.is_none() {
                    self.complete_before_error = self.sets.len();
                    self.error = Some(error);
                }
                self.set = ResultSet::default();
            }
            _ => {}
        }
    }

    fn end_of_set(&mut self) {
        // Most requests are one statement.
        if self.sets.capacity() == 0 {
            self.sets = Vec::with_capacity(1);
        }
        self.sets.push(std::mem::take(&mut self.set));
    }

    /// Says in which client encoding its texts came.
    pub(super) fn encoded(&mut self, encoding: &Option<Arc<str>>) {
        for set in &mut self.sets {
            set.encoding.clone_from(encoding);
        }
    }

    /// The request is over.
    pub(super) fn end(&mut self) {
        if self.error.is_none() && !self.set.is_blank() {
            self.end_of_set();
        }
    }
}
