//! What replication asks of the connection below it.

use std::ffi::c_void;

use kecoa::blocking::Client;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::Connection;
use crate::sync::lock;

impl Connection {
    /// Connects to a walsender. It knows no transactions; `factory` makes its cursors.
    pub(crate) fn open_for_streams(
        slf: &Bound<'_, Connection>,
        dsn: &Bound<'_, PyString>,
        async_: Option<&Bound<'_, PyAny>>,
        kwargs: Option<&Bound<'_, PyDict>>,
        factory: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        Connection::__init__(slf, dsn, async_, kwargs)?;
        lock(&slf.get().state).autocommit = true;
        slf.get().set_cursor_factory(Some(factory.unbind()));
        Ok(())
    }

    /// Whether a stream is open.
    pub(crate) fn is_streaming(&self, py: Python<'_>) -> bool {
        // What comes of it is refused where it drives the connection.
        !self.reentrancy.is_here()
            && py.detach(|| lock(&self.link).client.as_ref().is_some_and(Client::is_streaming))
    }

    /// How the connection is shown, as an object of `class` at `address`.
    pub(crate) fn shown<T>(&self, class: &str, address: *mut T) -> String {
        let state = lock(&self.state);
        let address = address.cast::<c_void>();
        format!("<{class} object at {address:p}; dsn: '{}', closed: {}>", state.dsn, state.closed)
    }
}
