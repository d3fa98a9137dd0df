//! What the server is, and how it behaves: steps that need a session.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa::Error;
use kecoa::blocking::Client;
use kecoa::retry::{Attempts, Decision, Policy, classify};

use super::network::milliseconds;
use super::report::{Report, Step};

/// How many statements the latency is measured by.
const PINGS: usize = 20;
/// What CockroachDB's nodes allow between themselves.
const SKEW: f64 = 0.5;
/// Round trips from which on their number matters more than anything else.
const SLOW_MS: f64 = 20.0;

/// One of the steps here.
type Examine = fn(&mut Client, &mut Step) -> Result<(), Error>;

pub(super) fn examine(client: &mut Client, report: &mut Report) {
    let steps: [(&'static str, Examine); 7] = [
        ("server", kind),
        ("clock", clock),
        ("latency", latency),
        ("isolation", isolation),
        ("settings", settings),
        ("retry", retry),
        ("retry policy", policy),
    ];
    for (name, examine) in steps {
        let mut step = Step::new(name);
        if let Err(error) = examine(client, &mut step) {
            step.fact("sqlstate", error.sqlstate());
            step.fail(error.to_string(), "see what the server said, and its log");
        }
        report.add(step);
        if client.is_closed() {
            return;
        }
        // Whatever a step has met, the next begins outside of a transaction.
        if client.transaction_status() != kecoa::proto::TransactionStatus::Idle {
            let _ = client.batch("ROLLBACK");
        }
    }
}

/// The first field of the first row, in text form.
fn value(client: &mut Client, sql: &str) -> Result<Option<String>, Error> {
    let sets = client.batch(sql)?;
    let rows = sets.iter().flat_map(|set| &set.rows).flat_map(|rows| rows.iter());
    let mut rows = rows.into_iter();
    let Some(row) = rows.next() else { return Ok(None) };
    Ok(row.fields().next().flatten().map(|text| String::from_utf8_lossy(text).into_owned()))
}

fn is_cockroach(client: &Client) -> bool {
    client.crdb_version().is_some()
}

fn kind(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let reported = client.parameter("server_version").unwrap_or("unknown").to_owned();
    let kind = match client.crdb_version().map(str::to_owned) {
        Some(version) if version.contains("kecoa local") => {
            step.finding(format!("kecoa's local endpoint, {version}"));
            step.summarize(version.as_str());
            step.finding("PostgreSQL that speaks CockroachDB's dialect: for development only");
            "kecoa local"
        }
        Some(version) => {
            step.summarize(version.as_str());
            step.finding(version);
            "CockroachDB"
        }
        None => {
            step.finding(format!("PostgreSQL {reported}"));
            step.summarize(format!("PostgreSQL {reported}"));
            "PostgreSQL"
        }
    };
    step.fact("kind", kind);
    step.fact("server_version", reported.as_str());
    step.fact("crdb_version", client.crdb_version());
    if kind != "PostgreSQL" {
        return Ok(());
    }
    let major: u32 = reported.split(['.', ' ']).next().and_then(|n| n.parse().ok()).unwrap_or(99);
    if major < 14 {
        step.warn("this major version is no longer maintained: upgrade the server");
    }
    let behind = value(client, "SELECT pg_backend_pid()")?;
    let pooled = behind.is_some() && behind != client.process_id().map(|id| id.to_string());
    step.fact("pooler", pooled);
    if pooled {
        step.finding("a pooler such as pgbouncer stands in between: it gave another process id");
        step.warn(
            "if it pools by transaction, keep nothing in the session: no SET, no LISTEN, no \
             advisory locks, no named cursors WITH HOLD, no prepared statements it does not follow",
        );
    }
    if value(client, "SELECT pg_is_in_recovery()")?.as_deref() == Some("t") {
        step.finding("a standby: it takes no writes");
        step.summarize(format!("PostgreSQL {reported}, a standby that takes no writes"));
        step.consider(
            "to reach the primary among several hosts use target_session_attrs=read-write",
        );
    }
    Ok(())
}

fn clock(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let (before, started) = (SystemTime::now(), Instant::now());
    let server = value(client, "SELECT extract(epoch FROM clock_timestamp())::FLOAT8")?;
    let half = started.elapsed().as_secs_f64() / 2.0;
    let ours = before.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() + half;
    let Some(server) = server.and_then(|text| text.parse::<f64>().ok()) else {
        step.warn("the server did not report its time");
        return Ok(());
    };
    let skew = server - ours;
    let shown = if skew.abs() <= half {
        "the server's clock agrees with this one".to_owned()
    } else {
        let way = if skew > 0.0 { "ahead of" } else { "behind" };
        let amount = match skew.abs() {
            seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1000.0),
            seconds => format!("{seconds:.1} s"),
        };
        format!("the server's clock is {amount} {way} this one")
    };
    step.finding(format!("{shown} (give or take {:.1} ms)", half * 1000.0));
    step.fact("skew_ms", skew * 1000.0);
    step.fact("uncertainty_ms", half * 1000.0);
    if skew.abs() - half > SKEW {
        step.warn("have both clocks set by NTP: times written here and there cannot be compared");
    }
    Ok(())
}

fn latency(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let started = Instant::now();
        client.batch("SELECT 1")?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().map_or(0.0, milliseconds);
    let (least, median, most) = (at(0), at(PINGS / 2), at(PINGS - 1));
    step.summarize(format!("{median:.2} ms a statement"));
    step.finding(format!(
        "{median:.2} ms for SELECT 1 (median of {PINGS}; {least:.2} to {most:.2} ms)"
    ));
    step.fact("median_ms", median);
    step.fact("min_ms", least);
    step.fact("max_ms", most);
    if median > SLOW_MS {
        step.warn(
            "the way is long: run the program nearer to the database, and send several statements \
             at once (executemany, pipelines, COPY)",
        );
    }
    Ok(())
}

fn isolation(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let level = value(client, "SHOW default_transaction_isolation")?.unwrap_or_default();
    step.finding(format!("default_transaction_isolation is {level}"));
    step.fact("default_transaction_isolation", level.as_str());
    step.summarize(level.as_str());
    match level.as_str() {
        "serializable" => step.finding(
            "transactions may end with SQLSTATE 40001 at any statement and at COMMIT: run them by \
             run_transaction, which tries them again",
        ),
        "read committed" if is_cockroach(client) => step.finding(
            "the server retries statements by itself; 40001 still comes with deadlocks and large \
             results",
        ),
        "read committed" => step.finding(
            "a transaction sees what others commit while it runs: what is read and then written \
             needs SELECT … FOR UPDATE, or isolation level serializable with retries",
        ),
        _ => {}
    }
    Ok(())
}

fn settings(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let names: &[&str] = if is_cockroach(client) {
        &["statement_timeout", "idle_in_transaction_session_timeout", "autocommit_before_ddl"]
    } else {
        &["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"]
    };
    for name in names {
        let setting = match value(client, &format!("SHOW {name}")) {
            Ok(setting) => setting.unwrap_or_default(),
            Err(error) if client.is_closed() => return Err(error),
            Err(_) => {
                step.finding(format!("{name}: this server has no such setting"));
                continue;
            }
        };
        step.finding(format!("{name} is {setting}"));
        step.fact(name, setting.as_str());
        let off = matches!(setting.as_str(), "0" | "0s");
        match *name {
            "statement_timeout" if off => step.consider(
                "a statement may run for ever: set statement_timeout for the application's role, \
                 or options=-cstatement_timeout=30s",
            ),
            "idle_in_transaction_session_timeout" if off => step.consider(
                "a forgotten transaction holds its locks for ever: set \
                 idle_in_transaction_session_timeout",
            ),
            "autocommit_before_ddl" if setting == "on" => {
                step.finding("a DDL statement commits the open transaction first");
            }
            _ => {}
        }
    }
    Ok(())
}

/// How the server is made to fail one transaction, and to stop it.
const INJECT: &str = "SET inject_retry_errors_enabled = on";
const INJECT_NO_MORE: &str = "SET inject_retry_errors_enabled = off";
const RAISE: &str = "DO $$BEGIN RAISE EXCEPTION 'kecoa doctor asks for a retry' \
                     USING ERRCODE = 'serialization_failure'; END$$";

fn retry(client: &mut Client, step: &mut Step) -> Result<(), Error> {
    let cockroach = is_cockroach(client);
    if cockroach && let Err(error) = client.batch(INJECT) {
        step.finding(format!("the server injects no errors: {error}"));
        step.consider("this test needs inject_retry_errors_enabled; retries work without it");
        return Ok(());
    }
    let first = if cockroach { "SELECT 1" } else { RAISE };
    let failed = client.batch("BEGIN").and_then(|_| client.batch(first));
    // Whatever came of it: nothing stays open, and nothing is injected any more.
    client.batch("ROLLBACK")?;
    if cockroach {
        client.batch(INJECT_NO_MORE)?;
    }
    let error = match failed {
        Err(error) => error,
        Ok(_) => {
            step.warn("expected the server to fail a transaction with 40001, found it to succeed");
            return Ok(());
        }
    };
    if error.sqlstate() != Some("40001") {
        return Err(error);
    }
    let mut attempts = Attempts::new(Policy::default(), Duration::ZERO)?;
    let decision = attempts.on_failure(classify(&error, false), Duration::ZERO, 0.0);
    let Decision::RetryAfter(_) = decision else {
        step.fail(format!("SQLSTATE 40001 led to {decision:?}"), "report this as a fault of kecoa");
        return Ok(());
    };
    let again = client.batch("BEGIN").and_then(|_| client.batch("SELECT 1"));
    client.batch("ROLLBACK")?;
    again?;
    step.finding("an injected SQLSTATE 40001 failed a transaction, and the next attempt succeeded");
    step.summarize("an injected SQLSTATE 40001 was retried");
    step.fact("sqlstate", "40001");
    step.fact("attempts", attempts.attempt());
    Ok(())
}

fn policy(_: &mut Client, step: &mut Step) -> Result<(), Error> {
    let Policy { max_attempts, first_delay, factor, max_delay, total, .. } = Policy::default();
    step.finding(format!(
        "run_transaction makes at most {max_attempts} attempts, waits up to {} ms at first, {factor} \
         times as long each time, {} s at most",
        first_delay.as_millis(),
        max_delay.as_secs(),
    ));
    step.summarize(format!("up to {max_attempts} attempts"));
    step.fact("max_attempts", max_attempts);
    step.fact("first_delay_ms", milliseconds(first_delay));
    step.fact("factor", factor);
    step.fact("max_delay_ms", milliseconds(max_delay));
    if let Some(total) = total {
        step.finding(format!("and begins none after {} s", total.as_secs()));
        step.fact("total_ms", milliseconds(total));
    }
    step.finding("programs set their own with RetryPolicy");
    Ok(())
}
