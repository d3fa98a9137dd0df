//! `kecoa::observability` for Python: counters, and the hook by which `kecoa.observe` learns of operations.
//!
//! While nobody listens an operation costs one load of a flag.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa::ErrorKind;
use kecoa::observability::{self, Counters, REASONS};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::sync::lock;

static LISTENING: AtomicBool = AtomicBool::new(false);
static LISTENER: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

/// `_counters()`: the process's counters, by name.
#[pyfunction]
pub(crate) fn _counters(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let counters = observability::counters();
    let dict = named(py, &counters)?;
    let reasons = PyDict::new(py);
    for (name, count) in REASONS.iter().zip(counters.retries_by_reason) {
        reasons.set_item(*name, count)?;
    }
    dict.set_item("kecoa.retries.by_reason", reasons)?;
    Ok(dict)
}

fn named<'py>(py: Python<'py>, counters: &Counters) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in counters.iter() {
        match name.strip_suffix("_us") {
            // Python's seconds.
            Some(name) => dict.set_item(name, Duration::from_micros(value).as_secs_f64())?,
            None => dict.set_item(name, value)?,
        }
    }
    Ok(dict)
}

/// `_set_listener(f)`: `f(operation, subject, query, start, duration, error)` is called after each
/// operation; None for nobody.
#[pyfunction]
#[pyo3(signature = (f, /))]
pub(crate) fn _set_listener(f: Option<Py<PyAny>>) {
    let mut place = lock(&LISTENER);
    LISTENING.store(f.is_some(), Relaxed);
    let old = std::mem::replace(&mut *place, f);
    drop(place);
    drop(old);
}

/// `_listening()`: whether anybody listens.
#[pyfunction]
pub(crate) fn _listening() -> bool {
    LISTENING.load(Relaxed)
}

/// `_without_values(sql)`: a statement with `?` in the place of each value that is written in it.
#[pyfunction]
pub(crate) fn _without_values(sql: &str) -> String {
    observability::without_values(sql)
}

/// Does `work`, and notifies the listener, if there is one. `subject` is the connection or cursor.
pub(crate) fn observed<'py, T>(
    operation: &'static str,
    subject: &Bound<'py, PyAny>,
    query: Option<&Bound<'py, PyAny>>,
    work: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    if LISTENING.load(Relaxed) { notify(operation, subject, query, work) } else { work() }
}

#[cold]
fn notify<'py, T>(
    operation: &'static str,
    subject: &Bound<'py, PyAny>,
    query: Option<&Bound<'py, PyAny>>,
    work: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    let py = subject.py();
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let started = Instant::now();
    let result = work();
    let took = started.elapsed().as_secs_f64();
    let listener = {
        let place = lock(&LISTENER);
        place.as_ref().map(|listener| listener.clone_ref(py))
    };
    if let Some(listener) = listener {
        let error = result.as_ref().err().map(|error| error.value(py));
        if let Err(error) = listener.bind(py).call1((operation, subject, query, epoch, took, error))
        {
            // It must not change what becomes of the operation.
            error.write_unraisable(py, Some(listener.bind(py)));
        }
    }
    result
}

/// Notifies the logger of connections that one was lost. Nothing is done where nobody has imported
/// `logging`.
pub(crate) fn note_lost(py: Python<'_>, error: &kecoa::Error) {
    // What a closed connection answers is no news.
    let is_news = error.is_connection_lost()
        && !(error.kind() == ErrorKind::ConnectionLost && error.nothing_was_sent());
    if !is_news {
        return;
    }
    let log = || -> PyResult<()> {
        let modules = py.import("sys")?.getattr("modules")?;
        if modules.contains("logging")? {
            let text = error.to_string();
            let what = text.lines().next().unwrap_or_default();
            py.import("kecoa._driver.log")?.call_method1("lost", (what, error.sqlstate()))?;
        }
        Ok(())
    };
    if let Err(error) = log() {
        error.write_unraisable(py, None);
    }
}
