//! The module's functions that belong to no class.

use std::ffi::OsString;

use kecoa::config::{Config, conninfo};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::convert::typecaster::{self, Typecaster};
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::names;

/// kecoa's own version, in the form of psycopg2's: behind the number, what the module was built
/// with. Programs look there for `lo64`, large objects beyond 2 GiB.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (dt dec pq3 ext lo64)");

/// The version of libpq whose behaviour is followed, as `PQlibVersion` would give it: the last
/// before 16, in which `PQsslAttributeNames` began to name none on connections without TLS. Here
/// `ConnectionInfo.ssl_attribute_names` names them on every connection, as before.
pub(crate) const LIBPQ_VERSION: i32 = 150_000;

/// `_connect(dsn, connection_factory=None, async_=0)`: calls the factory.
#[pyfunction]
#[pyo3(signature = (dsn, connection_factory=None, **kwargs))]
pub(crate) fn _connect<'py>(
    py: Python<'py>,
    dsn: Bound<'py, PyString>,
    connection_factory: Option<Bound<'py, PyAny>>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let factory = connection_factory.unwrap_or_else(|| py.get_type::<Connection>().into_any());
    let args = PyTuple::new(py, [dsn])?;
    factory.call(args, kwargs)
}

/// `parse_dsn(dsn)`: the options of a connection string; ProgrammingError when it is none.
#[pyfunction]
#[pyo3(signature = (dsn))]
pub(crate) fn parse_dsn<'py>(
    py: Python<'py>,
    dsn: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyDict>> {
    let refused = |why: String| names::programming_error(py, format!("invalid dsn: {why}\n"));
    // Python's own error would show the string, with what is secret in it.
    let text = dsn.to_str().map_err(|_| refused("expected UTF-8, found lone surrogates".into()))?;
    // Names are checked, values are not: that is for connecting.
    let pairs = conninfo::parse(text).map_err(|error| refused(error.to_string()))?;
    let dict = PyDict::new(py);
    // In libpq's order, whatever the string's.
    for name in Config::names() {
        let value = pairs.iter().rev().find(|(known, _)| known == name);
        if let Some((_, value)) = value {
            dict.set_item(name, value)?;
        }
    }
    Ok(dict)
}

/// `_refuse_misread(dsn)`: OperationalError for a URL that can be read and hardly is what it was meant as,
/// before its parts go on their own ways.
#[pyfunction]
#[pyo3(signature = (dsn))]
pub(crate) fn _refuse_misread(py: Python<'_>, dsn: &Bound<'_, PyString>) -> PyResult<()> {
    // What is no text at all is refused where it is read.
    let Ok(dsn) = dsn.to_str() else { return Ok(()) };
    conninfo::refuse_misread(dsn).map_err(|error| names::operational_error(py, error.to_string()))
}

/// The connection of a connection or cursor.
fn connection_of<'py>(scope: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Connection>> {
    if let Ok(connection) = scope.cast::<Connection>() {
        return Ok(connection.clone());
    }
    match scope.cast::<Cursor>() {
        Ok(cursor) => cursor.get().connection_of(scope.py()),
        Err(_) => Err(PyTypeError::new_err("argument 2 must be a connection or a cursor")),
    }
}

/// `quote_ident(name, scope)`: an identifier in double quotes.
#[pyfunction]
#[pyo3(signature = (ident, scope))]
pub(crate) fn quote_ident(
    py: Python<'_>,
    ident: &Bound<'_, PyString>,
    scope: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let connection = connection_of(scope)?;
    if connection.get().is_closed() {
        return Err(names::interface_error(py, "connection not valid"));
    }
    let quoted =
        kecoa_types::literal::quote_ident(ident.to_str()?.as_bytes()).map_err(|error| {
            names::interface_error(py, format!("failed to escape identifier: {error}"))
        })?;
    Ok(String::from_utf8_lossy(&quoted).into_owned())
}

/// `register_type(obj, scope)`: for a cursor, a connection, or everywhere.
#[pyfunction]
#[pyo3(signature = (obj, scope=None))]
pub(crate) fn register_type(
    py: Python<'_>,
    obj: Bound<'_, Typecaster>,
    scope: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let dict = match scope {
        None => typecaster::string_types(py)?.clone(),
        Some(scope) => {
            if let Ok(cursor) = scope.cast::<Cursor>() {
                cursor.get().string_types_or_new(py)?
            } else if let Ok(connection) = scope.cast::<Connection>() {
                connection.get().string_types(py)?
            } else {
                return Err(PyTypeError::new_err(
                    "argument 2 must be a connection, cursor or None",
                ));
            }
        }
    };
    Typecaster::register(&obj, &dict)
}

/// `libpq_version()`: there is no libpq; the version whose behaviour is followed.
#[pyfunction]
pub(crate) fn libpq_version() -> i32 {
    LIBPQ_VERSION
}

/// `main(argv, self_command)`: runs the command line and gives its exit code.
#[pyfunction]
#[pyo3(signature = (argv, self_command))]
pub(crate) fn main(
    py: Python<'_>,
    argv: Vec<OsString>,
    self_command: Vec<OsString>,
) -> PyResult<i32> {
    std::panic::catch_unwind(|| py.detach(|| kecoa_cli::main_from(argv, self_command)))
        .map_err(|_| PyOSError::new_err("the command line ended by a bug"))
}
