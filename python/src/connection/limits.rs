//! Limits on the time of statements.

use std::cell::Cell;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::Connection;
use super::link::lock;

thread_local! {
    /// How long each request of this thread may take.
    static LIMIT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// While it lives, each request that this thread drives has the limit.
pub(crate) struct Limited {
    before: Option<Duration>,
}

impl Limited {
    pub(crate) fn to(limit: Option<Duration>) -> Limited {
        Limited { before: LIMIT.replace(limit) }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        LIMIT.set(self.before);
    }
}

/// The limit of the request that is about to be driven.
pub(super) fn current() -> Option<Duration> {
    LIMIT.get()
}

/// A number of seconds above zero; ValueError otherwise.
pub(crate) fn parse(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero()).ok_or_else(|| {
        PyValueError::new_err(format!("expected a time limit above 0 seconds, found {seconds}"))
    })
}

impl Connection {
    /// Puts a statement under a limit: its own, or the connection's.
    pub(crate) fn limited(&self, seconds: Option<f64>) -> PyResult<Limited> {
        let own = seconds.map(parse).transpose()?;
        Ok(Limited::to(own.or_else(|| lock(&self.state).statement_timeout)))
    }
}
