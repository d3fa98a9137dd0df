//! Transactions that are run again when the server asks for it.

pub(crate) mod attempt;
mod options;
pub(crate) mod statements;

pub use attempt::Transaction;
pub use options::{FailedAttempt, Isolation, Observer, TransactionOptions};

use crate::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::observe::{self, spans};
use crate::retry::{Attempts, Decision, Failure, Runtime, classify};
use attempt::{Broken, Stage};

/// What the body of a transaction may fail with: anything that an [`Error`] can be turned into, and
/// found in again.
///
/// ```
/// use kecoa::{Error, blocking::TransactionError};
///
/// enum BankError {
///     Database(Error),
///     NotEnoughMoney,
/// }
///
/// impl From<Error> for BankError {
///     fn from(error: Error) -> Self {
///         BankError::Database(error)
///     }
/// }
///
/// impl TransactionError for BankError {
///     fn into_database_error(self) -> Result<Error, Self> {
///         match self {
///             BankError::Database(error) => Ok(error),
///             other => Err(other),
///         }
///     }
/// }
/// ```
pub trait TransactionError: From<Error> + Sized {
    /// The client's error inside this one, which says whether to try again; `Err(self)` when there
    /// is none: the transaction is rolled back and the error returned as it is.
    ///
    /// # Errors
    /// The error itself, when it is not about the database.
    fn into_database_error(self) -> Result<Error, Self>;
}

impl TransactionError for Error {
    fn into_database_error(self) -> Result<Error, Self> {
        Ok(self)
    }
}

impl TransactionError for Box<dyn std::error::Error + Send + Sync> {
    fn into_database_error(self) -> Result<Error, Self> {
        self.downcast::<Error>().map(|error| *error)
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
    span.in_scope(|| run_in(&span, client, options, runtime, &mut body))
}

fn run_in<T, E: TransactionError>(
    span: &spans::Span,
    client: &mut Client,
    options: &TransactionOptions,
    runtime: &mut dyn Runtime,
    body: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    if client.was_closed_by_caller() {
        return Err(Error::closed().into());
    }
    if client.transaction_status() != kecoa_proto::TransactionStatus::Idle {
        return Err(Error::usage("expected no open transaction, found one").into());
    }
    let mut attempts = Attempts::new(options.policy.clone(), runtime.now())?;
    observe::note_transaction();
    // Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    let mut resumed = false;
    loop {
        let number = attempts.attempt();
        let outcome = if client.is_closed() {
            client.reconnect().map_err(|error| Broken { error, stage: Stage::Body })
        } else {
            Ok(())
        };
        let outcome = match outcome {
            Ok(()) => attempt::run(client, options, resumed, body)?,
            Err(broken) => Err(broken),
        };
        let broken = match outcome {
            Ok(value) => return Ok(value),
            Err(broken) => broken,
        };
        let mut failure = broken.failure();
        resumed = false;
        if let Some(rollback_failed) = attempt::clean_up(client, options, failure, &mut resumed)
            && drained(&broken.error, &rollback_failed)
        {
            failure = Failure::LostBeforeCommit;
        }
        let mut decision = attempts.on_failure(failure, runtime.now(), runtime.random());
        if let Decision::RetryAfter(wait) = decision
            && client.is_closed()
        {
            decision = Decision::RetryOnFreshConnection(wait);
        }
        spans::attempt_failed(span, number, &broken.error, decision);
        observe::note_decision(broken.error.sqlstate(), failure, decision);
        if let Some(observer) = &options.observer {
            observer(&FailedAttempt {
                attempt: number,
                error: &broken.error,
                decision,
                elapsed: attempts.elapsed(),
            });
        }
        match decision {
            Decision::RetryAfter(wait) => runtime.sleep(wait),
            Decision::RetryOnFreshConnection(wait) => {
                client.disconnect();
                runtime.sleep(wait);
            }
            Decision::Ambiguous => {
                attempt::leave(client);
                return Err(ambiguous(broken).into());
            }
            Decision::GiveUp => {
                attempt::leave(client);
                return Err(given_up(broken, failure, &attempts).into());
            }
        }
    }
}

/// The error of a transaction that is not tried again.
pub(crate) fn given_up(broken: Broken, failure: Failure, attempts: &Attempts) -> Error {
    match failure {
        Failure::Final | Failure::Ambiguous => broken.error,
        Failure::Retryable | Failure::LostBeforeCommit => {
            Error::retries_exhausted(attempts.attempt(), attempts.elapsed(), broken.error)
        }
    }
}

/// Whether the server drains: CockroachDB then ends the running statement with 57014, and what
/// comes next finds the session ended with 57P01. Nothing was committed.
pub(crate) fn drained(statement: &Error, rollback: &Error) -> bool {
    statement.kind() == ErrorKind::Server
        && statement.sqlstate() == Some("57014")
        && rollback.is_connection_lost()
        && classify(rollback, false) == Failure::LostBeforeCommit
        && rollback.sqlstate() == Some("57P01")
}

pub(crate) fn ambiguous(broken: Broken) -> Error {
    match broken.stage {
        // A statement that is ambiguous by itself (40003) says so by itself.
        Stage::Body => broken.error,
        Stage::Release => Error::ambiguous_commit(
            "RELEASE SAVEPOINT was sent and whether the transaction committed is not known; \
             look its work up before running it again",
            broken.error,
        ),
        Stage::Commit => Error::ambiguous_commit(
            "COMMIT was sent and whether the transaction committed is not known; \
             look its work up before running it again",
            broken.error,
        ),
    }
}
