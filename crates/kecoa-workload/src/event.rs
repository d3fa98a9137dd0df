//! What happens in a run, as whoever shows or summarizes it learns of it.
//!
//! All points in time are durations since the start of the run.

use std::time::Duration;

/// What a run is, for headings.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The workload, as on the command line: `bank`, `ycsb-a`.
    pub workload: String,
    /// The entry point that is driven: `blocking`, `tokio`, `python`.
    pub client: &'static str,
    /// The server, as it says: name and version.
    pub server: String,
    /// The URL, without its password.
    pub url: String,
    /// How many workers there are.
    pub concurrency: u32,
    /// How many transactions begin in a second, all workers together; as many as they can when not set.
    pub rate: Option<f64>,
    /// How long it is to run; until it is stopped when not set.
    pub duration: Option<Duration>,
    /// What random numbers are drawn from.
    pub seed: u64,
    /// What else was chosen, as pairs to show: `accounts`, `1000`.
    pub chosen: Vec<(&'static str, String)>,
}

/// Something that happened in a run.
///
/// Events of one worker come in order. Those of several come in the order in which they are reported, which
/// may differ a little from that of their times.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A transaction has come to its end.
    Transaction(Finished),
    /// A fault was injected into a connection.
    Fault {
        /// When.
        at: Duration,
        /// The fault, as in the plan: `error:40001@commit:0.2`.
        what: String,
    },
    /// The server was killed.
    Killed {
        /// When.
        at: Duration,
    },
    /// The server that was killed serves again.
    Back {
        /// When.
        at: Duration,
        /// How long it did not.
        down: Duration,
    },
    /// No transaction begins any more; those that are under way come to their end.
    Ending {
        /// When.
        at: Duration,
    },
    /// An invariant was checked.
    Checked {
        /// When.
        at: Duration,
        /// Which one: `sum`, `commits`, `versions`.
        check: &'static str,
        /// What was found; an error when it does not hold. Both in words to show.
        result: Result<String, String>,
    },
}

/// A transaction at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// What it does: `transfer`, `new order`.
    pub kind: &'static str,
    /// Whose it is, from 0.
    pub worker: u32,
    /// When its first attempt began.
    pub started: Duration,
    /// From then to its end, waits included.
    pub took: Duration,
    /// Every attempt, in order; at least one.
    pub attempts: Vec<Attempt>,
    /// How it ended.
    pub outcome: Outcome,
}

/// One run of a transaction's body, with its COMMIT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// How long it took.
    pub took: Duration,
    /// Why it failed; nothing when it did not.
    pub failure: Option<Failure>,
    /// How long the client waited after it, before the next one; nothing when there was none.
    pub wait: Option<Duration>,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the server reported, when it did.
    pub sqlstate: Option<String>,
    /// In a word or two, to count by: `WriteTooOld`, `connection lost`.
    pub reason: String,
    /// The whole message.
    pub message: String,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It committed, and the client knows it.
    Committed,
    /// The program decided against it, and it was rolled back: not enough money in an account.
    Refused(String),
    /// It was not committed; the text says why.
    Failed(String),
    /// Its COMMIT got no answer, and what became of it was looked up.
    Ambiguous(Resolution),
}

/// What a commit without an answer turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// The database has it.
    Committed,
    /// The database does not have it, and never will.
    NotCommitted,
    /// The database could not be asked.
    Unknown,
}
