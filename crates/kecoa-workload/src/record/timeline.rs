//! Single transactions as they went: their attempts, and the waits between these.

use std::cmp::Reverse;

use super::bounded::Smallest;
use super::latency::microseconds;
use crate::event::{Finished, Outcome, Resolution};
use crate::plain::{NAME_LENGTH, plain};

/// How many of the slowest transactions are held, of the random sample, and of the latest.
const HELD: usize = 20;
/// Attempts of one transaction that are held; the rest are counted.
const ATTEMPTS: usize = 50;

/// A transaction that needed more than one attempt, or failed. Times are in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    pub(crate) kind: &'static str,
    pub(crate) worker: u32,
    pub(crate) started: u64,
    pub(crate) took: u64,
    /// The first attempts; `more` counts those that are left out.
    pub(crate) attempts: Vec<Bar>,
    pub(crate) more: usize,
    pub(crate) outcome: &'static str,
}

/// One attempt.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) took: u64,
    pub(crate) sqlstate: Option<String>,
    /// Why it failed; `None` where it did not.
    pub(crate) reason: Option<String>,
    pub(crate) wait: Option<u64>,
}

type Id = (u64, u32);

/// The transactions that are held one by one.
#[derive(Debug)]
pub(crate) struct Timelines {
    slowest: Smallest<(Reverse<u64>, Id), Timeline>,
    /// Those with the smallest hashes: a fair sample, and the same one in whatever order they come.
    sample: Smallest<(u64, Id), Timeline>,
    latest: Smallest<(Reverse<u64>, Id), Timeline>,
}

impl Timelines {
    pub(crate) fn new() -> Timelines {
        Timelines {
            slowest: Smallest::new(HELD),
            sample: Smallest::new(HELD),
            latest: Smallest::new(HELD),
        }
    }

    pub(crate) fn record(&mut self, transaction: &Finished) {
        let at_once = transaction.attempts.len() <= 1;
        if at_once && matches!(transaction.outcome, Outcome::Committed | Outcome::Refused(_)) {
            return;
        }
        let id = (microseconds(transaction.started), transaction.worker);
        let took = microseconds(transaction.took);
        let ended = id.0.saturating_add(took);
        self.slowest.offer((Reverse(took), id), || timeline(transaction));
        self.sample.offer((hash(id), id), || timeline(transaction));
        self.latest.offer((Reverse(ended), id), || timeline(transaction));
    }

    /// The slowest, the very slowest first.
    pub(crate) fn slowest(&self) -> impl Iterator<Item = &Timeline> {
        self.slowest.iter().map(|(_, timeline)| timeline)
    }

    /// A sample, in the order in which they started.
    pub(crate) fn sample(&self) -> impl Iterator<Item = &Timeline> {
        let mut sample: Vec<_> = self.sample.iter().collect();
        sample.sort_by_key(|((_, id), _)| *id);
        sample.into_iter().map(|(_, timeline)| timeline)
    }

    /// The latest, the very latest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Timeline> {
        self.latest.iter().map(|(_, timeline)| timeline)
    }
}

/// What an outcome is called.
pub(crate) fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Committed => "committed",
        Outcome::Refused(_) => "refused",
        Outcome::Failed(_) => "failed",
        Outcome::Ambiguous(Resolution::Committed) => "ambiguous, committed",
        Outcome::Ambiguous(Resolution::NotCommitted) => "ambiguous, not committed",
        Outcome::Ambiguous(Resolution::Unknown) => "ambiguous, unknown",
    }
}

fn timeline(transaction: &Finished) -> Timeline {
    let bars = transaction.attempts.iter().take(ATTEMPTS).map(|attempt| {
        let failure = attempt.failure.as_ref();
        let sqlstate = failure.and_then(|failure| failure.sqlstate.as_deref());
        Bar {
            took: microseconds(attempt.took),
            sqlstate: sqlstate.map(|code| plain(code, NAME_LENGTH)),
            reason: failure.map(|failure| plain(&failure.reason, NAME_LENGTH)),
            wait: attempt.wait.map(microseconds),
        }
    });
    Timeline {
        kind: transaction.kind,
        worker: transaction.worker,
        started: microseconds(transaction.started),
        took: microseconds(transaction.took),
        attempts: bars.collect(),
        more: transaction.attempts.len().saturating_sub(ATTEMPTS),
        outcome: name_of(&transaction.outcome),
    }
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
fn hash((started, worker): Id) -> u64 {
    let mut x = started ^ u64::from(worker).rotate_left(40);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
