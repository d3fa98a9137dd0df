//! Transactions that are run again when the server asks for it.

pub(crate) mod attempt;
pub(crate) mod course;
mod options;
pub(crate) mod statements;

pub use attempt::Transaction;
pub use options::{FailedAttempt, Isolation, Observer, TransactionOptions};

use crate::blocking::Client;
use crate::error::Error;
use crate::observe::spans;
use crate::retry::Runtime;
use attempt::{Broken, Stage};
use course::{Course, Next, Situation};

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
    let mut course = Course::begin(options, span, runtime.now())?;
    // Whether the next attempt goes on in the transaction of the last one, behind its savepoint.
    let mut resumed = false;
    loop {
        let connected = if client.is_closed() { client.reconnect() } else { Ok(()) };
        let outcome = match connected {
            Ok(()) => attempt::run(client, options, resumed, body)?,
            Err(error) => Err(Broken { error, stage: Stage::Body }),
        };
        let broken = match outcome {
            Ok(value) => return Ok(value),
            Err(broken) => broken,
        };
        resumed = false;
        let rollback_failed = attempt::clean_up(client, options, broken.failure(), &mut resumed);
        let next = course.failed(Situation {
            broken,
            rollback_failed,
            is_closed: client.is_closed(),
            now: runtime.now(),
            random: runtime.random(),
        });
        match next {
            Next::Again { wait, fresh } => {
                if fresh {
                    client.disconnect();
                }
                runtime.sleep(wait);
            }
            Next::Over(error) => {
                attempt::leave(client);
                return Err(error.into());
            }
        }
    }
}
