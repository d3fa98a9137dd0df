//! Locks. A lock is held for moments, never across a call into Python, and what it guarded is
//! dropped when it is free again, because dropping an object may run Python code. So no thread that
//! holds one waits for the interpreter: neither for its lock nor, where it has none, for the end of
//! a pause in which the interpreter stops all threads.
//!
//! One is held for longer: `Link`, while a statement runs, by a thread that has let go of the
//! interpreter and comes back to it for signal handlers. So who takes it has let go, too, or takes it
//! by [`lock_attached`].
//!
//! A lock that `__traverse__` tries to take is never held by a thread
//! that has let go: to the garbage collector, which asks twice, the object would look different.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;

/// The guarded value. A thread that panicked with it has left it whole: nothing here is changed in
/// steps that a panic can come between.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same where the guard is held while Python objects are made or may be waited for by threads of
/// the interpreter: who has to wait lets go of the interpreter meanwhile.
pub(crate) fn lock_attached<'a, T>(py: Python<'_>, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
    mutex.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
}
