//! Ctrl-C and SIGTERM end the binary at once, by the signal: a shell shows 130 and 143.
//! `tests/command_line` does the same to the Python package, in a terminal, too.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};

/// SIGINT and SIGTERM, as `kill` calls them and by number.
const SIGNALS: [(&str, i32); 2] = [("-INT", 2), ("-TERM", 15)];

fn start(arguments: &[&str], home: &std::path::Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    command.args(arguments).env("KECOA_HOME", home).env_remove("DATABASE_URL");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn assert_ended(mut child: Child, number: i32, arguments: &[&str]) {
    let status = child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.signal(), Some(number), "{arguments:?}: {status}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_host_that_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://maya@{}/bank", listener.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["demo", "--url", &url][..],
        &["doctor", &url],
        &["mongo", "start", "--database", &url],
        &["mongo", "start", "--foreground", "--database", &url],
    ] {
        for (signal, number) in SIGNALS {
            // What is started in the background goes on for a while.
            let home = home.path().join(format!("{}{signal}", arguments.len()));
            let child = start(arguments, &home);
            let client = listener.accept().unwrap();
            kill(&child, signal);
            assert_ended(child, number, arguments);
            drop(client);
        }
    }
    // The shell cancels a statement by Ctrl-C, and gives the connection up before there is one.
    let arguments = ["sql", &url, "-c", "SELECT 1"];
    let child = start(&arguments, home.path());
    let client = listener.accept().unwrap();
    kill(&child, "-INT");
    assert_ended(child, 2, &arguments);
    drop(client);
}

#[test]
fn the_proxy() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["faults", "--faults", "drop", "--to", "postgresql://maya@127.0.0.1:1/bank"];
    for (signal, number) in SIGNALS {
        let mut child = start(&arguments, home.path());
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("postgresql://maya@127.0.0.1:"), "{url}");
        kill(&child, signal);
        assert_ended(child, number, &arguments);
    }
}
