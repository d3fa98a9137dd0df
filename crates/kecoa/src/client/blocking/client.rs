//! A connection, and everything that can be asked of it.

use std::fmt;
use std::io::{Read, Write};
use std::os::fd::RawFd;
use std::sync::Arc;

use kecoa_proto::{Notification, Request, RequestId, ServerError, TransactionStatus};
use kecoa_types::ToSql;

use crate::client::canceller::Canceller;
use crate::config::{Config, Target};
use crate::error::Error;
use crate::interrupt::{Interrupt, Never, Readiness};
use crate::net::network::Network;
use crate::net::wire::{Connector, Link};
use crate::observability::spans;
use crate::retry::{Runtime, SystemRuntime};
use crate::row::ResultSet;
use crate::row::{Row, rows_of};
use crate::session::Session;
use crate::session::{cache, copy, extended, statement};
use crate::transaction::{self, Attempts, Transaction, TransactionError, TransactionOptions};

/// A connection to CockroachDB or PostgreSQL.
///
/// ```no_run
/// use kecoa::{Config, Error, blocking::Client};
///
/// let mut client = Client::connect(&Config::parse("postgresql://localhost:26257/bank")?)?;
/// client.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", &[&100_i64, &1_i64])?;
/// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64])?;
/// let balance: i64 = row.get("balance")?;
/// println!("{balance}");
/// # Ok::<(), Error>(())
/// ```
///
/// A client whose connection is lost stays a client: [`is_closed`](Client::is_closed) says so, and
/// [`reconnect`](Client::reconnect) makes a new connection. Dropping it closes the connection.
pub struct Client {
    session: Session,
    connector: Arc<dyn Connector>,
    config: Option<Arc<Config>>,
    closed_by_caller: bool,
    statement_cache: usize,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", self.session.connection())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects. A configuration that was not [resolved](Config::resolve) is resolved against the
    /// environment of the process first.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), [`Connect`](crate::ErrorKind::Connect),
    /// [`Tls`](crate::ErrorKind::Tls), [`Authentication`](crate::ErrorKind::Authentication),
    /// [`Timeout`](crate::ErrorKind::Timeout), [`Protocol`](crate::ErrorKind::Protocol).
    pub fn connect(config: &Config) -> Result<Client, Error> {
        Client::connect_with(config, &mut Never)
    }

    /// Connects; the hook can end the wait.
    ///
    /// # Errors
    /// As [`Client::connect`], and [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
    pub fn connect_with(config: &Config, hook: &mut dyn Interrupt) -> Result<Client, Error> {
        let network = Network::new(config)?;
        let config = network.config().clone();
        let mut client = Client::through(Arc::new(network), hook)?;
        client.session.accept_streams(config.wants_replication());
        client.session.limit_results(config.max_result_size());
        client.config = Some(config);
        Ok(client)
    }

    pub(crate) fn through(
        connector: Arc<dyn Connector>,
        hook: &mut dyn Interrupt,
    ) -> Result<Client, Error> {
        let session = Session::new(connector.connect(hook)?);
        Ok(Client {
            session,
            connector,
            config: None,
            closed_by_caller: false,
            statement_cache: cache::CAPACITY,
        })
    }

    /// Closes what is left of the connection and makes a new one with the same configuration.
    /// Session settings, prepared statements and notices of the old one are gone.
    ///
    /// # Errors
    /// As [`Client::connect`]; the client is closed then.
    pub fn reconnect(&mut self) -> Result<(), Error> {
        self.reconnect_with(&mut Never)
    }

    /// [`reconnect`](Client::reconnect) with a hook that can end the wait.
    ///
    /// # Errors
    /// As [`Client::connect_with`]; the client is closed then.
    pub fn reconnect_with(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.session.close();
        let link = self.connector.connect(hook)?;
        self.adopt(link);
        Ok(())
    }

    /// Goes on with another connection.
    pub(crate) fn adopt(&mut self, link: Link) {
        self.session = Session::new(link);
        self.session.statements().set_capacity(self.statement_cache);
        self.session.limit_results(self.config.as_deref().and_then(Config::max_result_size));
        let replication = self.config.as_deref().is_some_and(Config::wants_replication);
        self.session.accept_streams(replication);
        self.closed_by_caller = false;
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn connector(&self) -> Arc<dyn Connector> {
        self.connector.clone()
    }

    /// The configuration in use, resolved.
    #[must_use]
    pub fn config(&self) -> Option<&Config> {
        self.config.as_deref()
    }

    /// The place that is connected to: one of those that the configuration names.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        self.session.target()
    }

    // For doors: raw requests.

    /// Drives one request to its end: every result, or the first server error. After a server error
    /// the connection is usable.
    ///
    /// # Errors
    /// [`ErrorKind::Server`](crate::ErrorKind::Server); [`Usage`](crate::ErrorKind::Usage) for what
    /// cannot be sent and for COPY, which needs [`copy_in`](Client::copy_in) or
    /// [`copy_out`](Client::copy_out); [`Interrupted`](crate::ErrorKind::Interrupted);
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error, after which
    /// the client [is closed](Client::is_closed); [`Protocol`](crate::ErrorKind::Protocol).
    pub fn run(
        &mut self,
        request: &Request<'_>,
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        spans::query(&mut self.session, text_of(request), |session| {
            statement::run(session, request, hook)
        })
    }

    /// Runs a statement that begins a transaction: `begin` (a whole BEGIN statement without
    /// semicolon) and `sql` travel as one simple query. BEGIN's own result is not among the results.
    ///
    /// Errors, their positions and the state that they leave are those of sending the two one by
    /// one. When a transaction is open already, only `sql` is sent.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn run_in_transaction(
        &mut self,
        begin: &[u8],
        sql: &[u8],
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        statement::run_in_transaction(&mut self.session, begin, sql, hook)
    }

    /// Queues a request without waiting for its reply: [`finish`](Client::finish) collects it.
    /// Requests are answered in the order in which they were submitted; what is submitted together
    /// is written together. Replies that come while there is still something to write are kept.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for what cannot be sent,
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) on a closed connection.
    pub fn submit(&mut self, request: &Request<'_>) -> Result<RequestId, Error> {
        self.session.submit(request)
    }

    /// Drives a submitted request to its end. Requests before it must be finished first: their
    /// replies are dropped otherwise.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn finish(
        &mut self,
        request: RequestId,
        hook: &mut dyn Interrupt,
    ) -> Result<Vec<ResultSet>, Error> {
        statement::finish_request(&mut self.session, request, hook)
    }

    /// Whether the server has answered that a submitted COMMIT or ROLLBACK is done, although the request is
    /// not over yet. A connection that is lost then leaves nothing open: [`finish`](Client::finish)
    /// gives the results, and the loss shows at the next use.
    pub fn has_ended(&self, request: RequestId) -> bool {
        self.session.has_ended(request)
    }

    /// Goes on with what was submitted as far as it goes without waiting. What the socket has to be
    /// for the next step; `None` when every request has been answered, and
    /// [`finish`](Client::finish) gives the results without waiting. A COPY is refused, as by
    /// [`run`](Client::run).
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or a FATAL server error,
    /// [`Protocol`](crate::ErrorKind::Protocol).
    pub fn advance(&mut self) -> Result<Option<Readiness>, Error> {
        self.session.advance()
    }

    /// Whether the results of what [`advance`](Client::advance) drives have become larger than
    /// `max_result_size`: asked once. The rows are dropped as they come, and
    /// [`finish`](Client::finish) gives [`ErrorKind::ResultTooLarge`](crate::ErrorKind); until then a
    /// caller that waits by itself should have the request cancelled (by
    /// [`canceller`](Client::canceller)). The other calls see to it by themselves. Never true where
    /// requests are pipelined behind it, which the cancel request might hit.
    pub fn has_excess(&mut self) -> bool {
        self.session.excess_to_cancel()
    }

    /// `COPY … FROM STDIN`: sends everything the reader gives, in bounded memory. Gives the number
    /// of rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Io`](crate::ErrorKind::Io) when the reader fails, after the
    /// server was told to give the COPY up; [`Usage`](crate::ErrorKind::Usage) when the statement
    /// is no COPY FROM STDIN.
    pub fn copy_in(
        &mut self,
        sql: &str,
        data: &mut dyn Read,
        hook: &mut dyn Interrupt,
    ) -> Result<Option<u64>, Error> {
        copy::copy_in(&mut self.session, sql.as_bytes(), data, hook)
    }

    /// `COPY … TO STDOUT`: gives everything to the writer, in bounded memory. Gives the number of
    /// rows copied, when the server says it.
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Io`](crate::ErrorKind::Io) when the writer fails, after the
    /// rest was read and dropped; [`Usage`](crate::ErrorKind::Usage) when the statement is no COPY
    /// TO STDOUT.
    pub fn copy_out(
        &mut self,
        sql: &str,
        sink: &mut dyn Write,
        hook: &mut dyn Interrupt,
    ) -> Result<Option<u64>, Error> {
        copy::copy_out(&mut self.session, sql.as_bytes(), sink, hook)
    }

    // Rust's own surface: the extended protocol, binary results.

    /// Runs a statement with parameters `$1`, `$2`, … and gives its rows. Parameters are declared as
    /// the types that [`ToSql`] names, so that one round trip is enough.
    ///
    /// # Errors
    /// As [`Client::run`]; [`ErrorKind::Conversion`](crate::ErrorKind::Conversion) for a parameter
    /// that cannot be sent.
    pub fn query(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        extended::run(&mut self.session, None, sql, params, &mut Never).map(rows_of)
    }

    /// The one row of a statement.
    ///
    /// # Errors
    /// As [`Client::query`]; [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there is not
    /// exactly one row.
    pub fn query_one(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Row, Error> {
        extended::exactly_one(self.query(sql, params)?)
    }

    /// The one row of a statement, if there is one.
    ///
    /// # Errors
    /// As [`Client::query`]; [`ErrorKind::Usage`](crate::ErrorKind::Usage) when there are several.
    pub fn query_opt(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<Option<Row>, Error> {
        extended::at_most_one(self.query(sql, params)?)
    }

    /// Runs a statement with parameters and gives the number of rows that it touched or returned; 0
    /// where the server does not count.
    ///
    /// # Errors
    /// As [`Client::query`].
    pub fn execute(&mut self, sql: &str, params: &[&dyn ToSql]) -> Result<u64, Error> {
        extended::run(&mut self.session, None, sql, params, &mut Never)
            .map(|set| extended::count(&set))
    }

    /// How many statements of [`query`](Client::query) and [`execute`](Client::execute), here and
    /// in transactions, are kept prepared on the server: 64 unless set, 0 for none.
    ///
    /// A statement is prepared at its second use, so that one that is used once costs what it always
    /// did; from the third use on the server neither parses it nor describes its rows again. The
    /// least recently used one makes room. When the server has lost a prepared statement (SQLSTATE
    /// 26000) or its rows look different after a change of schema (0A000), the statement is sent
    /// anew; within a transaction, which such an error ends, the error is returned.
    ///
    /// Set 0 behind a pooler that gives each transaction another server connection, unless it
    /// follows prepared statements.
    pub fn set_statement_cache_capacity(&mut self, capacity: usize) {
        self.statement_cache = capacity;
        self.session.statements().set_capacity(capacity);
    }

    /// Runs any number of statements without parameters; results come in text form.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.run(&Request::Query(sql.as_bytes()), &mut Never)
    }

    /// Runs a transaction, and runs it again when the server asks for it (SQLSTATE 40001) or the
    /// connection is lost before COMMIT. COMMIT is sent when the body returns `Ok`, ROLLBACK when
    /// it returns an error.
    ///
    /// The body may run several times: it sees a clean transaction each time, and should do nothing
    /// outside of the database that cannot be done again. BEGIN travels with its first statement.
    ///
    /// ```no_run
    /// # use kecoa::{Config, Error, blocking::Client};
    /// # let mut client = Client::connect(&Config::parse("dbname=bank")?)?;
    /// let left = client.transaction(|tx| {
    ///     let row = tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64])?;
    ///     let balance: i64 = row.get(0)?;
    ///     tx.execute("UPDATE accounts SET balance = $1 WHERE id = $2", &[&(balance - 100), &1_i64])?;
    ///     Ok(balance - 100)
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// The body's own error, or a server's error as [`Client::query`] gives it;
    /// [`ErrorKind::RetriesExhausted`](crate::ErrorKind::RetriesExhausted);
    /// [`AmbiguousCommit`](crate::ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome
    /// is not known: look the work up before doing it again.
    pub fn transaction<T>(
        &mut self,
        body: impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transaction_with(&TransactionOptions::default(), body)
    }

    /// [`transaction`](Client::transaction) with an isolation level, a retry policy, an observer,
    /// and a body that may fail with an error of its own.
    ///
    /// # Errors
    /// As [`Client::transaction`]; [`ErrorKind::Config`](crate::ErrorKind::Config) for a policy that
    /// does not validate.
    pub fn transaction_with<T, E: TransactionError>(
        &mut self,
        options: &TransactionOptions,
        body: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction_on(options, &mut SystemRuntime::new(), body)
    }

    /// [`transaction_with`](Client::transaction_with) on a clock, a sleep and a chance of the
    /// caller's: virtual time in tests.
    ///
    /// # Errors
    /// As [`Client::transaction_with`].
    pub fn transaction_on<T, E: TransactionError>(
        &mut self,
        options: &TransactionOptions,
        runtime: &mut dyn Runtime,
        body: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        transaction::run(self, options, runtime, body)
    }

    /// Begins a transaction that is not tried again: the program ends it by
    /// [`commit`](Transaction::commit) or [`rollback`](Transaction::rollback). One that is dropped is
    /// rolled back.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut tx = client.begin(&Default::default())?;
    /// tx.execute("UPDATE accounts SET balance = 900 WHERE id = $1", &[&1_i64])?;
    /// tx.commit()?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) on a closed connection;
    /// [`Usage`](crate::ErrorKind::Usage) where one is open. BEGIN itself travels with the first
    /// statement.
    pub fn begin(&mut self, options: &TransactionOptions) -> Result<Transaction<'_>, Error> {
        Transaction::begin(self, options)
    }

    /// Begins attempts at a transaction, for a loop of the program's own around
    /// [`begin`](Attempts::begin) and [`commit`](Transaction::commit). What
    /// [`transaction`](Client::transaction) does about an error [`failed`](Attempts::failed) does here.
    ///
    /// ```
    /// # kecoa::example::blocking(|client| {
    /// let mut attempts = client.attempts(&Default::default())?;
    /// loop {
    ///     let attempt = attempts.begin().and_then(|mut tx| {
    ///         tx.execute("UPDATE accounts SET balance = 900 WHERE id = $1", &[&1_i64])?;
    ///         tx.commit()
    ///     });
    ///     match attempt {
    ///         Ok(()) => break,
    ///         Err(error) => attempts.failed(error)?,
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a policy that does not validate;
    /// [`Usage`](crate::ErrorKind::Usage) where a transaction is open;
    /// [`ConnectionLost`](crate::ErrorKind::ConnectionLost) when the program closed the client.
    pub fn attempts(&mut self, options: &TransactionOptions) -> Result<Attempts<'_>, Error> {
        Attempts::new(self, options)
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    pub(crate) fn session_ref(&self) -> &Session {
        &self.session
    }

    // The state of the connection.

    /// What it takes to cancel this connection's statement from another thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::new(self.session.canceller())
    }

    /// How many times the server has confirmed a COMMIT on this connection, whoever sent it: the way
    /// for a door to see that the body of its transaction committed by itself.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.session.commits()
    }

    /// Whether the last transaction was ended by the server, and not by a statement that says so:
    /// CockroachDB commits it in front of a change of the schema.
    #[must_use]
    pub fn was_ended_by_server(&self) -> bool {
        self.session.was_ended_by_server()
    }

    /// What this connection has done so far; a [`reconnect`](Client::reconnect) begins anew. Of
    /// transactions and their retries only the process's counters know.
    #[must_use]
    pub fn counters(&self) -> crate::observability::Counters {
        self.session.metrics().counters()
    }

    /// Takes the notices and warnings that came so far, oldest first. At most 1,000 and 16 MiB
    /// are kept.
    pub fn take_notices(&mut self) -> Vec<ServerError> {
        self.session.take_notices()
    }

    /// Takes the notifications that came so far, oldest first. At most 100,000
    /// and 64 MiB are kept.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.session.take_notifications()
    }

    /// Reads what the server has already sent without being asked: notices, notifications, its end.
    /// Never waits, and costs one system call: to wait for news, wait for the socket
    /// ([`raw_fd`](Client::raw_fd)) to be readable.
    ///
    /// Called right before a COMMIT, its error means that the connection was lost *before* COMMIT:
    /// nothing was committed, and the transaction may be run again. The same loss noticed after
    /// COMMIT was sent would leave its outcome open. [`transaction`](Client::transaction) does so.
    ///
    /// # Errors
    /// [`ErrorKind::ConnectionLost`](crate::ErrorKind::ConnectionLost) or the FATAL error by which
    /// the server ended the connection; [`Protocol`](crate::ErrorKind::Protocol).
    pub fn poll(&mut self) -> Result<(), Error> {
        self.session.poll()
    }

    /// Whether a transaction is open, and whether it failed; idle when the connection is closed.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        self.session.transaction_status()
    }

    /// The value of a setting that the server reports by itself, such as `server_version`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.session.connection().parameter(name)
    }

    /// CockroachDB's version, when the server is one.
    #[must_use]
    pub fn crdb_version(&self) -> Option<&str> {
        self.session.connection().crdb_version()
    }

    /// The process id of the server's side, when it gave one.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        self.session.connection().cancel_key().map(|key| key.process_id)
    }

    /// The protocol version in use: 3 and its minor number.
    #[must_use]
    pub fn protocol_version(&self) -> kecoa_proto::ProtocolVersion {
        self.session.connection().protocol_version()
    }

    /// TLS version and cipher suite, when the connection is encrypted.
    #[must_use]
    pub fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        self.session.tls_info()
    }

    /// The socket's file descriptor, for waiting on it; nothing when the connection is closed. Do
    /// not read from it or write to it.
    #[must_use]
    pub fn raw_fd(&self) -> Option<RawFd> {
        self.session.raw_fd()
    }

    /// Whether the connection was closed, or found to be lost.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Says good-bye and closes the connection; an open transaction is rolled back by the server.
    pub fn close(&mut self) {
        self.closed_by_caller = true;
        self.session.close();
    }

    /// Closes the connection on the way to a fresh one.
    pub(crate) fn disconnect(&mut self) {
        self.session.close();
    }

    pub(crate) fn was_closed_by_caller(&self) -> bool {
        self.closed_by_caller
    }
}

/// The statement of a request, for those who watch; a series of steps has none.
fn text_of<'a>(request: &Request<'a>) -> &'a [u8] {
    match request {
        Request::Query(sql) => sql,
        _ => &[],
    }
}
