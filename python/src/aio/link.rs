//! `AsyncLink`: a client that the event loop drives.
//!
//! Everything here runs in the loop's thread, attached to the interpreter, and never waits. What is
//! asked for in another loop or thread is refused; what ends something is handed over. The socket's
//! reader is registered once and stays; the writer only while the socket takes no more.

use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard};

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::state::State;
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::errors::error::{self, ErrorContext};
use crate::names;
use crate::sync::lock;

/// A connection's client, driven by an event loop. For `kecoa.aio`, which has the objects that
/// programs see.
#[pyclass(frozen, weakref, module = "kecoa._kecoa")]
pub(crate) struct AsyncLink {
    pub(super) connection: Py<Connection>,
    pub(super) event_loop: Py<PyAny>,
    pub(super) create_future: Py<PyAny>,
    pub(super) running_loop: Py<PyAny>,
    pub(super) fd: RawFd,
    /// A forked child shares the parent's selector and must leave it alone.
    pub(super) pid: u32,
    pub(super) state: Mutex<State>,
}

impl AsyncLink {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.create_future.bind(py).call0()
    }

    /// RuntimeError in another event loop than the connection's.
    pub(super) fn check_loop(&self, py: Python<'_>) -> PyResult<()> {
        if self.running_loop.bind(py).call0()?.is(&self.event_loop) {
            return Ok(());
        }
        Err(PyRuntimeError::new_err(
            "the connection belongs to another event loop: make one in the loop that uses it",
        ))
    }

    /// Has the loop call a method of the link where it runs in another thread: only there may it be
    /// told what to watch. False where there is nothing to hand over, and the method goes on by itself.
    pub(super) fn hand_over(
        slf: &Bound<'_, Self>,
        method: &str,
        arguments: &[Bound<'_, PyAny>],
    ) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        let event_loop = this.event_loop.bind(py);
        // A forked child has a copy of a loop that runs in its parent. The system is asked which process
        // this is only where the loop does not run here, as it mostly does.
        if this.running_loop.bind(py).call0()?.is(event_loop)
            || this.pid != std::process::id()
            || !event_loop.call_method0(intern!(py, "is_running"))?.is_truthy()?
        {
            return Ok(false);
        }
        let method = slf.getattr(method)?;
        let call = PyTuple::new(py, [&[method], arguments].concat())?;
        event_loop.call_method1(intern!(py, "call_soon_threadsafe"), call)?;
        Ok(true)
    }

    /// InterfaceError, or what ended the connection, when it is closed.
    pub(super) fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        let connection = self.connection.get();
        if !connection.is_closed() {
            return Ok(());
        }
        let end = self.state().end.take();
        Err(match end {
            Some(end) => error::lost(py, &end),
            None => names::interface_error(py, "the connection is closed"),
        })
    }

    /// What is raised beside an answer.
    pub(super) fn deferred_error(&self) -> PyResult<()> {
        let deferred_error = self.state().deferred_error.take();
        deferred_error.map_or(Ok(()), Err)
    }

    /// The exception for an error of the client's.
    pub(super) fn raise(
        &self,
        py: Python<'_>,
        error: &kecoa::Error,
        cursor: Option<&Py<Cursor>>,
        sql: &[u8],
        commit: bool,
    ) -> PyErr {
        let codec = self.connection.get().codec();
        let cursor = cursor.map(|cursor| cursor.bind(py).clone().into_any());
        let context = ErrorContext {
            statement: (!sql.is_empty()).then_some(sql),
            codec: &codec,
            cursor: cursor.as_ref(),
            commit,
        };
        error::exception(py, error, &context)
    }
}

/// Completes a future; one that was cancelled needs to know nothing.
pub(super) fn set_future(py: Python<'_>, future: &Py<PyAny>, outcome: PyResult<()>) {
    let _ = match outcome {
        Ok(()) => future.call_method1(py, intern!(py, "set_result"), (py.None(),)),
        Err(error) => future.call_method1(py, intern!(py, "set_exception"), (error.value(py),)),
    };
}
