//! Named cursors: DECLARE, FETCH, MOVE, CLOSE on the server.

use pyo3::prelude::*;

use super::{Cursor, Mode};
use crate::dbapi::connection::Connection;
use crate::names;
use crate::sync::lock;

/// What a named cursor is.
pub(crate) struct Named {
    /// The name in double quotes.
    quoted: String,
    withhold: bool,
    begun: Option<u64>,
}

impl Cursor {
    /// Makes the cursor a named one.
    pub(crate) fn set_name(&self, py: Python<'_>, name: &str, mark: u64) -> PyResult<()> {
        let quoted = kecoa_types::literal::quote_ident(name.as_bytes()).map_err(|error| {
            names::interface_error(py, format!("failed to escape identifier: {error}"))
        })?;
        let mut inner = lock(&self.inner);
        inner.name = Some(name.to_owned());
        inner.quoted_name = Some(String::from_utf8_lossy(&quoted).into_owned());
        inner.mark = mark;
        Ok(())
    }

    fn named(&self) -> Option<Named> {
        let inner = lock(&self.inner);
        let quoted = inner.quoted_name.clone()?;
        let begun = inner.query.is_some().then_some(inner.mark);
        Some(Named { quoted, withhold: inner.withhold, begun })
    }

    /// ProgrammingError when the cursor's transaction is over and it was not declared WITH HOLD.
    fn check_mark(&self, py: Python<'_>, connection: &Connection) -> PyResult<()> {
        let (mark, withhold) = {
            let inner = lock(&self.inner);
            (inner.mark, inner.withhold)
        };
        if withhold || mark == connection.mark() {
            return Ok(());
        }
        Err(names::programming_error(py, "named cursor isn't valid anymore"))
    }

    /// The checks of `execute` on a named cursor, and the DECLARE to put in front.
    pub(crate) fn check_execute(
        &self,
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
    ) -> PyResult<Option<String>> {
        let py = slf.py();
        let Some(named) = self.named() else { return Ok(None) };
        let refuse = |message: &str| {
            let error = names::programming_error(py, message);
            Err(crate::errors::error::with_cursor(py, error, slf.as_any()))
        };
        if named.begun.is_some() {
            return refuse("can't call .execute() on named cursors more than once");
        }
        if connection.get().is_autocommit() && !named.withhold {
            return refuse("can't use a named cursor outside of transactions");
        }
        self.check_mark(py, connection.get())?;
        let scroll = match lock(&self.inner).scrollable {
            None => "",
            Some(true) => "SCROLL ",
            Some(false) => "NO SCROLL ",
        };
        let hold = if named.withhold { "WITH" } else { "WITHOUT" };
        Ok(Some(format!("DECLARE {} {scroll}CURSOR {hold} HOLD FOR ", named.quoted)))
    }

    /// Fetches into the cursor from the server: `amount` is FETCH's word. Does nothing for cursors
    /// without a name.
    pub(crate) fn fetch_forward(slf: &Bound<'_, Cursor>, amount: &str) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some(named) = this.named() else { return Ok(()) };
        this.check_open(py)?;
        // A cursor that was not executed may take over one that exists on the server.
        let connection = this.connection_of(py)?;
        this.check_mark(py, connection.get())?;
        let what = if amount == "ALL" { "fetchall" } else { "fetchone" };
        connection.get().refuse_prepared(py, what)?;
        let _limited = this.limited(py, None)?;
        let sql = format!("FETCH FORWARD {amount} FROM {}", named.quoted);
        Cursor::run(slf, &connection, sql.as_bytes(), held(&named))
    }

    /// `scroll` of a named cursor: the server's MOVE. False for cursors without a name.
    pub(crate) fn move_named(
        slf: &Bound<'_, Cursor>,
        value: i64,
        absolute: bool,
    ) -> PyResult<bool> {
        let this = slf.get();
        let Some(named) = this.named() else { return Ok(false) };
        let connection = this.connection_of(slf.py())?;
        this.check_mark(slf.py(), connection.get())?;
        connection.get().refuse_prepared(slf.py(), "scroll")?;
        let _limited = this.limited(slf.py(), None)?;
        let how = if absolute { "ABSOLUTE " } else { "" };
        let sql = format!("MOVE {how}{value} FROM {}", named.quoted);
        Cursor::run(slf, &connection, sql.as_bytes(), held(&named))?;
        // psycopg2 does not count what was moved over.
        lock(&this.inner).rowcount = -1;
        Ok(true)
    }

    /// Whether the server has a cursor of this name.
    fn exists(slf: &Bound<'_, Cursor>, connection: &Bound<'_, Connection>) -> PyResult<bool> {
        let name = lock(&slf.get().inner).name.clone().unwrap_or_default();
        let settings = connection.get().settings();
        let mut sql = b"SELECT 1 FROM pg_catalog.pg_cursors WHERE name = ".to_vec();
        crate::convert::dump::Dumper::new(slf.py(), &settings, Some(connection.as_any()))
            .text_literal(&name, &mut sql)?;
        Cursor::run(slf, connection, &sql, Mode::NoBegin)?;
        Ok(lock(&slf.get().inner).rowcount > 0)
    }

    /// CLOSE, unless the transaction failed or the cursor was never declared.
    pub(crate) fn close_named(slf: &Bound<'_, Cursor>) -> PyResult<()> {
        let this = slf.get();
        let py = slf.py();
        let Some(named) = this.named() else { return Ok(()) };
        let connection = this.connection_of(py)?;
        if connection.get().is_closed()
            || connection.get().server_transaction() == kecoa_proto::TransactionStatus::Failed
        {
            return Ok(());
        }
        if named.begun.is_none() && !Cursor::exists(slf, &connection)? {
            return Ok(());
        }
        this.check_mark(py, connection.get())?;
        let _limited = this.limited(py, None)?;
        let sql = format!("CLOSE {}", named.quoted);
        Cursor::run(slf, &connection, sql.as_bytes(), Mode::NoBegin)
    }
}

fn held(named: &Named) -> Mode {
    if named.withhold { Mode::NoBegin } else { Mode::Normal }
}
