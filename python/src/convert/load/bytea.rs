//! `bytea`: a memoryview, as psycopg2 returns.

use std::ffi::{c_char, c_int};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;

use crate::names;

/// The value of two hexadecimal digits in a u16 read little-endian, without a branch.
#[inline]
fn pair(digits: u16) -> u8 {
    let nibbles = (digits & 0x0f0f) + 9 * ((digits >> 6) & 0x0101);
    let [high, low] = nibbles.to_le_bytes();
    (high << 4) | low
}

#[inline]
fn is_hex(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10 || (byte | 0x20).wrapping_sub(b'a') < 6
}

/// Decodes into `out`, half as long as `digits`; false when a byte is not a digit. Loops without
/// branches over a block of known size are what the compiler turns into vector instructions.
#[inline]
fn decode_block(digits: &[u8], out: &mut [u8]) -> bool {
    for (byte, digits) in out.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = pair(u16::from_le_bytes(*digits));
    }
    digits.iter().fold(0, |bad, byte| bad | u8::from(!is_hex(*byte))) == 0
}

/// Decodes `digits` into `out`; false when they are not twice as many, or not digits.
fn decode_hex(digits: &[u8], out: &mut [u8]) -> bool {
    if digits.len() != out.len() * 2 {
        return false;
    }
    let (blocks, rest) = digits.as_chunks::<64>();
    let (places, rest_of_out) = out.as_chunks_mut::<32>();
    for (place, block) in places.iter_mut().zip(blocks) {
        if !decode_block(block.as_slice(), place.as_mut_slice()) {
            return false;
        }
    }
    decode_block(rest, rest_of_out)
}

/// The "escape" output format: `\\` and three octal digits, everything else as it is. As in
/// psycopg2, a backslash before anything else is dropped.
fn decode_escape(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                tail
            }
            (b'\\', [other, tail @ ..]) => {
                out.push(*other);
                tail
            }
            (b'\\', []) => tail,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    out
}

/// The bytes behind a memoryview. Its elements are bytes of length one, as psycopg2's are, and not
/// ints: the buffer's format is `c`.
#[pyclass(frozen, name = "chunk", module = "kecoa._kecoa")]
struct Chunk {
    data: Box<[u8]>,
}

#[pymethods]
impl Chunk {
    /// The buffer protocol.
    ///
    /// # Safety
    /// `view` is what the interpreter passes: a buffer to fill in.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let data = &slf.get().data;
        let length = data.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
        // SAFETY: the object is frozen, so that the bytes stay where they are for as long as the
        // view holds the reference that FillInfo takes; read-only views only; the format is static.
        unsafe {
            let filled = ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                data.as_ptr().cast_mut().cast(),
                length,
                1,
                flags,
            );
            if filled != 0 {
                return Err(PyErr::fetch(slf.py()));
            }
            (*view).format = c"c".as_ptr().cast_mut();
        }
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<memory chunk size {}>", self.data.len())
    }
}

fn decode(data: &[u8]) -> Option<Vec<u8>> {
    match data {
        [b'\\', b'x', digits @ ..] => {
            let mut out = vec![0; digits.len() / 2];
            decode_hex(digits, &mut out).then_some(out)
        }
        _ => Some(decode_escape(data)),
    }
}

pub(crate) fn load<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let Some(bytes) = decode(data) else {
        return Err(names::data_error(py, "can't parse bytea"));
    };
    view(py, bytes.into())
}

/// A memoryview of these bytes.
pub(super) fn view(py: Python<'_>, data: Box<[u8]>) -> PyResult<Bound<'_, PyAny>> {
    let chunk = Bound::new(py, Chunk { data })?;
    Ok(PyMemoryView::from(chunk.as_any())?.into_any())
}

/// psycopg2's C module exports its parser of bytea under this name, and its tests call it through
/// ctypes: `PyObject *typecast_BINARY_cast(const char *s, Py_ssize_t len, PyObject *cursor)`.
///
/// # Safety
/// The thread is attached to the interpreter; `text` is null or `length` readable bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn typecast_BINARY_cast(
    text: *const c_char,
    length: ffi::Py_ssize_t,
    _cursor: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller is attached and vouches for the bytes; a new reference is returned, or
    // null with an error set.
    unsafe {
        let py = Python::assume_attached();
        if text.is_null() {
            return py.None().into_ptr();
        }
        let length = usize::try_from(length).unwrap_or(0);
        match load(py, std::slice::from_raw_parts(text.cast(), length)) {
            Ok(value) => value.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_every_byte_in_either_case() {
        for byte in 0..=255u8 {
            for text in [format!("{byte:02x}"), format!("{byte:02X}")] {
                let mut out = [0];
                assert!(decode_hex(text.as_bytes(), &mut out));
                assert_eq!(out, [byte]);
            }
        }
    }

    #[test]
    fn refuses_what_is_not_hexadecimal() {
        for text in ["0g", "/0", ":0", "0", "@0", "`0", "G0"] {
            let mut out = vec![0; text.len() / 2];
            assert!(!decode_hex(text.as_bytes(), &mut out), "{text}");
        }
    }

    #[test]
    fn decodes_blocks_and_what_is_left() {
        for length in [0, 1, 31, 32, 33, 64, 100] {
            let bytes: Vec<u8> = (0..=255u8).cycle().take(length).collect();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut out = vec![0; length];
            assert!(decode_hex(text.as_bytes(), &mut out));
            assert_eq!(out, bytes);
            for at in 0..text.len() {
                let mut broken = text.clone().into_bytes();
                broken[at] = b'g';
                assert!(!decode_hex(&broken, &mut out), "{at} of {length}");
            }
        }
    }

    #[test]
    fn decodes_the_escape_format() {
        assert_eq!(decode_escape(b"a\\\\b\\001\\377"), b"a\\b\x01\xff");
        assert_eq!(decode_escape(b"\\9\\"), b"9");
    }
}
