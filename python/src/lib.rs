//! The extension module `kecoa._kecoa`: psycopg2's C module, in Rust, over the client `kecoa`.
//!
//! `dbapi` has psycopg2's objects; `convert` turns Python values into SQL literals and the server's
//! text into Python values, both as psycopg2 does, byte for byte; `errors/error.rs` is the only file
//! that turns errors into exceptions.
//!
//! `unsafe` is for CPython's C API, between bytes and values.

mod aio;
mod arrow;
mod convert;
mod dbapi;
mod errors;
mod functions;
mod globals;
mod observe;
mod retry;

use crate::convert::{codec, dump, typecaster};
use crate::dbapi::{connection, cursor, lobject, notify, pipeline, replication};
use crate::errors::exception;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Fills the module; called once by Python's import.
// Not yet run on a free-threaded build: there the interpreter turns its lock on for this module.
#[pymodule(gil_used = true)]
fn _kecoa(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", functions::VERSION)?;
    module.add("__libpq_version__", functions::LIBPQ_VERSION)?;
    module.add("apilevel", "2.0")?;
    module.add("threadsafety", 2)?;
    module.add("paramstyle", "pyformat")?;
    module.add("REPLICATION_PHYSICAL", replication::PHYSICAL)?;
    module.add("REPLICATION_LOGICAL", replication::LOGICAL)?;

    let exceptions = exception::Exceptions::install(module)?;
    module.add_class::<exception::Diagnostics>()?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<connection::ConnectionInfo>()?;
    module.add_class::<lobject::LargeObject>()?;
    module.add_class::<cursor::Cursor>()?;
    module.add_class::<cursor::Column>()?;
    module.add_class::<cursor::RowStream>()?;
    module.add_class::<pipeline::Pipeline>()?;
    module.add_class::<arrow::ArrowResult>()?;
    module.add_class::<replication::ReplicationConnection>()?;
    module.add_class::<replication::ReplicationCursor>()?;
    module.add_class::<replication::ReplicationMessage>()?;
    module.add_class::<notify::Notify>()?;
    module.add("typecaster", py.get_type::<typecaster::Typecaster>())?;
    module.add_class::<aio::AsyncOpening>()?;
    module.add_class::<aio::AsyncLink>()?;
    module.add_class::<retry::RetryPolicy>()?;
    module.add_class::<retry::Attempts>()?;
    dump::adapters::install(module)?;
    for function in [
        wrap_pyfunction!(dump::protocol::adapt, module)?,
        wrap_pyfunction!(typecaster::new_type, module)?,
        wrap_pyfunction!(typecaster::new_array_type, module)?,
        wrap_pyfunction!(typecaster::new_binary_type, module)?,
        wrap_pyfunction!(typecaster::register_type, module)?,
        wrap_pyfunction!(functions::_connect, module)?,
        wrap_pyfunction!(functions::parse_dsn, module)?,
        wrap_pyfunction!(functions::_refuse_misread, module)?,
        wrap_pyfunction!(functions::quote_ident, module)?,
        wrap_pyfunction!(functions::libpq_version, module)?,
        wrap_pyfunction!(functions::set_wait_callback, module)?,
        wrap_pyfunction!(functions::get_wait_callback, module)?,
        wrap_pyfunction!(functions::main, module)?,
        wrap_pyfunction!(retry::failure_facts, module)?,
        wrap_pyfunction!(observe::_counters, module)?,
        wrap_pyfunction!(observe::_set_listener, module)?,
        wrap_pyfunction!(observe::_listening, module)?,
        wrap_pyfunction!(observe::_without_values, module)?,
    ] {
        module.add_function(function)?;
    }

    let string_types = PyDict::new(py);
    let default_caster = typecaster::install(module, &string_types)?;
    let adapters = PyDict::new(py);
    let isqlquote = py.get_type::<dump::adapters::IsqlQuote>();
    let decimal = py.import("decimal")?.getattr("Decimal")?;
    let timezone = py.import("datetime")?.getattr("timezone")?;
    let builtin_adapters = dump::install(module, &adapters, &isqlquote, &decimal)?;
    let encodings = codec::encodings(py)?;
    let sqlstate_errors = PyDict::new(py);
    module.add("string_types", &string_types)?;
    module.add("binary_types", PyDict::new(py))?;
    module.add("adapters", &adapters)?;
    module.add("encodings", &encodings)?;
    module.add("sqlstate_errors", &sqlstate_errors)?;
    module.add("__doc__", PyString::new(py, "psycopg2's C module, in Rust."))?;
    globals::set(
        py,
        globals::Globals {
            string_types: string_types.unbind(),
            adapters: adapters.unbind(),
            encodings: encodings.unbind(),
            sqlstate_errors: sqlstate_errors.unbind(),
            isqlquote: isqlquote.unbind(),
            exceptions,
            default_caster,
            timezone: timezone.unbind(),
            decimal: decimal.unbind(),
            builtin_adapters,
            wait_callback: std::sync::Mutex::default(),
        },
    )
}
