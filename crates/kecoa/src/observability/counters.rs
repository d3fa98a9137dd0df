//! Counters, and those of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::retry::{Decision, Failure};

/// Why a transaction was run again: the SQLSTATE, its class where the members say the same, or
/// `connection_lost` where the server said nothing. In the order of [`Counters::retries_by_reason`].
pub const REASONS: [&str; 6] = ["40001", "57P", "08", "53300", "connection_lost", "other"];

fn reason_index(sqlstate: Option<&str>) -> usize {
    match sqlstate {
        Some("40001") => 0,
        Some(state) if state.starts_with("57P") => 1,
        Some(state) if state.starts_with("08") => 2,
        Some("53300") => 3,
        None => 4,
        Some(_) => 5,
    }
}

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $field:ident $name:literal;)*) => {
        /// What was done so far; counts only grow.
        ///
        /// The names that [`Counters::iter`] gives are OpenTelemetry's where its conventions for
        /// databases have one, and begin with `kecoa.` else.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counters {
            $($(#[doc = $doc])* pub $field: u64,)*
            /// Transactions run again, by [`REASONS`].
            pub retries_by_reason: [u64; REASONS.len()],
        }

        /// The counters themselves.
        #[derive(Debug)]
        pub(super) struct Tally {
            $(pub(super) $field: AtomicU64,)*
            retries_by_reason: [AtomicU64; REASONS.len()],
        }

        impl Tally {
            const fn new() -> Tally {
                Tally {
                    $($field: AtomicU64::new(0),)*
                    retries_by_reason: [const { AtomicU64::new(0) }; REASONS.len()],
                }
            }

            fn snapshot(&self) -> Counters {
                let mut retries_by_reason = [0; REASONS.len()];
                for (read, count) in retries_by_reason.iter_mut().zip(&self.retries_by_reason) {
                    *read = count.load(Relaxed);
                }
                Counters { $($field: self.$field.load(Relaxed),)* retries_by_reason }
            }
        }

        impl Counters {
            /// Every plain counter with its name, and `db.client.connection.count`: how many
            /// connections are open. Those of [`Counters::retries_by_reason`] are not among them.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                let open = ("db.client.connection.count", self.connections_open());
                [open, $(($name, self.$field),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Connections that were made.
    connections_opened "kecoa.connections.opened";
    /// Connections that could not be made, all their places counted as one.
    connections_failed "kecoa.connections.failed";
    /// Connections that broke, or were given up because the server did not follow the protocol or
    /// did not end what it was asked to cancel.
    connections_lost "kecoa.connections.lost";
    /// Connections that are over: closed or lost.
    connections_ended "kecoa.connections.ended";
    /// Requests that were submitted; a pipeline counts each of its requests, a batch of statements
    /// in one text is one.
    statements "kecoa.statements";
    /// COMMITs that the server has confirmed.
    commits "kecoa.commits";
    /// Transactions that were run in a retried form, from beginning to end.
    transactions "kecoa.transactions";
    /// Attempts at these transactions.
    attempts "kecoa.transactions.attempts";
    /// Attempts that followed a failed one.
    retries "kecoa.retries";
    /// Time decided to be waited between attempts, in microseconds.
    backoff_micros "kecoa.retries.backoff_us";
    /// Transactions that were given up although their last error may be retried: the policy was
    /// exhausted, or there was nothing to retry on.
    given_up "kecoa.transactions.given_up";
    /// Transactions whose COMMIT has no known outcome.
    ambiguous_commits "kecoa.commits.ambiguous";
    /// Requests to cancel that were sent.
    cancels "kecoa.cancels";
    /// Bytes sent, before encryption, without handshakes.
    bytes_sent "kecoa.bytes.sent";
    /// Bytes received, after decryption, without handshakes.
    bytes_received "kecoa.bytes.received";
}

impl Counters {
    /// How many connections are open: those that were made less those that are over.
    #[must_use]
    pub fn connections_open(&self) -> u64 {
        self.connections_opened.saturating_sub(self.connections_ended)
    }

    /// How long was waited between attempts in all.
    #[must_use]
    pub fn backoff(&self) -> Duration {
        Duration::from_micros(self.backoff_micros)
    }
}

pub(super) static PROCESS: Tally = Tally::new();

/// The counters of this process, from its start. The counters are read one by one: between two of
/// them there may be a statement of another thread.
#[must_use]
pub fn counters() -> Counters {
    PROCESS.snapshot()
}

/// A transaction in a retried form has begun: for callers that have a retry loop of their own.
pub fn note_transaction() {
    PROCESS.transactions.fetch_add(1, Relaxed);
    PROCESS.attempts.fetch_add(1, Relaxed);
}

/// An attempt failed with this SQLSTATE (nothing where the server said none), which means
/// `failure`, and this was decided: for callers that have a retry loop of their own. An error that is final
/// by itself counts nothing.
pub fn note_decision(sqlstate: Option<&str>, failure: Failure, decision: Decision) {
    match decision {
        Decision::RetryAfter(wait) | Decision::RetryOnFreshConnection(wait) => {
            PROCESS.attempts.fetch_add(1, Relaxed);
            PROCESS.retries.fetch_add(1, Relaxed);
            if let Some(count) = PROCESS.retries_by_reason.get(reason_index(sqlstate)) {
                count.fetch_add(1, Relaxed);
            }
            let wait = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
            PROCESS.backoff_micros.fetch_add(wait, Relaxed);
        }
        Decision::Ambiguous => {
            PROCESS.ambiguous_commits.fetch_add(1, Relaxed);
        }
        Decision::GiveUp => {
            if matches!(failure, Failure::Retryable | Failure::LostBeforeCommit) {
                PROCESS.given_up.fetch_add(1, Relaxed);
            }
        }
    }
}

/// What a connection that could not be made counts as.
pub(crate) fn note_connect_failed() {
    PROCESS.connections_failed.fetch_add(1, Relaxed);
}

/// A request to cancel was sent.
pub(crate) fn note_cancel() {
    PROCESS.cancels.fetch_add(1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_place() {
        let states =
            [Some("40001"), Some("57P03"), Some("08006"), Some("53300"), None, Some("XX000")];
        for (index, state) in states.into_iter().enumerate() {
            assert_eq!(reason_index(state), index, "{state:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Counters::default().iter().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
