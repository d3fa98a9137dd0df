//! `kecoa workload` on an endpoint of its own: needs PostgreSQL's programs, in the folder that
//! `KECOA_POSTGRES_BIN` names.

// Helpers of tests count as tests.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

mod options;
mod terminal;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder with an endpoint in it, which ends with it.
struct Home(tempfile::TempDir);

impl Home {
    /// Nothing, said aloud, where there is no PostgreSQL.
    fn new() -> Option<Home> {
        if std::env::var_os("KECOA_POSTGRES_BIN").is_none() {
            println!("skipped: KECOA_POSTGRES_BIN is not set");
            return None;
        }
        Some(Home(tempfile::tempdir().unwrap()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
        command.env("KECOA_POSTGRES", std::env::var_os("KECOA_POSTGRES_BIN").unwrap());
        command.env_remove("DATABASE_URL").env("KECOA_HOME", self.0.path());
        command.current_dir(self.0.path()).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a workload, and gives the summary; it must have held.
    fn workload(&self, arguments: &[&str]) -> Value {
        let fixed = ["workload", "run", "--json", "--quiet", "--init"];
        let duration = ["--duration", "2s"];
        let given: &[&str] = if arguments.contains(&"--duration") { &[] } else { &duration };
        let ran = self.run(&[&fixed, arguments, given].concat());
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&ran.stdout).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.run(&["local", "stop"]);
        self.run(&["local", "stop", "--name", "workload"]);
    }
}

fn count(summary: &Value, group: &str, field: &str) -> u64 {
    summary[group][field].as_u64().unwrap()
}

fn status(ran: &Output) -> i32 {
    ran.status.code().unwrap()
}

#[test]
fn every_workload_runs_and_holds() {
    let Some(home) = Home::new() else { return };
    for name in ["bank", "kv", "ycsb", "tpcc", "movr"] {
        let summary = home.workload(&[name, "--client", "tokio"]);
        assert!(count(&summary, "transactions", "committed") > 0, "{name}");
        let checks = summary["checks"].as_array().unwrap();
        assert!(checks.iter().any(|check| check["check"] == "commits"), "{name}");
        assert_eq!(status(&home.run(&["workload", "check", name])), 0, "{name}");
    }
    // Faults, by both clients; each commit that is in doubt is looked up.
    for client in ["blocking", "tokio"] {
        let faults = "error:40001@commit:0.2, drop@after-commit:0.1:times=2";
        let summary = home.workload(&["bank", "--client", client, "--faults", faults]);
        assert!(count(&summary, "attempts", "retries") > 0, "{client}");
        assert_eq!(count(&summary, "ambiguous", "unknown"), 0, "{client}");
    }
    home.workload(&["bank", "--distribution", "hot:2:0.9"]);
    a_run_without_a_commit_is_no_success(&home);
    the_size_is_that_of_the_set_up(&home);
    money_that_is_gone_is_found(&home);
    for (name, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        a_signal_ends_a_run_with_its_summary(&home, name, number);
    }
    terminal::signals_leave_the_terminal_as_it_was(&home);
    terminal::ctrl_c_in_the_view_is_as_the_signal(&home);
    terminal::a_reader_of_the_summary_that_has_gone(&home);
    terminal::a_terminal_without_a_cursor_has_no_view(&home);
}

fn a_run_without_a_commit_is_no_success(home: &Home) {
    let never = ["--faults", "error:40001@commit", "--max-attempts", "2", "--duration", "1s"];
    let ran = home.run(&[&["workload", "run", "bank"][..], &never].concat());
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(status(&ran), 1, "{said}");
    assert!(said.contains("not one transaction of bank committed: "), "{said}");
    assert!(said.contains("most often so: "), "{said}");
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(shown.contains("completed after"), "{shown}");
}

fn the_size_is_that_of_the_set_up(home: &Home) {
    let of = |size| ["workload", "run", "bank", "--duration", "1s", "--init", "--accounts", size];
    assert_eq!(status(&home.run(&of("1000"))), 0);
    let other = home.run(&of("7"));
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert_eq!(status(&other), 1, "{said}");
    assert!(said.contains("with 1000 accounts and not 7"), "{said}");
    assert!(said.contains("kecoa workload init bank --drop --accounts 7"), "{said}");
}

fn money_that_is_gone_is_found(home: &Home) {
    let theft = "UPDATE kecoa_bank.accounts SET balance = balance - 7 WHERE id = 3";
    let url = String::from_utf8(home.run(&["local", "url"]).stdout).unwrap();
    assert_eq!(status(&home.run(&["sql", url.trim(), "-c", theft])), 0);
    let checked = home.run(&["workload", "check", "bank"]);
    assert_eq!(status(&checked), 1);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(said.contains("7 are missing"), "{said}");
    let ran = home.run(&["workload", "run", "bank", "--duration", "1s"]);
    assert_eq!(status(&ran), 1);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("an invariant of bank is violated: sum"), "{said}");
    // Made anew it holds again; it is not made anew by itself.
    assert_eq!(status(&home.run(&["workload", "init", "bank"])), 1);
    assert_eq!(status(&home.run(&["workload", "init", "bank", "--drop", "--accounts", "9"])), 0);
    assert_eq!(status(&home.run(&["workload", "check", "bank"])), 0);
}

fn a_signal_ends_a_run_with_its_summary(home: &Home, signal: &str, number: i32) {
    let report = home.0.path().join(format!("run{signal}.html"));
    let mut command = home.command(&["workload", "run", "kv", "--report"]);
    let child = command.arg(&report).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    wait_for(&mut child, "until Ctrl-C");
    send(&child, signal);
    let ended = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&ended.stdout).into_owned();
    // The binary ends by the signal itself, which a shell shows as 130 and so on.
    assert_eq!(ended.status.signal(), Some(number), "{signal}: {shown}");
    assert!(shown.contains("interrupted after"), "{signal}: {shown}");
    assert!(std::fs::read_to_string(&report).unwrap().contains("<svg"));
}

/// Reads standard error up to a line with this: that the run begins is said once signals are watched.
fn wait_for(child: &mut Child, text: &str) {
    let said = BufReader::new(child.stderr.take().unwrap());
    let mut lines = said.lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(text)));
    // So that the child can go on writing.
    std::thread::spawn(move || lines.for_each(drop));
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_server_that_is_killed_loses_nothing() {
    let Some(home) = Home::new() else { return };
    let summary = home.workload(&["bank", "--kill", "1s", "--duration", "4s"]);
    assert!(!summary["faults"]["kills"].as_array().unwrap().is_empty());
    assert_eq!(count(&summary, "ambiguous", "unknown"), 0);
    let stopped = home.run(&["local", "status", "--name", "workload"]);
    assert_eq!(status(&stopped), 3);
}

#[test]
fn mistakes_say_what_to_do() {
    let Some(home) = Home::new() else { return };
    for (arguments, said) in [
        (&["init", "bank", "--keys", "5"][..], "--accounts"),
        (&["run", "bank", "--client", "ruby"][..], "blocking, tokio or python"),
        (&["run", "bank", "--distribution", "zipf:2"][..], "THETA"),
        (&["run", "nothing"][..], "bank, kv, ycsb, tpcc or movr"),
    ] {
        let ran = home.run(&[&["workload"][..], arguments].concat());
        assert_eq!(status(&ran), 2, "{arguments:?}");
        let text = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(text.contains(said), "{text}");
    }
}
