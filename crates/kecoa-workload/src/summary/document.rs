//! The document: what its fields are called, and their units.

use serde::{Deserialize, Serialize};

/// What a run came to: the document that `--json` prints, and what every picture is drawn from.
///
/// Names and units of fields are stable within a [`version`](Summary::version); later versions of
/// kecoa may add fields to it. All times are whole microseconds; those called `at_us` or
/// `started_us` count from the run's start. Fields without a value are null, not absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Always `kecoa-workload`.
    pub format: String,
    /// The version of the document: [`VERSION`](super::VERSION).
    pub version: u32,
    /// What was run.
    pub run: Run,
    /// How long the run lasted so far.
    pub duration_us: u64,
    /// How long transactions were begun: what rates of the whole run are of.
    pub begun_us: u64,
    /// Transactions by their outcome.
    pub transactions: Transactions,
    /// How long transactions took that committed, retries and waits included: all kinds first, called
    /// `all`, then each kind by name.
    pub latency: Vec<Latency>,
    /// The same of all kinds as a histogram, from the first interval that has any to the last.
    pub histogram: Vec<HistogramBar>,
    /// How often bodies of transactions were run.
    pub attempts: Attempts,
    /// Why attempts failed, the most frequent reason first.
    pub failures: Vec<FailureReason>,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// What happened when.
    pub series: Series,
    /// Transactions as they went, attempt by attempt.
    pub timeline: TimelineSample,
    /// What was injected, and how often the server was killed.
    pub faults: Faults,
    /// Commits whose answer was lost.
    pub ambiguous: Ambiguous,
    /// What the checks of the workload's invariants found, by name.
    pub checks: Vec<Check>,
}

/// What was run, and with what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The workload's name.
    pub workload: String,
    /// The entry point that was driven: `blocking`, `tokio`, `python`.
    pub client: String,
    /// What the server says it is.
    pub server: String,
    /// The database, as `user@host:port/name`: nothing else of its URL is shown.
    pub database: String,
    /// How many workers there were.
    pub concurrency: u32,
    /// How many transactions were to begin in a second; null without a limit.
    pub rate: Option<f64>,
    /// For how long it was to run; null without an end.
    pub planned_us: Option<u64>,
    /// What random numbers were drawn from.
    pub seed: u64,
    /// What else was chosen.
    pub options: Vec<RunOption>,
    /// The version of kecoa.
    pub kecoa: String,
    /// When the run began, in UTC, as RFC 3339 has it.
    pub started: String,
    /// Why it ended, or that it has not.
    pub end: End,
}

/// An option of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOption {
    /// Its name, as `accounts`.
    pub name: String,
    /// Its value, as `1000`.
    pub value: String,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It has not ended.
    #[default]
    Running,
    /// Its time was over.
    Completed,
    /// Somebody ended it before: Ctrl-C, or `q`.
    Interrupted,
    /// A check found its invariant violated.
    Violated,
    /// It could not go on.
    Failed,
}

/// Transactions by their outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transactions {
    /// All that ended: the sum of the next four.
    pub total: u64,
    /// Those that committed.
    pub committed: u64,
    /// Those that the program's own rules refused, as a transfer from an empty account.
    pub refused: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose COMMIT had no answer.
    pub ambiguous: u64,
    /// Commits a second while transactions were begun. What was under way then and committed later does not count.
    pub committed_per_second: f64,
}

/// A distribution of times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The kind of transaction, or `all`.
    pub kind: String,
    /// How many transactions.
    pub count: u64,
    /// The shortest time.
    pub min_us: u64,
    /// The mean.
    pub mean_us: u64,
    /// The time that half of them did not exceed.
    pub p50_us: u64,
    /// The same for 90 of a hundred.
    pub p90_us: u64,
    /// The same for 95 of a hundred.
    pub p95_us: u64,
    /// The same for 99 of a hundred.
    pub p99_us: u64,
    /// The same for 999 of a thousand.
    pub p999_us: u64,
    /// The longest time.
    pub max_us: u64,
}

/// An interval of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistogramBar {
    /// Where it begins.
    pub from_us: u64,
    /// Where it ends, itself not within.
    pub to_us: u64,
    /// How many transactions took so long.
    pub count: u64,
}

/// How often bodies of transactions were run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempts {
    /// All attempts.
    pub total: u64,
    /// Those that followed a failed one.
    pub retries: u64,
    /// Attempts for each transaction, on average.
    pub per_transaction: f64,
    /// How many transactions needed how many attempts.
    pub distribution: Vec<AttemptCount>,
}

/// How many transactions needed so many attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptCount {
    /// The number of attempts.
    pub attempts: u64,
    /// Whether transactions with more attempts are counted here, too.
    pub or_more: bool,
    /// How many transactions.
    pub transactions: u64,
}

/// Attempts that failed for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureReason {
    /// The server's code, if it was the server.
    pub sqlstate: Option<String>,
    /// The reason in a word or two; `other reasons` for what exceeds 40 different ones.
    pub reason: String,
    /// How often another attempt followed.
    pub retried: u64,
    /// How often the transaction ended with it.
    pub ended: u64,
    /// The message of the first one.
    pub message: String,
}

/// The waits between attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// How many.
    pub waits: u64,
    /// All of them together.
    pub total_us: u64,
    /// The wait that half of them did not exceed.
    pub p50_us: u64,
    /// The same for 95 of a hundred.
    pub p95_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// What happened when, in intervals of equal width.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The width: a second, and twice that each time that there would be more than 300 intervals.
    pub width_us: u64,
    /// All intervals from the run's start to its end; the last may not be over.
    pub points: Vec<Point>,
}

/// What happened in one interval. The latencies are of transactions that committed within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// When it begins.
    pub at_us: u64,
    /// Transactions that committed.
    pub committed: u64,
    /// Transactions that ended otherwise.
    pub not_committed: u64,
    /// Retries of the transactions that ended.
    pub retries: u64,
    /// Faults that were injected.
    pub faults: u64,
    /// The latency that half did not exceed; null where none committed.
    pub p50_us: Option<u64>,
    /// The same for 95 of a hundred.
    pub p95_us: Option<u64>,
    /// The same for 99 of a hundred.
    pub p99_us: Option<u64>,
    /// The longest.
    pub max_us: Option<u64>,
}

/// Transactions that needed several attempts, or failed: at most 20 of each sort.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineSample {
    /// The slowest, the very slowest first.
    pub slowest: Vec<TimelineRow>,
    /// A random sample, in the order in which they started.
    pub sample: Vec<TimelineRow>,
    /// The latest, the very latest first.
    pub latest: Vec<TimelineRow>,
}

/// One transaction as it went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Its kind.
    pub kind: String,
    /// The worker's number.
    pub worker: u32,
    /// When it began.
    pub started_us: u64,
    /// How long it took.
    pub took_us: u64,
    /// `committed`, `refused`, `failed`, or `ambiguous, …` and what it turned out to be.
    pub outcome: String,
    /// Its first 50 attempts.
    pub attempts: Vec<TimelineAttempt>,
    /// How many more there were.
    pub more_attempts: u64,
}

/// One attempt of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineAttempt {
    /// How long it took.
    pub took_us: u64,
    /// The code it failed with, if the server named one.
    pub sqlstate: Option<String>,
    /// Why it failed; null where it did not.
    pub reason: Option<String>,
    /// The wait before the next attempt; null where none followed.
    pub wait_us: Option<u64>,
}

/// What was done to the server and the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// How many faults were injected.
    pub injected: u64,
    /// The same by what they were; `other faults` for what exceeds 40 different ones.
    pub by_kind: Vec<FaultCount>,
    /// How often the server was killed.
    pub killed: u64,
    /// The first 200 kills.
    pub kills: Vec<Kill>,
}

/// How often a fault was injected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCount {
    /// What it was.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// A kill of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kill {
    /// When.
    pub at_us: u64,
    /// How long it was down; null where it did not come back.
    pub down_us: Option<u64>,
}

/// Commits whose answer was lost, and what they turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ambiguous {
    /// Those that had committed.
    pub committed: u64,
    /// Those that had not.
    pub not_committed: u64,
    /// Those of which it could not be found out.
    pub unknown: u64,
    /// The first 100.
    pub commits: Vec<AmbiguousCommit>,
}

/// One commit whose answer was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmbiguousCommit {
    /// When it was known what it turned out to be.
    pub at_us: u64,
    /// The transaction's kind.
    pub kind: String,
    /// The worker's number.
    pub worker: u32,
    /// The code it failed with, if the server named one.
    pub sqlstate: Option<String>,
    /// What was known at first: the error's message.
    pub message: String,
    /// `committed`, `not committed`, `unknown`.
    pub turned_out: String,
}

/// What one check of an invariant found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name.
    pub check: String,
    /// How often it passed.
    pub passed: u64,
    /// How often it failed.
    pub failed: u64,
    /// When it was made last.
    pub last_at_us: u64,
    /// Whether it passed then.
    pub last_passed: bool,
    /// What it said then.
    pub last: String,
    /// When it failed first; null where it never did.
    pub first_failure_at_us: Option<u64>,
    /// What it said then.
    pub first_failure: Option<String>,
}
