//! `json` and `jsonb`, as `json.loads` would.

use jiter::{FloatMode, PartialMode, PythonParse, StringCacheMode};
use pyo3::prelude::*;

use crate::convert::codec::Codec;

pub(super) fn load<'py>(
    py: Python<'py>,
    codec: &Codec,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    if *codec == Codec::Utf8 {
        let parse = PythonParse {
            allow_inf_nan: true,
            cache_mode: StringCacheMode::Keys,
            partial_mode: PartialMode::Off,
            catch_duplicate_keys: false,
            float_mode: FloatMode::Float,
        };
        if let Ok(value) = parse.python_parse(py, data) {
            return Ok(value);
        }
    }
    // Other encodings, lone surrogates, deep nesting and all errors are Python's own to settle.
    let text = codec.decode(py, data)?;
    py.import("json")?.getattr("loads")?.call1((text,))
}
