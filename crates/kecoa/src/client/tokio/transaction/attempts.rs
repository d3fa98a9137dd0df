//! Attempts at a transaction, until one is committed.

use std::time::Duration;

use kecoa_proto::TransactionStatus;
use tokio::time::Instant;

use super::body::{BoxFuture, TransactionBody};
use super::{Transaction, ending};
use crate::client::tokio::link::Link;
use crate::error::Error;
use crate::observability::spans;
use crate::transaction::attempt::{Broken, Stage, restartable};
use crate::transaction::retry_loop::{Next, RetryLoop, Situation};
use crate::transaction::{TransactionError, TransactionOptions};

/// Attempts at one transaction, of which a program runs the loop itself:
/// [`Client::attempts`](crate::Client::attempts).
///
/// Each attempt is [begun](Attempts::begin) and committed; the error of one that was not goes to
/// [`failed`](Attempts::failed), which waits until the next may begin or gives the error back.
pub struct Attempts<'c> {
    /// The transaction of the attempt that runs, or the last one's.
    tx: Transaction<'c>,
    options: TransactionOptions,
    course: RetryLoop,
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
    pub(in crate::client::tokio) async fn new(
        link: &'c mut Link,
        options: &TransactionOptions,
        span: &spans::Span,
    ) -> Result<Attempts<'c>, Error> {
        if link.client_ref().was_closed_by_caller() {
            return Err(Error::closed());
        }
        // What an abandoned future broke is of no concern to a transaction yet to begin.
        let _ = link.ready().await;
        if link.session().transaction_status() != TransactionStatus::Idle {
            return Err(Error::usage("expected no open transaction, found one"));
        }
        let course = RetryLoop::begin(options, span, Duration::ZERO)?;
        let mut tx = Transaction::new(link, options);
        tx.handed_over = true;
        let (options, started) = (options.clone(), Instant::now());
        Ok(Attempts { tx, options, course, started, resumed: false, commits: None })
    }

    /// Begins an attempt, on a fresh connection where the last one was lost. What an attempt before it
    /// left open is rolled back first.
    ///
    /// # Errors
    /// No connection can be made: give it to [`failed`](Attempts::failed) as any other.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the last attempt was committed.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let commits = self.tx.link.client_ref().commits();
        if self.commits.is_some_and(|before| before < commits) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        self.tx.link.ready().await?;
        if !self.resumed {
            ending::roll_back(self.tx.link).await;
        }
        let begun = self.start().await?;
        self.commits = Some(self.tx.link.client_ref().commits());
        let mut tx = Transaction::new(self.tx.link, &self.options);
        tx.begun = begun;
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
        if self.tx.restart {
            // It is rolled back below, or resumed.
            self.tx.link.keep_transaction();
            self.tx.handed_over = false;
        }
        match self.settle(Err(error)).await? {
            Ok(()) => Ok(()),
            Err(broken) => self.broken(broken).await.map_err(E::from),
        }
    }

    /// Makes the next transaction ready; whether it is open already.
    async fn start(&mut self) -> Result<bool, Error> {
        if self.tx.link.session().is_closed() {
            self.tx.link.reconnect().await?;
        }
        let resumed = std::mem::take(&mut self.resumed);
        self.tx.restart = restartable(self.tx.link.client_ref(), &self.options);
        self.tx.begun = resumed;
        self.tx.noted = None;
        self.tx.depth = 0;
        self.tx.handed_over = false;
        self.commits = Some(self.tx.link.client_ref().commits());
        Ok(resumed)
    }

    /// Commits what the body did. The outer error is the body's own: the transaction was rolled back
    /// and is not tried again.
    async fn settle<T, E: TransactionError>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<Result<T, Broken>, E> {
        let commits = self.commits.unwrap_or_default();
        let outcome = match result {
            Ok(value) => self.tx.conclude().await.map(|()| value),
            Err(error) => {
                // A statement whose future the body dropped is over before anything else is.
                let _ = self.tx.link.ready().await;
                match error.into_database_error() {
                    Ok(error) => Err(Broken { error, stage: Stage::Body }),
                    Err(own) => {
                        ending::roll_back(self.tx.link).await;
                        self.tx.handed_over = true;
                        return Err(own);
                    }
                }
            }
        };
        self.tx.handed_over = true;
        let (session, noted) = (self.tx.link.client_ref().session_ref(), self.tx.noted);
        Ok(outcome.map_err(|broken| broken.behind(session, commits, noted)))
    }

    /// Cleans up behind a failed attempt and waits for the next, or gives the error that is the last.
    async fn broken(&mut self, broken: Broken) -> Result<(), Error> {
        self.resumed = false;
        let link = &mut *self.tx.link;
        let mut resumed = false;
        let rollback_failed =
            ending::clean_up(link, &self.options, broken.failure(), &mut resumed).await;
        // From here on whoever drops this leaves the transaction.
        self.resumed = resumed;
        let next = self.course.failed(Situation {
            broken,
            rollback_failed,
            is_closed: link.session().is_closed(),
            now: self.started.elapsed(),
            random: fastrand::f64(),
        });
        match next {
            Next::Again { wait, fresh } => {
                if fresh {
                    link.client().disconnect();
                }
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Next::Over(error) => {
                ending::roll_back(link).await;
                self.resumed = false;
                Err(error)
            }
        }
    }
}

/// Runs a transaction until it is committed, fails for good, or the policy is exhausted.
pub(in crate::client::tokio) fn run<'c, T, E, F>(
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
        let span = spans::transaction(link.client_ref().session_ref());
        spans::within(&span, async {
            let mut attempts = Attempts::new(link, &options, &span).await?;
            loop {
                let outcome = match attempts.start().await {
                    Ok(_) => {
                        let result = body.run(&mut attempts.tx).await;
                        attempts.settle(result).await?
                    }
                    Err(error) => Err(Broken { error, stage: Stage::Body }),
                };
                match outcome {
                    Ok(value) => return Ok(value),
                    Err(broken) => attempts.broken(broken).await?,
                }
            }
        })
        .await
    })
}

/// The same with a body of which nothing is known.
pub(in crate::client::tokio) async fn run_local<T, E: TransactionError>(
    link: &mut Link,
    options: &TransactionOptions,
    mut body: impl AsyncFnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let span = spans::transaction(link.client_ref().session_ref());
    spans::within(&span, async {
        let mut attempts = Attempts::new(link, options, &span).await?;
        loop {
            let outcome = match attempts.start().await {
                Ok(_) => {
                    let result = body(&mut attempts.tx).await;
                    attempts.settle(result).await?
                }
                Err(error) => Err(Broken { error, stage: Stage::Body }),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(broken) => attempts.broken(broken).await?,
            }
        }
    })
    .await
}
