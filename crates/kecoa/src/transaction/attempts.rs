//! Attempts at a transaction, until one is committed.

use kecoa_proto::TransactionStatus;

use super::attempt::{self, Broken, Stage, Transaction};
use super::retry_loop::{Next, RetryLoop, Situation};
use super::{TransactionError, TransactionOptions};
use crate::client::blocking::Client;
use crate::error::Error;
use crate::observability::spans;
use crate::retry::{Runtime, SystemRuntime};

/// Attempts at one transaction, of which a program runs the loop itself: [`Client::attempts`].
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
        client: &'c mut Client,
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
        if self.commits.is_some_and(|before| before < self.run.client.commits()) {
            return Err(Error::usage_after_the_fact(
                "expected a transaction to be tried again, found it committed",
            ));
        }
        if !self.run.resumed {
            attempt::leave(self.run.client);
        }
        let resumed = self.run.start()?;
        self.commits = Some(self.run.client.commits());
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
                let broken = Broken { error, stage: Stage::Body };
                let broken = broken.behind(self.run.client.session_ref(), commits, None);
                self.run.broken(&mut self.runtime, broken).map_err(E::from)
            }
            Err(own) => {
                attempt::leave(self.run.client);
                Err(own)
            }
        }
    }
}

/// The attempts, on whose time it may be.
struct Run<'c> {
    client: &'c mut Client,
    options: TransactionOptions,
    course: RetryLoop,
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
        attempt::leave(self.client);
    }
}

impl<'c> Run<'c> {
    fn new(
        client: &'c mut Client,
        options: &TransactionOptions,
        span: &spans::Span,
        runtime: &mut dyn Runtime,
    ) -> Result<Run<'c>, Error> {
        if client.was_closed_by_caller() {
            return Err(Error::closed());
        }
        if client.transaction_status() != TransactionStatus::Idle {
            return Err(Error::usage("expected no open transaction, found one"));
        }
        let course = RetryLoop::begin(options, span, runtime.now())?;
        Ok(Run { client, options: options.clone(), course, resumed: false })
    }

    /// Makes the connection ready for the next attempt; whether its transaction is open already.
    fn start(&mut self) -> Result<bool, Error> {
        if self.client.is_closed() {
            self.client.reconnect()?;
        }
        Ok(std::mem::take(&mut self.resumed))
    }

    /// Cleans up behind a failed attempt and waits for the next, or gives the error that is the last.
    fn broken(&mut self, runtime: &mut dyn Runtime, broken: Broken) -> Result<(), Error> {
        self.resumed = false;
        let failure = broken.failure();
        let rollback_failed =
            attempt::clean_up(self.client, &self.options, failure, &mut self.resumed);
        let next = self.course.failed(Situation {
            broken,
            rollback_failed,
            is_closed: self.client.is_closed(),
            now: runtime.now(),
            random: runtime.random(),
        });
        match next {
            Next::Again { wait, fresh } => {
                if fresh {
                    self.client.disconnect();
                }
                runtime.sleep(wait);
                Ok(())
            }
            Next::Over(error) => {
                attempt::leave(self.client);
                Err(error)
            }
        }
    }
}

/// Runs a transaction until it is committed, fails for good, or the policy is exhausted.
pub(crate) fn run<T, E: TransactionError>(
    client: &mut Client,
    options: &TransactionOptions,
    runtime: &mut dyn Runtime,
    mut body: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let span = spans::transaction(client.session_ref());
    span.in_scope(|| {
        let mut run = Run::new(client, options, &span, runtime)?;
        loop {
            let outcome = match run.start() {
                Ok(resumed) => attempt::run(run.client, options, resumed, &mut body)?,
                Err(error) => Err(Broken { error, stage: Stage::Body }),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(broken) => run.broken(runtime, broken)?,
            }
        }
    })
}
