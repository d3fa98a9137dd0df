//! Attempts that failed, by SQLSTATE and reason; commits of which nobody knew.

use super::bounded::{Smallest, Tallies};
use super::latency::microseconds;
use super::timeline::name_of;
use crate::event::{Failure, Finished, Outcome, Resolution};
use crate::plain::{MESSAGE_LENGTH, NAME_LENGTH, plain};

/// Different reasons that are counted apart.
const REASONS: usize = 40;
/// Ambiguous commits that are held one by one: the first ones.
const COMMITS: usize = 100;

/// Time and worker: an identity, and an order.
type Id = (u64, u32);

/// How often attempts failed for one reason.
#[derive(Debug, Default)]
pub(crate) struct FailureTally {
    /// Another attempt followed.
    pub(crate) retried: u64,
    /// The transaction ended with it.
    pub(crate) ended: u64,
    /// The message of the first one.
    first: Option<(Id, String)>,
}

impl FailureTally {
    /// The message of the first attempt that failed so.
    pub(crate) fn message(&self) -> &str {
        self.first.as_ref().map_or("", |(_, message)| message)
    }
}

/// A commit whose answer was lost.
#[derive(Clone, Debug)]
pub(crate) struct AmbiguousCommit {
    pub(crate) at: u64,
    pub(crate) kind: &'static str,
    pub(crate) worker: u32,
    pub(crate) sqlstate: Option<String>,
    pub(crate) message: String,
    pub(crate) turned_out: &'static str,
}

/// All failures of a run.
#[derive(Debug)]
pub(crate) struct Failures {
    reasons: Tallies<(String, Option<String>), FailureTally>,
    commits: Smallest<Id, AmbiguousCommit>,
}

impl Failures {
    pub(crate) fn new() -> Failures {
        Failures { reasons: Tallies::new(REASONS), commits: Smallest::new(COMMITS) }
    }

    pub(crate) fn record(&mut self, transaction: &Finished) {
        let id = (microseconds(transaction.started), transaction.worker);
        let last = transaction.attempts.len().saturating_sub(1);
        for (index, attempt) in transaction.attempts.iter().enumerate() {
            if let Some(failure) = &attempt.failure {
                self.record_failure(id, failure, index < last);
            }
        }
        // A failure outside of every attempt: no connection could be had, say.
        if let Outcome::Failed(message) = &transaction.outcome
            && transaction.attempts.last().is_none_or(|attempt| attempt.failure.is_none())
        {
            let failure =
                Failure { sqlstate: None, reason: "failed".to_owned(), message: message.clone() };
            self.record_failure(id, &failure, false);
        }
        if let Outcome::Ambiguous(resolution) = &transaction.outcome {
            let failure = transaction.attempts.iter().rev().find_map(|a| a.failure.as_ref());
            self.commits.offer(id, || AmbiguousCommit {
                at: id.0.saturating_add(microseconds(transaction.took)),
                kind: transaction.kind,
                worker: transaction.worker,
                sqlstate: failure
                    .and_then(|failure| failure.sqlstate.as_deref())
                    .map(|code| plain(code, NAME_LENGTH)),
                message: failure.map_or_else(
                    || name_of(&transaction.outcome).to_owned(),
                    |failure| plain(&failure.message, MESSAGE_LENGTH),
                ),
                turned_out: match resolution {
                    Resolution::Committed => "committed",
                    Resolution::NotCommitted => "not committed",
                    Resolution::Unknown => "unknown",
                },
            });
        }
    }

    /// Reason, SQLSTATE and tally, those without a tally of their own last.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = (&str, Option<&str>, &FailureTally)> {
        let named = self.reasons.named();
        named
            .map(|((reason, sqlstate), tally)| (reason.as_str(), sqlstate.as_deref(), tally))
            .chain(self.reasons.other().map(|tally| ("other reasons", None, tally)))
    }

    /// The first ambiguous commits, by when their transactions started.
    pub(crate) fn commits(&self) -> impl Iterator<Item = &AmbiguousCommit> {
        self.commits.iter().map(|(_, commit)| commit)
    }

    fn record_failure(&mut self, id: Id, failure: &Failure, retried: bool) {
        let sqlstate = failure.sqlstate.as_deref().map(|code| plain(code, NAME_LENGTH));
        let tally = self.reasons.of((plain(&failure.reason, NAME_LENGTH), sqlstate));
        *(if retried { &mut tally.retried } else { &mut tally.ended }) += 1;
        if tally.first.as_ref().is_none_or(|(first, _)| id < *first) {
            tally.first = Some((id, plain(&failure.message, MESSAGE_LENGTH)));
        }
    }
}
