//! Client encodings: PostgreSQL's names, and Python's codecs for them.

use std::ffi::CString;

use kecoa_types::ClientEncoding;
use pyo3::exceptions::{PyLookupError, PyUnicodeEncodeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::utf8;
use crate::names::{self, Installed};

/// How text is encoded on one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Codec {
    /// UTF-8, and the answer where there is no connection.
    #[default]
    Utf8,
    /// Any other.
    Named {
        /// The name of Python's codec.
        codec: CString,
        /// How its bytes group into characters.
        characters: ClientEncoding,
    },
}

impl Codec {
    /// The codec for PostgreSQL's `name`, after [`clean_name`], or `OperationalError`.
    pub(crate) fn for_server_name(py: Python<'_>, name: &str) -> PyResult<Codec> {
        let found = ENCODINGS_BY_NAME.get(py)?.bind(py).get_item(name)?;
        let Some(found) = found else {
            return Err(names::operational_error(
                py,
                format!("no Python encoding for PostgreSQL encoding '{name}'"),
            ));
        };
        let codec: String = found.extract()?;
        // The name that the server knows decides: `encodings` is the program's to change.
        Ok(match (Codec::named(&codec)?, ClientEncoding::from_name(name)) {
            (found, ClientEncoding::Plain) | (found @ Codec::Utf8, _) => found,
            (Codec::Named { codec, .. }, characters) => Codec::Named { codec, characters },
        })
    }

    /// The same for an encoding that is in force already: text of one that Python has no codec for
    /// cannot be decoded, which is said where that is tried.
    pub(crate) fn in_force(py: Python<'_>, name: &str) -> Codec {
        Codec::for_server_name(py, name).unwrap_or_else(|_| {
            let shown = format!("PostgreSQL's {name}, which Python has no codec for");
            let codec = CString::new(shown).unwrap_or_default();
            Codec::Named { codec, characters: ClientEncoding::from_name(name) }
        })
    }

    /// The codec that Python calls `name`.
    pub(crate) fn named(name: &str) -> PyResult<Codec> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if plain == "utf8" {
            return Ok(Codec::Utf8);
        }
        let codec = CString::new(name)
            .map_err(|_| PyValueError::new_err("expected the name of a codec, found a NUL"))?;
        Ok(Codec::Named { codec, characters: ClientEncoding::from_name(name) })
    }

    /// How its bytes group into characters.
    pub(crate) fn characters(&self) -> ClientEncoding {
        match self {
            Codec::Utf8 => ClientEncoding::Plain,
            Codec::Named { characters, .. } => *characters,
        }
    }

    /// Python's name of the codec.
    pub(crate) fn python_name(&self) -> String {
        match self {
            Codec::Utf8 => "utf_8".to_owned(),
            Codec::Named { codec, .. } => codec.to_string_lossy().into_owned(),
        }
    }

    /// Text from the server's bytes; `UnicodeDecodeError` as Python raises it.
    #[inline]
    pub(crate) fn decode<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let Codec::Named { codec, characters } = self else { return utf8::decode(py, data) };
        let length = data.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
        // SAFETY: `data` is `length` readable bytes (a slice is never longer than isize::MAX), the
        // codec's name is NUL-terminated, and the result is a new reference or NULL with an error.
        let text = unsafe {
            let (data, codec) = (data.as_ptr().cast(), codec.as_ptr());
            let text = ffi::PyUnicode_Decode(data, length, codec, std::ptr::null());
            Bound::from_owned_ptr_or_err(py, text)?
        };
        if *characters == ClientEncoding::ShiftJis2004 {
            return ascii_again(text);
        }
        Ok(text)
    }

    /// Text that is shown to people: bytes that do not decode become U+FFFD.
    pub(crate) fn decode_lossy(&self, py: Python<'_>, data: &[u8]) -> String {
        if let Codec::Named { codec: name, .. } = self
            && let Ok(text) = PyBytes::new(py, data)
                .call_method1("decode", (name.to_string_lossy().as_ref(), "replace"))
            && let Ok(text) = text.extract::<String>()
        {
            return text;
        }
        String::from_utf8_lossy(data).into_owned()
    }

    /// Appends `text` encoded; `UnicodeEncodeError` as Python raises it.
    pub(crate) fn encode_into(
        &self,
        text: &Bound<'_, PyString>,
        out: &mut Vec<u8>,
    ) -> PyResult<()> {
        match self {
            Codec::Utf8 => out.extend_from_slice(text.to_str()?.as_bytes()),
            Codec::Named { .. } => out.extend_from_slice(self.encode(text)?.as_bytes()),
        }
        Ok(())
    }

    /// `text` encoded; `UnicodeEncodeError` as Python raises it.
    pub(crate) fn encode<'py>(&self, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
        match self {
            Codec::Utf8 => Ok(PyBytes::new(text.py(), text.to_str()?.as_bytes())),
            Codec::Named { codec: name, characters } => {
                if matches!(
                    characters,
                    ClientEncoding::ShiftJis | ClientEncoding::ShiftJis2004 | ClientEncoding::EucJp
                ) {
                    refuse_merged(text, name)?;
                }
                // SAFETY: `text` is a str, the name is NUL-terminated, and the result is a new
                // bytes object or NULL with an error.
                let bytes = unsafe {
                    Bound::from_owned_ptr_or_err(
                        text.py(),
                        ffi::PyUnicode_AsEncodedString(
                            text.as_ptr(),
                            name.as_ptr(),
                            std::ptr::null(),
                        ),
                    )
                };
                match bytes {
                    Ok(bytes) => Ok(bytes.cast_into::<PyBytes>()?),
                    // There is no such codec. ASCII is the same in all that a client may ask for, and
                    // takes the session back to one that there is.
                    Err(error) if error.is_instance_of::<PyLookupError>(text.py()) => {
                        match text.to_str() {
                            Ok(plain) if plain.is_ascii() => {
                                Ok(PyBytes::new(text.py(), plain.as_bytes()))
                            }
                            _ => Err(error),
                        }
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// What Python's codec reads where the server of `SHIFT_JIS_2004` writes a backslash and a tilde.
fn ascii_again(text: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    let found = text.cast::<PyString>()?.to_str()?;
    if !found.contains(['\u{a5}', '\u{203e}']) {
        return Ok(text);
    }
    let found = found.replace('\u{a5}', "\\").replace('\u{203e}', "~");
    Ok(PyString::new(text.py(), &found).into_any())
}

/// Some of Python's Japanese codecs write the yen sign as a backslash and the overline as a tilde:
/// the server would store another text than was given, so they are refused as what cannot be encoded.
fn refuse_merged(text: &Bound<'_, PyString>, codec: &CString) -> PyResult<()> {
    let found = text
        .to_str()?
        .chars()
        .enumerate()
        .find(|(_, found)| matches!(found, '\u{a5}' | '\u{203e}'));
    let Some((place, found)) = found else { return Ok(()) };
    let name = codec.to_string_lossy();
    let alone = PyString::new(text.py(), found.encode_utf8(&mut [0; 4]));
    let bytes = alone.call_method1("encode", (name.as_ref(),))?;
    if bytes.cast::<PyBytes>()?.as_bytes().first().is_some_and(|byte| *byte >= 0x80) {
        return Ok(());
    }
    let reason = "it would become another character, a backslash or a tilde";
    Err(PyUnicodeEncodeError::new_err((
        name.into_owned(),
        text.clone().unbind(),
        place,
        place + 1,
        reason,
    )))
}

/// PostgreSQL compares names of encodings by their letters and digits, without case.
pub(crate) fn clean_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// PostgreSQL's encodings (section "Character Set Support" of its manual, aliases included) and the
/// codecs that Python has for them.
const ENCODINGS: &[(&str, &str)] = &[
    ("ABC", "cp1258"),
    ("ALT", "cp866"),
    ("BIG5", "big5"),
    ("EUC_CN", "euccn"),
    ("EUC_JIS_2004", "euc_jis_2004"),
    ("EUC_JP", "euc_jp"),
    ("EUC_KR", "euc_kr"),
    ("GB18030", "gb18030"),
    ("GBK", "gbk"),
    ("ISO_8859_1", "iso8859_1"),
    ("ISO_8859_2", "iso8859_2"),
    ("ISO_8859_3", "iso8859_3"),
    ("ISO_8859_5", "iso8859_5"),
    ("ISO_8859_6", "iso8859_6"),
    ("ISO_8859_7", "iso8859_7"),
    ("ISO_8859_8", "iso8859_8"),
    ("ISO_8859_9", "iso8859_9"),
    ("ISO_8859_10", "iso8859_10"),
    ("ISO_8859_13", "iso8859_13"),
    ("ISO_8859_14", "iso8859_14"),
    ("ISO_8859_15", "iso8859_15"),
    ("ISO_8859_16", "iso8859_16"),
    ("JOHAB", "johab"),
    ("KOI8", "koi8_r"),
    ("KOI8R", "koi8_r"),
    ("KOI8U", "koi8_u"),
    ("LATIN1", "iso8859_1"),
    ("LATIN2", "iso8859_2"),
    ("LATIN3", "iso8859_3"),
    ("LATIN4", "iso8859_4"),
    ("LATIN5", "iso8859_9"),
    ("LATIN6", "iso8859_10"),
    ("LATIN7", "iso8859_13"),
    ("LATIN8", "iso8859_14"),
    ("LATIN9", "iso8859_15"),
    ("LATIN10", "iso8859_16"),
    ("Mskanji", "cp932"),
    ("ShiftJIS", "cp932"),
    ("SHIFT_JIS_2004", "shift_jis_2004"),
    ("SJIS", "cp932"),
    ("SQL_ASCII", "ascii"),
    ("TCVN", "cp1258"),
    ("TCVN5712", "cp1258"),
    ("UHC", "cp949"),
    ("UNICODE", "utf_8"),
    ("UTF8", "utf_8"),
    ("VSCII", "cp1258"),
    ("WIN", "cp1251"),
    ("WIN866", "cp866"),
    ("WIN874", "cp874"),
    ("WIN932", "cp932"),
    ("WIN936", "gbk"),
    ("WIN949", "cp949"),
    ("WIN950", "cp950"),
    ("WIN1250", "cp1250"),
    ("WIN1251", "cp1251"),
    ("WIN1252", "cp1252"),
    ("WIN1253", "cp1253"),
    ("WIN1254", "cp1254"),
    ("WIN1255", "cp1255"),
    ("WIN1256", "cp1256"),
    ("WIN1257", "cp1257"),
    ("WIN1258", "cp1258"),
    ("Windows932", "cp932"),
    ("Windows936", "gbk"),
    ("Windows949", "cp949"),
    ("Windows950", "cp950"),
];

/// PostgreSQL's name of an encoding -> Python's; live, as `extensions.encodings`.
static ENCODINGS_BY_NAME: Installed<Py<PyDict>> = Installed::new();

/// Makes `extensions.encodings`: every name, and its cleaned form where that differs.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let dict = PyDict::new(py);
    for (server, python) in ENCODINGS {
        dict.set_item(server, python)?;
    }
    for (server, python) in ENCODINGS {
        let clean = clean_name(server);
        if !dict.contains(&clean)? {
            dict.set_item(clean, python)?;
        }
    }
    module.add("encodings", &dict)?;
    ENCODINGS_BY_NAME.set(py, dict.unbind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        assert_eq!(clean_name("utf-8"), "UTF8");
        assert_eq!(clean_name("EUC_JIS_2004"), "EUCJIS2004");
        assert_eq!(clean_name(""), "");
    }

    #[test]
    fn knows_utf8_by_any_of_its_names() {
        for name in ["utf_8", "UTF-8", "utf8"] {
            assert_eq!(Codec::named(name).unwrap(), Codec::Utf8);
        }
        assert_eq!(Codec::named("koi8_r").unwrap().python_name(), "koi8_r");
    }
}
