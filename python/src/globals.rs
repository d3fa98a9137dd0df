//! What the whole module shares: the live dictionaries, the exception classes, cached types.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::convert::typecaster::Typecaster;
use crate::errors::exception::Exceptions;

/// Objects made once, at import.
pub(crate) struct Globals {
    /// oid -> typecaster, last resort of every lookup; live, as `extensions.string_types`.
    pub(crate) string_types: Py<PyDict>,
    /// `(type, ISQLQuote)` -> adapter; live, as `extensions.adapters`.
    pub(crate) adapters: Py<PyDict>,
    /// PostgreSQL's name of an encoding -> Python's; live, as `extensions.encodings`.
    pub(crate) encodings: Py<PyDict>,
    /// SQLSTATE -> exception class; filled by the Python package.
    pub(crate) sqlstate_errors: Py<PyDict>,
    /// The protocol class, second half of the keys of `adapters`.
    pub(crate) isqlquote: Py<PyType>,
    /// PEP 249's exceptions.
    pub(crate) exceptions: Exceptions,
    /// What loads a column whose oid nobody registered: text.
    pub(crate) default_caster: Py<Typecaster>,
    /// `datetime.timezone`, the default `tzinfo_factory`.
    pub(crate) timezone: Py<PyAny>,
    /// `decimal.Decimal`.
    pub(crate) decimal: Py<PyAny>,
    /// Keys into `adapters` and the adapter found there at import, by built-in type.
    pub(crate) builtin_adapters: Vec<BuiltinAdapter>,
    /// The callable set by `set_wait_callback`.
    pub(crate) wait_callback: std::sync::Mutex<Option<Py<PyAny>>>,
}

/// An entry of `adapters` as the module made it.
pub(crate) struct BuiltinAdapter {
    /// `(type, ISQLQuote)`.
    pub(crate) key: Py<PyTuple>,
    /// The adapter's class or function.
    pub(crate) adapter: Py<PyAny>,
}

static GLOBALS: PyOnceLock<Globals> = PyOnceLock::new();

/// Stores the globals; called once by the module's init.
pub(crate) fn set(py: Python<'_>, globals: Globals) -> PyResult<()> {
    GLOBALS
        .set(py, globals)
        .map_err(|_| PyRuntimeError::new_err("kecoa._kecoa was initialised twice"))
}

/// The globals; an error only if the module's init did not finish.
pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Globals> {
    GLOBALS.get(py).ok_or_else(|| PyRuntimeError::new_err("kecoa._kecoa is not initialised"))
}

/// A Python string that is made once.
pub(crate) fn text<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    PyString::intern(py, text)
}
