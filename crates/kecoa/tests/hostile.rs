//! Servers that break the protocol, waste time or are something else: each gives a clear error within
//! its limit, and a connection that broke is seen as broken.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::config::Environment;
use kecoa::proto::Request;
use kecoa::{Config, Error, ErrorKind, Interrupt};
use kecoa_pgmock::script::message;
use kecoa_pgmock::{Script, Server};

#[path = "hostile/limits.rs"]
mod limits;
#[path = "hostile/scram.rs"]
mod scram;
#[path = "hostile/sessions.rs"]
mod sessions;
#[path = "hostile/startup.rs"]
mod startup;
#[path = "hostile/truncated.rs"]
mod truncated;

/// No case may take longer, whatever its server does.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a server does, and what the client makes of it.
struct Case {
    name: &'static str,
    script: Script,
    /// Connection options beside host, port and user.
    options: &'static str,
    kind: ErrorKind,
    /// What the message says.
    says: &'static [&'static str],
}

fn case(
    name: &'static str,
    script: Script,
    kind: ErrorKind,
    says: &'static [&'static str],
) -> Case {
    Case { name, script, options: "", kind, says }
}

impl Case {
    fn with(mut self, options: &'static str) -> Case {
        self.options = options;
        self
    }
}

fn config(port: u16, options: &str) -> Config {
    let dsn =
        format!("host=127.0.0.1 port={port} user=tester dbname=test sslmode=disable {options}");
    Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap()
}

/// Breaks when its time is up, and says before how much is left.
struct Deadline(Instant);

impl Deadline {
    fn after(milliseconds: u64) -> Deadline {
        Deadline(Instant::now() + Duration::from_millis(milliseconds))
    }
}

impl Interrupt for Deadline {
    fn check(&mut self) -> ControlFlow<()> {
        if Instant::now() < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.0.saturating_duration_since(Instant::now()))
    }
}

/// The case's error, and whether the connection is closed; it never was where none was made.
fn outcome(case: &Case, port: u16) -> (Error, bool) {
    let mut client = match Client::connect(&config(port, case.options)) {
        Ok(client) => client,
        Err(error) => return (error, true),
    };
    for _ in 0..2 {
        let run = client.run(&Request::Query(b"SELECT 1"), &mut Deadline::after(5_000));
        if let Err(error) = run {
            return (error, client.is_closed());
        }
    }
    panic!("{}: no error", case.name)
}

/// Runs all cases side by side, so that those which wait do it together.
fn check(cases: Vec<Case>, closed: bool) {
    let failures: Vec<String> = thread::scope(|scope| {
        let running: Vec<_> = cases
            .iter()
            .map(|case| {
                scope.spawn(move || {
                    let server = Server::start(vec![case.script.clone()]);
                    let started = Instant::now();
                    let (error, is_closed) = outcome(case, server.port());
                    let text = error.to_string();
                    let said = case.says.iter().all(|part| text.contains(part));
                    let in_time = started.elapsed() < TIMEOUT;
                    drop(server);
                    let right = error.kind() == case.kind && is_closed == closed && said && in_time;
                    (!right).then(|| {
                        format!("{}: closed {is_closed}, {:?} {text}", case.name, error.kind())
                    })
                })
            })
            .collect();
        running.into_iter().filter_map(|case| case.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// A frame that claims a length.
fn frame(tag: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// Authenticated, and not yet ready.
fn authenticated() -> Script {
    Script::new().expect_startup().send(&message(b'R', &[0; 4]))
}

/// A session that was asked for one row.
fn asked() -> Script {
    Script::new().startup().query("SELECT 1")
}
