//! Statements with parameters and binary results: rows, rows as structs, pipelines.

use std::future::Future;

use kecoa_types::ToSql;

use super::client::Client;
use super::row_stream::RowStream;
use crate::error::Error;
use crate::row::{FromRow, ResultSet, Row, read_all, rows_of};
use crate::session::extended::{self, Encoded, EncodedRows};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::prepared::Statement;
use crate::session::streaming::StreamedRows;

impl Client {
    /// Runs a statement with parameters `$1`, `$2`, … and gives its rows.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let select = "SELECT id, balance FROM accounts WHERE balance > $1";
    /// let rows = client.query(select, &[&500_i64]).await?;
    /// for row in &rows {
    ///     let (id, balance): (i64, i64) = row.read()?;
    ///     println!("{id}: {balance}");
    /// }
    /// assert_eq!(rows.len(), 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`blocking::Client::query`](crate::blocking::Client::query).
    pub fn query<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send + use<'a> {
        let set = self.set(sql, params);
        async move { set.await.map(rows_of) }
    }

    /// The one row of a statement.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
    /// assert_eq!(row.get::<i64>("balance")?, 1000);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is not
    /// exactly one row.
    pub fn query_one<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Row, Error>> + Send + use<'a> {
        let set = self.set(sql, params);
        async move { extended::exactly_one(rows_of(set.await?)) }
    }

    /// The one row of a statement, if there is one.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let select = "SELECT balance FROM accounts WHERE id = $1";
    /// assert!(client.query_opt(select, &[&9_i64]).await?.is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there are
    /// several.
    pub fn query_opt<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send + use<'a> {
        let set = self.set(sql, params);
        async move { extended::at_most_one(rows_of(set.await?)) }
    }

    /// Runs a statement and reads its rows as tuples or structs; see [`FromRow`].
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let accounts: Vec<(i64, i64)> =
    ///     client.query_as("SELECT id, balance FROM accounts ORDER BY id", &[]).await?;
    /// assert_eq!(accounts, [(1, 1000), (2, 250)]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`blocking::Client::query_as`](crate::blocking::Client::query_as).
    pub fn query_as<'a, T: FromRow>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Vec<T>, Error>> + Send + use<'a, T> {
        let set = self.set(sql, params);
        async move { read_all(&set.await?) }
    }

    /// The one row of a statement, as a tuple or a struct.
    ///
    /// # Errors
    /// As [`query_as`](Client::query_as) and [`query_one`](Client::query_one).
    pub fn query_one_as<'a, T: FromRow>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<T, Error>> + Send + use<'a, T> {
        let set = self.set(sql, params);
        async move { extended::exactly_one(read_all(&set.await?)?) }
    }

    /// The one row of a statement as a tuple or a struct, if there is one.
    ///
    /// # Errors
    /// As [`query_as`](Client::query_as) and [`query_opt`](Client::query_opt).
    pub fn query_opt_as<'a, T: FromRow>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<Option<T>, Error>> + Send + use<'a, T> {
        let set = self.set(sql, params);
        async move { extended::at_most_one(read_all(&set.await?)?) }
    }

    /// Runs a statement and gives its rows one by one, in bounded memory, however many there are: a
    /// [`Stream`](futures_core::Stream).
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut sum = 0;
    /// let numbers = "SELECT n::int8 FROM generate_series(1, $1) n";
    /// let mut rows = client.query_stream(numbers, &[&100_000_i64]).await?;
    /// while let Some(row) = rows.next().await {
    ///     sum += row?.get::<i64>(0)?;
    /// }
    /// assert_eq!(sum, 5_000_050_000);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query): those of the statement itself come out of the stream.
    pub fn query_stream<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<RowStream<'a>, Error>> + Send + use<'a> {
        let encoded = Encoded::new(params);
        async move {
            let encoded = encoded?;
            self.link.ready().await?;
            let rows = StreamedRows::submit(self.link.session(), sql, &encoded)?;
            Ok(RowStream::new(&mut self.link, rows, None))
        }
    }

    /// Runs a statement with parameters and gives the number of rows that it touched or returned; 0
    /// where the server does not count.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let update = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
    /// assert_eq!(client.execute(update, &[&100_i64, &1_i64]).await?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'a> {
        let set = self.set(sql, params);
        async move { set.await.map(|set| extended::count(&set)) }
    }

    /// Runs one statement once for each set of parameters, as one request: one round trip, parsed
    /// once. Gives the number of rows that all of them touched. Outside of a transaction all of it
    /// succeeds or fails together.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let insert = "INSERT INTO accounts VALUES ($1, $2)";
    /// let rows: [&[&(dyn kecoa::types::ToSql)]; 2] = [&[&3_i64, &30_i64], &[&4_i64, &40_i64]];
    /// assert_eq!(client.execute_many(insert, &rows).await?, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`blocking::Client::execute_many`](crate::blocking::Client::execute_many).
    pub fn execute_many<'a>(
        &'a mut self,
        sql: &'a str,
        rows: &[&[&dyn ToSql]],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'a> {
        let rows = EncodedRows::new(rows);
        async move { self.link.execute_many(sql, &rows?).await }
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let results = client.batch("SET timezone TO 'UTC'; SELECT 1").await?;
    /// assert_eq!((results.len(), results[1].row_count()), (2, 1));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.link.batch(sql).await
    }

    /// Sends several statements before the first is answered: one round trip for all of them.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut pipeline = kecoa::Pipeline::new();
    /// let one = pipeline.add("SELECT 1::int8", &[])?;
    /// let two = pipeline.add("SELECT $1 + 1", &[&1_i64])?;
    /// let mut answers = client.run_pipeline(&pipeline).await?;
    /// assert_eq!(answers.rows_as::<(i64,)>(two)?, [(2,)]);
    /// assert_eq!(answers.rows(one)?[0].get::<i64>(0)?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query), but for those of the statements, which the answers hold.
    pub async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        self.link.run_pipeline(pipeline).await
    }

    /// Has the server parse and describe a statement without running it. What is used more than
    /// once is prepared without being asked, too.
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.link.prepare(sql).await
    }

    /// How many statements are kept prepared on the server; see
    /// [`blocking::Client::set_statement_cache_capacity`](crate::blocking::Client::set_statement_cache_capacity).
    pub fn set_statement_cache_capacity(&mut self, capacity: usize) {
        self.link.inner().set_statement_cache_capacity(capacity);
    }

    fn set<'a>(
        &'a mut self,
        sql: &'a str,
        params: &[&dyn ToSql],
    ) -> impl Future<Output = Result<ResultSet, Error>> + Send + use<'a> {
        let encoded = Encoded::new(params);
        async move { self.link.call(None, sql, &encoded?).await }
    }
}
