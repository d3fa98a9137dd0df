//! Transactions, retried or not.

use super::client::Client;
use crate::error::Error;
use crate::observability::spans;
use crate::transaction::tokio::{
    self, Attempts, BoxFuture, SessionAttempts, Transaction, TransactionBody,
};
use crate::transaction::{TransactionError, TransactionOptions};

impl Client {
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
        tokio::run(&mut self.link, &TransactionOptions::default(), body)
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
        tokio::run(&mut self.link, options, body)
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
        tokio::run_local(&mut self.link, options, body).await
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
        let span = spans::transaction(self.link.session_ref());
        Attempts::new(&mut self.link, options, &span).await
    }

    // What a pool needs, whose transactions go on with another client.

    pub(crate) fn transaction_span(&self) -> spans::Span {
        spans::transaction(self.link.session_ref())
    }

    pub(crate) async fn session_attempts(
        &mut self,
        options: &TransactionOptions,
    ) -> Result<SessionAttempts<'_>, Error> {
        SessionAttempts::new(&mut self.link, options).await
    }
}
