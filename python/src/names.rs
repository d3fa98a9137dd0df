//! What every other file may use: strings that are made once, and PEP 249's exceptions by name.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

/// An object that the module makes once, when it is imported.
pub(crate) struct Installed<T>(PyOnceLock<T>);

impl<T> Installed<T> {
    /// Not made yet.
    pub(crate) const fn new() -> Installed<T> {
        Installed(PyOnceLock::new())
    }

    /// Keeps it; RuntimeError the second time.
    pub(crate) fn set(&self, py: Python<'_>, value: T) -> PyResult<()> {
        let kept = self.0.set(py, value);
        kept.map_err(|_| PyRuntimeError::new_err("kecoa._kecoa was initialised twice"))
    }

    /// What was made; an error only if the module's init did not finish.
    #[inline]
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&T> {
        self.0.get(py).ok_or_else(|| PyRuntimeError::new_err("kecoa._kecoa is not initialised"))
    }
}

/// A Python string that is made once.
pub(crate) fn text<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    PyString::intern(py, text)
}

/// The exception classes, by PEP 249's names.
static CLASSES: Installed<Vec<(&'static str, Py<PyType>)>> = Installed::new();

/// Keeps the exception classes; called once, when they are made.
pub(crate) fn set_classes(
    py: Python<'_>,
    classes: Vec<(&'static str, Py<PyType>)>,
) -> PyResult<()> {
    CLASSES.set(py, classes)
}

/// The exception class called `name`; `Error` if there is none.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> Bound<'py, PyType> {
    let classes = CLASSES.get(py).map_or(&[][..], Vec::as_slice);
    let find = |name| classes.iter().find(|(known, _)| *known == name);
    match find(name).or_else(|| find("Error")) {
        Some((_, class)) => class.bind(py).clone(),
        // The module's init did not finish.
        None => py.get_type::<PyRuntimeError>(),
    }
}

fn make(py: Python<'_>, name: &str, message: impl AsRef<str>) -> PyErr {
    PyErr::from_type(class(py, name), (PyString::new(py, message.as_ref()).unbind(),))
}

/// `Error`.
pub(crate) fn driver_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "Error", message)
}

/// `InterfaceError`.
pub(crate) fn interface_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "InterfaceError", message)
}

/// `DataError`.
pub(crate) fn data_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "DataError", message)
}

/// `OperationalError`.
pub(crate) fn operational_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "OperationalError", message)
}

/// `ProgrammingError`.
pub(crate) fn programming_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "ProgrammingError", message)
}

/// `NotSupportedError`.
pub(crate) fn not_supported_error(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    make(py, "NotSupportedError", message)
}
