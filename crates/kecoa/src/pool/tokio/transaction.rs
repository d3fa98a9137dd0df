//! Transactions whose attempts take their sessions out of a pool.

use std::panic::Location;

use tokio::time::sleep;

use super::pool::{Pool, Pooled};
use crate::error::{Error, ErrorKind};
use crate::observability::spans;
use crate::transaction::retry_loop::Outcome;
use crate::transaction::tokio::{BoxFuture, Run, Transaction, TransactionBody};
use crate::transaction::{TransactionError, TransactionOptions};

impl Pool {
    /// Runs a transaction on a connection of the pool, and runs it again when the server asks for it
    /// (SQLSTATE 40001) or the connection is lost before COMMIT; as
    /// [`Client::transaction_with`](crate::Client::transaction_with). An attempt that takes another
    /// connection takes it out of the pool, so that it was prepared by
    /// [`configure`](super::Builder::configure); the lost one goes back before the wait. At the end the
    /// connection goes back.
    ///
    /// ```
    /// # kecoa::example::asynchronous_pool(async |pool| {
    /// let left: i64 = pool.run_transaction(&Default::default(), async |tx| {
    ///     tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64]).await?;
    ///     tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?.get(0)
    /// }).await?;
    /// assert_eq!(left, 900);
    /// # Ok(()) });
    /// ```
    ///
    /// The future is `Send` and may be handed to `tokio::spawn`, and what holds for the body of
    /// [`Client::transaction`](crate::Client::transaction) holds for this one. One that is dropped rolls
    /// back, in the background, and the connection goes back in good order.
    ///
    /// # Errors
    /// As [`Client::transaction_with`](crate::Client::transaction_with):
    /// [`AmbiguousCommit`](ErrorKind::AmbiguousCommit) when COMMIT was sent and its outcome is not known,
    /// which is never tried again. As [`get`](Pool::get) for the first connection. Where there is none
    /// in time for a further attempt, that error; one in connecting counts as a failed attempt.
    #[track_caller]
    pub fn run_transaction<'p, T: Send + 'p, E: TransactionError + Send + 'p>(
        &'p self,
        options: &TransactionOptions,
        body: impl for<'c> AsyncFnMut(&mut Transaction<'c>) -> Result<T, E>
        + for<'x, 'c> TransactionBody<'x, 'c, T, E>
        + 'p,
    ) -> BoxFuture<'p, Result<T, E>> {
        Box::pin(run(self.clone(), options.clone(), body, Location::caller()))
    }
}

async fn run<T: Send, E: TransactionError + Send>(
    pool: Pool,
    options: TransactionOptions,
    mut body: impl for<'x, 'c> TransactionBody<'x, 'c, T, E>,
    taken: &'static Location<'static>,
) -> Result<T, E> {
    let mut client = pool.check_out_at(taken).await?;
    let span = client.transaction_span();
    spans::within(&span, async {
        let mut run = Run::begin(&options, &span)?;
        loop {
            let mut on = client.session_attempts(&options).await?;
            // As long as it is the same connection.
            let wait = loop {
                let ended = match on.start(&options).await {
                    Ok(_) => Ok(body.run(&mut on.tx).await),
                    Err(error) => Err(error),
                };
                match on.finish(&mut run, ended).await? {
                    Outcome::Committed(value) => return Ok(value),
                    Outcome::Again(next) if next.fresh => break next.wait,
                    Outcome::Again(next) => sleep(next.wait).await,
                }
            };
            drop(on);
            // Whatever state it is in: it is no connection to go on with.
            client.close();
            drop(client);
            sleep(wait).await;
            client = another(&pool, &mut run, taken).await?;
        }
    })
    .await
}

/// A connection for the next attempt, in place of one that was lost.
async fn another(
    pool: &Pool,
    run: &mut Run,
    taken: &'static Location<'static>,
) -> Result<Pooled, Error> {
    loop {
        match pool.check_out_at(taken).await {
            Err(error) if error.kind() == ErrorKind::Connect => {
                sleep(run.unavailable(error)?.wait).await;
            }
            checked_out => return checked_out,
        }
    }
}
