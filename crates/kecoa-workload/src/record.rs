//! The recorder: takes events while they come, and holds what the pictures need.
//!
//! Its memory is bounded whatever the length of the run: about 4 MB for the series, 200 KB for each kind
//! of transaction, a few numbers for each worker. What it holds depends on the events alone, not on the order in which they come.

mod bounded;
pub(crate) mod failures;
pub(crate) mod incidents;
pub(crate) mod latency;
pub(crate) mod series;
pub(crate) mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use self::failures::Failures;
use self::incidents::{Checks, Incidents};
use self::latency::{Exact, microseconds};
use self::series::Series;
use self::timeline::Timelines;
use crate::event::{Event, Finished, Outcome, Resolution};

/// Transactions with this many attempts or more are counted together.
const MOST_ATTEMPTS: usize = 16;

/// Takes the events of a run, and adds them up.
///
/// [`Summary::new`](crate::summary::Summary::new) gives what it holds, at any time.
#[derive(Debug)]
pub struct Recorder {
    /// The latest time that was heard of.
    pub(crate) now: u64,
    /// When transactions began no more.
    ended: Option<u64>,
    /// When each worker committed last: it has one transaction at most that ends after `ended`.
    last_commits: BTreeMap<u32, u64>,
    pub(crate) outcomes: Outcomes,
    /// Of transactions that committed: of each kind, and of all.
    pub(crate) latencies: BTreeMap<&'static str, Exact>,
    pub(crate) all_latencies: Exact,
    pub(crate) attempts: Attempts,
    pub(crate) waits: Exact,
    pub(crate) waited: u64,
    pub(crate) failures: Failures,
    pub(crate) timelines: Timelines,
    pub(crate) incidents: Incidents,
    pub(crate) checks: Checks,
    pub(crate) series: Series,
}

/// How transactions ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) committed: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) ambiguous_committed: u64,
    pub(crate) ambiguous_not_committed: u64,
    pub(crate) ambiguous_unknown: u64,
}

/// How many attempts transactions needed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempts {
    /// All attempts.
    pub(crate) total: u64,
    /// Those that followed another one.
    pub(crate) retries: u64,
    /// Transactions with 1, 2, … attempts; the last counts those with more, too.
    pub(crate) distribution: [u64; MOST_ATTEMPTS],
}

impl Recorder {
    /// A recorder that has seen nothing.
    #[must_use]
    pub fn new() -> Recorder {
        Recorder {
            now: 0,
            ended: None,
            last_commits: BTreeMap::new(),
            outcomes: Outcomes::default(),
            latencies: BTreeMap::new(),
            all_latencies: Exact::exact(),
            attempts: Attempts::default(),
            waits: Exact::exact(),
            waited: 0,
            failures: Failures::new(),
            timelines: Timelines::new(),
            incidents: Incidents::new(),
            checks: Checks::default(),
            series: Series::new(),
        }
    }

    /// Takes an event. Events may come in any order.
    pub fn record(&mut self, event: &Event) {
        match event {
            Event::Transaction(transaction) => self.record_transaction(transaction),
            Event::Fault { at, what } => {
                self.advance(*at);
                self.incidents.fault(what);
                self.series.at(*at).faults += 1;
            }
            Event::Killed { at } => {
                self.advance(*at);
                self.incidents.killed(*at);
            }
            Event::Back { at, down } => {
                self.advance(*at);
                self.incidents.back(*at, *down);
            }
            Event::Ending { at } => {
                self.advance(*at);
                let at = microseconds(*at);
                self.ended = Some(self.ended.map_or(at, |ended| ended.min(at)));
            }
            Event::Checked { at, check, result } => {
                self.advance(*at);
                self.checks.record(*at, check, result);
            }
        }
    }

    /// Says how long the run has lasted, for rates: time passes without events, too.
    pub fn advance(&mut self, now: Duration) {
        self.now = self.now.max(microseconds(now));
    }

    /// How long transactions were begun, in microseconds.
    pub(crate) fn begun(&self) -> u64 {
        self.ended.unwrap_or(self.now)
    }

    /// How many transactions committed while others were begun.
    pub(crate) fn committed_meanwhile(&self) -> u64 {
        let begun = self.begun();
        let later = self.last_commits.values().filter(|at| **at > begun).count();
        self.outcomes.committed.saturating_sub(later as u64)
    }

    fn record_transaction(&mut self, transaction: &Finished) {
        let ended = transaction.started.saturating_add(transaction.took);
        self.advance(ended);
        let retries = transaction.attempts.len().saturating_sub(1);
        let interval = self.series.at(ended);
        interval.retries += retries as u64;
        if matches!(transaction.outcome, Outcome::Committed) {
            interval.committed += 1;
            let last = self.last_commits.entry(transaction.worker).or_default();
            *last = (*last).max(microseconds(ended));
            interval.record_latency(transaction.took);
            self.all_latencies.record(transaction.took);
            let kind = self.latencies.entry(transaction.kind);
            kind.or_insert_with(Exact::exact).record(transaction.took);
        } else {
            interval.not_committed += 1;
        }
        self.outcomes.add(&transaction.outcome);
        self.attempts.add(transaction.attempts.len());
        for wait in transaction.attempts.iter().filter_map(|attempt| attempt.wait) {
            self.waits.record(wait);
            self.waited = self.waited.saturating_add(microseconds(wait));
        }
        self.failures.record(transaction);
        self.timelines.record(transaction);
    }
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::new()
    }
}

impl Outcomes {
    fn add(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Committed => &mut self.committed,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Failed(_) => &mut self.failed,
            Outcome::Ambiguous(Resolution::Committed) => &mut self.ambiguous_committed,
            Outcome::Ambiguous(Resolution::NotCommitted) => &mut self.ambiguous_not_committed,
            Outcome::Ambiguous(Resolution::Unknown) => &mut self.ambiguous_unknown,
        } += 1;
    }
}

impl Attempts {
    fn add(&mut self, attempts: usize) {
        self.total += attempts as u64;
        self.retries += attempts.saturating_sub(1) as u64;
        // A transaction without an attempt (no connection) is not in the distribution.
        let place = attempts.min(MOST_ATTEMPTS).checked_sub(1);
        if let Some(transactions) = place.and_then(|place| self.distribution.get_mut(place)) {
            *transactions += 1;
        }
    }
}
