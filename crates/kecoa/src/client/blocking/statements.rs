//! Statements with parameters and binary results: rows, rows as structs, pipelines.

use kecoa_proto::Request;
use kecoa_types::ToSql;

use super::client::Client;
use super::row_iter::RowIter;
use crate::error::Error;
use crate::interrupt::Never;
use crate::row::{FromRow, ResultSet, Row, read_all, rows_of};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::prepared::{self, Statement};
use crate::session::{extended, statement};

impl Client {
    /// Runs a statement with parameters `$1`, `$2`, … and gives its rows. Parameters are declared as
    /// the types that [`ToSql`] names, so that one round trip is enough.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let rows = client.query("SELECT id, balance FROM accounts WHERE balance > $1", &[&500_i64])?;
    /// for row in &rows {
    ///     let (id, balance): (i64, i64) = row.read()?;
    ///     println!("{id}: {balance}");
    /// }
    /// assert_eq!(rows.len(), 1);
    ///
    /// // An array is one parameter; NULL is None.
    /// let (wanted, note) = (vec![1_i64, 2], None::<String>);
    /// let sql = "SELECT id, $2 AS note FROM accounts WHERE id = ANY($1)";
    /// assert_eq!(client.query(sql, &[&wanted, &note])?.len(), 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Conversion`](crate::ErrorKind::Conversion) for a parameter
    /// that cannot be sent.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        self.set(sql, params).map(rows_of)
    }

    /// The one row of a statement.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64])?;
    /// assert_eq!(row.get::<i64>("balance")?, 1000);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Client::query`]; [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is not
    /// exactly one row.
    pub fn query_one(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Row, Error> {
        extended::exactly_one(self.query(sql, params)?)
    }

    /// The one row of a statement, if there is one.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let found = client.query_opt("SELECT balance FROM accounts WHERE id = $1", &[&9_i64])?;
    /// assert!(found.is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Client::query`]; [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there are several.
    pub fn query_opt(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Option<Row>, Error> {
        extended::at_most_one(self.query(sql, params)?)
    }

    /// Runs a statement and reads its rows as tuples or structs; see [`FromRow`].
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let select = "SELECT n::int8, 'row ' || n::text FROM generate_series(1, $1) n";
    /// let pairs: Vec<(i64, String)> = client.query_as(select, &[&2_i64])?;
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
        read_all(&self.set(sql, params)?)
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
        RowIter::new(self.inner.session(), sql, params, None)
    }

    /// Runs a statement with parameters and gives the number of rows that it touched or returned; 0
    /// where the server does not count.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let update = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
    /// assert_eq!(client.execute(update, &[&100_i64, &1_i64])?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<u64, Error> {
        self.set(sql, params).map(|set| extended::count(&set))
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
        extended::run_many(self.inner.session(), None, sql, rows, &mut Never)
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let results = client.batch("SET timezone TO 'UTC'; SELECT 1")?;
    /// assert_eq!((results.len(), results[1].row_count()), (2, 1));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.run(&Request::Query(sql.as_bytes()), &mut Never)
    }

    /// Sends several statements before the first is answered: one round trip for all of them. Each
    /// has an outcome of its own.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut pipeline = kecoa::Pipeline::new();
    /// let one = pipeline.add("SELECT 1::int8", &[])?;
    /// let wrong = pipeline.add("SELECT 1 / $1", &[&0_i64])?;
    /// let two = pipeline.add("SELECT $1 + 1", &[&1_i64])?;
    /// let mut answers = client.run_pipeline(&pipeline)?;
    /// assert_eq!(answers.rows(one)?[0].get::<i64>(0)?, 1);
    /// assert_eq!(answers.rows(wrong).unwrap_err().sqlstate(), Some("22012"));
    /// assert_eq!(answers.rows_as::<(i64,)>(two)?, [(2,)]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query), but for those of the statements, which the answers hold.
    pub fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        pipeline.run(self.inner.session(), &mut Never)
    }

    /// Has the server parse and describe a statement without running it.
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        let preparing = prepared::submit(self.inner.session(), sql)?;
        let sets = statement::finish_request(self.inner.session(), preparing.id, &mut Never);
        prepared::settle(self.inner.session(), preparing, sql, sets)
    }

    /// How many statements of [`query`](Client::query) and [`execute`](Client::execute), here and
    /// in transactions, are kept prepared on the server: 64 unless set, 0 for none.
    ///
    /// A statement is prepared at its second use, so that one that is used once costs what it always
    /// did; from the third use on the server neither parses it nor describes its rows again. The
    /// least recently used one makes room. When the server has lost a prepared statement (SQLSTATE
    /// 26000), its rows look different after a change of schema (0A000), or a type in it was dropped
    /// and made anew (42704, XX000), the statement is sent anew; within a transaction, which such an
    /// error ends, the error is returned, and the next attempt works.
    ///
    /// Set 0 behind a pooler that gives each transaction another server connection, unless it
    /// follows prepared statements.
    pub fn set_statement_cache_capacity(&mut self, capacity: usize) {
        self.inner.set_statement_cache_capacity(capacity);
    }

    fn set(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<ResultSet, Error> {
        extended::run(self.inner.session(), None, sql, params, &mut Never)
    }
}
