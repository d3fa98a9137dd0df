//! `bytea`: a memoryview, as psycopg2 returns.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::globals;

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

/// Decodes `digits` into `out`, which is half as long; false when a byte is not a digit.
fn decode_hex(digits: &[u8], out: &mut [u8]) -> bool {
    let mut valid = true;
    for (byte, digits) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = digits else { return false };
        valid &= is_hex(high) & is_hex(low);
        *byte = pair(u16::from_le_bytes([high, low]));
    }
    valid && digits.len() == out.len() * 2
}

/// The "escape" output format: `\\` and three octal digits, everything else as it is.
fn decode_escape(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len());
    let mut rest = data;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'\\', [b'\\', tail @ ..]) => {
                out.push(b'\\');
                tail
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                tail
            }
            (b'\\', _) => return None,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    Some(out)
}

pub(super) fn load<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let malformed =
        || -> PyResult<PyErr> { Ok(globals::get(py)?.exceptions.data(py, "can't parse bytea")) };
    let bytes = match data {
        [b'\\', b'x', digits @ ..] => {
            let mut valid = false;
            let bytes = PyBytes::new_with(py, digits.len() / 2, |out| {
                valid = decode_hex(digits, out);
                Ok(())
            })?;
            if !valid {
                return Err(malformed()?);
            }
            bytes
        }
        _ => match decode_escape(data) {
            Some(bytes) => PyBytes::new(py, &bytes),
            None => return Err(malformed()?),
        },
    };
    Ok(PyMemoryView::from(bytes.as_any())?.into_any())
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
    fn decodes_the_escape_format() {
        assert_eq!(decode_escape(b"a\\\\b\\001\\377").unwrap(), b"a\\b\x01\xff");
        assert!(decode_escape(b"\\9").is_none());
        assert!(decode_escape(b"\\").is_none());
    }
}
