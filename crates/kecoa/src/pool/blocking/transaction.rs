//! Transactions whose attempts take their sessions out of a pool.

use std::panic::Location;

use super::pool::{Pool, Pooled};
use crate::error::{Error, ErrorKind};
use crate::observability::spans;
use crate::retry::{Runtime, SystemRuntime};
use crate::transaction::blocking::Transaction;
use crate::transaction::retry_loop::{Outcome, RetryLoop};
use crate::transaction::{TransactionError, TransactionOptions};

impl Pool {
    /// Runs a transaction on a connection of the pool, and runs it again when the server asks for it
    /// (SQLSTATE 40001) or the connection is lost before COMMIT; as
    /// [`Client::transaction_with`](crate::blocking::Client::transaction_with). An attempt that takes
    /// another connection takes it out of the pool, so that it was prepared by
    /// [`configure`](super::Builder::configure); the lost one goes back before the wait. At the end the
    /// connection goes back.
    ///
    /// ```no_run
    /// use kecoa::{Config, Error, blocking::Pool};
    ///
    /// let pool = Pool::builder().build(&Config::parse("postgresql://localhost:26257/bank")?)?;
    /// let left = pool.run_transaction(&Default::default(), |tx| {
    ///     tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64])?;
    ///     tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64])?.get::<i64>(0)
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::transaction_with`](crate::blocking::Client::transaction_with):
    /// [`AmbiguousCommit`](ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is not known,
    /// which is never tried again. As [`get`](Pool::get) for the first connection. Where there is none
    /// in time for a further attempt, that error; one in connecting counts as a failed attempt.
    #[track_caller]
    pub fn run_transaction<T, E: TransactionError>(
        &self,
        options: &TransactionOptions,
        mut body: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let taken = Location::caller();
        let mut runtime = SystemRuntime::new();
        let mut client = self.check_out_at(taken)?;
        let span = spans::transaction(client.session_ref());
        span.in_scope(|| {
            let mut retry = RetryLoop::begin(options, &span, runtime.now())?;
            loop {
                let mut on = client.session_attempts()?;
                // As long as it is the same connection.
                let wait = loop {
                    match on.attempt(&mut retry, &mut runtime, &mut body)? {
                        Outcome::Committed(value) => return Ok(value),
                        Outcome::Again(next) if next.fresh => break next.wait,
                        Outcome::Again(next) => runtime.sleep(next.wait),
                    }
                };
                drop(on);
                // Whatever state it is in: it is no connection to go on with.
                client.close();
                drop(client);
                runtime.sleep(wait);
                client = self.another(&mut retry, &mut runtime, taken)?;
            }
        })
    }

    /// A connection for the next attempt, in place of one that was lost.
    fn another(
        &self,
        retry: &mut RetryLoop,
        runtime: &mut dyn Runtime,
        taken: &'static Location<'static>,
    ) -> Result<Pooled, Error> {
        loop {
            match self.check_out_at(taken) {
                Err(error) if error.kind() == ErrorKind::Connect => {
                    let next = retry.unavailable(error, runtime.now(), runtime.random())?;
                    runtime.sleep(next.wait);
                }
                checked_out => return checked_out,
            }
        }
    }
}
