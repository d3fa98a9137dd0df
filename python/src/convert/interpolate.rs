//! Merging arguments into a statement, with psycopg2's rules and errors.

use std::ops::Range;

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::convert::dump::Dumper;
use crate::names;

/// `%s` or `%(name)s`: a statement may not hold both.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Positional,
    Named,
}

/// Errors that psycopg2 finds only when it merges, after every argument was adapted: the first one
/// waits until no other error can come first.
struct Deferred(Option<PyErr>);

impl Deferred {
    fn set(&mut self, make: impl FnOnce() -> PyErr) {
        if self.0.is_none() {
            self.0 = Some(make());
        }
    }
}

/// Appends `sql` with its placeholders replaced by the literals of `args`, a sequence or mapping.
/// `%%` becomes `%`.
pub(crate) fn merge<'py>(
    dumper: &mut Dumper<'_, 'py>,
    sql: &[u8],
    args: &Bound<'py, PyAny>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    merge_marked(dumper, sql, args, out, &mut |_| {})
}

/// The same, and says where in `out` each literal is.
pub(crate) fn merge_marked<'py>(
    dumper: &mut Dumper<'_, 'py>,
    sql: &[u8],
    args: &Bound<'py, PyAny>,
    out: &mut Vec<u8>,
    mark: &mut dyn FnMut(Range<usize>),
) -> PyResult<()> {
    let py = dumper.py;
    let mut style = None;
    let mut index = 0usize;
    let mut deferred = Deferred(None);
    let mut named: Vec<(&[u8], Range<usize>)> = Vec::new();
    let mut rest = sql;
    out.reserve(sql.len() + 64);
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let (conversion, tail) = match after.split_first() {
            Some((b'%', tail)) => {
                out.push(b'%');
                rest = tail;
                continue;
            }
            Some((b'(', key)) => {
                if style == Some(Style::Positional) {
                    return Err(mixed(py));
                }
                style = Some(Style::Named);
                let end = key.iter().position(|byte| matches!(byte, b')' | b'%'));
                let Some(end) = end.filter(|end| key.get(*end) == Some(&b')')) else {
                    return Err(names::programming_error(
                        py,
                        "incomplete placeholder: '%(' without ')'",
                    ));
                };
                let (key, tail) = (key.get(..end).unwrap_or_default(), key.get(end + 1..));
                if key.contains(&b'(') {
                    deferred.set(|| PyValueError::new_err("incomplete format key"));
                }
                let begin = out.len();
                push_named(dumper, args, key, &mut named, out)?;
                mark(begin..out.len());
                let tail = tail.unwrap_or_default();
                (tail.first().copied(), tail.get(1..).unwrap_or_default())
            }
            other => {
                if style == Some(Style::Named) {
                    return Err(mixed(py));
                }
                style = Some(Style::Positional);
                let value = item(args, index, sql)?;
                index += 1;
                let begin = out.len();
                dumper.dump(&value, out)?;
                mark(begin..out.len());
                (other.map(|(byte, _)| *byte), after.get(1..).unwrap_or_default())
            }
        };
        match conversion {
            Some(b's') => {}
            None => deferred.set(|| PyValueError::new_err("incomplete format")),
            Some(other) => deferred.set(|| {
                let position = sql.len() - tail.len() - 1;
                PyValueError::new_err(format!(
                    "unsupported format character '{}' (0x{other:x}) at index {position}",
                    char::from(other)
                ))
            }),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
    if let Some(error) = deferred.0 {
        return Err(error);
    }
    if style == Some(Style::Positional) && index < args.len()? {
        return Err(PyTypeError::new_err(format!(
            "not all arguments converted during string formatting: {}",
            numbers(index, args.len()?)
        )));
    }
    Ok(())
}

fn mixed(py: Python<'_>) -> PyErr {
    names::programming_error(py, "argument formats can't be mixed")
}

/// What to do where a percent sign was taken for a placeholder, as in `LIKE 'a%'`.
const PERCENT: &str = "with values, a percent sign in the statement is written %%";

/// How many placeholders and values there are, in words.
fn numbers(placeholders: usize, values: usize) -> String {
    format!(
        "found the statement to have {placeholders} placeholder{}, and {values} value{} for {}",
        if placeholders == 1 { "" } else { "s" },
        if values == 1 { "" } else { "s" },
        if placeholders == 1 { "it" } else { "them" },
    )
}

/// How many placeholders a statement has, and whether all of them are `%s`.
fn placeholders(sql: &[u8]) -> (usize, bool) {
    let (mut count, mut plain) = (0, true);
    let mut rest = sql;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let after = rest.get(at + 1..).unwrap_or_default();
        if after.first() != Some(&b'%') {
            count += 1;
            plain &= after.first() == Some(&b's');
        }
        rest = after.get(1..).unwrap_or_default();
    }
    (count, plain)
}

/// `args[index]` of a sequence; IndexError and TypeError begin as Python words them.
#[inline]
fn item<'py>(args: &Bound<'py, PyAny>, index: usize, sql: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let short = |kind: &str, length| {
        let (count, plain) = placeholders(sql);
        let numbers = numbers(count, length);
        let also = if plain { String::new() } else { format!("; {PERCENT}") };
        Err(PyIndexError::new_err(format!("{kind} index out of range: {numbers}{also}")))
    };
    if let Ok(tuple) = args.cast_exact::<PyTuple>() {
        return match tuple.len() {
            length if index < length => tuple.get_item(index),
            length => short("tuple", length),
        };
    } else if let Ok(list) = args.cast_exact::<PyList>() {
        return match list.len() {
            length if index < length => list.get_item(index),
            length => short("list", length),
        };
    }
    let index = index.try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: `args` is a valid object; the result is a new reference or NULL with an error set.
    unsafe {
        Bound::from_owned_ptr_or_err(args.py(), ffi::PySequence_GetItem(args.as_ptr(), index))
    }
}

/// The literal of `args[key]`; a key that comes again is not adapted again.
fn push_named<'py, 'sql>(
    dumper: &mut Dumper<'_, 'py>,
    args: &Bound<'py, PyAny>,
    key: &'sql [u8],
    named: &mut Vec<(&'sql [u8], Range<usize>)>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    // The value is fetched each time, as psycopg2 does: a mapping may care.
    let name = PyString::from_bytes(dumper.py, key)?;
    let value = args.get_item(name)?;
    if let Some((_, range)) = named.iter().find(|(known, _)| *known == key) {
        out.extend_from_within(range.clone());
        return Ok(());
    }
    let begin = out.len();
    dumper.dump(&value, out)?;
    named.push((key, begin..out.len()));
    Ok(())
}
