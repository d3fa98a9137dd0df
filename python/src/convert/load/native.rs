//! From text, by the driver's own conversions.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes};

use super::context::Context;
use super::kind::Kind;
use super::{bytea, datetime, json, number, uuid};
use crate::names;

/// Converts one value that is not NULL.
pub(super) fn load<'py>(
    context: &mut Context<'_, 'py>,
    kind: Kind,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    match kind {
        Kind::Int => number::int(py, data),
        Kind::Float => number::float(py, data),
        Kind::Decimal => number::decimal(context.decimal, data),
        Kind::Text => context.codec.decode(py, data),
        Kind::Bytes => Ok(PyBytes::new(py, data).into_any()),
        Kind::Bool => match data.first() {
            Some(b't' | b'T') => Ok(PyBool::new(py, true).to_owned().into_any()),
            Some(b'f' | b'F') => Ok(PyBool::new(py, false).to_owned().into_any()),
            _ => Err(names::interface_error(
                py,
                format!("can't parse boolean: '{}'", String::from_utf8_lossy(data)),
            )),
        },
        Kind::Date => datetime::date(py, data),
        Kind::Time => datetime::time(context, data),
        Kind::Timestamp => datetime::timestamp(context, data, false),
        Kind::TimestampTz => datetime::timestamp(context, data, true),
        Kind::Interval => datetime::interval(py, data),
        Kind::Bytea => bytea::load(py, data),
        Kind::Json => json::load(py, &context.codec, data),
        Kind::Uuid => uuid::load(py, data),
    }
}
