//! Statements that pipelines have queued, until somebody sends them.

use std::sync::Arc;
use std::thread::ThreadId;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A statement that waits to be sent.
pub(crate) struct Queued {
    /// The pipeline, and the thread, that it came by.
    pub(crate) pipeline: Py<PyAny>,
    pub(crate) thread: ThreadId,
    /// The cursor that its result is for.
    pub(crate) cursor: Py<PyAny>,
    pub(crate) sql: Arc<[u8]>,
}

impl Queued {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pipeline)?;
        visit.call(&self.cursor)
    }
}
