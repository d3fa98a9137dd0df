//! From a thread of ours into the event loop.

use std::thread;

use pyo3::prelude::*;

/// Has `done()` called in the event loop, from a thread that ends then.
///
/// Without an interpreter, or with the loop closed, nobody is left to be notified.
pub(super) fn call_in_loop(event_loop: Py<PyAny>, done: Py<PyAny>) {
    Python::try_attach(|py| {
        let held = Held;
        let called = event_loop.call_method1(py, "call_soon_threadsafe", (&done,));
        std::mem::forget(held);
        drop((called, event_loop, done));
    });
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
