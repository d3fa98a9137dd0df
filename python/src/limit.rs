//! Limits on the time of statements.

use std::cell::Cell;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) time: Duration,
    /// The request is a COMMIT: cut off without an answer, its outcome is not known.
    pub(crate) commit: bool,
}

thread_local! {
    /// How long each request of this thread may take.
    static LIMIT: Cell<Option<Limit>> = const { Cell::new(None) };
}

/// While it lives, each request that this thread drives has the limit.
pub(crate) struct Limited {
    before: Option<Limit>,
}

impl Limited {
    /// From now on.
    pub(crate) fn to(limit: Option<Limit>) -> Limited {
        Limited { before: LIMIT.replace(limit) }
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        LIMIT.set(self.before);
    }
}

/// The limit of the request that is about to be driven.
pub(crate) fn current() -> Option<Limit> {
    LIMIT.get()
}

/// A number of seconds above zero; ValueError otherwise.
pub(crate) fn parse(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero()).ok_or_else(|| {
        PyValueError::new_err(format!("expected a time limit above 0 seconds, found {seconds}"))
    })
}
