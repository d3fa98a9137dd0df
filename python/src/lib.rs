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
mod limit;
mod names;
mod observe;
mod registry;
mod retry;
mod sync;

use pyo3::prelude::*;

/// Fills the module; called once by Python's import.
#[pymodule(gil_used = false)]
fn _kecoa(module: &Bound<'_, PyModule>) -> PyResult<()> {
    registry::install(module)
}
