//! `kecoa mongo start` on the local endpoint: one that fails leaves nothing running.
//!
//! It needs PostgreSQL's programs: `KECOA_POSTGRES_BIN` names their directory, or they are found as the product
//! finds them. Without any, the test says so and passes.

// Helpers of tests count as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod postgres;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn kecoa(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    command.args(arguments).stdin(Stdio::null()).env("KECOA_HOME", home).env_remove("DATABASE_URL");
    if let Some(postgres) = std::env::var_os("KECOA_POSTGRES_BIN") {
        command.env("KECOA_POSTGRES", postgres);
    }
    command.output().unwrap()
}

/// Stops what a test has left running.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        kecoa(&self.0, &["local", "stop"]);
    }
}

#[test]
fn a_start_that_fails_stops_only_the_endpoint_it_started() {
    let Some(directory) = postgres::folder("kecoa mongo ", "what fails stops only its own") else {
        return;
    };
    let home = Home(directory.path().join("home"));
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let in_background = ["mongo", "start", "--port", port.as_str()];
    let in_foreground = ["mongo", "start", "--foreground", "--port", port.as_str()];
    let runs = || kecoa(&home.0, &["local", "status"]).status.success();
    for arguments in [&in_background[..], &in_foreground[..]] {
        let output = kecoa(&home.0, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
        assert!(!runs(), "{arguments:?}");
    }
    assert!(kecoa(&home.0, &["local", "start"]).status.success());
    assert_eq!(kecoa(&home.0, &in_background).status.code(), Some(1));
    assert!(runs());
    stopping_says_where_the_documents_are(&home.0);
}

fn stopping_says_where_the_documents_are(home: &Path) {
    let start = ["mongo", "start", "--port", "0"];
    let stop = || {
        let output = kecoa(home, &["mongo", "stop"]);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(kecoa(home, &start).status.success());
    let said = stop();
    assert!(said.contains("stopped; the documents stay in "), "{said}");
    assert!(said.contains("which still runs: `kecoa local stop` stops it"), "{said}");
    // The endpoint was stopped first.
    assert!(kecoa(home, &start).status.success());
    assert!(kecoa(home, &["local", "stop"]).status.success());
    let said = stop();
    assert!(said.contains("stopped; the documents stay in "), "{said}");
    assert!(!said.contains("still runs"), "{said}");
    assert_eq!(stop(), "kecoa: nothing was running\n");
}
