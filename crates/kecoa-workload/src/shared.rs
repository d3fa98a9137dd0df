//! What the threads of a run share.

use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use kecoa::Config;

use crate::commit_log::CommitLog;
use crate::event::{Event, Finished, Outcome, Resolution};
use crate::options::RunOptions;
use crate::pace::Pace;
use crate::workload::Workload;

/// Takes the events of a run, on whichever thread they happen.
pub type Report = Arc<dyn Fn(Event) + Send + Sync>;

/// How long a thread sleeps at most before it looks whether the run is over.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// What the threads of a run share.
pub(crate) struct Shared {
    pub(crate) options: RunOptions,
    /// How workers connect: through the fault proxy if there is one.
    pub(crate) config: Config,
    /// How set-up, checks and look-ups connect.
    pub(crate) direct: Config,
    pub(crate) workload: Workload,
    pub(crate) log: CommitLog,
    pub(crate) pace: Pace,
    pub(crate) start: Instant,
    phase: AtomicU8,
    /// When transactions began no more.
    ended: OnceLock<Duration>,
    tallies: Vec<Tally>,
    violation: Mutex<Option<String>>,
    report: Report,
}

/// The commits of a worker that write.
#[derive(Debug, Default)]
struct Tally {
    known: AtomicI64,
    unknown: AtomicI64,
}

/// How many commits of a worker there are: those that are known, and those of which nothing could be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commits {
    pub(crate) known: i64,
    pub(crate) unknown: i64,
}

const RUNNING: u8 = 0;
const ENDING: u8 = 1;
const CUT: u8 = 2;
const LEFT: u8 = 3;

impl Shared {
    pub(crate) fn new(
        options: RunOptions,
        (config, direct): (Config, Config),
        workload: Workload,
        log: CommitLog,
        start: Instant,
        report: Report,
    ) -> Shared {
        let workers = options.concurrency;
        Shared {
            pace: Pace::new(options.rate, options.ramp, workers),
            options,
            config,
            direct,
            workload,
            log,
            start,
            phase: AtomicU8::new(RUNNING),
            ended: OnceLock::new(),
            tallies: (0..workers).map(|_| Tally::default()).collect(),
            violation: Mutex::new(None),
            report,
        }
    }

    /// Time since the start of the run.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// No transaction begins any more.
    pub(crate) fn end(&self) {
        self.ended.get_or_init(|| self.now());
        self.phase.fetch_max(ENDING, Ordering::Relaxed);
    }

    /// When transactions began no more, since the start of the run; now, while they do.
    pub(crate) fn ended(&self) -> Duration {
        self.ended.get().copied().unwrap_or_else(|| self.now())
    }

    /// Those under way are not waited for any more.
    pub(crate) fn cut(&self) {
        self.phase.fetch_max(CUT, Ordering::Relaxed);
    }

    /// Those that still do not end are left to themselves.
    pub(crate) fn leave(&self) {
        self.phase.fetch_max(LEFT, Ordering::Relaxed);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= ENDING
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= CUT
    }

    pub(crate) fn is_left(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= LEFT
    }

    /// Sleeps until then, since the start, or until the run is over.
    pub(crate) fn sleep_until(&self, then: Duration) {
        while !self.is_ending() {
            match then.checked_sub(self.now()) {
                Some(left) if !left.is_zero() => std::thread::sleep(left.min(SLICE)),
                _ => return,
            }
        }
    }

    pub(crate) fn report(&self, event: Event) {
        (self.report)(event);
    }

    /// Reports a transaction, and counts it if it `writes`.
    pub(crate) fn finish(&self, finished: Finished, writes: bool) {
        let tally = usize::try_from(finished.worker).ok().and_then(|at| self.tallies.get(at));
        if let Some(tally) = tally.filter(|_| writes) {
            match finished.outcome {
                Outcome::Committed | Outcome::Ambiguous(Resolution::Committed) => {
                    tally.known.fetch_add(1, Ordering::SeqCst);
                }
                Outcome::Ambiguous(Resolution::Unknown) => {
                    tally.unknown.fetch_add(1, Ordering::SeqCst);
                }
                Outcome::Ambiguous(Resolution::NotCommitted)
                | Outcome::Refused(_)
                | Outcome::Failed(_) => {}
            }
        }
        self.report(Event::Transaction(finished));
    }

    /// The commits of each worker, by number.
    pub(crate) fn commits(&self) -> Vec<Commits> {
        let load = |tally: &Tally| Commits {
            known: tally.known.load(Ordering::SeqCst),
            unknown: tally.unknown.load(Ordering::SeqCst),
        };
        self.tallies.iter().map(load).collect()
    }

    /// An invariant does not hold: the run is over.
    pub(crate) fn violate(&self, what: String) {
        self.violation.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
        self.end();
    }

    /// The first violation.
    pub(crate) fn violation(&self) -> Option<String> {
        self.violation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
