//! Rows one by one.

use kecoa_types::ToSql;

use crate::error::Error;
use crate::interrupt::Never;
use crate::retry::Failure;
use crate::row::Row;
use crate::session::Session;
use crate::session::extended::Encoded;
use crate::session::streaming::StreamedRows;

/// Rows, one by one; made by [`Client::query_iter`](crate::blocking::Client::query_iter) and
/// [`Transaction::query_iter`](crate::blocking::Transaction::query_iter).
///
/// When it is dropped before its end, what the server still sends is read and dropped: give a
/// statement a LIMIT when only its first rows are wanted.
#[must_use = "rows are read by iterating"]
pub struct RowIter<'a> {
    session: &'a mut Session,
    rows: StreamedRows,
    /// What a transaction remembers of its first error.
    noted: Option<&'a mut Option<Failure>>,
}

impl std::fmt::Debug for RowIter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowIter").field("over", &self.rows.is_over()).finish_non_exhaustive()
    }
}

impl<'a> RowIter<'a> {
    pub(crate) fn new(
        session: &'a mut Session,
        sql: &str,
        params: &[&dyn ToSql],
        noted: Option<&'a mut Option<Failure>>,
    ) -> Result<RowIter<'a>, Error> {
        let rows = StreamedRows::submit(session, sql, &Encoded::new(params)?)?;
        Ok(RowIter { session, rows, noted })
    }

    /// How many rows the server says it has sent or touched; nothing before the end.
    #[must_use]
    pub fn count_so_far(&self) -> Option<u64> {
        self.rows.count()
    }

    fn pull(&mut self) -> Result<Option<Row>, Error> {
        loop {
            if let Some(row) = self.rows.next_row() {
                return Ok(Some(row));
            }
            if self.rows.is_over() {
                return Ok(None);
            }
            let reply = self.session.streamed_reply(self.rows.id, &mut Never)?;
            self.rows.take(self.session, reply)?;
        }
    }
}

impl Iterator for RowIter<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Result<Row, Error>> {
        let row = self.pull();
        if let Err(error) = &row {
            self.rows.end();
            if let Some(noted) = &mut self.noted {
                noted.get_or_insert(crate::retry::classify(error, false));
            }
        }
        row.transpose()
    }
}

impl std::iter::FusedIterator for RowIter<'_> {}

impl Drop for RowIter<'_> {
    fn drop(&mut self) {
        while !self.rows.is_over() {
            let reply = self.session.streamed_reply(self.rows.id, &mut Never);
            if reply.and_then(|reply| self.rows.take(self.session, reply)).is_err() {
                break;
            }
        }
    }
}
