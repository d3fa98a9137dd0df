//! The rows of a cursor in `async for`.
//!
//! They are there: nothing has to be waited for. An asynchronous generator makes an object for each row all the
//! same, and an exception that carries it. Here the iterator is what is awaited, too, and the interpreter takes the
//! row from [`send`], or, where it does not ask there, from `__next__`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use crate::dbapi::cursor::Cursor;

/// The rows of a cursor of `kecoa.aio` that are left, one by one: `__anext__` gives the iterator itself, unless
/// somebody has it who has not awaited it yet.
#[pyclass(frozen, module = "kecoa._kecoa")]
pub(crate) struct AsyncRows {
    /// The `AsyncCursor`, which may have a row factory, or a statement whose answer is yet to be awaited.
    owner: Py<PyAny>,
    cursor: Py<Cursor>,
    /// `__anext__` has given it to somebody who is yet to await it.
    given: AtomicBool,
}

impl AsyncRows {
    /// Has the interpreter ask for rows by [`send`]; called once, before there are any objects of the class.
    pub(crate) fn install(py: Python<'_>) {
        let class = py.get_type::<AsyncRows>().as_type_ptr();
        // SAFETY: the class is one of ours, which nobody else has yet, with methods for `await`, so that this
        // table exists, and stays with it.
        if let Some(methods) = unsafe { (*class).tp_as_async.as_mut() } {
            methods.am_send = Some(send);
        }
    }

    /// The next row; StopAsyncIteration behind the last.
    fn next_row<'py>(slf: &Bound<'py, AsyncRows>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        this.given.store(false, Ordering::Relaxed);
        let Some(row) = Cursor::fetch_next(this.cursor.bind(py))? else {
            return Err(PyStopAsyncIteration::new_err(()));
        };
        let owner = this.owner.bind(py);
        if owner.getattr(intern!(py, "row_factory"))?.is_none() {
            return Ok(row);
        }
        owner.call_method0(intern!(py, "_row_maker"))?.call1((row,))
    }
}

#[pymethods]
impl AsyncRows {
    #[new]
    fn new(owner: Py<PyAny>, cursor: Py<Cursor>) -> AsyncRows {
        AsyncRows { owner, cursor, given: AtomicBool::new(false) }
    }

    fn __aiter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let owner = this.owner.bind(py);
        if !owner.getattr(intern!(py, "_pending"))?.is_none() {
            return owner.call_method0(intern!(py, "_settled_row"));
        }
        if !this.given.swap(true, Ordering::Relaxed) {
            return Ok(slf.clone().into_any());
        }
        // What is awaited twice has to be two things, for `asyncio.gather` and the like.
        let another = AsyncRows::new(this.owner.clone_ref(py), this.cursor.clone_ref(py));
        Ok(Bound::new(py, another)?.into_any())
    }

    fn __await__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Err(PyStopIteration::new_err((AsyncRows::next_row(slf)?.unbind(),)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.owner)?;
        visit.call(&self.cursor)
    }
}

/// The next row, for a coroutine that awaits it.
///
/// # Safety
/// The interpreter calls it, in a thread that is attached: `rows` is an object of the class, and there is a place
/// for the result.
unsafe extern "C" fn send(
    rows: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    let next = || {
        Python::attach(|py| {
            // SAFETY: the caller says so.
            let rows = unsafe { Bound::from_borrowed_ptr(py, rows).cast_into_unchecked() };
            let (row, outcome) = match AsyncRows::next_row(&rows) {
                Ok(row) => (row.into_ptr(), ffi::PySendResult::PYGEN_RETURN),
                Err(raised) => {
                    raised.restore(py);
                    (std::ptr::null_mut(), ffi::PySendResult::PYGEN_ERROR)
                }
            };
            // SAFETY: as above.
            unsafe { *result = row };
            outcome
        })
    };
    catch_unwind(AssertUnwindSafe(next)).unwrap_or_else(|_| {
        Python::attach(|py| PyRuntimeError::new_err("a row could not be made").restore(py));
        ffi::PySendResult::PYGEN_ERROR
    })
}
