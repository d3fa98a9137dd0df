//! How often a statement is tried again when another got in its way.

use std::time::Duration;

use kecoa::retry::{Attempts, Decision, Failure, Policy};

use tokio::time::Instant;

use crate::error::{Code, Error};

/// The tries of one statement.
#[derive(Debug)]
pub struct Tries {
    attempts: Option<Attempts>,
    started: Instant,
    deadline: Option<Instant>,
}

impl Tries {
    /// The first try begins, outside of transactions.
    #[must_use]
    pub fn begin(deadline: Option<Instant>) -> Self {
        Self::at_most(100, deadline)
    }

    /// The first try begins, inside of a transaction. What others do changes nothing of what that sees: a few tries are
    /// for what it has done itself, and the next step is the client's, to begin it anew.
    #[must_use]
    pub fn in_transaction(deadline: Option<Instant>) -> Self {
        Self::at_most(4, deadline)
    }

    fn at_most(max_attempts: u32, deadline: Option<Instant>) -> Self {
        let policy = Policy {
            max_attempts,
            first_delay: Duration::from_millis(2),
            factor: 1.5,
            max_delay: Duration::from_millis(250),
            total: Some(Duration::from_secs(30)),
            ..Policy::default()
        };
        Self {
            attempts: Attempts::new(policy, Duration::ZERO).ok(),
            started: Instant::now(),
            deadline,
        }
    }

    /// Wait for the next try.
    ///
    /// # Errors
    ///
    /// `error`, when it is of no use to try again.
    pub async fn next(&mut self, error: Error) -> Result<(), Error> {
        if error.code() != Code::WRITE_CONFLICT {
            return Err(error);
        }
        let Some(attempts) = &mut self.attempts else { return Err(error) };
        let failure = Failure::from_sqlstate(Some("40001"), false, false);
        match attempts.on_failure(failure, self.started.elapsed(), fastrand::f64()) {
            Decision::RetryAfter(wait) => {
                if self.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
                    return Err(time_is_up());
                }
                tokio::time::sleep(wait).await;
                Ok(())
            }
            _ => Err(error),
        }
    }
}

/// The error of an operation whose time limit has passed.
#[must_use]
pub fn time_is_up() -> Error {
    Error::new(Code::MAX_TIME_MS_EXPIRED, "operation exceeded time limit")
}

/// The error of a write that another write got in the way of.
#[must_use]
pub fn write_conflict() -> Error {
    Error::new(
        Code::WRITE_CONFLICT,
        "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.",
    )
}
