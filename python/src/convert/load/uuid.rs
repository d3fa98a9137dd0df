//! `uuid.UUID` without its constructor, which spends most of its time checking its own arguments.

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

/// `uuid.UUID` and what its constructor would set: both are slots, written through their
/// descriptors because `UUID.__setattr__` refuses.
struct Parts {
    class: Py<PyAny>,
    int: Py<PyAny>,
    is_safe: Py<PyAny>,
    unknown: Py<PyAny>,
}

static PARTS: PyOnceLock<Option<Parts>> = PyOnceLock::new();

fn parts(py: Python<'_>) -> PyResult<Option<&Parts>> {
    let parts = PARTS.get_or_try_init(py, || {
        let module = py.import("uuid")?;
        let class = module.getattr("UUID")?;
        let slots = class.getattr("__dict__")?;
        let (Ok(int), Ok(is_safe)) = (slots.get_item("int"), slots.get_item("is_safe")) else {
            // A Python whose UUID keeps its value elsewhere: use the constructor.
            return Ok::<_, PyErr>(None);
        };
        // SAFETY: both are valid objects; only the type's slot is read.
        let writable = |object: &Bound<'_, PyAny>| unsafe {
            (*ffi::Py_TYPE(object.as_ptr())).tp_descr_set.is_some()
        };
        if !writable(&int) || !writable(&is_safe) {
            return Ok(None);
        }
        let unknown = module.getattr("SafeUUID")?.getattr("unknown")?.unbind();
        Ok(Some(Parts {
            class: class.unbind(),
            int: int.unbind(),
            is_safe: is_safe.unbind(),
            unknown,
        }))
    })?;
    Ok(parts.as_ref())
}

/// The 128 bits of `8-4-4-4-12` hexadecimal digits, dashes where PostgreSQL prints them.
fn parse(data: &[u8]) -> Option<u128> {
    if data.len() != 36 {
        return None;
    }
    let mut value = 0u128;
    for (index, byte) in data.iter().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        value = (value << 4) | u128::from(digit);
    }
    Some(value)
}

/// Writes a slot through its descriptor.
///
/// # Safety
/// `descriptor` is a member descriptor of `object`'s class with `tp_descr_set`.
unsafe fn set_slot(
    descriptor: &Bound<'_, PyAny>,
    object: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: the caller vouches for the descriptor; all three objects are alive.
    let done = unsafe {
        match (*ffi::Py_TYPE(descriptor.as_ptr())).tp_descr_set {
            Some(set) => set(descriptor.as_ptr(), object.as_ptr(), value.as_ptr()),
            None => -1,
        }
    };
    if done == 0 { Ok(()) } else { Err(PyErr::fetch(object.py())) }
}

pub(super) fn load<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let (Some(value), Some(parts)) = (parse(data), parts(py)?) else {
        let text = std::str::from_utf8(data)
            .map_err(|_| PyValueError::new_err("expected a UUID, found bytes that are not text"))?;
        return py.import("uuid")?.getattr("UUID")?.call1((PyString::new(py, text),));
    };
    make(py, parts, value)
}

/// From the 16 bytes of the binary form.
pub(super) fn from_bits(py: Python<'_>, value: u128) -> PyResult<Bound<'_, PyAny>> {
    match parts(py)? {
        Some(parts) => make(py, parts, value),
        None => {
            let options = PyDict::new(py);
            options.set_item("int", value)?;
            py.import("uuid")?.getattr("UUID")?.call((), Some(&options))
        }
    }
}

fn make<'py>(py: Python<'py>, parts: &Parts, value: u128) -> PyResult<Bound<'py, PyAny>> {
    let value = value.into_pyobject(py)?;
    // SAFETY: `class` is the heap type uuid.UUID, whose instances are made by `object.__new__`
    // (it defines no `__new__`), that is, by this allocation; the descriptors belong to it. The
    // object is untracked, before another thread can come to it by way of the garbage collector,
    // because an int and an enum member cannot lead back to it.
    unsafe {
        let object = Bound::from_owned_ptr_or_err(
            py,
            ffi::PyType_GenericAlloc(parts.class.as_ptr().cast(), 0),
        )?;
        ffi::PyObject_GC_UnTrack(object.as_ptr().cast());
        set_slot(parts.int.bind(py), &object, value.as_any())?;
        set_slot(parts.is_safe.bind(py), &object, parts.unknown.bind(py))?;
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn parses_the_server_s_form_only() {
        assert_eq!(
            parse(b"00112233-4455-6677-8899-aAbBcCdDeEfF"),
            Some(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)
        );
        assert_eq!(parse(b"00112233445566778899aabbccddeeff"), None);
        assert_eq!(parse(b"00112233-4455-6677-8899_aabbccddeeff"), None);
        assert_eq!(parse(b"0011223g-4455-6677-8899-aabbccddeeff"), None);
    }
}
