//! A connection for tokio, and everything that can be asked of it.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

use futures_core::Stream;
use kecoa_proto::{Notification, ServerError, TransactionStatus};
use kecoa_types::ToSql;
use tokio::io::{AsyncRead, AsyncWrite};

use super::copy::{CopyReader, CopyWriter, read_some, write_all};
use super::link::Link;
use super::rows::RowStream;
use super::transaction::{self, Attempts, BoxFuture, Transaction, TransactionBody};
use crate::client::canceller::Canceller;
use crate::config::{Config, Target};
use crate::error::Error;
use crate::interrupt::Never;
use crate::observability::spans;
use crate::row::ResultSet;
use crate::row::{FromRow, Row, read_all, rows_of};
use crate::session::extended::{self, Encoded, EncodedRows};
use crate::session::pipeline::{Answers, Pipeline};
use crate::session::prepared::{self, Statement};
use crate::session::streaming::StreamedRows;
use crate::transaction::{TransactionError, TransactionOptions};

/// A connection to CockroachDB or PostgreSQL, for tokio.
///
/// ```
/// # kecoa::example::asynchronous(async |client| {
/// client.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", &[&100_i64, &1_i64]).await?;
/// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
/// assert_eq!(row.get::<i64>("balance")?, 1100);
/// # Ok(()) });
/// ```
///
/// Parameters are encoded when a method is called; everything else happens when its future is
/// polled. Futures can be sent to other threads. There is no task in the background: a future drives
/// the connection while it is polled, so that a query costs one write, one wake-up and one read. A
/// client therefore does one thing at a time (`&mut self`); what is to be in flight together goes
/// through a [`Pipeline`], or has a client of its own, out of a [`Pool`](crate::Pool). The same
/// client without tokio is [`blocking::Client`](crate::blocking::Client).
///
/// A client whose connection is lost stays a client: [`is_closed`](Client::is_closed) says so, and
/// [`reconnect`](Client::reconnect) makes a new connection. Dropping it closes the connection.
///
/// # Futures that are dropped
///
/// Every future may be dropped at any time, as `tokio::time::timeout` and `select!` do. The server
/// is asked to cancel what the future waited for, and the client stays usable: the next call first
/// waits until that is over (at most 10 s; then it closes the connection). Whether a statement that
/// was dropped took effect is not known, as ever. A [`RowStream`] or a copy that is dropped before
/// its end is not cancelled: what the server still sends is read and dropped by the next call, and
/// a `COPY … FROM STDIN` is given up. The future of a transaction rolls back.
///
/// # What it needs
///
/// A tokio runtime with I/O and time. Connecting (host names, TLS, authentication) and sending a
/// cancel request run on tokio's threads for blocking work.
pub struct Client {
    pub(crate) link: Link,
    heard: VecDeque<Notification>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.link.client_ref().fmt(f)
    }
}

impl Client {
    /// Connects, as [`blocking::Client::connect`](crate::blocking::Client::connect) does, on one of
    /// tokio's threads for blocking work.
    ///
    /// # Errors
    /// As [`blocking::Client::connect`](crate::blocking::Client::connect).
    pub async fn connect(config: &Config) -> Result<Client, Error> {
        Ok(Client { link: Link::connect(config).await?, heard: VecDeque::new() })
    }

    /// Closes what is left of the connection and makes a new one with the same configuration.
    ///
    /// # Errors
    /// As [`connect`](Client::connect); the client is closed then.
    pub async fn reconnect(&mut self) -> Result<(), Error> {
        self.link.reconnect().await
    }

    /// Runs a statement with parameters `$1`, `$2`, … and gives its rows.
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

    /// Runs a statement with parameters and gives the number of rows that it touched or returned; 0
    /// where the server does not count.
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

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.link.batch(sql).await
    }

    /// Runs one statement once for each set of parameters, as one request: one round trip, parsed
    /// once. Gives the number of rows that all of them touched. Outside of a transaction all of it
    /// succeeds or fails together.
    ///
    /// # Errors
    /// As [`blocking::Client::execute_many`](crate::blocking::Client::execute_many).
    pub fn execute_many<'a>(
        &'a mut self,
        sql: &'a str,
        rows: &[&[&dyn ToSql]],
    ) -> impl Future<Output = Result<u64, Error>> + Send + use<'a> {
        let rows = EncodedRows::new(rows);
        async move { execute_many(&mut self.link, sql, &rows?).await }
    }

    /// Sends several statements before the first is answered: one round trip for all of them.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut pipeline = kecoa::Pipeline::new();
    /// let one = pipeline.add("SELECT 1", &[])?;
    /// let two = pipeline.add("SELECT $1 + 1", &[&1])?;
    /// let mut answers = client.run_pipeline(&pipeline).await?;
    /// assert_eq!(answers.rows_as::<(i32,)>(two)?, [(2,)]);
    /// assert_eq!(answers.rows(one)?[0].get::<i32>(0)?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query), but for those of the statements, which the answers hold.
    pub async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Result<Answers, Error> {
        run_pipeline(&mut self.link, pipeline).await
    }

    /// Has the server parse and describe a statement without running it. What is used more than
    /// once is prepared without being asked, too.
    ///
    /// # Errors
    /// As [`query`](Client::query).
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.link.ready().await?;
        let preparing = prepared::submit(self.link.session(), sql)?;
        let sets = self.link.results(preparing.id).await;
        prepared::settle(self.link.session(), preparing, sql, sets)
    }

    /// How many statements are kept prepared on the server; see
    /// [`blocking::Client::set_statement_cache_capacity`](crate::blocking::Client::set_statement_cache_capacity).
    pub fn set_statement_cache_capacity(&mut self, capacity: usize) {
        self.link.client().set_statement_cache_capacity(capacity);
    }

    /// Runs a statement and gives its rows one by one, in bounded memory, however many there are: a
    /// [`Stream`].
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut sum = 0;
    /// let numbers = "SELECT n::int8 FROM generate_series(1, $1) n";
    /// let mut rows = client.query_stream(numbers, &[&100_000]).await?;
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

    // COPY.

    /// `COPY … FROM STDIN`: sends everything the reader gives, in bounded memory. Gives the number
    /// of rows copied, when the server says it.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let lines = &b"3\t30\n4\t40\n"[..];
    /// assert_eq!(client.copy_in("COPY accounts FROM STDIN", lines).await?, Some(2));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Io`](crate::ErrorKind::Io) when the reader fails,
    /// after the server was told to give the COPY up; [`Usage`](crate::ErrorKind::Usage) when the
    /// statement is no COPY FROM STDIN.
    pub async fn copy_in(&mut self, sql: &str, data: impl AsyncRead) -> Result<Option<u64>, Error> {
        let mut copy = self.copy_writer(sql).await?;
        let mut data = pin!(data);
        let mut chunk = Vec::new();
        loop {
            match read_some(data.as_mut(), &mut chunk).await {
                Ok(0) => return copy.finish().await,
                Ok(n) => copy.send(chunk.get(..n).unwrap_or_default()).await?,
                Err(error) => return Err(not_read(copy, error).await),
            }
        }
    }

    /// `COPY … FROM STDIN` of what a stream gives; where it is split has no meaning.
    ///
    /// # Errors
    /// As [`copy_in`](Client::copy_in).
    pub async fn copy_in_stream<B: AsRef<[u8]>>(
        &mut self,
        sql: &str,
        data: impl Stream<Item = std::io::Result<B>>,
    ) -> Result<Option<u64>, Error> {
        let mut copy = self.copy_writer(sql).await?;
        let mut data: Pin<&mut _> = pin!(data);
        loop {
            match poll_fn(|cx| data.as_mut().poll_next(cx)).await {
                None => return copy.finish().await,
                Some(Ok(chunk)) => copy.send(chunk.as_ref()).await?,
                Some(Err(error)) => return Err(not_read(copy, error).await),
            }
        }
    }

    /// Begins a `COPY … FROM STDIN`, whose data is written into what this gives.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut copy = client.copy_writer("COPY accounts FROM STDIN WITH (FORMAT csv)").await?;
    /// for id in 10..1010 {
    ///     copy.send(format!("{id},{}\n", id * 10).as_bytes()).await?;
    /// }
    /// assert_eq!(copy.finish().await?, Some(1000));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY FROM STDIN.
    pub async fn copy_writer(&mut self, sql: &str) -> Result<CopyWriter<'_>, Error> {
        CopyWriter::begin(&mut self.link, sql).await
    }

    /// `COPY … TO STDOUT`: gives everything to the writer, in bounded memory. Gives the number of
    /// rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Io`](crate::ErrorKind::Io) when the writer fails;
    /// [`Usage`](crate::ErrorKind::Usage) when the statement is no COPY TO STDOUT.
    pub async fn copy_out(
        &mut self,
        sql: &str,
        sink: impl AsyncWrite,
    ) -> Result<Option<u64>, Error> {
        let mut sink = pin!(sink);
        let mut copy = self.copy_reader(sql).await?;
        let failed = |error| Error::io("the copied data could not be written", error);
        while let Some(chunk) = copy.next().await {
            write_all(sink.as_mut(), &chunk?).await.map_err(failed)?;
        }
        poll_fn(|cx| sink.as_mut().poll_flush(cx)).await.map_err(failed)?;
        Ok(copy.rows())
    }

    /// Begins a `COPY … TO STDOUT`, whose data comes out of what this gives: a [`Stream`] of
    /// [`Bytes`](bytes::Bytes).
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut copy = client.copy_reader("COPY accounts TO STDOUT").await?;
    /// assert_eq!(copy.next().await.transpose()?.as_deref(), Some(&b"1\t1000\n"[..]));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`query`](Client::query); [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY TO STDOUT.
    pub async fn copy_reader(&mut self, sql: &str) -> Result<CopyReader<'_>, Error> {
        CopyReader::begin(&mut self.link, sql).await
    }

    // Transactions.

    /// Runs a transaction, and runs it again when the server asks for it (SQLSTATE 40001) or the
    /// connection is lost before COMMIT; all as
    /// [`blocking::Client::transaction`](crate::blocking::Client::transaction).
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let left = client.transaction(async |tx| {
    ///     let row = tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
    ///     let left = row.get::<i64>(0)? - 100;
    ///     tx.execute("UPDATE accounts SET balance = $1 WHERE id = $2", &[&left, &1_i64]).await?;
    ///     Ok(left)
    /// }).await?;
    /// assert_eq!(left, 900);
    /// # Ok(()) });
    /// ```
    ///
    /// The future is `Send`: it may be handed to `tokio::spawn`, with whatever the body borrows. So the
    /// body's future has to be, too, and the body may not write to variables outside of it ("async closure
    /// does not implement `FnMut`", says the compiler): return what it found, as it may run more than once.
    /// [`transaction_local`](Client::transaction_local) takes any other body.
    ///
    /// # Errors
    /// As [`blocking::Client::transaction`](crate::blocking::Client::transaction).
    pub fn transaction<'c, T: Send + 'c>(
        &'c mut self,
        body: impl AsyncFnMut(&mut Transaction<'c>) -> Result<T, Error>
        + for<'x> TransactionBody<'x, 'c, T, Error>
        + 'c,
    ) -> BoxFuture<'c, Result<T, Error>> {
        transaction::run(&mut self.link, &TransactionOptions::default(), body)
    }

    /// [`transaction`](Client::transaction) with an isolation level, a retry policy, an observer,
    /// and a body that may fail with an error of its own. Waits are tokio's, on its clock.
    ///
    /// # Errors
    /// As [`transaction`](Client::transaction); [`ErrorKind::Config`](crate::ErrorKind::Config) for
    /// a policy that does not validate.
    pub fn transaction_with<'c, T: Send + 'c, E: TransactionError + Send + 'c>(
        &'c mut self,
        options: &TransactionOptions,
        body: impl AsyncFnMut(&mut Transaction<'c>) -> Result<T, E>
        + for<'x> TransactionBody<'x, 'c, T, E>
        + 'c,
    ) -> BoxFuture<'c, Result<T, E>> {
        transaction::run(&mut self.link, options, body)
    }

    /// [`transaction_with`](Client::transaction_with) with any body: one that holds what is not `Send`,
    /// or writes to variables outside of it. Its future stays on its thread, as in
    /// `tokio::task::spawn_local`.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut attempts = 0;
    /// client.transaction_local(&Default::default(), async |tx| {
    ///     attempts += 1;
    ///     tx.execute("UPDATE accounts SET balance = 0", &[]).await
    /// }).await?;
    /// assert_eq!(attempts, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`transaction_with`](Client::transaction_with).
    pub async fn transaction_local<T, E: TransactionError>(
        &mut self,
        options: &TransactionOptions,
        body: impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        transaction::run_local(&mut self.link, options, body).await
    }

    /// Begins a transaction that is not tried again: the program ends it by
    /// [`commit`](Transaction::commit) or [`rollback`](Transaction::rollback). One that is dropped is
    /// rolled back before the client is used next.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut tx = client.begin(&Default::default()).await?;
    /// tx.execute("UPDATE accounts SET balance = 900 WHERE id = $1", &[&1_i64]).await?;
    /// tx.commit().await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) on a closed connection;
    /// [`Usage`](crate::ErrorKind::Usage) where one is open. BEGIN itself travels with the first
    /// statement.
    pub async fn begin(&mut self, options: &TransactionOptions) -> Result<Transaction<'_>, Error> {
        Transaction::begin(&mut self.link, options).await
    }

    /// Begins attempts at a transaction, for a loop of the program's own around
    /// [`begin`](Attempts::begin) and [`commit`](Transaction::commit). What
    /// [`transaction`](Client::transaction) does about an error [`failed`](Attempts::failed) does here.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// let mut attempts = client.attempts(&Default::default()).await?;
    /// loop {
    ///     let attempt = async {
    ///         let mut tx = attempts.begin().await?;
    ///         tx.execute("UPDATE accounts SET balance = 900 WHERE id = $1", &[&1_i64]).await?;
    ///         tx.commit().await
    ///     };
    ///     match attempt.await {
    ///         Ok(()) => break,
    ///         Err(error) => attempts.failed(error).await?,
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a policy that does not validate;
    /// [`Usage`](crate::ErrorKind::Usage) where a transaction is open;
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) when the program closed the client.
    pub async fn attempts(&mut self, options: &TransactionOptions) -> Result<Attempts<'_>, Error> {
        let span = spans::transaction(self.link.client_ref().session_ref());
        Attempts::new(&mut self.link, options, &span).await
    }

    // The state of the connection.

    /// Waits for a notification: what `NOTIFY` sent to a channel that this connection listens to.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// client.batch("LISTEN news; NOTIFY news, 'hello'").await?;
    /// assert_eq!(client.notification().await?.payload, "hello");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or the FATAL error by which
    /// the server ended the connection.
    pub async fn notification(&mut self) -> Result<Notification, Error> {
        self.link.ready().await?;
        loop {
            self.hear();
            if let Some(notification) = self.heard.pop_front() {
                return Ok(notification);
            }
            self.link.news().await?;
        }
    }

    fn hear(&mut self) {
        self.heard.extend(self.link.client().take_notifications());
    }

    /// Takes the notifications that came so far, oldest first, without waiting.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.hear();
        self.heard.drain(..).collect()
    }

    /// Takes the notices and warnings that came so far, oldest first.
    pub fn take_notices(&mut self) -> Vec<ServerError> {
        self.link.client().take_notices()
    }

    /// What it takes to cancel this connection's statement from elsewhere. Its
    /// [`cancel`](Canceller::cancel) waits for the server: call it by `spawn_blocking`.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.link.client_ref().canceller()
    }

    /// Whether a transaction is open, and whether it failed; idle when the connection is closed.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.link.client_ref().transaction_status()
    }

    /// The value of a setting that the server reports by itself, such as `server_version`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.link.client_ref().parameter(name)
    }

    /// CockroachDB's version, when the server is one.
    #[must_use]
    pub fn crdb_version(&self) -> Option<&str> {
        self.link.client_ref().crdb_version()
    }

    /// The process id of the server's side, when it gave one.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        self.link.client_ref().process_id()
    }

    /// TLS version and cipher suite, when the connection is encrypted.
    #[must_use]
    pub fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        self.link.client_ref().tls_info()
    }

    /// The configuration in use, resolved.
    #[must_use]
    pub fn config(&self) -> Option<&Config> {
        self.link.client_ref().config()
    }

    /// The place that is connected to: one of those that the configuration names.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.link.client_ref().target()
    }

    /// Whether the connection was closed, or found to be lost.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.link.client_ref().is_closed()
    }

    /// Says good-bye and closes the connection; an open transaction is rolled back by the server.
    pub fn close(&mut self) {
        self.link.client().close();
    }

    // What a pool needs.

    /// Whether the session has ended, as far as a look at the socket tells.
    pub(crate) fn poll_session(&mut self) -> Result<(), Error> {
        self.link.session().poll()
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.link.is_at_rest()
    }

    pub(crate) async fn end_everything(&mut self) -> Result<(), Error> {
        self.link.end_everything().await
    }

    pub(crate) async fn simple(&mut self, sql: &[u8]) -> Result<Vec<ResultSet>, Error> {
        self.link.simple(sql).await
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

/// Tells the server that the data of a COPY cannot be read.
async fn not_read(copy: CopyWriter<'_>, error: std::io::Error) -> Error {
    let reason: String =
        error.to_string().chars().take(1000).filter(|character| *character != '\0').collect();
    match copy.fail(&reason).await {
        Ok(()) => Error::io("the data to copy could not be read", error),
        Err(lost) => lost,
    }
}

pub(super) async fn execute_many(
    link: &mut Link,
    sql: &str,
    rows: &EncodedRows,
) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    link.ready().await?;
    let id = rows.submit(link.session(), None, sql)?;
    Ok(extended::count_all(&link.results(id).await?))
}

pub(super) async fn run_pipeline(link: &mut Link, pipeline: &Pipeline) -> Result<Answers, Error> {
    link.ready().await?;
    let submitted = pipeline.submit(link.session());
    let mut flight = link.fly(None);
    flight.answered().await?;
    flight.land();
    let mut answers = Answers::new(Vec::with_capacity(submitted.len()));
    let mut again = Vec::new();
    // Everything has been answered: nothing waits here.
    for (number, pending) in submitted.into_iter().enumerate() {
        let session = link.session();
        let settled =
            pending.and_then(|pending| pipeline.settle(session, number, pending, &mut Never));
        again.extend(answers.admit(session, settled)?.map(|pending| (number, pending)));
    }
    for (number, pending) in again {
        let (sql, encoded) = pipeline.statement(number)?;
        let parameters = encoded.parameters();
        let set = link.finish(pending, &encoded.request(None, sql, &parameters)).await;
        answers.put(link.session(), number, set)?;
    }
    Ok(answers)
}
