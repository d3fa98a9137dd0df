//! What `kecoa.aio` asks of the cursor behind its own.

use std::sync::Arc;

use kecoa::ResultSet;
use kecoa_proto::RowDescription;
use pyo3::prelude::*;

use super::rows::{Fetched, Place};
use super::{Cursor, Mode};
use crate::dbapi::connection::Connection;
use crate::sync::lock;

impl Cursor {
    /// Forgets the last result; `sql` is what `cursor.query` shows from now on.
    pub(crate) fn begin_statement(&self, sql: Arc<[u8]>) {
        let old = {
            let mut inner = lock(&self.inner);
            (inner.forget(), inner.query.replace(sql))
        };
        drop(old);
    }

    /// Takes what a statement answered; `sql` is what errors are about.
    pub(crate) fn take_settled(
        slf: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        sql: &[u8],
        answer: Result<Vec<ResultSet>, kecoa::Error>,
    ) -> PyResult<()> {
        Cursor::take_driven(slf, connection, sql, Mode::Normal, answer)
    }

    /// Begins to count what many statements touch.
    pub(crate) fn begin_count(&self, sql: Arc<[u8]>) {
        self.begin_statement(sql);
        lock(&self.inner).rowcount = 0;
    }

    /// Adds what one of many statements touched, where the server counts.
    pub(crate) fn add_count(&self, rows: Option<u64>) {
        let rows = rows.and_then(|rows| i64::try_from(rows).ok());
        let mut inner = lock(&self.inner);
        inner.rowcount = match rows {
            Some(rows) if inner.rowcount >= 0 => inner.rowcount.saturating_add(rows),
            _ => -1,
        };
    }

    /// Keeps what the server says that a statement did.
    pub(crate) fn take_tag(&self, tag: &kecoa_proto::CommandTag) {
        let counted = tag.rows().and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1);
        let mut inner = lock(&self.inner);
        inner.rowcount = counted;
        inner.statusmessage = Some(tag.clone());
    }

    /// Takes some rows of a result that is read as it comes, in place of those before.
    pub(crate) fn take_rows(
        slf: &Bound<'_, Cursor>,
        rows: Option<kecoa_proto::Rows>,
        description: &Arc<RowDescription>,
    ) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut set = ResultSet::default();
        set.rows.extend(rows);
        let fetched = Fetched::new(set, this.layout_of(py, description)?, this.codec(py));
        let old = {
            let mut inner = lock(&this.inner);
            inner.move_to(0, Place::default());
            inner.fetched.replace(fetched.into())
        };
        drop(old);
        Ok(())
    }
}
