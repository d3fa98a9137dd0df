//! What an adapter holds until it is asked for its literal.

use std::sync::Mutex;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::codec::Codec;
use crate::convert::dump::Settings;
use crate::dbapi::connection::Connection;
use crate::sync::lock;

/// What an adapter holds. Values are only swapped under the locks, never used or dropped.
#[derive(Default)]
pub(crate) struct AdapterState {
    pub(super) adapted: Mutex<Option<Py<PyAny>>>,
    pub(super) connection: Mutex<Option<Py<Connection>>>,
    pub(super) encoding: Mutex<Option<String>>,
    pub(super) buffer: Mutex<Option<Py<PyBytes>>>,
}

/// Puts a value in the place of another.
pub(super) fn swap<T>(place: &Mutex<Option<T>>, value: Option<T>) {
    let old = std::mem::replace(&mut *lock(place), value);
    drop(old);
}

/// The object in a place.
pub(super) fn get<T>(py: Python<'_>, place: &Mutex<Option<Py<T>>>) -> Option<Py<T>> {
    lock(place).as_ref().map(|value| value.clone_ref(py))
}

impl AdapterState {
    pub(super) fn adapted<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        get(py, &self.adapted).unwrap_or_else(|| py.None()).into_bound(py)
    }

    /// Keeps the connection that an adapter is given.
    pub(super) fn prepare(&self, connection: &Bound<'_, PyAny>) -> PyResult<()> {
        let connection = connection
            .cast::<Connection>()
            .map_err(|_| PyTypeError::new_err("argument 1 must be kecoa.extensions.connection"))?;
        swap(&self.connection, Some(connection.clone().unbind()));
        Ok(())
    }

    /// The connection's settings, or those of `encoding`; latin1 is psycopg2's default.
    pub(super) fn settings(&self, py: Python<'_>) -> PyResult<Settings> {
        if let Some(connection) = get(py, &self.connection) {
            return Ok(connection.get().settings());
        }
        let name = lock(&self.encoding).clone();
        Ok(Settings::unconnected(Codec::named(name.as_deref().unwrap_or("latin1"))?))
    }
}
