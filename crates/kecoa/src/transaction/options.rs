//! How a transaction is run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::retry::{Decision, Policy};

/// The isolation level of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// `READ COMMITTED`, PostgreSQL's default.
    ReadCommitted,
    /// `REPEATABLE READ`.
    RepeatableRead,
    /// `SERIALIZABLE`, CockroachDB's default.
    Serializable,
}

/// What an observer learns about a failed attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FailedAttempt<'a> {
    /// Which attempt failed, from 1.
    pub attempt: u32,
    /// Why.
    pub error: &'a Error,
    /// What is done about it; [`Decision::wait`] is how long the client waits before.
    pub decision: Decision,
    /// Time since the first attempt began.
    pub elapsed: Duration,
}

/// Is told about every failed attempt, before the wait.
pub type Observer = Arc<dyn Fn(&FailedAttempt<'_>) + Send + Sync>;

/// How a transaction is run.
///
/// ```
/// use kecoa::{Isolation, TransactionOptions};
///
/// let options = TransactionOptions {
///     isolation: Some(Isolation::Serializable),
///     ..TransactionOptions::default()
/// };
/// assert_eq!(options.begin(), "BEGIN ISOLATION LEVEL SERIALIZABLE");
/// ```
///
/// With a policy of retry, and an observer that is told of each attempt that failed:
///
/// ```
/// # kecoa::example::blocking(|client| {
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use kecoa::TransactionOptions;
/// use kecoa::retry::Policy;
///
/// let options = TransactionOptions {
///     policy: Policy { max_attempts: 5, total: Some(Duration::from_secs(3)), ..Policy::default() },
///     observer: Some(Arc::new(|failed| {
///         eprintln!("attempt {} failed: {}; {:?}", failed.attempt, failed.error, failed.decision);
///     })),
///     ..TransactionOptions::default()
/// };
/// client.transaction_with(&options, |tx| {
///     tx.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1", &[])
/// })?;
/// # Ok(()) });
/// ```
#[derive(Clone, Default)]
pub struct TransactionOptions {
    /// The isolation level; the session's default when not set.
    pub isolation: Option<Isolation>,
    /// `READ ONLY` or `READ WRITE`; the session's default when not set.
    pub read_only: Option<bool>,
    /// `DEFERRABLE` or `NOT DEFERRABLE`; the session's default when not set.
    pub deferrable: Option<bool>,
    /// How often and for how long it is tried.
    pub policy: Policy,
    /// On CockroachDB, retry behind `SAVEPOINT cockroach_restart`, which keeps the transaction's
    /// place in line. Without effect elsewhere: PostgreSQL needs a new transaction.
    pub cockroach_restart: bool,
    /// Is told about every failed attempt.
    pub observer: Option<Observer>,
}

impl fmt::Debug for TransactionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionOptions")
            .field("begin", &self.begin())
            .field("policy", &self.policy)
            .field("cockroach_restart", &self.cockroach_restart)
            .finish_non_exhaustive()
    }
}

impl TransactionOptions {
    /// The BEGIN statement, without semicolon.
    #[must_use]
    pub fn begin(&self) -> String {
        let mut modes = Vec::new();
        modes.extend(self.isolation.map(|isolation| match isolation {
            Isolation::ReadCommitted => "ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => "ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => "ISOLATION LEVEL SERIALIZABLE",
        }));
        modes.extend(self.read_only.map(|on| if on { "READ ONLY" } else { "READ WRITE" }));
        modes.extend(self.deferrable.map(|on| if on { "DEFERRABLE" } else { "NOT DEFERRABLE" }));
        if modes.is_empty() { "BEGIN".to_owned() } else { format!("BEGIN {}", modes.join(", ")) }
    }

    /// The same without the restart protocol, which is of use to those only who run it again.
    pub(super) fn without_restart(&self) -> TransactionOptions {
        TransactionOptions { cockroach_restart: false, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begin_says_what_was_asked_for() {
        assert_eq!(TransactionOptions::default().begin(), "BEGIN");
        let options = TransactionOptions {
            isolation: Some(Isolation::Serializable),
            read_only: Some(true),
            deferrable: Some(true),
            ..TransactionOptions::default()
        };
        assert_eq!(options.begin(), "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE");
        let options = TransactionOptions {
            isolation: Some(Isolation::ReadCommitted),
            read_only: Some(false),
            deferrable: Some(false),
            ..TransactionOptions::default()
        };
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE";
        assert_eq!(options.begin(), begin);
    }
}
