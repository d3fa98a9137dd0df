//! `kecoa demo` and the example on a real database: the local endpoint, and plain PostgreSQL.
//!
//! These need PostgreSQL's programs: `KECOA_POSTGRES_BIN` names their directory, or they are found
//! as the product finds them. Without any, each test says so and passes.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod postgres;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const KECOA: &str = env!("CARGO_BIN_EXE_kecoa");

struct Place {
    home: PathBuf,
    postgres: Option<OsString>,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new(test: &str) -> Option<Place> {
        let directory = postgres::folder("kecoa demo ", test)?;
        let postgres = std::env::var_os("KECOA_POSTGRES_BIN");
        Some(Place { home: directory.path().join("home"), postgres, _directory: directory })
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).env("KECOA_HOME", &self.home);
        command.env_remove("DATABASE_URL");
        if let Some(postgres) = &self.postgres {
            command.env("KECOA_POSTGRES", postgres);
        }
        command
    }

    fn kecoa(&self, arguments: &[&str]) -> Output {
        self.command(KECOA, arguments).output().unwrap()
    }

    fn running(&self) -> bool {
        self.kecoa(&["local", "status"]).status.success()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let output = self.kecoa(&["local", "stop"]);
        if !output.status.success() {
            eprintln!("a test left a server behind: {}", text(&output.stderr));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The tutorial's six lines: two balances, 1000 and 250, then 900 and 350, of the same accounts.
fn assert_tutorial(output: &Output) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 6, "{out}{err}");
    for index in [0, 3] {
        assert_is_heading(lines[index]);
    }
    let account = |line: &str| -> (String, String) {
        let rest = line.strip_prefix("account id: ").unwrap();
        let (id, balance) = rest.split_once("  balance: $").unwrap();
        assert_eq!(id.len(), 36, "{line}");
        assert!(id.chars().all(|c| c.is_ascii_hexdigit() || c == '-'), "{line}");
        (id.to_owned(), balance.to_owned())
    };
    let found: Vec<_> = [1, 2, 4, 5].iter().map(|index| account(lines[*index])).collect();
    let balances: Vec<&str> = found.iter().map(|(_, balance)| balance.as_str()).collect();
    assert_eq!(balances, ["1000", "250", "900", "350"]);
    assert_eq!((&found[0].0, &found[1].0), (&found[2].0, &found[3].0));
}

/// As Python's `time.asctime`: `Balances at Thu Aug  4 15:51:03 2022:`.
fn assert_is_heading(line: &str) {
    let time = line.strip_prefix("Balances at ").and_then(|rest| rest.strip_suffix(':')).unwrap();
    assert_eq!(time.len(), 24, "{line}");
    assert!(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&&time[..3]), "{line}");
    let shape: String = time[4..]
        .chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '9'
            } else if c.is_ascii_alphabetic() {
                'a'
            } else {
                c
            }
        })
        .collect();
    assert!(["aaa 99 99:99:99 9999", "aaa  9 99:99:99 9999"].contains(&shape.as_str()), "{line}");
}

#[test]
fn the_demo_brings_its_own_database_and_can_stop_it() {
    let Some(place) = Place::new("the_demo_brings_its_own_database") else { return };
    let output = place.kecoa(&["demo", "--stop"]);
    assert_tutorial(&output);
    let said = text(&output.stderr);
    assert!(said.contains("started for this") && said.contains("stopped"), "{said}");
    assert!(!place.running());

    let output = place.kecoa(&["demo"]);
    assert_tutorial(&output);
    assert!(text(&output.stderr).contains("keeps running"), "{}", text(&output.stderr));
    assert!(place.running());
    // One that ran before is not this command's to stop.
    assert_tutorial(&place.kecoa(&["demo", "--stop"]));
    assert!(place.running());
}

#[test]
fn injected_retries_are_shown_and_overcome() {
    let Some(place) = Place::new("injected_retries") else { return };
    let output = place.kecoa(&["demo", "--inject-retries"]);
    assert_tutorial(&output);
    let said = text(&output.stderr);
    for attempt in 1..=3 {
        let shown = said.lines().any(|line| {
            line.starts_with(&format!("kecoa: attempt {attempt} ▒"))
                && line.contains(" ms ·")
                && line.ends_with(" ms")
        });
        assert!(shown, "attempt {attempt} is missing in: {said}");
    }
    let last = said
        .lines()
        .any(|line| line.starts_with("kecoa: attempt 4 █") && line.ends_with(" ms committed"));
    assert!(last, "{said}");
    // The same error three times is said once.
    assert_eq!(said.matches("restart transaction").count(), 1, "{said}");
}

#[test]
fn other_rows_are_neither_shown_nor_touched() {
    let Some(place) = Place::new("other_rows") else { return };
    let started = place.kecoa(&["local", "start"]);
    let url = text(&started.stdout).trim().to_owned();
    let mut client =
        kecoa::blocking::Client::connect(&kecoa::Config::parse(&url).unwrap()).unwrap();
    client.batch("CREATE TABLE kecoa_demo_accounts (id UUID PRIMARY KEY, balance INT8)").unwrap();
    client.batch("INSERT INTO kecoa_demo_accounts VALUES (gen_random_uuid(), 7)").unwrap();
    // A reader's own table, of another shape.
    client.batch("CREATE TABLE accounts (id INT8 PRIMARY KEY)").unwrap();
    let demo = place.command(KECOA, &["demo"]).env("DATABASE_URL", &url).output().unwrap();
    assert_tutorial(&demo);
    let rows = client.query("SELECT balance FROM kecoa_demo_accounts", &[]).unwrap();
    let balances: Vec<i64> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(balances, [7]);
    let own = client.query("SELECT id FROM accounts", &[]).unwrap();
    assert_eq!(own.len(), 0);
}

#[test]
fn plain_postgresql_will_do_except_for_injection() {
    let Some(place) = Place::new("plain_postgresql") else { return };
    assert!(place.kecoa(&["local", "start"]).status.success());
    // Behind the endpoint is a plain PostgreSQL, on its own socket.
    let state = fs::read_to_string(place.home.join("instances/default/state.json")).unwrap();
    let (_, rest) = state.split_once(r#""socket_dir": ""#).unwrap();
    let (socket_dir, _) = rest.split_once('"').unwrap();
    let url = format!("host={socket_dir} port=5432 user=root dbname=postgres");
    assert_tutorial(&place.kecoa(&["demo", "--url", &url]));
    let refused = place.kecoa(&["demo", "--inject-retries", "--url", &url]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("plain PostgreSQL"), "{}", text(&refused.stderr));
}

#[test]
fn status_tells_people_and_programs() {
    let Some(place) = Place::new("status_tells") else { return };
    let started = place.kecoa(&["local", "start"]);
    let url = text(&started.stdout);
    let (user, place_of_it) = url.split_once('@').unwrap();
    let password = user.strip_prefix("postgresql://root:").unwrap();
    assert!(password.len() > 20 && place_of_it.starts_with("127.0.0.1:"), "{url}");
    let shown = format!("postgresql://root:***@{}", place_of_it.trim());
    let status = place.kecoa(&["local", "status"]);
    assert!(status.status.success());
    assert!(text(&status.stdout).starts_with(&format!("running: {shown}\n")));
    let json = text(&place.kecoa(&["local", "status", "--json"]).stdout);
    assert!(json.contains(r#""status": "running""#) && json.contains(&shown), "{json}");
    assert!(!json.contains(password) && !text(&status.stdout).contains(password));
    assert_eq!(text(&place.kecoa(&["local", "url"]).stdout), url);
}

#[test]
fn the_example_does_the_same_job() {
    let example = std::path::Path::new(KECOA).with_file_name("examples").join("transfer");
    if !example.exists() {
        eprintln!("skipped the_example: it is built by `cargo test` for the whole crate only");
        return;
    }
    let Some(place) = Place::new("the_example") else { return };
    let example = example.to_str().unwrap();
    let without = place.command(example, &[]).output().unwrap();
    assert!(!without.status.success());
    assert!(text(&without.stderr).contains("DATABASE_URL"), "{}", text(&without.stderr));
    let url = text(&place.kecoa(&["local", "start"]).stdout);
    assert_tutorial(&place.command(example, &[]).env("DATABASE_URL", url.trim()).output().unwrap());
}
