//! Locks. A lock is held for moments, never across a call into Python, and what it guarded is
//! dropped when it is free again, because dropping an object may run Python code.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The guarded value. A thread that panicked with it has left it whole: nothing here is changed in
/// steps that a panic can come between.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
