//! What a statement answered: its result stored, or its error raised.

use std::sync::Arc;

use kecoa::ResultSet;
use kecoa::retry::is_commit;
use kecoa_proto::CommandTag;
use pyo3::prelude::*;

use super::copy::direction;
use super::rows::Place;
use super::{Cursor, Mode};
use crate::convert::layout::Layout;
use crate::dbapi::connection::Connection;
use crate::errors::error::{self, ErrorContext};
use crate::names;
use crate::sync::lock;

/// `INSERT oid n` of servers that still had oids.
fn inserted_oid(tag: &[u8]) -> u32 {
    let Some(words) = tag.strip_prefix(b"INSERT ") else { return 0 };
    words
        .split(|byte| *byte == b' ')
        .next()
        .and_then(|word| std::str::from_utf8(word).ok())
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

impl Cursor {
    /// The exception for an error of the client's in what this cursor does.
    pub(crate) fn exception(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        statement: Option<&[u8]>,
        commit: bool,
        error: &kecoa::Error,
    ) -> PyErr {
        let codec = connection.get().codec();
        let cursor = Some(slf.as_any());
        let context = ErrorContext { statement, codec: &codec, cursor, commit };
        error::exception(slf.py(), error, &context)
    }

    /// Takes what an asynchronous statement of this cursor answered.
    pub(crate) fn take_answer(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        answer: Result<Vec<ResultSet>, kecoa::Error>,
    ) -> PyResult<()> {
        let sql = lock(&slf.get().inner).query.clone().unwrap_or_default();
        Cursor::take_driven(slf, connection, &sql, Mode::Normal, answer)
    }

    pub(super) fn take_driven(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        sql: &[u8],
        mode: Mode,
        driven: Result<Vec<ResultSet>, kecoa::Error>,
    ) -> PyResult<()> {
        let py = slf.py();
        match driven {
            Ok(results) => Cursor::store(slf, results, mode),
            Err(error) => {
                if error.server().is_some() {
                    lock(&slf.get().inner).statusmessage = Some(CommandTag::default());
                }
                if error.kind() == kecoa::ErrorKind::Usage
                    && let Some(direction) = std::str::from_utf8(sql).ok().and_then(direction)
                {
                    return Err(names::programming_error(py, direction.refusal()));
                }
                Err(Cursor::exception(slf, connection, Some(sql), is_commit(sql), &error))
            }
        }
    }

    /// Keeps the last result, as libpq's `PQexec` does.
    pub(super) fn store(
        slf: &Bound<'_, Cursor>,
        results: Vec<ResultSet>,
        mode: Mode,
    ) -> PyResult<()> {
        Cursor::store_with(slf, results, mode, None)
    }

    /// The same of a statement for which `layout` was looked up when it was sent.
    pub(super) fn store_with(
        slf: &Bound<'_, Cursor>,
        mut results: Vec<ResultSet>,
        mode: Mode,
        layout: Option<Arc<Layout>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut result = results.pop().unwrap_or_default();
        let tag = result.tag.take().unwrap_or_default();
        if result.empty {
            lock(&this.inner).statusmessage = Some(tag);
            return Err(names::programming_error(py, "can't execute an empty query"));
        }
        let fetched = match result.description.clone() {
            Some(description) if mode != Mode::CountOnly => {
                let connection = this.connection_of(py)?;
                let known = layout.filter(|known| Arc::ptr_eq(&known.description, &description));
                Some(this.with_early(py, connection.get(), result, &description, known)?)
            }
            _ => None,
        };
        let old = {
            let mut inner = lock(&this.inner);
            inner.lastrowid = inserted_oid(tag.as_bytes());
            let counted = if fetched.is_none() { tag.rows() } else { None };
            inner.statusmessage = Some(tag);
            match fetched {
                // With its place: another thread may have fetched from the result before it.
                Some((fetched, early)) => {
                    inner.rowcount = i64::try_from(fetched.count).unwrap_or(i64::MAX);
                    inner.move_to(0, Place::default());
                    let early = std::mem::replace(&mut inner.early, early);
                    Some((inner.fetched.replace(fetched), early, inner.description.take()))
                }
                None => {
                    inner.rowcount =
                        counted.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1);
                    None
                }
            }
        };
        drop(old);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_oid_of_an_insert() {
        assert_eq!(inserted_oid(b"INSERT 17 1"), 17);
        assert_eq!(inserted_oid(b"INSERT 0 1"), 0);
        assert_eq!(inserted_oid(b"SELECT 5"), 0);
        assert_eq!(inserted_oid(b""), 0);
    }
}
