//! Rows as structs, rows one by one, and statements prepared or run many times.

use kecoa_types::ToSql;

use super::Client;
use crate::error::Error;
use crate::interrupt::Never;
use crate::retry::Failure;
use crate::row::{FromRow, Row, read_all};
use crate::session::Session;
use crate::session::extended::{self, Encoded};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::prepared::{self, Statement};
use crate::session::statement;
use crate::session::streaming::StreamedRows;

impl Client {
    /// Runs a statement and reads its rows as tuples or structs; see [`FromRow`].
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let pairs: Vec<(i32, String)> =
    ///     client.query_as("SELECT n, 'row ' || n FROM generate_series(1, $1) n", &[&2])?;
    /// assert_eq!(pairs, [(1, "row 1".to_owned()), (2, "row 2".to_owned())]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when a column is
    /// missing, [`Conversion`](crate::ErrorKind::Conversion) when one cannot be read.
    pub fn query_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<Vec<T>, Error> {
        read_all(&extended::run(self.session(), None, sql, params, &mut Never)?)
    }

    /// The one row of a statement, as a tuple or a struct.
    ///
    /// # Errors
    /// As [`query_as`](Client::query_as) and [`query_one`](Client::query_one).
    pub fn query_one_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<T, Error> {
        extended::exactly_one(self.query_as(sql, params)?)
    }

    /// The one row of a statement as a tuple or a struct, if there is one.
    ///
    /// # Errors
    /// As [`query_as`](Client::query_as) and [`query_opt`](Client::query_opt).
    pub fn query_opt_as<T: FromRow>(
        &mut self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<Option<T>, Error> {
        extended::at_most_one(self.query_as(sql, params)?)
    }

    /// Runs a statement and gives its rows one by one, in bounded memory, however many there are.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut sum = 0;
    /// for row in client.query_iter("SELECT n::int8 FROM generate_series(1, 100000) n", &[])? {
    ///     sum += row?.get::<i64>(0)?;
    /// }
    /// assert_eq!(sum, 5_000_050_000);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query): those of the statement itself come out of the iterator.
    pub fn query_iter(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<RowIter<'_>, Error> {
        RowIter::new(self.session(), sql, params, None)
    }

    /// Runs one statement once for each set of parameters, as one request: one round trip, parsed
    /// once. Gives the number of rows that all of them touched. Outside of a transaction all of it
    /// succeeds or fails together.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// client.batch("CREATE TEMPORARY TABLE points (x int8, label text)")?;
    /// let insert = "INSERT INTO points VALUES ($1, $2)";
    /// assert_eq!(client.execute_many(insert, &[&[&1_i64, &"one"], &[&2_i64, &"two"]])?, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the sets are
    /// not of the same types.
    pub fn execute_many(&mut self, sql: &str, rows: &[&[&dyn ToSql]]) -> Result<u64, Error> {
        extended::run_many(self.session(), None, sql, rows, &mut Never)
    }

    /// Sends several statements before the first is answered: one round trip for all of them. Each
    /// has an outcome of its own.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut pipeline = kecoa::Pipeline::new();
    /// let one = pipeline.add("SELECT 1", &[])?;
    /// let wrong = pipeline.add("SELECT 1 / $1", &[&0])?;
    /// let two = pipeline.add("SELECT $1 + 1", &[&1])?;
    /// let mut answers = client.run_pipeline(&pipeline)?;
    /// assert_eq!(answers.rows(one)?[0].get::<i32>(0)?, 1);
    /// assert_eq!(answers.rows(wrong).unwrap_err().sqlstate(), Some("22012"));
    /// assert_eq!(answers.rows_as::<(i32,)>(two)?, [(2,)]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query), but for those of the statements, which the answers hold.
    pub fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        pipeline.run(self.session(), &mut Never)
    }

    /// Has the server parse and describe a statement without running it.
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        let preparing = prepared::submit(self.session(), sql)?;
        let sets = statement::finish_request(self.session(), preparing.id, &mut Never);
        prepared::settle(self.session(), preparing, sql, sets)
    }
}

/// Rows, one by one; made by [`Client::query_iter`].
///
/// When it is dropped before its end, what the server still sends is read and dropped: give a
/// statement a LIMIT when only its first rows are wanted.
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
