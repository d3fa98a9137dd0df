//! The retry loop of a transaction: what follows from a failed attempt. Nothing in here waits,
//! so that the blocking client and the one for tokio ask the same.

use std::time::Duration;

use super::attempt::{AttemptFailure, Stage};
use super::options::{FailedAttempt, TransactionOptions};
use crate::error::{Error, ErrorKind};
use crate::observability::{self, spans};
use crate::retry::{Attempts, Decision, Failure, classify};

/// A transaction and its attempts, whichever sessions they are made on.
pub(crate) struct RetryLoop {
    pub(crate) options: TransactionOptions,
    attempts: Attempts,
    span: spans::Span,
}

impl std::fmt::Debug for RetryLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetryLoop").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The attempt that follows a failed one.
pub(crate) struct NextAttempt {
    /// How long to wait before it.
    pub(crate) wait: Duration,
    /// Whether it takes a fresh connection.
    pub(crate) fresh: bool,
}

/// How an attempt ended.
pub(crate) enum Outcome<T> {
    Committed(T),
    Again(NextAttempt),
}

impl RetryLoop {
    /// The first attempt begins.
    pub(crate) fn begin(
        options: &TransactionOptions,
        span: &spans::Span,
        now: Duration,
    ) -> Result<RetryLoop, Error> {
        let attempts = Attempts::new(options.policy.clone(), now)?;
        observability::note_transaction();
        Ok(RetryLoop { options: options.clone(), attempts, span: span.clone() })
    }

    /// An attempt has failed and the connection was cleaned up behind it (`rollback_failed` says why the
    /// transaction could not be rolled back): decides, and tells whoever watches. `now` is the time as of
    /// [`RetryLoop::begin`], `random` from 0 to 1. An error is the last; what may be open is left before
    /// it is returned.
    pub(crate) fn next(
        &mut self,
        failed: AttemptFailure,
        rollback_failed: Option<Error>,
        is_closed: bool,
        now: Duration,
        random: f64,
    ) -> Result<NextAttempt, Error> {
        let mut failure = failed.failure();
        if rollback_failed.is_some_and(|rollback| drained(&failed.error, &rollback)) {
            failure = Failure::LostBeforeCommit;
        }
        let number = self.attempts.attempt();
        let mut decision = self.attempts.on_failure(failure, now, random);
        if let Decision::RetryAfter(wait) = decision
            && is_closed
        {
            decision = Decision::RetryOnFreshConnection(wait);
        }
        spans::attempt_failed(&self.span, number, &failed.error, decision);
        observability::note_decision(failed.error.sqlstate(), failure, decision);
        if let Some(observer) = &self.options.observer {
            let elapsed = self.attempts.elapsed();
            observer(&FailedAttempt { attempt: number, error: &failed.error, decision, elapsed });
        }
        match decision {
            Decision::RetryAfter(wait) => Ok(NextAttempt { wait, fresh: false }),
            Decision::RetryOnFreshConnection(wait) => Ok(NextAttempt { wait, fresh: true }),
            Decision::Ambiguous => Err(ambiguous(failed)),
            Decision::GiveUp => Err(self.given_up(failed, failure)),
        }
    }

    /// No connection could be had for an attempt: decides what follows.
    pub(crate) fn unavailable(
        &mut self,
        error: Error,
        now: Duration,
        random: f64,
    ) -> Result<NextAttempt, Error> {
        self.next(AttemptFailure { error, stage: Stage::Body }, None, true, now, random)
    }

    fn given_up(&self, failed: AttemptFailure, failure: Failure) -> Error {
        match failure {
            Failure::Final | Failure::Ambiguous => failed.error,
            Failure::Retryable | Failure::LostBeforeCommit => {
                let attempts = &self.attempts;
                Error::retries_exhausted(attempts.attempt(), attempts.elapsed(), failed.error)
            }
        }
    }
}

/// Whether the server drains: CockroachDB then ends the running statement with 57014, and what
/// comes next finds the session ended with 57P01. Nothing was committed.
fn drained(statement: &Error, rollback: &Error) -> bool {
    statement.kind() == ErrorKind::Server
        && statement.sqlstate() == Some("57014")
        && rollback.is_connection_lost()
        && classify(rollback, false) == Failure::LostBeforeCommit
        && rollback.sqlstate() == Some("57P01")
}

/// The error of a transaction that nobody tries again.
pub(crate) fn reported(failed: AttemptFailure) -> Error {
    if failed.failure() == Failure::Ambiguous { ambiguous(failed) } else { failed.error }
}

fn ambiguous(failed: AttemptFailure) -> Error {
    match failed.stage {
        // A statement that is ambiguous by itself (40003) says so by itself.
        Stage::Body | Stage::Committed => failed.error,
        Stage::Doubtful => Error::ambiguous_commit(
            "the body sent COMMIT by itself, went on without its answer, and whether the transaction \
             committed is not known; look its work up before running it again",
            failed.error.ambiguous_cause(),
        ),
        Stage::Release => Error::ambiguous_commit(
            "RELEASE SAVEPOINT was sent and whether the transaction committed is not known; \
             look its work up before running it again",
            failed.error.ambiguous_cause(),
        ),
        Stage::Commit => Error::ambiguous_commit(
            "COMMIT was sent and whether the transaction committed is not known; \
             look its work up before running it again",
            failed.error.ambiguous_cause(),
        ),
    }
}
