//! The callable by which synchronous connections wait.

use std::sync::Mutex;

use pyo3::prelude::*;

use crate::sync::lock;

static CALLBACK: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

/// `set_wait_callback(f)`: synchronous connections wait by calling it.
#[pyfunction]
#[pyo3(signature = (f, /))]
pub(crate) fn set_wait_callback(f: Option<Py<PyAny>>) {
    let old = std::mem::replace(&mut *lock(&CALLBACK), f);
    drop(old);
}

/// `get_wait_callback()`: what was set.
#[pyfunction]
pub(crate) fn get_wait_callback(py: Python<'_>) -> Option<Py<PyAny>> {
    lock(&CALLBACK).as_ref().map(|callback| callback.clone_ref(py))
}

/// Whether there is one.
pub(crate) fn is_set() -> bool {
    lock(&CALLBACK).is_some()
}
