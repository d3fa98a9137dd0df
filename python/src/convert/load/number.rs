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

/// The most digits of a number that a float holds exactly, and the powers of ten that it does as well.
const EXACT_DIGITS: usize = 15;
const POWERS: [f64; EXACT_DIGITS + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The number that is written as few digits, with a point among them or none: one exact number divided
/// by another, which is rounded once, as it must be.
fn plain(data: &[u8]) -> Option<f64> {
    let (negative, digits) = match data {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > EXACT_DIGITS {
        return None;
    }
    let (mut number, mut count, mut behind) = (0i64, 0, None);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = number * 10 + i64::from(digit);
            count += 1;
        } else if *byte == b'.' && behind.is_none() {
            behind = Some(count);
        } else {
            return None;
        }
    }
    if count == 0 {
        return None;
    }
    let value = number as f64 / POWERS.get(count - behind.unwrap_or(count))?;
    Some(if negative { -value } else { value })
}

/// `real`, `double precision`: digits, `NaN`, `Infinity`, `-Infinity`.
pub(super) fn float<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if let Some(value) = plain(data) {
        return Ok(PyFloat::new(py, value).into_any());
    }
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
    use super::{plain, small};

    #[test]
    fn plain_numbers_are_what_the_standard_library_makes_of_them() {
        let few =
            ["0", "-0", "1.5", "-1.5", "0.1", "100", "123456.789", "0.0000000000001", "1.", ".5"];
        let many = (0..20_000u64).map(|seed| {
            let digits =
                (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000_000_000_000).to_string();
            let (whole, fraction) =
                digits.split_at(usize::try_from(seed).unwrap() % (digits.len() + 1));
            format!("{}{whole}.{fraction}", if seed % 2 == 0 { "-" } else { "" })
        });
        for text in few.map(str::to_owned).into_iter().chain(many) {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(
                plain(text.as_bytes()).map(f64::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
        }
        for text in
            ["", "-", ".", "-.", "1e5", "NaN", "Infinity", " 1", "1.2.3", "+1", "1234567890123456"]
        {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }

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
