//! From a thread of ours into the event loop.

use std::thread;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A function of CPython's that may unwind: the compiler then keeps what is to be done as it does. pyo3 declares
/// all of them as ones that do not, so this is one that nothing else calls: what is said of a function in two
/// ways holds for it everywhere.
mod unwinding {
    use pyo3::ffi::PyObject;

    unsafe extern "C-unwind" {
        pub(super) fn PyObject_CallObject(
            call: *mut PyObject,
            args: *mut PyObject,
        ) -> *mut PyObject;
    }
}

/// Has `done()` called in the event loop, from a thread that ends then.
///
/// Without an interpreter, or with the loop closed, nobody is left to be notified.
pub(super) fn call_in_loop(event_loop: Py<PyAny>, done: Py<PyAny>) {
    Python::try_attach(|py| {
        let called = event_loop
            .getattr(py, "call_soon_threadsafe")
            .and_then(|call| hold_and_call(call.bind(py), &PyTuple::new(py, [&done])?));
        drop((called, event_loop, done));
    });
}

/// `call(*args)`, from which a thread does not come back once the interpreter has begun to end.
fn hold_and_call<'py>(
    call: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let held = Held;
    // SAFETY: a valid object and a tuple; the result is a new reference, or NULL with an error set.
    let result: *mut ffi::PyObject =
        unsafe { unwinding::PyObject_CallObject(call.as_ptr(), args.as_ptr()) };
    std::mem::forget(held);
    // SAFETY: as above.
    unsafe { Bound::from_owned_ptr_or_err(call.py(), result) }
}

/// Keeps a thread where it is while the interpreter ends.
///
/// Waking the loop lets the interpreter go for a moment. A program may end meanwhile; before 3.14 CPython then
/// ends a thread that comes back, by unwinding it, and what would run here without the interpreter aborts the
/// process. So the first thing that is unwound waits for the process's end.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        while !thread::panicking() {
            thread::park();
        }
    }
}
