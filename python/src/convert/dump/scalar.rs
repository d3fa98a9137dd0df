//! bool, int, float, Decimal.

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

use super::registered::Builtin;
use crate::convert::classes::{self, datetime_api};

/// The fast path of a value whose type is exactly a built-in one.
#[inline]
pub(super) fn builtin(value: &Bound<'_, PyAny>) -> Option<Builtin> {
    let class = value.get_type_ptr();
    if class == &raw mut ffi::PyLong_Type {
        return Some(Builtin::Int);
    }
    if class == &raw mut ffi::PyUnicode_Type {
        return Some(Builtin::Str);
    }
    if value.is_none() {
        return Some(Builtin::NoneType);
    }
    if class == &raw mut ffi::PyFloat_Type {
        return Some(Builtin::Float);
    }
    if class == &raw mut ffi::PyBool_Type {
        return Some(Builtin::Bool);
    }
    if class == &raw mut ffi::PyBytes_Type {
        return Some(Builtin::Bytes);
    }
    if class == &raw mut ffi::PyList_Type {
        return Some(Builtin::List);
    }
    if class == &raw mut ffi::PyTuple_Type {
        return Some(Builtin::Tuple);
    }
    if class == &raw mut ffi::PyByteArray_Type {
        return Some(Builtin::Bytearray);
    }
    if class == &raw mut ffi::PyMemoryView_Type {
        return Some(Builtin::Memoryview);
    }
    let py = value.py();
    let api = datetime_api(py).ok()?;
    if class == api.DateTimeType {
        Some(Builtin::Datetime)
    } else if class == api.DateType {
        Some(Builtin::Date)
    } else if class == api.TimeType {
        Some(Builtin::Time)
    } else if class == api.DeltaType {
        Some(Builtin::Timedelta)
    } else if classes::decimal(py).ok()?.as_type_ptr() == class {
        Some(Builtin::Decimal)
    } else {
        None
    }
}

pub(crate) fn boolean(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let text: &[u8] = if value.is_truthy()? { b"true" } else { b"false" };
    out.extend_from_slice(text);
    Ok(())
}

/// A number's text; a minus gets a space before it, so that `-%s` does not start a comment.
fn signed(text: &[u8], out: &mut Vec<u8>) {
    if text.first() == Some(&b'-') {
        out.push(b' ');
    }
    out.extend_from_slice(text);
}

/// An int, or what `int()` makes of a subclass, whose `str` may be anything (`IntEnum`).
pub(crate) fn int(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let exact;
    let value = if value.is_exact_instance_of::<PyInt>() {
        value
    } else {
        exact = value.py().get_type::<PyInt>().call1((value,))?;
        &exact
    };
    if let Ok(small) = value.extract::<i64>() {
        if small < 0 {
            out.extend_from_slice(b" -");
        }
        push_digits(small.unsigned_abs(), out);
        return Ok(());
    }
    signed(value.str()?.to_str()?.as_bytes(), out);
    Ok(())
}

/// A number in decimal digits: in place, where formatting would take some hundred instructions.
fn push_digits(mut number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

/// The literals of the smallest integers of two, four and eight bytes: those without their sign fit no
/// more.
pub(super) const SMALLEST: [&str; 3] = [" -32768", " -2147483648", " -9223372036854775808"];

/// As [`int`], the smallest of each type in parentheses.
pub(super) fn int_enclosed(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    let start = out.len();
    int(value, out)?;
    let literal = out.get(start..).unwrap_or_default();
    if SMALLEST.iter().any(|smallest| smallest.as_bytes() == literal) {
        out.insert(start, b'(');
        out.push(b')');
    }
    Ok(())
}

/// A float, or what `float()` makes of a subclass, whose `repr` may be anything (numpy's).
pub(crate) fn float(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if value.is_exact_instance_of::<PyBool>() {
        out.extend_from_slice(if value.is_truthy()? { b"True" } else { b"False" });
        return Ok(());
    }
    if value.is_instance_of::<PyInt>() {
        return int(value, out);
    }
    let number: f64 = value.extract()?;
    if number.is_nan() {
        out.extend_from_slice(b"'NaN'::float");
    } else if number.is_infinite() {
        let text: &[u8] = if number > 0.0 { b"'Infinity'::float" } else { b"'-Infinity'::float" };
        out.extend_from_slice(text);
    } else {
        // SAFETY: 'r' asks for repr's shortest digits; the result is NUL-terminated memory of
        // Python's, freed below, or NULL with MemoryError set.
        unsafe {
            let text = ffi::PyOS_double_to_string(
                number,
                b'r'.cast_signed(),
                0,
                ffi::Py_DTSF_ADD_DOT_0,
                std::ptr::null_mut(),
            );
            if text.is_null() {
                return Err(PyMemoryError::new_err("out of memory"));
            }
            signed(std::ffi::CStr::from_ptr(text).to_bytes(), out);
            ffi::PyMem_Free(text.cast());
        }
    }
    Ok(())
}

/// A Decimal, or what `Decimal()` makes of a subclass, whose `str` may be anything. The infinities are
/// NaN in psycopg2, from before PostgreSQL 14 had them; `infinite` keeps them.
pub(crate) fn decimal(value: &Bound<'_, PyAny>, infinite: bool, out: &mut Vec<u8>) -> PyResult<()> {
    let class = classes::decimal(value.py())?;
    let plain;
    let value = if !value.get_type().is(class) && value.is_instance(class)? {
        plain = class.call1((value,))?;
        &plain
    } else {
        value
    };
    if value.call_method0("is_finite")?.is_truthy()? {
        signed(value.str()?.to_str()?.as_bytes(), out);
    } else if !infinite || value.call_method0("is_nan")?.is_truthy()? {
        out.extend_from_slice(b"'NaN'::numeric");
    } else if value.call_method0("is_signed")?.is_truthy()? {
        out.extend_from_slice(b"'-Infinity'::numeric");
    } else {
        out.extend_from_slice(b"'Infinity'::numeric");
    }
    Ok(())
}

/// `str(value)`, for `AsIs`; NULL for None.
pub(crate) fn as_is(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if value.is_none() {
        out.extend_from_slice(b"NULL");
        return Ok(());
    }
    // Subclasses of str have a say, too.
    let text = value.str()?;
    out.extend_from_slice(text.to_str()?.as_bytes());
    Ok(())
}
