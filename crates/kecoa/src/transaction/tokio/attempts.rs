//! Attempts at a transaction, until one is committed.

use std::time::Duration;

use tokio::time::Instant;

use super::body::{BoxFuture, TransactionBody};
use super::end;
use super::transaction::Transaction;
use crate::client::tokio::link::Link;
use crate::error::Error;
use crate::observability::spans;
use crate::transaction::attempt::{AttemptFailure, Stage};
use crate::transaction::error::TransactionError;
use crate::transaction::options::TransactionOptions;
use crate::transaction::retry_loop::{Next, RetryLoop};
use crate::transaction::state::{self, TransactionState};

/// Attempts at one transaction, of which a program runs the loop itself:
/// [`Client::attempts`](crate::Client::attempts).
///
/// Each attempt is [begun](Attempts::begin) and committed; the error of one that was not goes to
/// [`failed`](Attempts::failed), which waits until the next may begin or gives the error back.
pub struct Attempts<'c> {
    /// The transaction of the attempt that runs, or the last one's.
    tx: Transaction<'c>,
    options: TransactionOptions,
    retry: RetryLoop,
    started: Instant,
    /// Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    resumed: bool,
    /// How many COMMITs the session had seen when the attempt began.
    commits: Option<u64>,
}

impl std::fmt::Debug for Attempts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Drop for Attempts<'_> {
    fn drop(&mut self) {
        if self.resumed {
            self.tx.link.leave_transaction();
        }
    }
}

impl<'c> Attempts<'c> {
    pub(crate) async fn new(
        link: &'c mut Link,
        options: &TransactionOptions,
        span: &spans::Span,
    ) -> Result<Attempts<'c>, Error> {
        if link.inner_ref().was_closed_by_caller() {
            return Err(Error::closed());
        }
        // What an abandoned future broke is of no concern to a transaction yet to begin.
        let _ = link.ready().await;
        state::check_not_open(link.session())?;
        let retry = RetryLoop::begin(options, span, Duration::ZERO)?;
        let mut tx = Transaction::new(link, options, false);
        tx.handed_over = true;
        let (options, started) = (options.clone(), Instant::now());
        Ok(Attempts { tx, options, retry, started, resumed: false, commits: None })
    }

    /// Begins an attempt, on a fresh connection where the last one was lost. What an attempt before it
    /// left open is rolled back first.
    ///
    /// # Errors
    /// No connection can be made: give it to [`failed`](Attempts::failed) as any other.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the last attempt was committed.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let commits = self.tx.link.session_ref().commits();
        if self.commits.is_some_and(|before| before < commits) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        self.tx.link.ready().await?;
        if !self.resumed {
            end::roll_back(self.tx.link).await;
        }
        let begun = self.start().await?;
        self.commits = Some(self.tx.link.session_ref().commits());
        let tx = Transaction::new(self.tx.link, &self.options, begun);
        // This one ends it now.
        self.tx.handed_over = true;
        Ok(tx)
    }

    /// The attempt that was begun failed. It is rolled back; where it may be tried again this returns
    /// `Ok` when it is time to [begin](Attempts::begin).
    ///
    /// # Errors
    /// The error, when there is no further attempt: it is none that asks for one (or none of the
    /// database's at all), the outcome is [ambiguous](crate::ErrorKind::AmbiguousCommit), or the policy
    /// allows no more ([`RetriesExhausted`](crate::ErrorKind::RetriesExhausted)).
    pub async fn failed<E: TransactionError>(&mut self, error: E) -> Result<(), E> {
        if self.tx.state.restart {
            // It is rolled back below, or resumed.
            self.tx.link.keep_transaction();
            self.tx.handed_over = false;
        }
        match self.settle(Err(error)).await? {
            Ok(()) => Ok(()),
            Err(failed) => self.clean_up(failed).await.map_err(E::from),
        }
    }

    /// Makes the next transaction ready; whether it is open already.
    async fn start(&mut self) -> Result<bool, Error> {
        if self.tx.link.session().is_closed() {
            self.tx.link.reconnect().await?;
        }
        let resumed = std::mem::take(&mut self.resumed);
        let session = self.tx.link.session_ref();
        self.tx.state = TransactionState::new(session, &self.options, resumed);
        self.tx.handed_over = false;
        self.commits = Some(self.tx.link.session_ref().commits());
        Ok(resumed)
    }

    /// Commits what the body did. The outer error is the body's own: the transaction was rolled back
    /// and is not tried again.
    async fn settle<T, E: TransactionError>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<Result<T, AttemptFailure>, E> {
        let commits = self.commits.unwrap_or_default();
        let outcome = match result {
            Ok(value) => self.tx.conclude().await.map(|()| value),
            Err(error) => {
                // A statement whose future the body dropped is over before anything else is.
                let _ = self.tx.link.ready().await;
                match error.into_database_error() {
                    Ok(error) => Err(AttemptFailure { error, stage: Stage::Body }),
                    Err(own) => {
                        end::roll_back(self.tx.link).await;
                        self.tx.handed_over = true;
                        return Err(own);
                    }
                }
            }
        };
        self.tx.handed_over = true;
        let (session, noted) = (self.tx.link.session_ref(), self.tx.state.noted);
        Ok(outcome.map_err(|failed| failed.behind(session, commits, noted)))
    }

    /// Cleans up behind a failed attempt and waits for the next, or gives the error that is the last.
    async fn clean_up(&mut self, failed: AttemptFailure) -> Result<(), Error> {
        self.resumed = false;
        let link = &mut *self.tx.link;
        let mut resumed = false;
        let rollback_failed =
            end::clean_up(link, &self.options, failed.failure(), &mut resumed).await;
        // From here on whoever drops this leaves the transaction.
        self.resumed = resumed;
        let next = self.retry.next(
            failed,
            rollback_failed,
            link.session().is_closed(),
            self.started.elapsed(),
            fastrand::f64(),
        );
        match next {
            Next::Again { wait, fresh } => {
                if fresh {
                    link.inner().disconnect();
                }
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Next::Over(error) => {
                end::roll_back(link).await;
                self.resumed = false;
                Err(error)
            }
        }
    }
}

/// Runs a transaction until it is committed, fails for good, or the policy is exhausted.
pub(crate) fn run<'c, T, E, F>(
    link: &'c mut Link,
    options: &TransactionOptions,
    mut body: F,
) -> BoxFuture<'c, Result<T, E>>
where
    T: Send + 'c,
    E: TransactionError + Send + 'c,
    F: for<'x> TransactionBody<'x, 'c, T, E> + 'c,
{
    let options = options.clone();
    Box::pin(async move {
        let span = spans::transaction(link.session_ref());
        spans::within(&span, async {
            let mut attempts = Attempts::new(link, &options, &span).await?;
            loop {
                let outcome = match attempts.start().await {
                    Ok(_) => {
                        let result = body.run(&mut attempts.tx).await;
                        attempts.settle(result).await?
                    }
                    Err(error) => Err(AttemptFailure { error, stage: Stage::Body }),
                };
                match outcome {
                    Ok(value) => return Ok(value),
                    Err(failed) => attempts.clean_up(failed).await?,
                }
            }
        })
        .await
    })
}

/// The same with a body of which nothing is known.
pub(crate) async fn run_local<T, E: TransactionError>(
    link: &mut Link,
    options: &TransactionOptions,
    mut body: impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let span = spans::transaction(link.session_ref());
    spans::within(&span, async {
        let mut attempts = Attempts::new(link, options, &span).await?;
        loop {
            let outcome = match attempts.start().await {
                Ok(_) => {
                    let result = body(&mut attempts.tx).await;
                    attempts.settle(result).await?
                }
                Err(error) => Err(AttemptFailure { error, stage: Stage::Body }),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(failed) => attempts.clean_up(failed).await?,
            }
        }
    })
    .await
}
