//! Statements: text in, result stored.

use std::borrow::Cow;
use std::sync::Arc;

use kecoa::ResultSet;
use kecoa::retry::is_commit;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::{Cursor, Inner};
use crate::convert::dump::{Departures, Dumper, Settings};
use crate::convert::interpolate;
use crate::convert::parameters::Binding;
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::fetch::{Fetched, Place};
use crate::errors::error::{self, Circumstances};
use crate::names;
use crate::sync::lock;

/// How a statement runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// May open a transaction; its rows are kept.
    Normal,
    /// As normal; only the row count is kept (`executemany`).
    CountOnly,
    /// Never opens a transaction (named cursors declared WITH HOLD, and CLOSE).
    NoBegin,
}

/// The statement's text in the connection's encoding: from a str, bytes, or what `as_string`
/// composes.
pub(crate) fn statement<'a, 'py>(
    query: &'a Bound<'py, PyAny>,
    settings: &Settings,
    scope: &Bound<'py, PyAny>,
) -> PyResult<Cow<'a, [u8]>> {
    let py = query.py();
    let text = if let Ok(text) = query.cast::<PyString>() {
        if *settings.codec == crate::convert::codec::Codec::Utf8 {
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
fn merge<'py>(
    slf: &Bound<'py, Cursor>,
    connection: &Bound<'py, Connection>,
    settings: &Settings,
    sql: Cow<'_, [u8]>,
    vars: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<u8>> {
    let Some(vars) = vars.filter(|vars| !vars.is_none()) else { return Ok(sql.into_owned()) };
    let mut out = Vec::new();
    let mut dumper = Dumper::new(slf.py(), settings, Some(connection.as_any()));
    dumper.departs = Departures::of(connection.get().binding(), &sql);
    interpolate::merge(&mut dumper, &sql, vars, &mut out)
        .map_err(|error| error::with_cursor(slf.py(), error, slf.as_any()))?;
    Ok(out)
}

impl Inner {
    /// Forgets the last result; what is dropped is returned, to be dropped unlocked.
    pub(super) fn forget(&mut self) -> impl Sized + use<> {
        self.rowcount = -1;
        self.row = 0;
        self.place = Place::default();
        self.lastrowid = 0;
        (self.fetched.take(), self.description.take())
    }
}

/// `INSERT oid n` of servers that still had oids.
fn inserted_oid(tag: &[u8]) -> u32 {
    let mut words = tag.split(|byte| *byte == b' ');
    if words.next() != Some(b"INSERT") {
        return 0;
    }
    words
        .next()
        .and_then(|word| std::str::from_utf8(word).ok())
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

impl Cursor {
    /// Runs a statement and stores what it answered.
    pub(crate) fn run(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        sql: &[u8],
        mode: Mode,
    ) -> PyResult<()> {
        let old = lock(&slf.get().inner).forget();
        drop(old);
        if connection.get().is_async() {
            return match Connection::start_async(connection, slf, sql)? {
                Ok(()) => Ok(()),
                Err(error) => Cursor::take_driven(slf, connection, sql, mode, Err(error)),
            };
        }
        let driven = Connection::run_user(connection, sql, mode != Mode::NoBegin)?;
        Cursor::take_driven(slf, connection, sql, mode, driven)
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
                    lock(&slf.get().inner).statusmessage = Some(Box::default());
                }
                if error.kind() == kecoa::ErrorKind::Usage
                    && let Some(direction) =
                        std::str::from_utf8(sql).ok().and_then(super::copy::direction)
                {
                    return Err(names::programming_error(py, direction.refusal()));
                }
                let codec = connection.get().codec();
                let circumstances = Circumstances {
                    statement: Some(sql),
                    codec: &codec,
                    cursor: Some(slf.as_any()),
                    commit: is_commit(sql),
                };
                Err(error::exception(py, &error, &circumstances))
            }
        }
    }

    /// Keeps the last result, as libpq's `PQexec` does.
    pub(super) fn store(
        slf: &Bound<'_, Cursor>,
        mut results: Vec<ResultSet>,
        mode: Mode,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let result = results.pop().unwrap_or_default();
        let tag: Box<[u8]> =
            result.tag.as_ref().map(|tag| tag.as_bytes().into()).unwrap_or_default();
        if result.empty {
            lock(&this.inner).statusmessage = Some(tag);
            return Err(names::programming_error(py, "can't execute an empty query"));
        }
        let counted = result
            .tag
            .as_ref()
            .and_then(kecoa_proto::CommandTag::rows)
            .and_then(|rows| i64::try_from(rows).ok())
            .unwrap_or(-1);
        let fetched = match result.description.clone() {
            Some(description) if mode != Mode::CountOnly => {
                let types = [this.own_string_types(py), this.connection_types(py)];
                Some(Fetched::new(py, result, description, &types)?)
            }
            _ => None,
        };
        let mut inner = lock(&this.inner);
        inner.lastrowid = inserted_oid(&tag);
        inner.statusmessage = Some(tag);
        match fetched {
            Some(fetched) => {
                inner.rowcount = i64::try_from(fetched.count).unwrap_or(i64::MAX);
                inner.fetched = Some(fetched.into());
            }
            None => inner.rowcount = counted,
        }
        Ok(())
    }

    /// `execute`, named cursors included.
    pub(crate) fn do_execute<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        mode: Mode,
    ) -> PyResult<()> {
        Cursor::do_execute_by(slf, query, vars, mode, None)
    }

    /// `execute` with a binding of its own.
    pub(super) fn do_execute_by<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        mode: Mode,
        binding: Option<Binding>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection_of(py)?;
        let named = this.check_execute(slf, &connection)?;
        this.check_open(py)?;
        Cursor::execute_open(slf, &connection, query, vars, mode, binding, named)
    }

    /// What `cursor.query` shows from now on, also when the statement fails.
    pub(super) fn show_query(&self, text: Arc<[u8]>) {
        let old = lock(&self.inner).query.replace(text);
        drop(old);
    }

    /// `cursor.query` shows nothing.
    pub(super) fn forget_query(&self) {
        let old = lock(&self.inner).query.take();
        drop(old);
    }

    /// `execute` of a cursor that was open when it was called: as in psycopg2, `executemany` goes on
    /// with one that is closed by whoever gives the rows.
    fn execute_open<'py>(
        slf: &Bound<'py, Cursor>,
        connection: &Bound<'py, Connection>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        mode: Mode,
        binding: Option<Binding>,
        named: Option<String>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        connection.get().refuse_busy(py, "execute")?;
        connection.get().refuse_prepared(py, "execute")?;
        let settings = connection.get().settings();
        let sql = statement(query, &settings, slf.as_any())?;
        // As psycopg2: a statement that cannot be merged leaves none to show.
        this.forget_query();
        let binding = binding.unwrap_or_else(|| connection.get().binding());
        // What is polled, or waits through a callback, and cursors on the server go as in psycopg2.
        if binding == Binding::Server
            && named.is_none()
            && !connection.get().is_async()
            && connection.get().green(py)?.is_none()
        {
            return Cursor::execute_bound(slf, connection, &settings, sql, vars, mode);
        }
        let mut sql = merge(slf, connection, &settings, sql, vars)?;
        if let Some(declare) = named {
            let mut declared = declare.into_bytes();
            declared.append(&mut sql);
            sql = declared;
        }
        let sql: Arc<[u8]> = sql.into();
        this.show_query(sql.clone());
        Cursor::run(slf, connection, &sql, mode)
    }

    /// Runs one of many statements, and adds its row count.
    pub(super) fn run_counted<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: &Bound<'py, PyAny>,
        total: &mut i64,
    ) -> PyResult<()> {
        let connection = slf.get().connection_of(slf.py())?;
        let mode = Mode::CountOnly;
        Cursor::execute_open(slf, &connection, query, Some(vars), mode, None, None)?;
        let count = lock(&slf.get().inner).rowcount;
        *total = if count == -1 || *total == -1 { -1 } else { *total + count };
        Ok(())
    }

    /// `executemany`: one statement after the other; the row counts add up.
    pub(crate) fn do_executemany<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars_list: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        lock(&this.inner).rowcount = -1;
        this.check_open(py)?;
        this.connection_of(py)?.get().refuse_async(py, "executemany")?;
        this.connection_of(py)?.get().refuse_prepared(py, "executemany")?;
        if lock(&this.inner).name.is_some() {
            return Err(names::programming_error(py, "can't call .executemany() on named cursors"));
        }
        let mut total = 0;
        let mut rows = vars_list.try_iter()?;
        if let Some(vars) = rows.next() {
            // The first one goes by itself: it may open the transaction, and shows what the server
            // has to say against the statement.
            Cursor::run_counted(slf, query, &vars?, &mut total)?;
            Cursor::run_many(slf, query, &mut rows, &mut total)?;
        }
        lock(&this.inner).rowcount = total;
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
