//! Structures of the interface in Python's capsules, both ways.

use std::ffi::CStr;

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;

use super::abi::{ARRAY_CAPSULE, ArrowArray, ArrowArrayStream, ArrowSchema, Release};
use super::abi::{SCHEMA_CAPSULE, STREAM_CAPSULE};

/// A structure with the name of its capsule.
pub(super) trait Named: Release {
    const NAME: &'static CStr;
}

impl Named for ArrowSchema {
    const NAME: &'static CStr = SCHEMA_CAPSULE;
}

impl Named for ArrowArray {
    const NAME: &'static CStr = ARRAY_CAPSULE;
}

impl Named for ArrowArrayStream {
    const NAME: &'static CStr = STREAM_CAPSULE;
}

/// A capsule that releases what is left in it when nobody took it.
pub(super) fn wrap<T: Named>(py: Python<'_>, content: T) -> PyResult<Bound<'_, PyAny>> {
    let content = Box::into_raw(Box::new(content));
    // SAFETY: the pointer is not NULL and lives until the destructor; the name is static. When no
    // capsule is made, the box is ours still.
    unsafe {
        let capsule = ffi::PyCapsule_New(content.cast(), T::NAME.as_ptr(), Some(destroy::<T>));
        Bound::from_owned_ptr_or_err(py, capsule).inspect_err(|_| {
            Box::from_raw(content).release();
        })
    }
}

/// # Safety
/// `capsule` was made by [`wrap`] for the same type.
unsafe extern "C" fn destroy<T: Named>(capsule: *mut ffi::PyObject) {
    // SAFETY: Python calls the destructor once; the pointer is the box that `wrap` put in, whose
    // content a consumer may have moved out, which emptied it.
    unsafe {
        let content = ffi::PyCapsule_GetPointer(capsule, T::NAME.as_ptr()).cast::<T>();
        if !content.is_null() {
            Box::from_raw(content).release();
        }
    }
}

/// A structure that came from outside; released when dropped.
pub(super) struct Taken<T: Release>(pub(super) T);

// SAFETY: the interface lets an owner move a structure to another thread, as long as one thread at a
// time uses it; `Taken` is the owner, and gives out references only for as long as it is borrowed.
unsafe impl<T: Release> Send for Taken<T> {}

impl<T: Release> Drop for Taken<T> {
    fn drop(&mut self) {
        // SAFETY: it is empty or was filled in by its producer, and nobody else owns it.
        unsafe { self.0.release() };
    }
}

/// Moves the structure out of a capsule.
///
/// # Errors
/// `ValueError` when it is no capsule of this name, or somebody took its content before.
pub(super) fn take<T: Named + Consumable>(capsule: &Bound<'_, PyAny>) -> PyResult<Taken<T>> {
    // SAFETY: the object is alive and the name NUL-terminated; the check does not fail.
    let fits = unsafe { ffi::PyCapsule_IsValid(capsule.as_ptr(), T::NAME.as_ptr()) == 1 };
    if !fits {
        return Err(PyValueError::new_err(format!(
            "expected a capsule named {}, found {}",
            T::NAME.to_string_lossy(),
            capsule.get_type().name()?
        )));
    }
    // SAFETY: a valid capsule of this name points to such a structure (the Arrow PyCapsule
    // interface). It is left empty, which is how the interface moves ownership. Of two threads that
    // are given the same capsule one finds it full: the critical section is the capsule's.
    let taken = with_critical_section(capsule, || unsafe {
        let content = ffi::PyCapsule_GetPointer(capsule.as_ptr(), T::NAME.as_ptr()).cast::<T>();
        Taken(std::mem::replace(&mut *content, T::empty()))
    });
    if taken.0.is_released() {
        return Err(PyValueError::new_err(format!(
            "expected an Arrow structure that nobody has used, found a released one in {}",
            T::NAME.to_string_lossy()
        )));
    }
    Ok(taken)
}

/// Structures that can be found released.
pub(super) trait Consumable {
    fn is_released(&self) -> bool;
}

impl Consumable for ArrowSchema {
    fn is_released(&self) -> bool {
        self.release.is_none()
    }
}

impl Consumable for ArrowArray {
    fn is_released(&self) -> bool {
        self.release.is_none()
    }
}

impl Consumable for ArrowArrayStream {
    fn is_released(&self) -> bool {
        self.release.is_none()
    }
}
