//! Arrays: lists of lists.

use pyo3::ffi;
use pyo3::prelude::*;

use super::context::Context;
use crate::names;

/// As psycopg2; PostgreSQL itself allows six.
const MAX_DIMENSIONS: usize = 16;

/// Where a list under construction starts on the stack of values.
struct Level {
    base: usize,
}

/// `[2:3][0:1]={{…},{…}}`: the bounds are dropped, as in psycopg2.
fn without_bounds(data: &[u8]) -> &[u8] {
    match (data.first(), memchr_equals(data)) {
        (Some(b'['), Some(at)) => data.get(at + 1..).unwrap_or_default(),
        _ => data,
    }
}

fn memchr_equals(data: &[u8]) -> Option<usize> {
    data.iter()
        .position(|byte| matches!(byte, b'=' | b'{'))
        .filter(|at| data.get(*at) == Some(&b'='))
}

/// Takes the values above `base` off the stack as a list.
pub(super) fn pop_list<'py>(
    py: Python<'py>,
    stack: &mut Vec<Bound<'py, PyAny>>,
    base: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let count = stack.len().saturating_sub(base);
    let length = count.try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: a new list of `count` empty places, each of which is filled exactly once below with
    // an owned reference. Nothing below runs Python code, or comes to a point at which the thread
    // stops for others: so nobody, the garbage collector included, sees the list before it is full.
    unsafe {
        let list = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(length))?;
        for (index, value) in (0..).zip(stack.drain(base..)) {
            ffi::PyList_SET_ITEM(list.as_ptr(), index, value.into_ptr());
        }
        Ok(list)
    }
}

/// One quoted element after its opening quote: its end, and whether it holds a backslash.
fn quoted(data: &[u8]) -> Option<(usize, bool)> {
    let mut escaped = false;
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', data.get(at..)?)?;
        if data.get(at) == Some(&b'"') {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Drops the backslashes that `outline` shows in front of what they escape.
fn unescape(data: &[u8], outline: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut bytes = data.iter().zip(outline);
    while let Some((byte, seen)) = bytes.next() {
        let byte = match seen {
            b'\\' => bytes.next().map_or(byte, |(escaped, _)| escaped),
            _ => byte,
        };
        out.push(*byte);
    }
}

/// The length of an element without quotes, up to the next separator.
fn unquoted(data: &[u8]) -> usize {
    data.iter().position(|byte| matches!(byte, b',' | b'}' | b'{')).unwrap_or(data.len())
}

/// Converts an array, whose elements `element` converts.
pub(super) fn load<'py>(
    context: &mut Context<'_, 'py>,
    data: &[u8],
    element: impl FnMut(&mut Context<'_, 'py>, Option<&[u8]>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    // The stack leaves the context while elements (which may be arrays of their own, of another
    // typecaster) load, and comes back so that its memory serves the next value.
    let mut stack = std::mem::take(&mut context.stack);
    let base = stack.len();
    let loaded = scan(context, data, &mut stack, element);
    stack.truncate(base);
    context.stack = stack;
    loaded
}

fn scan<'py>(
    context: &mut Context<'_, 'py>,
    data: &[u8],
    stack: &mut Vec<Bound<'py, PyAny>>,
    mut element: impl FnMut(&mut Context<'_, 'py>, Option<&[u8]>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py;
    let data = without_bounds(data);
    // Braces, quotes and backslashes are looked for where no other character has such a byte.
    let outline = context.codec.characters().mask_multibyte(data);
    let token = |rest: &[u8], length: usize| {
        let start = data.len() - rest.len();
        data.get(start..start + length).unwrap_or_default()
    };
    let mut rest = &*outline;
    if rest.first() != Some(&b'{') {
        return Err(names::data_error(py, "array does not start with '{'"));
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut buffer = Vec::new();
    loop {
        let (first, tail) = match rest.split_first() {
            Some(split) => split,
            None => return Err(names::data_error(py, "malformed array: '{'")),
        };
        match first {
            b'{' => {
                if levels.len() > MAX_DIMENSIONS {
                    return Err(names::data_error(py, "excessive array dimensions"));
                }
                levels.push(Level { base: stack.len() });
                rest = tail;
            }
            b'}' => {
                let Some(level) = levels.pop() else {
                    return Err(names::data_error(py, "unbalanced braces in array"));
                };
                let list = pop_list(py, stack, level.base)?;
                if levels.is_empty() {
                    if !tail.is_empty() {
                        return Err(names::data_error(py, "unbalanced braces in array"));
                    }
                    return Ok(list);
                }
                stack.push(list);
                rest = tail;
            }
            b',' => rest = tail,
            b'"' => {
                let Some((end, escaped)) = quoted(tail) else {
                    return Err(names::data_error(py, "unterminated quotes in array"));
                };
                let found = token(tail, end);
                let value = if escaped {
                    unescape(found, tail, &mut buffer);
                    element(context, Some(&buffer))?
                } else {
                    element(context, Some(found))?
                };
                stack.push(value);
                rest = tail.get(end + 1..).unwrap_or_default();
            }
            _ => {
                let end = unquoted(rest);
                let found = token(rest, end);
                let value = if found.eq_ignore_ascii_case(b"null") {
                    element(context, None)?
                } else {
                    element(context, Some(found))?
                };
                stack.push(value);
                rest = rest.get(end..).unwrap_or_default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_bounds() {
        assert_eq!(without_bounds(b"[2:3]={1,2}"), b"{1,2}");
        assert_eq!(without_bounds(b"{1,2}"), b"{1,2}");
        assert_eq!(without_bounds(b"{\"=\"}"), b"{\"=\"}");
        assert_eq!(without_bounds(b"["), b"[");
    }

    #[test]
    fn finds_the_end_of_an_element() {
        assert_eq!(quoted(b"a\\\"b\",c"), Some((4, true)));
        assert_eq!(quoted(b"ab"), None);
        assert_eq!(quoted(b"ab\\"), None);
        assert_eq!(unquoted(b"ab,c"), 2);
        assert_eq!(unquoted(b"a"), 1);
        let mut out = Vec::new();
        unescape(b"a\\\\b\\\"", b"a\\\\b\\\"", &mut out);
        assert_eq!(out, b"a\\b\"");
        unescape(b"\x95\\\\\\", b"\x80\x80\\\\", &mut out);
        assert_eq!(out, b"\x95\\\\");
    }
}
