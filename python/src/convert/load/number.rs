//! int, float and Decimal from text.

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString, PyType};

use crate::names;

/// The digits that surely fit into an i64.
const SAFE_DIGITS: usize = 18;
/// psycopg2 refuses longer text as an integer (`int64 representation too long`).
const LONGEST_INT: usize = 23;

fn small(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > SAFE_DIGITS {
        return None;
    }
    digits.iter().try_fold(0i64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| sum * 10 + i64::from(digit))
    })
}

/// `smallint`, `integer`, `bigint`, `oid`.
#[inline]
pub(super) fn int<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let value = match data {
        [b'-', digits @ ..] => small(digits).map(|value| -value),
        digits => small(digits),
    };
    if let Some(value) = value {
        // SAFETY: the result is a new int or NULL with MemoryError set.
        return unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromLongLong(value)) };
    }
    if data.len() > LONGEST_INT {
        return Err(names::data_error(py, "int64 representation too long"));
    }
    py.get_type::<pyo3::types::PyInt>().call1((PyString::new(py, &String::from_utf8_lossy(data)),))
}

/// `real`, `double precision`: digits, `NaN`, `Infinity`, `-Infinity`.
pub(super) fn float<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let value = std::str::from_utf8(data).ok().and_then(|text| text.trim().parse::<f64>().ok());
    match value {
        Some(value) => Ok(PyFloat::new(py, value).into_any()),
        None => Err(PyValueError::new_err(format!(
            "could not convert string to float: '{}'",
            String::from_utf8_lossy(data)
        ))),
    }
}

/// `numeric`.
pub(super) fn decimal<'py>(
    decimal: &Bound<'py, PyType>,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let py = decimal.py();
    let length = data.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: `data` is `length` readable bytes, the argument is a valid object (checked by `?`),
    // and both calls return a new reference or NULL with an error set.
    unsafe {
        let text = Bound::from_owned_ptr_or_err(
            py,
            ffi::PyUnicode_DecodeUTF8(data.as_ptr().cast(), length, std::ptr::null()),
        )?;
        Bound::from_owned_ptr_or_err(py, ffi::PyObject_CallOneArg(decimal.as_ptr(), text.as_ptr()))
    }
}

#[cfg(test)]
mod tests {
    use super::small;

    #[test]
    fn parses_what_surely_fits() {
        assert_eq!(small(b"0"), Some(0));
        assert_eq!(small(b"999999999999999999"), Some(999_999_999_999_999_999));
        assert_eq!(small(b"1000000000000000000"), None);
        assert_eq!(small(b""), None);
        assert_eq!(small(b"1x"), None);
        assert_eq!(small(b"-1"), None);
    }
}
