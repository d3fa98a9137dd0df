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
use crate::transaction::retry_loop::{NextAttempt, Outcome, RetryLoop};
use crate::transaction::state::{self, TransactionState};

/// Attempts at one transaction, of which a program runs the loop itself:
/// [`Client::attempts`](crate::Client::attempts).
///
/// Each attempt is [begun](Attempts::begin) and committed; the error of one that was not goes to
/// [`failed`](Attempts::failed), which waits until the next may begin or gives the error back.
#[must_use = "no transaction runs until begin() is called"]
pub struct Attempts<'c> {
    on: SessionAttempts<'c>,
    run: Run,
}

impl std::fmt::Debug for Attempts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").field("options", &self.run.retry.options).finish_non_exhaustive()
    }
}

impl<'c> Attempts<'c> {
    pub(crate) async fn new(
        link: &'c mut Link,
        options: &TransactionOptions,
        span: &spans::Span,
    ) -> Result<Attempts<'c>, Error> {
        let on = SessionAttempts::new(link, options).await?;
        Ok(Attempts { on, run: Run::begin(options, span)? })
    }

    /// Begins an attempt, on a fresh connection where the last one was lost. What an attempt before it
    /// left open is rolled back first.
    ///
    /// # Errors
    /// No connection can be made: give it to [`failed`](Attempts::failed) as any other.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the last attempt was committed.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let commits = self.on.tx.link.session_ref().commits();
        if self.on.commits.is_some_and(|before| before < commits) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        self.on.tx.link.ready().await?;
        if !self.on.resumed {
            end::roll_back(self.on.tx.link).await;
        }
        let begun = self.on.start(&self.run.retry.options).await?;
        self.on.commits = Some(self.on.tx.link.session_ref().commits());
        let tx = Transaction::new(self.on.tx.link, &self.run.retry.options, begun);
        // This one ends it now.
        self.on.tx.handed_over = true;
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
        if self.on.tx.state.restart {
            // It is rolled back below, or resumed.
            self.on.tx.link.keep_transaction();
            self.on.tx.handed_over = false;
        }
        let ended: Result<(), E> = Err(error);
        if let Outcome::Again(next) = self.on.finish(&mut self.run, Ok(ended)).await? {
            self.on.wait(next).await;
        }
        Ok(())
    }
}

/// A transaction and its attempts, on tokio's clock.
pub(crate) struct Run {
    retry: RetryLoop,
    started: Instant,
}

impl Run {
    pub(crate) fn begin(options: &TransactionOptions, span: &spans::Span) -> Result<Run, Error> {
        let retry = RetryLoop::begin(options, span, Duration::ZERO)?;
        Ok(Run { retry, started: Instant::now() })
    }

    /// Decides what follows when no connection could be had for an attempt.
    pub(crate) fn unavailable(&mut self, error: Error) -> Result<NextAttempt, Error> {
        self.retry.unavailable(error, self.started.elapsed(), fastrand::f64())
    }
}

/// Attempts on one client.
pub(crate) struct SessionAttempts<'c> {
    /// The transaction of the attempt that runs, or the last one's.
    pub(crate) tx: Transaction<'c>,
    /// Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    resumed: bool,
    /// How many COMMITs the session had seen when the attempt began.
    commits: Option<u64>,
}

impl Drop for SessionAttempts<'_> {
    fn drop(&mut self) {
        if self.resumed {
            self.tx.link.leave_transaction();
        }
    }
}

impl<'c> SessionAttempts<'c> {
    pub(crate) async fn new(
        link: &'c mut Link,
        options: &TransactionOptions,
    ) -> Result<SessionAttempts<'c>, Error> {
        if link.inner_ref().was_closed_by_caller() {
            return Err(Error::closed());
        }
        // What an abandoned future broke is of no concern to a transaction yet to begin.
        let _ = link.ready().await;
        state::check_not_open(link.session())?;
        let mut tx = Transaction::new(link, options, false);
        tx.handed_over = true;
        Ok(SessionAttempts { tx, resumed: false, commits: None })
    }

    /// Makes the next transaction ready; whether it is open already.
    pub(crate) async fn start(&mut self, options: &TransactionOptions) -> Result<bool, Error> {
        if self.tx.link.session().is_closed() {
            self.tx.link.reconnect().await?;
        }
        let resumed = std::mem::take(&mut self.resumed);
        let session = self.tx.link.session_ref();
        self.tx.state = TransactionState::new(session, options, resumed);
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

    /// Ends an attempt, which could not be started or whose body has returned: commits, or cleans up
    /// behind it. An error is the last.
    pub(crate) async fn finish<T, E: TransactionError>(
        &mut self,
        run: &mut Run,
        ended: Result<Result<T, E>, Error>,
    ) -> Result<Outcome<T>, E> {
        let settled = match ended {
            Ok(result) => self.settle(result).await?,
            Err(error) => Err(AttemptFailure { error, stage: Stage::Body }),
        };
        let failed = match settled {
            Ok(value) => return Ok(Outcome::Committed(value)),
            Err(failed) => failed,
        };
        self.resumed = false;
        let link = &mut *self.tx.link;
        let mut resumed = false;
        let options = &run.retry.options;
        let rollback_failed = end::clean_up(link, options, failed.failure(), &mut resumed).await;
        // From here on whoever drops this leaves the transaction.
        self.resumed = resumed;
        let next = run.retry.next(
            failed,
            rollback_failed,
            link.session().is_closed(),
            run.started.elapsed(),
            fastrand::f64(),
        );
        match next {
            Ok(next) => Ok(Outcome::Again(next)),
            Err(error) => {
                end::roll_back(link).await;
                self.resumed = false;
                Err(E::from(error))
            }
        }
    }

    /// Waits for the next attempt, which is made with this client.
    async fn wait(&mut self, next: NextAttempt) {
        if next.fresh {
            self.tx.link.inner().disconnect();
        }
        tokio::time::sleep(next.wait).await;
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
            let Attempts { mut on, mut run } = Attempts::new(link, &options, &span).await?;
            loop {
                let ended = match on.start(&options).await {
                    Ok(_) => Ok(body.run(&mut on.tx).await),
                    Err(error) => Err(error),
                };
                match on.finish(&mut run, ended).await? {
                    Outcome::Committed(value) => return Ok(value),
                    Outcome::Again(next) => on.wait(next).await,
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
        let Attempts { mut on, mut run } = Attempts::new(link, options, &span).await?;
        loop {
            let ended = match on.start(options).await {
                Ok(_) => Ok(body(&mut on.tx).await),
                Err(error) => Err(error),
            };
            match on.finish(&mut run, ended).await? {
                Outcome::Committed(value) => return Ok(value),
                Outcome::Again(next) => on.wait(next).await,
            }
        }
    })
    .await
}
