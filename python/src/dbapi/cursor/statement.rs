//! The text of a statement, with its arguments merged in.

use std::borrow::Cow;
use std::ops::Range;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::Cursor;
use crate::convert::codec::Codec;
use crate::convert::dump::{Dumper, LiteralOptions, Settings};
use crate::convert::interpolate;
use crate::convert::parameters::Binding;
use crate::dbapi::connection::Connection;
use crate::errors::error;
use crate::names;

/// The statement's text in the connection's encoding: from a str, bytes, or what `as_string`
/// composes.
pub(crate) fn statement<'a, 'py>(
    query: &'a Bound<'py, PyAny>,
    settings: &Settings,
    scope: &Bound<'py, PyAny>,
) -> PyResult<Cow<'a, [u8]>> {
    let py = query.py();
    let text = if let Ok(text) = query.cast::<PyString>() {
        if *settings.codec == Codec::Utf8 {
            Cow::Borrowed(text.to_str()?.as_bytes())
        } else {
            Cow::Owned(settings.codec.encode(text)?.as_bytes().to_vec())
        }
    } else if let Ok(bytes) = query.cast::<PyBytes>() {
        Cow::Borrowed(bytes.as_bytes())
    } else if !query.is_none()
        && let Some(compose) = query.getattr_opt(names::text(py, "as_string"))?
    {
        let composed = compose.call1((scope,))?;
        let mut out = Vec::new();
        settings.codec.encode_into(composed.cast::<PyString>()?, &mut out)?;
        Cow::Owned(out)
    } else if !query.is_truthy()? {
        Cow::Borrowed(&[][..])
    } else {
        return Err(PyTypeError::new_err(format!(
            "argument 1 must be a string or unicode object: got {} instead",
            query.get_type().name()?
        )));
    };
    if text.is_empty() {
        let error = names::programming_error(py, "can't execute an empty query");
        return Err(error::with_cursor(py, error, scope));
    }
    Ok(text)
}

/// The statement with its arguments merged in.
pub(crate) fn merged<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    query: &Bound<'py, PyAny>,
    vars: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<u8>> {
    let settings = connection.get().settings();
    let sql = statement(query, &settings, slf.as_any())?;
    merge(slf, connection, &settings, sql, vars)
}

/// The same of a statement's text.
pub(super) fn merge<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    settings: &Settings,
    sql: Cow<'_, [u8]>,
    vars: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<u8>> {
    let Some(vars) = vars.filter(|vars| !vars.is_none()) else { return Ok(sql.into_owned()) };
    let mut out = Vec::new();
    let mut dumper = Dumper::new(slf.py(), settings, Some(connection.as_any()));
    dumper.options = LiteralOptions::of(connection.get().binding(), &sql);
    interpolate::merge(&mut dumper, &sql, vars, &mut out)
        .map_err(|error| error::with_cursor(slf.py(), error, slf.as_any()))?;
    Ok(out)
}

/// A statement's text, and where its literals are.
#[derive(Default)]
pub(super) struct MarkedText {
    pub(super) text: Vec<u8>,
    marks: Vec<Range<usize>>,
}

impl MarkedText {
    /// The literals, in order.
    pub(super) fn literals(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.marks.iter().filter_map(|mark| self.text.get(mark.clone()))
    }

    /// Makes it what it is to be where the literals stay in the text, by the options of its statement.
    pub(super) fn settle(&mut self, options: LiteralOptions) {
        options.enclose_smallest(&self.marks, &mut self.text);
    }
}

/// Writes a statement with its arguments merged in, whose literals may travel beside it instead; those
/// that have to stay are yet to be [settled](MarkedText::settle).
pub(super) fn merge_marked<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    settings: &Settings,
    binding: Binding,
    sql: &[u8],
    vars: &Bound<'py, PyAny>,
    out: &mut MarkedText,
) -> PyResult<()> {
    let mut dumper = Dumper::new(slf.py(), settings, Some(connection.as_any()));
    dumper.options = LiteralOptions::beside(binding);
    merge_marked_by(slf, &mut dumper, sql, vars, out)
}

/// The same by a dumper that has written others' arguments before.
pub(super) fn merge_marked_by<'py>(
    slf: &Bound<'py, Cursor>,
    dumper: &mut Dumper<'_, 'py>,
    sql: &[u8],
    vars: &Bound<'py, PyAny>,
    out: &mut MarkedText,
) -> PyResult<()> {
    let MarkedText { text, marks } = out;
    text.clear();
    marks.clear();
    interpolate::merge_marked(dumper, sql, vars, text, &mut |mark| marks.push(mark))
        .map_err(|error| error::with_cursor(slf.py(), error, slf.as_any()))
}
