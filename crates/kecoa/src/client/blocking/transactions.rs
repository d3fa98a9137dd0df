//! Transactions, retried or not.

use super::client::Client;
use crate::error::Error;
use crate::retry::{Runtime, SystemRuntime};
use crate::transaction::blocking::{self, Attempts, SessionAttempts, Transaction};
use crate::transaction::{TransactionError, TransactionOptions};

impl Client {
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
        blocking::run(&mut self.inner, options, runtime, body)
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
        Transaction::begin(&mut self.inner, options)
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
        Attempts::new(&mut self.inner, options)
    }

    /// What a pool needs, whose transactions go on with another client.
    pub(crate) fn session_attempts(&mut self) -> Result<SessionAttempts<'_>, Error> {
        SessionAttempts::new(&mut self.inner)
    }
}
