//! `execute`: a statement is sent, and its answer taken.

use std::sync::Arc;

use pyo3::prelude::*;

use super::overlap::Overlap;
use super::rows::Fetched;
use super::statement::{merge, statement};
use super::{Cursor, Mode};
use crate::convert::parameters::Binding;
use crate::dbapi::connection::Connection;
use crate::sync::lock;

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
        let work = Overlap::in_mode(slf, mode);
        let driven = Connection::run_user(connection, sql, mode != Mode::NoBegin, work)?;
        Cursor::take_driven(slf, connection, sql, mode, driven)
    }

    /// `execute`, named cursors included; by default with the connection's binding.
    pub(crate) fn do_execute<'py>(
        slf: &Bound<'py, Cursor>,
        query: &Bound<'py, PyAny>,
        vars: Option<&Bound<'py, PyAny>>,
        binding: Option<Binding>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let connection = this.connection_of(py)?;
        let named = this.check_execute(slf, &connection)?;
        this.check_open(py)?;
        Cursor::execute_open(slf, &connection, query, vars, Mode::Normal, binding, named)
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

    /// Forgets the last statement and its result: what is fetched behind a statement that could not be
    /// merged must not be another's rows.
    pub(crate) fn forget_statement(&self) {
        let old = {
            let mut inner = lock(&self.inner);
            (inner.query.take(), inner.forget())
        };
        drop(old);
    }

    /// Leaves the description of the last result, without its rows.
    pub(super) fn drop_rows(&self) {
        let old = {
            let mut inner = lock(&self.inner);
            let ahead = (inner.lookahead.take(), inner.early.take(), inner.batching.take());
            (ahead, inner.fetched.as_mut().map(Fetched::drop_rows))
        };
        drop(old);
    }

    /// `execute` of a cursor that was open when it was called: as in psycopg2, `executemany` goes on
    /// with one that is closed by whoever gives the rows.
    pub(super) fn execute_open<'py>(
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
        // They may change the encoding.
        Connection::send_queued(connection)?;
        let settings = connection.get().settings();
        let sql = statement(query, &settings, slf.as_any())?;
        // As psycopg2: a statement that cannot be merged leaves nothing to show.
        this.forget_statement();
        let binding = binding.unwrap_or_else(|| connection.get().binding());
        // What is polled, or waits through a callback, and cursors on the server go as in psycopg2.
        if binding == Binding::Server
            && named.is_none()
            && !connection.get().is_async()
            && connection.get().green(py).is_none()
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
}
