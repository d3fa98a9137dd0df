//! Attempts at a transaction, until one is committed.

use super::end;
use super::transaction::{self, Transaction};
use crate::client::inner::InnerClient;
use crate::error::Error;
use crate::interrupt::Never;
use crate::observability::spans;
use crate::retry::{Runtime, SystemRuntime};
use crate::transaction::attempt::{AttemptFailure, Stage};
use crate::transaction::error::TransactionError;
use crate::transaction::options::TransactionOptions;
use crate::transaction::retry_loop::{Next, RetryLoop};
use crate::transaction::state;

/// Attempts at one transaction, of which a program runs the loop itself: [`Client::attempts`](crate::blocking::Client::attempts).
///
/// Each attempt is [begun](Attempts::begin) and committed; the error of one that was not goes to
/// [`failed`](Attempts::failed), which waits until the next may begin or gives the error back.
#[derive(Debug)]
pub struct Attempts<'c> {
    run: Run<'c>,
    runtime: SystemRuntime,
    /// How many COMMITs the session had seen when the attempt began.
    commits: Option<u64>,
}

impl<'c> Attempts<'c> {
    pub(crate) fn new(
        client: &'c mut InnerClient,
        options: &TransactionOptions,
    ) -> Result<Attempts<'c>, Error> {
        let mut runtime = SystemRuntime::new();
        let span = spans::transaction(client.session_ref());
        let run = Run::new(client, options, &span, &mut runtime)?;
        Ok(Attempts { run, runtime, commits: None })
    }

    /// Begins an attempt, on a fresh connection where the last one was lost. What an attempt before it
    /// left open is rolled back first.
    ///
    /// # Errors
    /// No connection can be made: give it to [`failed`](Attempts::failed) as any other.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the last attempt was committed.
    pub fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        if self.commits.is_some_and(|before| before < self.run.client.session_ref().commits()) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        if !self.run.resumed {
            end::leave(self.run.client);
        }
        let resumed = self.run.start()?;
        self.commits = Some(self.run.client.session_ref().commits());
        let tx = Transaction::new(self.run.client, &self.run.options, resumed);
        Ok(tx.within_attempts())
    }

    /// The attempt that was begun failed. It is rolled back; where it may be tried again this returns
    /// `Ok` when it is time to [begin](Attempts::begin).
    ///
    /// # Errors
    /// The error, when there is no further attempt: it is none that asks for one (or none of the
    /// database's at all), the outcome is [ambiguous](crate::ErrorKind::AmbiguousCommit), or the policy
    /// allows no more ([`RetriesExhausted`](crate::ErrorKind::RetriesExhausted)).
    pub fn failed<E: TransactionError>(&mut self, error: E) -> Result<(), E> {
        match error.into_database_error() {
            Ok(error) => {
                let commits = self.commits.unwrap_or_default();
                let failed = AttemptFailure { error, stage: Stage::Body };
                let failed = failed.behind(self.run.client.session_ref(), commits, None);
                self.run.settle(&mut self.runtime, failed).map_err(E::from)
            }
            Err(own) => {
                end::leave(self.run.client);
                Err(own)
            }
        }
    }
}

/// The attempts, on whose time it may be.
struct Run<'c> {
    client: &'c mut InnerClient,
    options: TransactionOptions,
    retry: RetryLoop,
    /// Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    resumed: bool,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Drop for Run<'_> {
    /// Nobody goes on: an observer or a wait has panicked, or a loop was left.
    fn drop(&mut self) {
        end::leave(self.client);
    }
}

impl<'c> Run<'c> {
    fn new(
        client: &'c mut InnerClient,
        options: &TransactionOptions,
        span: &spans::Span,
        runtime: &mut dyn Runtime,
    ) -> Result<Run<'c>, Error> {
        if client.was_closed_by_caller() {
            return Err(Error::closed());
        }
        state::check_not_open(client.session())?;
        let retry = RetryLoop::begin(options, span, runtime.now())?;
        Ok(Run { client, options: options.clone(), retry, resumed: false })
    }

    /// Makes the connection ready for the next attempt; whether its transaction is open already.
    fn start(&mut self) -> Result<bool, Error> {
        if self.client.is_closed() {
            self.client.reconnect(&mut Never)?;
        }
        Ok(std::mem::take(&mut self.resumed))
    }

    /// Cleans up behind a failed attempt and waits for the next, or gives the error that is the last.
    fn settle(&mut self, runtime: &mut dyn Runtime, failed: AttemptFailure) -> Result<(), Error> {
        self.resumed = false;
        let meaning = failed.failure();
        let rollback_failed = end::clean_up(self.client, &self.options, meaning, &mut self.resumed);
        let is_closed = self.client.is_closed();
        let next =
            self.retry.next(failed, rollback_failed, is_closed, runtime.now(), runtime.random());
        match next {
            Next::Again { wait, fresh } => {
                if fresh {
                    self.client.disconnect();
                }
                runtime.sleep(wait);
                Ok(())
            }
            Next::Over(error) => {
                end::leave(self.client);
                Err(error)
            }
        }
    }
}

/// Runs a transaction until it is committed, fails for good, or the policy is exhausted.
pub(crate) fn run<T, E: TransactionError>(
    client: &mut InnerClient,
    options: &TransactionOptions,
    runtime: &mut dyn Runtime,
    mut body: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let span = spans::transaction(client.session_ref());
    span.in_scope(|| {
        let mut run = Run::new(client, options, &span, runtime)?;
        loop {
            let outcome = match run.start() {
                Ok(resumed) => transaction::run(run.client, options, resumed, &mut body)?,
                Err(error) => Err(AttemptFailure { error, stage: Stage::Body }),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(failed) => run.settle(runtime, failed)?,
            }
        }
    })
}
