//! The interrupt hook of requests: signal handlers and limits on time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kecoa::{Interrupt, ResultSet};
use pyo3::prelude::*;

use super::results::FailedRows;
use crate::dbapi::cursor::overlap::Work;
use crate::limit::Limit;

/// Lets Python's signal handlers run while a statement waits.
#[derive(Default)]
pub(crate) struct Signals {
    /// What a handler raised.
    pub(super) raised: Option<PyErr>,
    /// When the statement has taken too long.
    deadline: Option<Instant>,
    /// It has.
    pub(super) expired: bool,
    /// Rows that had to be sent first have failed.
    pub(super) rows: Option<FailedRows>,
    /// What is made of the rows of the statement while it waits.
    work: Work,
}

impl Signals {
    /// Whether the time is up.
    pub(crate) fn has_expired(&self) -> bool {
        self.expired
    }

    /// Whether a handler raised something.
    pub(super) fn has_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// Has this made of the rows of the statement that comes now, while it waits.
    pub(crate) fn work(&mut self, work: Work) {
        self.work = work;
    }

    /// From now on the time of a request runs.
    pub(super) fn start(&mut self, limit: Option<Limit>) {
        self.deadline = limit.and_then(|limit| Instant::now().checked_add(limit.time));
        self.expired = false;
    }

    /// What a handler raised, if one did.
    pub(crate) fn into_raised(self) -> Option<PyErr> {
        self.raised
    }
}

impl Interrupt for Signals {
    fn timeout(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    fn awaiting(&mut self, result: &mut ResultSet) {
        self.work.awaiting(result);
    }

    fn check(&mut self) -> ControlFlow<()> {
        if self.raised.is_some() {
            return ControlFlow::Break(());
        }
        match Python::try_attach(|py| py.check_signals()) {
            Some(Err(error)) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
            // None: the interpreter is going away; the wait ends with it.
            Some(Ok(())) | None => {
                self.expired = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
                if self.expired { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }
}

/// A statement's outcome: the client's answer, or an exception of Python's own that came between.
pub(crate) type DriveResult<T> = PyResult<Result<T, kecoa::Error>>;
