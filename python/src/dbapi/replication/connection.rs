//! `ReplicationConnection`: a connection whose server's side is a walsender.

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::{LOGICAL, PHYSICAL};
use crate::dbapi::connection::Connection;

/// The connection behind `extras.LogicalReplicationConnection` and `PhysicalReplicationConnection`.
#[pyclass(
    extends = Connection, subclass, frozen,
    name = "ReplicationConnection", module = "kecoa.extensions"
)]
#[derive(Default)]
pub(crate) struct ReplicationConnection {
    kind: AtomicI64,
}

/// psycopg2 hides what has no meaning for a walsender.
fn unreadable<T>(name: &str) -> PyResult<T> {
    Err(PyAttributeError::new_err(format!(
        "attribute '{name}' of 'kecoa.extensions.ReplicationConnection' objects is not readable"
    )))
}

#[pymethods]
impl ReplicationConnection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyClassInitializer<ReplicationConnection> {
        PyClassInitializer::from(Connection::default())
            .add_subclass(ReplicationConnection::default())
    }

    /// Connects, with the options of `dsn` that replication needs. Keyword `async` is another name
    /// of `async_`.
    #[pyo3(signature = (dsn, async_=None, replication_type=0, **kwargs))]
    fn __init__(
        slf: &Bound<'_, Self>,
        dsn: &Bound<'_, PyString>,
        async_: Option<&Bound<'_, PyAny>>,
        replication_type: i64,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let options = PyDict::new(py);
        match replication_type {
            PHYSICAL => {
                options.set_item("replication", "true")?;
                // The name under which password files list it.
                options.set_item("dbname", "replication")?;
            }
            LOGICAL => options.set_item("replication", "database")?,
            _ => {
                return Err(PyTypeError::new_err(
                    "replication_type must be either REPLICATION_PHYSICAL or REPLICATION_LOGICAL",
                ));
            }
        }
        slf.get().kind.store(replication_type, Ordering::Relaxed);
        let factory = py.import("kecoa.extras")?.getattr("ReplicationCursor")?;
        let dsn = py.import("kecoa.extensions")?.call_method("make_dsn", (dsn,), Some(&options))?;
        let connection = slf.cast::<Connection>()?;
        Connection::open_for_streams(connection, dsn.cast::<PyString>()?, async_, kwargs, factory)
    }

    /// REPLICATION_PHYSICAL or REPLICATION_LOGICAL.
    #[getter]
    fn replication_type(&self) -> i64 {
        self.kind.load(Ordering::Relaxed)
    }

    /// Not on this kind of connection.
    #[getter]
    fn autocommit(&self) -> PyResult<()> {
        unreadable("autocommit")
    }

    /// Not on this kind of connection.
    #[getter]
    fn isolation_level(&self) -> PyResult<()> {
        unreadable("isolation_level")
    }

    /// Not on this kind of connection.
    #[getter]
    fn set_session(&self) -> PyResult<()> {
        unreadable("set_session")
    }

    /// Not on this kind of connection.
    #[getter]
    fn set_isolation_level(&self) -> PyResult<()> {
        unreadable("set_isolation_level")
    }

    /// Not on this kind of connection.
    #[getter]
    fn reset(&self) -> PyResult<()> {
        unreadable("reset")
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(slf.cast::<Connection>()?.get().shown("ReplicationConnection", slf.as_ptr()))
    }
}
