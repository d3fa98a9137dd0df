//! Classes of Python's standard library that values become.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// `decimal.Decimal`.
#[inline]
pub(crate) fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    DECIMAL.import(py, "decimal", "Decimal")
}

/// `datetime.timezone`, the default `tzinfo_factory`.
#[inline]
pub(crate) fn timezone(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static TIMEZONE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TIMEZONE.import(py, "datetime", "timezone")
}

/// datetime's C API, imported on first use.
pub(crate) fn datetime_api(py: Python<'_>) -> PyResult<&'static ffi::PyDateTime_CAPI> {
    // SAFETY: the thread is attached, as the token proves. The pointer is an atomic one, which threads
    // that import the capsule at the same time set to the same; once not null, it lives as long as
    // the interpreter.
    unsafe {
        if ffi::PyDateTimeAPI().is_null() {
            ffi::PyDateTime_IMPORT();
        }
        ffi::PyDateTimeAPI().as_ref().ok_or_else(|| PyErr::fetch(py))
    }
}
