//! The summary of a run: a document with documented fields, made of what the recorder holds.

mod document;
mod histogram;
mod text;

use std::time::SystemTime;

use jiff::{Timestamp, Unit};
use kecoa::Config;

pub use self::document::{
    Ambiguous, AmbiguousCommit, AttemptCount, Attempts, Backoff, Check, End, FailureReason,
    FaultCount, Faults, HistogramBar, Kill, Latency, Point, Run, RunOption, Series, Summary,
    TimelineAttempt, TimelineRow, TimelineSample, Transactions,
};
use crate::event::About;
use crate::plain::{MESSAGE_LENGTH, NAME_LENGTH, plain};
use crate::record::latency::{Exact, microseconds};
use crate::record::timeline::Timeline;
use crate::record::{self, Recorder};

/// The version of the document. It changes when a field goes, or means something else.
pub const VERSION: u32 = 1;

impl Summary {
    /// What `recorder` holds of the run `about`, which began at `started` and ended, or not, as `end` says.
    #[must_use]
    pub fn new(recorder: &Recorder, about: &About, started: SystemTime, end: End) -> Summary {
        Summary {
            format: "kecoa-workload".to_owned(),
            version: VERSION,
            run: run(about, started, end),
            duration_us: recorder.now,
            begun_us: recorder.begun(),
            transactions: transactions(recorder),
            latency: [("all", &recorder.all_latencies)]
                .into_iter()
                .chain(recorder.latencies.iter().map(|(kind, times)| (*kind, times)))
                .map(|(kind, times)| latency(kind, times))
                .collect(),
            histogram: histogram::bars(recorder.all_latencies.recorded()),
            attempts: attempts(recorder),
            failures: failures(recorder),
            backoff: Backoff {
                waits: recorder.waits.count(),
                total_us: recorder.waited,
                p50_us: recorder.waits.percentile(50.0),
                p95_us: recorder.waits.percentile(95.0),
                max_us: recorder.waits.longest(),
            },
            series: series(recorder),
            timeline: TimelineSample {
                slowest: recorder.timelines.slowest().map(row).collect(),
                sample: recorder.timelines.sample().map(row).collect(),
                latest: recorder.timelines.latest().map(row).collect(),
            },
            faults: faults(recorder),
            ambiguous: ambiguous(recorder),
            checks: checks(recorder),
        }
    }

    /// The document as JSON, indented, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // It has no map whose keys are not strings, which is all that can fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

impl Series {
    /// The intervals, and how much of each the run lasted, in microseconds.
    ///
    /// The last one is left out where that is less than a quarter: a rate of so little would be noise.
    pub(crate) fn spans(&self, duration_us: u64) -> impl Iterator<Item = (&Point, u64)> {
        self.points.iter().filter_map(move |point| {
            let lasted = duration_us.saturating_sub(point.at_us).min(self.width_us);
            (lasted >= self.width_us / 4).then_some((point, lasted))
        })
    }
}

fn transactions(recorder: &Recorder) -> Transactions {
    let outcomes = recorder.outcomes;
    let ambiguous = outcomes.ambiguous_committed
        + outcomes.ambiguous_not_committed
        + outcomes.ambiguous_unknown;
    Transactions {
        total: outcomes.committed + outcomes.refused + outcomes.failed + ambiguous,
        committed: outcomes.committed,
        refused: outcomes.refused,
        failed: outcomes.failed,
        ambiguous,
        committed_per_second: match recorder.begun() {
            0 => 0.0,
            begun => rounded(recorder.committed_meanwhile() as f64 * 1e6 / begun as f64),
        },
    }
}

fn latency(kind: &str, times: &Exact) -> Latency {
    Latency {
        kind: kind.to_owned(),
        count: times.count(),
        min_us: times.shortest(),
        mean_us: microseconds(times.mean()),
        p50_us: times.percentile(50.0),
        p90_us: times.percentile(90.0),
        p95_us: times.percentile(95.0),
        p99_us: times.percentile(99.0),
        p999_us: times.percentile(99.9),
        max_us: times.longest(),
    }
}

fn attempts(recorder: &Recorder) -> Attempts {
    let record::Attempts { total, retries, distribution } = recorder.attempts;
    let transactions: u64 = distribution.iter().sum();
    let most = distribution.len() as u64;
    Attempts {
        total,
        retries,
        per_transaction: if transactions == 0 {
            0.0
        } else {
            rounded(total as f64 / transactions as f64)
        },
        distribution: (1..)
            .zip(distribution)
            .filter(|(_, transactions)| *transactions > 0)
            .map(|(attempts, transactions)| AttemptCount {
                attempts,
                or_more: attempts == most,
                transactions,
            })
            .collect(),
    }
}

fn failures(recorder: &Recorder) -> Vec<FailureReason> {
    let reasons = recorder.failures.reasons();
    let mut failures: Vec<_> = reasons
        .map(|(reason, sqlstate, tally)| FailureReason {
            sqlstate: sqlstate.map(str::to_owned),
            reason: reason.to_owned(),
            retried: tally.retried,
            ended: tally.ended,
            message: tally.message().to_owned(),
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.retried + failure.ended));
    failures
}

fn series(recorder: &Recorder) -> Series {
    let width_us = recorder.series.width();
    let mut points: Vec<Point> = Vec::new();
    let next = |points: &[Point]| points.last().map_or(0, |p| p.at_us.saturating_add(width_us));
    let empty = |at_us| Point { at_us, ..Point::default() };
    for (at_us, interval) in recorder.series.intervals() {
        while next(&points) < at_us {
            points.push(empty(next(&points)));
        }
        let percentile =
            |percent| interval.latencies.as_ref().map(|times| times.percentile(percent));
        points.push(Point {
            at_us,
            committed: interval.committed,
            not_committed: interval.not_committed,
            retries: interval.retries,
            faults: interval.faults,
            p50_us: percentile(50.0),
            p95_us: percentile(95.0),
            p99_us: percentile(99.0),
            max_us: interval.latencies.as_ref().map(|times| times.longest()),
        });
    }
    // Intervals at the end in which nothing happened are part of the picture, too.
    while next(&points) < recorder.now && points.len() as u64 <= record::series::MOST_INTERVALS {
        points.push(empty(next(&points)));
    }
    Series { width_us, points }
}

fn row(timeline: &Timeline) -> TimelineRow {
    TimelineRow {
        kind: timeline.kind.to_owned(),
        worker: timeline.worker,
        started_us: timeline.started,
        took_us: timeline.took,
        outcome: timeline.outcome.to_owned(),
        attempts: timeline
            .attempts
            .iter()
            .map(|bar| TimelineAttempt {
                took_us: bar.took,
                sqlstate: bar.sqlstate.clone(),
                reason: bar.reason.clone(),
                wait_us: bar.wait,
            })
            .collect(),
        more_attempts: timeline.more as u64,
    }
}

fn faults(recorder: &Recorder) -> Faults {
    let faults = recorder.incidents.faults();
    let mut by_kind: Vec<_> =
        faults.map(|(what, count)| FaultCount { what: what.to_owned(), count }).collect();
    by_kind.sort_by_key(|fault| std::cmp::Reverse(fault.count));
    Faults {
        injected: by_kind.iter().map(|fault| fault.count).sum(),
        by_kind,
        killed: recorder.incidents.kill_count(),
        kills: recorder.incidents.kills().map(|(at_us, down_us)| Kill { at_us, down_us }).collect(),
    }
}

fn ambiguous(recorder: &Recorder) -> Ambiguous {
    Ambiguous {
        committed: recorder.outcomes.ambiguous_committed,
        not_committed: recorder.outcomes.ambiguous_not_committed,
        unknown: recorder.outcomes.ambiguous_unknown,
        commits: recorder
            .failures
            .commits()
            .map(|commit| AmbiguousCommit {
                at_us: commit.at,
                kind: commit.kind.to_owned(),
                worker: commit.worker,
                sqlstate: commit.sqlstate.clone(),
                message: commit.message.clone(),
                turned_out: commit.turned_out.to_owned(),
            })
            .collect(),
    }
}

fn checks(recorder: &Recorder) -> Vec<Check> {
    let checks = recorder.checks.iter().map(|(check, tally)| {
        let (last_at_us, last_passed, last) = tally.last.clone().unwrap_or_default();
        let (first_failure_at_us, first_failure) = tally.first_failure.clone().unzip();
        Check {
            check: check.to_owned(),
            passed: tally.passed,
            failed: tally.failed,
            last_at_us,
            last_passed,
            last,
            first_failure_at_us,
            first_failure,
        }
    });
    checks.collect()
}

/// What was run, with nothing in it that is secret or could control a terminal.
fn run(about: &About, started: SystemTime, end: End) -> Run {
    let name = |text: &str| plain(text, NAME_LENGTH);
    let option = |(option, value): &(&str, String)| RunOption {
        name: name(option),
        value: plain(value, MESSAGE_LENGTH),
    };
    Run {
        workload: name(&about.workload),
        client: name(about.client),
        server: plain(&about.server, MESSAGE_LENGTH),
        database: plain(&database(&about.url), MESSAGE_LENGTH),
        concurrency: about.concurrency,
        rate: about.rate,
        planned_us: about.duration.map(microseconds),
        seed: about.seed,
        options: about.chosen.iter().map(option).collect(),
        kecoa: env!("CARGO_PKG_VERSION").to_owned(),
        started: Timestamp::try_from(started)
            .and_then(|time| time.round(Unit::Second))
            .map(|time| time.to_string())
            .unwrap_or_default(),
        end,
    }
}

/// The database that a URL names, as `user@host:port/name`.
///
/// Made of these parts, and not by taking out what is secret, so that no option can be forgotten.
fn database(url: &str) -> String {
    let Ok(config) = Config::parse(url) else { return "-".to_owned() };
    let user = config.user().map(|user| format!("{user}@")).unwrap_or_default();
    let host = config.host().unwrap_or("localhost");
    let name = config.dbname().map(|name| format!("/{name}")).unwrap_or_default();
    format!("{user}{host}:{}{name}", config.port())
}

/// To three decimals, so that the document is as short as it is exact.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
