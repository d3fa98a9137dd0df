//! Workers with the Python driver: one process with a thread each, which reports what happens as lines of JSON.
//!
//! The process learns what to do from the first line of its standard input, connection strings included, so that
//! no password is in its arguments. It ends where that is closed.

use std::io::{self, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kecoa::Config;
use kecoa::config::conninfo;
use serde_json::{Map, Value, json};

use crate::attempts::reason_in;
use crate::event::{Attempt, Event, Failure, Finished, Outcome, Resolution};
use crate::kv::READS;
use crate::shared::{SLICE, Shared};
use crate::versions::{MISSING, Seen};

/// The module that runs the workers.
const MODULE: &str = "kecoa._workload";
/// What transactions are called, and whether they write.
const KINDS: [(&str, bool); 7] = [
    ("transfer", true),
    ("write", true),
    ("update", true),
    ("insert", true),
    ("read-modify-write", true),
    ("read", false),
    ("scan", false),
];

/// Starts the process, and the threads that write to it and read from it.
pub(crate) fn spawn(shared: &Arc<Shared>) -> io::Result<Vec<JoinHandle<Result<(), String>>>> {
    let Some((program, first)) = shared.options.python.split_first() else {
        return Err(io::Error::other("expected a Python interpreter, found none"));
    };
    let mut command = Command::new(program);
    command.args(first).args(["-m", MODULE]);
    // Ctrl-C is this process's to understand.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("a child process without its pipes"));
    };
    // Where the process has ended already, its status says more.
    let _ = writeln!(input, "{}", orders(shared));
    let child = Arc::new(Mutex::new(child));
    let closing = {
        let (shared, child) = (shared.clone(), child.clone());
        thread::Builder::new().name("python-stop".to_owned()).spawn(move || {
            close_at_the_end(&shared, input);
            end_when_left(&shared, &child)
        })?
    };
    let reading = {
        let shared = shared.clone();
        thread::Builder::new().name("python".to_owned()).spawn(move || {
            let read = read(&shared, BufReader::new(output));
            // Also where it was read in part only: nothing more is taken.
            shared.end();
            let ended = ended(&child);
            read.and(ended)
        })?
    };
    Ok(vec![closing, reading])
}

/// What the process is to do.
fn orders(shared: &Shared) -> Value {
    let options = &shared.options;
    let text = |config: &Config| conninfo::format(config.pairs());
    let policy = &options.policy;
    json!({
        "workload": options.name.as_str(),
        "dsn": text(&shared.config),
        "direct": text(&shared.direct),
        "run": shared.log.run(),
        "concurrency": options.concurrency,
        "rate": options.rate,
        "ramp": options.ramp.as_secs_f64(),
        "seed": options.seed,
        "distribution": options.distribution.map(|distribution| distribution.to_string()),
        "reads": options.reads.unwrap_or(READS),
        "mix": options.mix.unwrap_or_default().to_string(),
        "isolation": match options.isolation {
            kecoa::Isolation::ReadCommitted => "READ COMMITTED",
            kecoa::Isolation::RepeatableRead => "REPEATABLE READ",
            _ => "SERIALIZABLE",
        },
        "max_attempts": policy.max_attempts,
        "records": shared.workload.records(),
    })
}

fn close_at_the_end(shared: &Shared, input: ChildStdin) {
    while !shared.is_ending() {
        thread::sleep(SLICE);
    }
    drop(input);
}

/// Waits for the process's end, and ends it where nobody waits for it any more: its workers wait for a server that
/// does not answer.
fn end_when_left(shared: &Shared, child: &Mutex<Child>) -> Result<(), String> {
    loop {
        let mut child = lock(child);
        match child.try_wait() {
            Ok(Some(_)) => return Ok(()),
            Ok(None) if shared.is_left() => {
                return child.kill().map_err(|error| failed(&error));
            }
            Ok(None) => {}
            Err(error) => return Err(failed(&error)),
        }
        drop(child);
        thread::sleep(SLICE);
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: &io::Error) -> String {
    format!("the Python driver's process: {error}")
}

fn read(shared: &Shared, output: impl io::BufRead) -> Result<(), String> {
    let mut offset = Duration::ZERO;
    let mut died = Ok(());
    for line in output.lines() {
        let line = line.map_err(|error| failed(&error))?;
        let found: Value = serde_json::from_str(&line).map_err(|error| {
            format!("expected a line of JSON from the Python driver, found {line:?}: {error}")
        })?;
        if found.get("ready").is_some() {
            // Where the process's own clock begins.
            offset = shared.now();
        } else if let Some(why) = found.get("died").and_then(Value::as_str) {
            // The others come to their end.
            shared.end();
            died = died.and_then(|()| Err(format!("a worker of the Python driver died: {why}")));
        } else {
            let taken = take(shared, &found, offset);
            taken
                .ok_or_else(|| format!("expected an event from the Python driver, found {line}"))?;
        }
    }
    died
}

fn take(shared: &Shared, found: &Value, offset: Duration) -> Option<()> {
    let found = found.as_object()?;
    if let Some(violation) = found.get("violated") {
        let violation = violation.as_str()?.to_owned();
        let (at, result) = (shared.now(), Err(violation.clone()));
        shared.report(Event::Checked { at, check: "versions", result });
        shared.violate(violation);
    } else if let Some(versions) = found.get("acknowledged") {
        for pair in versions.as_array()? {
            let key = pair.get(0)?.as_u64()?;
            let version = pair.get(1)?.as_i64()?;
            // They are compared at the end.
            let _ =
                shared.workload.take(vec![Seen { key, version, floor: MISSING, written: false }]);
        }
    } else {
        let (finished, writes) = transaction(found, offset)?;
        shared.finish(finished, writes);
    }
    Some(())
}

fn transaction(found: &Map<String, Value>, offset: Duration) -> Option<(Finished, bool)> {
    let name = found.get("kind")?.as_str()?;
    let (kind, writes) = KINDS.into_iter().find(|(kind, _)| *kind == name)?;
    let attempts = found.get("attempts")?.as_array()?;
    let detail = found.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
    let outcome = match found.get("outcome")?.as_str()? {
        "committed" => Outcome::Committed,
        "refused" => Outcome::Refused(detail),
        "failed" => Outcome::Failed(detail),
        "ambiguous" => Outcome::Ambiguous(match detail.as_str() {
            "committed" => Resolution::Committed,
            "not committed" => Resolution::NotCommitted,
            _ => Resolution::Unknown,
        }),
        _ => return None,
    };
    let finished = Finished {
        kind,
        worker: u32::try_from(found.get("worker")?.as_u64()?).ok()?,
        started: offset + micros(found.get("started")?)?,
        took: micros(found.get("took")?)?,
        attempts: attempts.iter().map(attempt).collect::<Option<_>>()?,
        outcome,
    };
    Some((finished, writes))
}

fn attempt(found: &Value) -> Option<Attempt> {
    let text = |name| found.get(name).and_then(Value::as_str).map(str::to_owned);
    let failure = text("message").map(|message| Failure {
        sqlstate: text("sqlstate"),
        reason: match reason_in(&message) {
            Some(reason) => reason.to_owned(),
            None => text("kind").unwrap_or_default(),
        },
        message,
    });
    let wait = found.get("wait").filter(|wait| !wait.is_null());
    Some(Attempt {
        took: micros(found.get("took")?)?,
        failure,
        wait: match wait {
            Some(wait) => Some(micros(wait)?),
            None => None,
        },
    })
}

fn micros(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_micros)
}

/// Waits for the process's end, without keeping it from being ended.
fn ended(child: &Mutex<Child>) -> Result<(), String> {
    loop {
        let found = lock(child).try_wait();
        match found {
            Ok(None) => thread::sleep(SLICE),
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => {
                return Err(format!(
                    "the Python driver's process ended with {status}; what it said is above. Its interpreter needs \
                     the package kecoa: KECOA_PYTHON names another one"
                ));
            }
            Err(error) => return Err(failed(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_transaction() {
        let line = json!({
            "kind": "transfer", "worker": 3, "started": 5_000, "took": 700, "outcome": "ambiguous",
            "detail": "committed", "attempts": [
                {"took": 100, "sqlstate": "40001", "kind": "40001", "message": "WriteTooOldError: x", "wait": 50},
                {"took": 550, "sqlstate": null, "kind": "connection lost", "message": "y", "wait": null},
            ],
        });
        let (finished, writes) =
            transaction(line.as_object().unwrap(), Duration::from_millis(1)).unwrap();
        assert!(writes);
        assert_eq!(finished.started, Duration::from_millis(6));
        assert_eq!(finished.outcome, Outcome::Ambiguous(Resolution::Committed));
        let waits: Vec<_> = finished.attempts.iter().map(|attempt| attempt.wait).collect();
        assert_eq!(waits, [Some(Duration::from_micros(50)), None]);
        assert_eq!(
            finished.attempts.first().and_then(|attempt| attempt.failure.clone()),
            Some(Failure {
                sqlstate: Some("40001".to_owned()),
                reason: "WriteTooOld".to_owned(),
                message: "WriteTooOldError: x".to_owned()
            })
        );
        let other = json!({"kind": "nothing", "worker": 3});
        assert!(transaction(other.as_object().unwrap(), Duration::ZERO).is_none());
    }
}
