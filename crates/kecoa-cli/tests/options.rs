//! The options that every command takes: `--quiet`, `--verbose`, `--color`, `--json`.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod command;

use command::{command, kecoa, text};
use serde_json::Value;

/// A server that is not there.
const NOWHERE: &str = "postgresql://maya:hunter2@127.0.0.1:1/bank";

/// Every command that prints something, where nothing runs.
const COMMANDS: [&[&str]; 15] = [
    &["local", "status"],
    &["local", "stop"],
    &["local", "url"],
    &["local", "env"],
    &["local", "list"],
    &["local", "logs"],
    &["local", "reset"],
    &["local", "destroy"],
    &["local", "systemd"],
    &["mongo", "status"],
    &["mongo", "stop"],
    &["mongo", "url"],
    &["doctor", NOWHERE],
    &["demo", "--url", NOWHERE],
    &["faults", "--faults", "drop", "--to", "postgresql://h/?sslmode=x"],
];

/// A command, run in a home of its own.
fn in_new_home(arguments: &[&str]) -> std::process::Output {
    let home = tempfile::tempdir().unwrap();
    command(arguments).env("KECOA_HOME", home.path().join("home")).output().unwrap()
}

fn with<'a>(before: &[&'a str], arguments: &[&'a str], behind: &[&'a str]) -> Vec<&'a str> {
    [before, arguments, behind].concat()
}

#[test]
fn every_command_takes_them_before_and_behind_its_name() {
    for arguments in COMMANDS {
        let plain = in_new_home(arguments);
        for options in
            [&["-q"][..], &["--quiet"], &["-v"], &["-vv"], &["--color", "never"], &["--json"]]
        {
            for arguments in [with(options, arguments, &[]), with(&[], arguments, options)] {
                let output = in_new_home(&arguments);
                assert_eq!(output.status.code(), plain.status.code(), "{arguments:?}");
            }
        }
    }
}

#[test]
fn json_is_all_that_is_printed_when_it_is_asked_for() {
    for arguments in COMMANDS {
        let output = in_new_home(&with(&[], arguments, &["--json"]));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let status = output.status.code();
        if !out.is_empty() {
            let result: Value = serde_json::from_str(&out).unwrap();
            assert!(result.is_object(), "{arguments:?}: {out}");
        }
        let mut errors = 0;
        for line in err.lines() {
            let said: Value = serde_json::from_str(line).unwrap();
            assert!(said["message"].is_string(), "{arguments:?}: {line}");
            if said["level"] == "error" {
                errors += 1;
                assert_eq!(said["exit_status"], status.unwrap(), "{arguments:?}: {line}");
            }
        }
        // What has no result has an error, or a remark.
        assert!(!out.is_empty() || !err.is_empty(), "{arguments:?}");
        assert_eq!(errors, i32::from(status == Some(1) && out.is_empty()), "{arguments:?}: {err}");
        assert!(!(out + &err).contains("hunter2"), "{arguments:?}");
    }
    let stopped = in_new_home(&["local", "stop", "--json"]);
    let result: Value = serde_json::from_slice(&stopped.stdout).unwrap();
    assert_eq!(result["stopped"], false);
    let status = in_new_home(&["--json", "mongo", "status"]);
    let result: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(result["status"], "stopped");
}

#[test]
fn quiet_leaves_results_and_errors() {
    let stop = in_new_home(&["local", "stop"]);
    assert_eq!(text(&stop.stderr), "kecoa: nothing was running\n");
    let stop = in_new_home(&["-q", "local", "stop"]);
    assert_eq!((text(&stop.stdout), text(&stop.stderr)), (String::new(), String::new()));
    let status = in_new_home(&["-q", "local", "status"]);
    assert_eq!(text(&status.stdout), "stopped\n");
    let demo = in_new_home(&["-q", "demo", "--url", NOWHERE]);
    assert!(text(&demo.stderr).contains("Connection refused"), "{}", text(&demo.stderr));
    let both = kecoa(&["-q", "-v", "local", "status"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn verbose_says_where_the_database_is_from() {
    let run = |arguments: &[&str]| {
        text(&command(arguments).env("DATABASE_URL", NOWHERE).output().unwrap().stderr)
    };
    let said = run(&["demo", "-v"]);
    assert!(said.contains("DATABASE_URL: user=maya password=xxx host=127.0.0.1"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(!run(&["demo"]).contains("DATABASE_URL"));
}

#[test]
fn colours_are_where_they_are_asked_for() {
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = command(arguments).envs(variables.iter().copied()).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(!(out.clone() + &err).is_empty(), "{arguments:?}");
        (out + &err).contains('\u{1b}')
    };
    for arguments in [
        &["doctor", NOWHERE][..],
        &["demo", "--url", NOWHERE],
        &["doctor", "--help"],
        &["doctor", "--nonsense"],
        &["sql", NOWHERE, "-c", "SELECT 1"],
    ] {
        assert!(!colored(arguments, &[]), "{arguments:?}: there is no terminal");
        let always = with(arguments, &["--color", "always"], &[]);
        assert!(colored(&always, &[("NO_COLOR", "1")]), "{arguments:?}");
        assert!(colored(arguments, &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        let both = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
        assert!(!colored(arguments, &both), "{arguments:?}");
        let never = with(arguments, &["--color=never"], &[]);
        assert!(!colored(&never, &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
    }
}

#[test]
fn the_transfer_as_json() {
    // A failure has no half of a result.
    let output = in_new_home(&["demo", "--json", "--url", NOWHERE]);
    assert!(output.stdout.is_empty());
    let said: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["level"], "error");
}
