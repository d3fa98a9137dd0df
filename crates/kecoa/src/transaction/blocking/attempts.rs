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
use crate::transaction::retry_loop::{NextAttempt, Outcome, RetryLoop};
use crate::transaction::state;

/// Attempts at one transaction, of which a program runs the loop itself: [`Client::attempts`](crate::blocking::Client::attempts).
///
/// Each attempt is [begun](Attempts::begin) and committed; the error of one that was not goes to
/// [`failed`](Attempts::failed), which waits until the next may begin or gives the error back.
#[derive(Debug)]
#[must_use = "no transaction runs until begin() is called"]
pub struct Attempts<'c> {
    on: SessionAttempts<'c>,
    retry: RetryLoop,
    runtime: SystemRuntime,
    /// How many COMMITs the session had seen when the attempt began.
    commits: Option<u64>,
}

impl<'c> Attempts<'c> {
    pub(crate) fn new(
        client: &'c mut InnerClient,
        options: &TransactionOptions,
    ) -> Result<Attempts<'c>, Error> {
        let runtime = SystemRuntime::new();
        let span = spans::transaction(client.session_ref());
        let on = SessionAttempts::new(client)?;
        let retry = RetryLoop::begin(options, &span, runtime.now())?;
        Ok(Attempts { on, retry, runtime, commits: None })
    }

    /// Begins an attempt, on a fresh connection where the last one was lost. What an attempt before it
    /// left open is rolled back first.
    ///
    /// # Errors
    /// No connection can be made: give it to [`failed`](Attempts::failed) as any other.
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) when the last attempt was committed.
    pub fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        if self.commits.is_some_and(|before| before < self.on.client.session_ref().commits()) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        if !self.on.resumed {
            end::leave(self.on.client);
        }
        let resumed = self.on.start()?;
        self.commits = Some(self.on.client.session_ref().commits());
        let tx = Transaction::new(self.on.client, &self.retry.options, resumed);
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
                let failed = failed.behind(self.on.client.session_ref(), commits, None);
                let next = self.on.clean_up(&mut self.retry, &mut self.runtime, failed)?;
                self.on.wait(&mut self.runtime, next);
                Ok(())
            }
            Err(own) => {
                end::leave(self.on.client);
                Err(own)
            }
        }
    }
}

/// Attempts on one client, on whose time it may be.
pub(crate) struct SessionAttempts<'c> {
    client: &'c mut InnerClient,
    /// Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    resumed: bool,
}

impl std::fmt::Debug for SessionAttempts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionAttempts").field("resumed", &self.resumed).finish_non_exhaustive()
    }
}

impl Drop for SessionAttempts<'_> {
    /// Nobody goes on: an observer or a wait has panicked, or a loop was left.
    fn drop(&mut self) {
        end::leave(self.client);
    }
}

impl<'c> SessionAttempts<'c> {
    pub(crate) fn new(client: &'c mut InnerClient) -> Result<SessionAttempts<'c>, Error> {
        if client.was_closed_by_caller() {
            return Err(Error::closed());
        }
        state::check_not_open(client.session())?;
        Ok(SessionAttempts { client, resumed: false })
    }

    /// Makes the connection ready for the next attempt; whether its transaction is open already.
    fn start(&mut self) -> Result<bool, Error> {
        if self.client.is_closed() {
            self.client.reconnect(&mut Never)?;
        }
        Ok(std::mem::take(&mut self.resumed))
    }

    /// Makes an attempt. An error is the last.
    pub(crate) fn attempt<T, E: TransactionError>(
        &mut self,
        retry: &mut RetryLoop,
        runtime: &mut dyn Runtime,
        body: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<Outcome<T>, E> {
        let outcome = match self.start() {
            Ok(resumed) => transaction::run(self.client, &retry.options, resumed, body)?,
            Err(error) => Err(AttemptFailure { error, stage: Stage::Body }),
        };
        match outcome {
            Ok(value) => Ok(Outcome::Committed(value)),
            Err(failed) => Ok(Outcome::Again(self.clean_up(retry, runtime, failed)?)),
        }
    }

    /// Cleans up behind a failed attempt, or gives the error that is the last.
    fn clean_up(
        &mut self,
        retry: &mut RetryLoop,
        runtime: &mut dyn Runtime,
        failed: AttemptFailure,
    ) -> Result<NextAttempt, Error> {
        self.resumed = false;
        let (meaning, options) = (failed.failure(), &retry.options);
        let rollback_failed = end::clean_up(self.client, options, meaning, &mut self.resumed);
        let is_closed = self.client.is_closed();
        let next = retry.next(failed, rollback_failed, is_closed, runtime.now(), runtime.random());
        if next.is_err() {
            end::leave(self.client);
        }
        next
    }

    /// Waits for the next attempt, which is made with this client.
    fn wait(&mut self, runtime: &mut dyn Runtime, next: NextAttempt) {
        if next.fresh {
            self.client.disconnect();
        }
        runtime.sleep(next.wait);
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
        let mut on = SessionAttempts::new(client)?;
        let mut retry = RetryLoop::begin(options, &span, runtime.now())?;
        loop {
            match on.attempt(&mut retry, runtime, &mut body)? {
                Outcome::Committed(value) => return Ok(value),
                Outcome::Again(next) => on.wait(runtime, next),
            }
        }
    })
}
