//! str and bytes.

use std::borrow::Cow;

use kecoa_types::ClientEncoding;
use memchr::memchr_iter;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBytes, PyString};

use super::settings::Settings;
use crate::convert::codec::Codec;

/// `'…'` with quotes doubled; with `standard_conforming_strings` off also backslashes, and `E` in
/// front where a connection says so. `data` is in the settings' encoding; what is no character of
/// it becomes what no server takes, so that the quote behind it stays a quote.
pub(super) fn escape(data: &[u8], settings: &Settings, out: &mut Vec<u8>) -> PyResult<()> {
    let characters = settings.codec.characters();
    escape_in(characters, &characters.replace_invalid(data), settings, out)
}

/// The same of text in UTF-8 that is yet to be encoded.
pub(super) fn escape_str(text: &str, settings: &Settings, out: &mut Vec<u8>) -> PyResult<()> {
    escape_in(ClientEncoding::Plain, text.as_bytes(), settings, out)
}

fn escape_in(
    characters: ClientEncoding,
    data: &[u8],
    settings: &Settings,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if memchr::memchr(0, data).is_some() {
        return Err(PyValueError::new_err(
            "A string literal cannot contain NUL (0x00) characters.",
        ));
    }
    if settings.standard_strings {
        out.push(b'\'');
        let mut start = 0;
        for at in memchr_iter(b'\'', data) {
            out.extend_from_slice(data.get(start..=at).unwrap_or_default());
            start = at;
        }
        out.extend_from_slice(data.get(start..).unwrap_or_default());
    } else {
        if settings.connected {
            out.push(b'E');
        }
        out.push(b'\'');
        // A byte of a longer character may look like a backslash.
        for (byte, seen) in data.iter().zip(characters.mask_multibyte(data).iter()) {
            if matches!(seen, b'\'' | b'\\') {
                out.push(*byte);
            }
            out.push(*byte);
        }
    }
    out.push(b'\'');
    Ok(())
}

/// What libpq makes of bytes that are no UTF-8: for each of them two that no server takes, so that the
/// quote behind them stays a quote.
fn replace_invalid(data: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(data).is_ok() {
        return Cow::Borrowed(data);
    }
    let mut out = Vec::with_capacity(data.len() + 8);
    for chunk in data.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\xc0 ");
        }
    }
    Cow::Owned(out)
}

/// A str, or bytes that are text already.
pub(crate) fn text(
    value: &Bound<'_, PyAny>,
    settings: &Settings,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        if *settings.codec == Codec::Utf8 {
            return escape(text.to_str()?.as_bytes(), settings, out);
        }
        return escape(settings.codec.encode(text)?.as_bytes(), settings, out);
    }
    match value.cast::<PyBytes>() {
        Ok(bytes) if settings.connected && *settings.codec == Codec::Utf8 => {
            escape(&replace_invalid(bytes.as_bytes()), settings, out)
        }
        Ok(bytes) => escape(bytes.as_bytes(), settings, out),
        Err(_) => Err(PyTypeError::new_err("can't quote non-string object")),
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex(data: &[u8], out: &mut Vec<u8>) {
    out.reserve(data.len() * 2);
    out.extend(data.iter().flat_map(|byte| {
        [byte >> 4, byte & 15].map(|nibble| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'))
    }));
}

/// The old escape format, which libpq writes where it knows no server.
fn octal(data: &[u8], backslash: &[u8], out: &mut Vec<u8>) {
    for byte in data {
        match byte {
            b'\'' => out.extend_from_slice(b"''"),
            b'\\' => {
                out.extend_from_slice(backslash);
                out.extend_from_slice(backslash);
            }
            0x20..=0x7e => out.push(*byte),
            _ => {
                out.extend_from_slice(backslash);
                out.extend([byte >> 6, (byte >> 3) & 7, byte & 7].map(|digit| b'0' + digit));
            }
        }
    }
}

fn escape_binary(data: &[u8], settings: &Settings, out: &mut Vec<u8>) {
    if data.is_empty() && !settings.connected {
        out.extend_from_slice(b"''::bytea");
        return;
    }
    let backslash: &[u8] = if settings.standard_strings { b"\\" } else { b"\\\\" };
    if settings.connected && !settings.standard_strings {
        out.push(b'E');
    }
    out.push(b'\'');
    if settings.connected {
        out.extend_from_slice(backslash);
        out.push(b'x');
        hex(data, out);
    } else {
        octal(data, backslash, out);
    }
    out.extend_from_slice(b"'::bytea");
}

/// Anything with the buffer protocol; None is NULL, so that `Binary(None)` works.
pub(crate) fn binary(
    value: &Bound<'_, PyAny>,
    settings: &Settings,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if value.is_none() {
        out.extend_from_slice(b"NULL");
        return Ok(());
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        escape_binary(bytes.as_bytes(), settings, out);
        return Ok(());
    }
    escape_binary(copied(value)?.as_bytes(), settings, out);
    Ok(())
}

/// The bytes of an object with the buffer protocol as they are now: another thread may write to
/// those of a bytearray or an array at any time.
fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let py = value.py();
    // SAFETY: the type's slot says whether the protocol is there. The view is released below, on the
    // one way out, and until then it describes `len` readable, contiguous bytes, which its exporter
    // neither frees nor moves. They are read by the interpreter alone, as `bytes(value)` reads them; no
    // reference of ours points to what another thread may write to. The critical section keeps out
    // those that lock the object, where there is no lock of the interpreter's to do so.
    with_critical_section(value, || unsafe {
        if ffi::PyObject_CheckBuffer(value.as_ptr()) == 0 {
            return Err(PyTypeError::new_err(format!(
                "can't escape {} to binary",
                value.get_type().name()?
            )));
        }
        let mut view = std::mem::zeroed::<ffi::Py_buffer>();
        if ffi::PyObject_GetBuffer(value.as_ptr(), &raw mut view, ffi::PyBUF_CONTIG_RO) != 0 {
            return Err(PyErr::fetch(py));
        }
        let bytes = ffi::PyBytes_FromStringAndSize(view.buf.cast(), view.len);
        let bytes = Bound::from_owned_ptr_or_err(py, bytes);
        ffi::PyBuffer_Release(&raw mut view);
        Ok(bytes?.cast_into_unchecked::<PyBytes>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(standard_strings: bool, connected: bool) -> Settings {
        Settings { codec: std::sync::Arc::default(), standard_strings, connected }
    }

    fn escaped(text: &[u8], settings: &Settings) -> Vec<u8> {
        let mut out = Vec::new();
        escape(text, settings, &mut out).unwrap();
        out
    }

    #[test]
    fn doubles_what_must_be_doubled() {
        assert_eq!(escaped(b"it's \\", &settings(true, true)), b"'it''s \\'");
        assert_eq!(escaped(b"''", &settings(true, true)), b"''''''");
        assert_eq!(escaped(b"it's \\", &settings(false, true)), b"E'it''s \\\\'");
        assert_eq!(escaped(b"\\", &settings(false, false)), b"'\\\\'");
    }

    #[test]
    fn goes_by_characters() {
        let mut settings = settings(false, true);
        settings.codec = std::sync::Arc::new(Codec::named("cp932").unwrap());
        assert_eq!(escaped(b"\x95\\'\\", &settings), b"E'\x95\\''\\\\'");
        assert_eq!(escaped(b"\x95'", &settings), b"E'\x8d '''");
        settings.standard_strings = true;
        assert_eq!(escaped(b"\x95'", &settings), b"'\x8d '''");
    }

    #[test]
    fn writes_bytea() {
        let binary = |data: &[u8], settings: &Settings| {
            let mut out = Vec::new();
            escape_binary(data, settings, &mut out);
            out
        };
        assert_eq!(binary(b"\x00\xff", &settings(true, true)), b"'\\x00ff'::bytea");
        assert_eq!(binary(b"\x01", &settings(false, true)), b"E'\\\\x01'::bytea");
        assert_eq!(binary(b"a\x01'\\", &settings(true, false)), b"'a\\001''\\\\'::bytea");
        assert_eq!(binary(b"\xff", &settings(false, false)), b"'\\\\377'::bytea");
        assert_eq!(binary(b"", &settings(true, true)), b"'\\x'::bytea");
        assert_eq!(binary(b"", &settings(true, false)), b"''::bytea");
    }
}
