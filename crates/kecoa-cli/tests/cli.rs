//! The binary as a user meets it. What needs a database is in `demo.rs`.

// Helpers of tests count as tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod command;

use std::path::Path;
use std::process::Stdio;

use command::{command, kecoa, text};

#[test]
fn version_and_help_go_to_stdout_with_success() {
    let output = kecoa(&["--version"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), format!("kecoa {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [
        &["--help"][..],
        &["local", "--help"],
        &["local", "start", "--help"],
        &["mongo", "--help"],
        &["mongo", "start", "--help"],
        &["demo", "--help"],
        &["doctor", "--help"],
        &["run", "--help"],
    ] {
        let output = kecoa(arguments);
        assert!(output.status.success(), "{arguments:?}");
        let help = text(&output.stdout);
        assert!(help.contains("Usage:"), "{help}");
        let shown = help.split_whitespace().any(|word| word == "serve");
        assert!(!shown, "the hidden command is shown: {help}");
    }
}

#[test]
fn mistakes_go_to_stderr_with_status_two() {
    for arguments in [
        &["nonsense"][..],
        &[],
        &["local"],
        &["local", "start", "--nonsense"],
        &["local", "logs", "-n", "-1"],
        &["local", "start", "--port", "70000"],
        &["local", "start", "--engine", "mysql"],
        &["local", "serve"],
        &["demo", "extra"],
        &["run"],
    ] {
        let output = kecoa(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn nothing_runs_in_a_new_home_and_stop_is_fine_with_that() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().join("a b");
    let home = home.to_str().unwrap();
    let status = kecoa(&["local", "status", "--home", home]);
    assert_eq!((status.status.code(), text(&status.stdout)), (Some(3), "stopped\n".into()));
    let json = kecoa(&["local", "status", "--json", "--home", home]);
    assert!(text(&json.stdout).contains(r#""status": "stopped""#));
    let url = kecoa(&["local", "url", "--home", home]);
    assert_eq!(url.status.code(), Some(3));
    assert!(url.stdout.is_empty() && text(&url.stderr).contains("kecoa local start"));
    let stop = kecoa(&["local", "stop", "--home", home]);
    assert_eq!(
        (stop.status.code(), text(&stop.stderr)),
        (Some(0), "kecoa: nothing was running\n".into())
    );
    assert!(!Path::new(home).exists(), "looking made the home");
}

#[test]
fn a_wrong_name_and_wrong_binaries_are_explained() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let output = kecoa(&["local", "start", "--home", home, "--name", "../x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a-z"), "{}", text(&output.stderr));
    let output = kecoa(&["local", "start", "--home", home, "--postgres", "/does/not/exist"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("/does/not/exist") && said.contains("initdb"), "{said}");
    assert!(output.stdout.is_empty());
    let output = command(&["local", "start", "--home", home, "--engine", "cockroach"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("install CockroachDB"), "{}", text(&output.stderr));
}

#[test]
fn run_hands_everything_to_python() {
    let dir = tempfile::tempdir().unwrap();
    let python = dir.path().join("python");
    std::fs::write(
        &python,
        "#!/bin/sh\n[ \"$1\" = -c ] && exit 0\necho \"$#\"; printf '%s\\n' \"$@\"; exit 5\n",
    )
    .unwrap();
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = command(&["run", "my program.py", "--flag", "-x", "--", "a b"])
        .env("KECOA_PYTHON", &python)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "the program's own status");
    let lines = "7\n-m\nkecoa.run\nmy program.py\n--flag\n-x\n--\na b\n";
    assert_eq!(text(&output.stdout), lines);
}

#[test]
fn run_without_python_or_package_says_what_to_install() {
    let output = command(&["run", "x.py"]).env("KECOA_PYTHON", "/no/python").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("KECOA_PYTHON"));
    let output = command(&["run", "x.py"]).env("KECOA_PYTHON", "/bin/false").output().unwrap();
    assert!(text(&output.stderr).contains("pip install kecoa"), "{}", text(&output.stderr));
}

#[test]
fn a_url_that_cannot_be_used_is_an_error_without_its_password() {
    let url = "postgresql://u:geheim@127.0.0.1:1/db?sslmode=disable";
    let output = kecoa(&["demo", "--url", url]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(!said.contains("geheim") && said.starts_with("kecoa: "), "{said}");
    let output = command(&["demo", "--help"]).env("DATABASE_URL", url).output().unwrap();
    assert!(!text(&output.stdout).contains("geheim"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_password_is_not_in_the_list_of_processes() {
    use std::io::{BufRead as _, BufReader};

    for (given, shown) in [
        ("postgresql://maya:hunter2@127.0.0.1:1/bank", "user=maya password=xxx host=127.0.0.1"),
        ("host=127.0.0.1 user=maya dbname=bank password=hunter2", "host=127.0.0.1 user=maya"),
    ] {
        for to in [vec!["--to".to_owned(), given.to_owned()], vec![format!("--to={given}")]] {
            let mut arguments = vec!["faults", "--faults", "drop:0.1"];
            arguments.extend(to.iter().map(String::as_str));
            let mut child =
                command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let list = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
            let list = String::from_utf8_lossy(&list).into_owned();
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(line.starts_with("postgresql://maya@127.0.0.1:"), "{line}");
            assert!(line.contains("/bank?") && !line.contains("hunter2"), "{line}");
            assert!(!list.contains("hunter2") && list.contains(shown), "{list}");
        }
    }
}

#[test]
fn a_url_may_come_from_elsewhere_than_the_arguments() {
    use std::io::Write as _;

    let url = "postgresql://maya:hunter2@127.0.0.1:1/bank?sslmode=x";
    let mut child = command(&["doctor", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{url}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(said.contains("invalid sslmode value: \"x\"") && !said.contains("hunter2"), "{said}");

    let output = command(&["faults", "--faults", "drop"]).output().unwrap();
    assert!(text(&output.stderr).contains("expected --to URL or DATABASE_URL, found neither"));
    let output =
        command(&["faults", "--faults", "drop"]).env("DATABASE_URL", url).output().unwrap();
    assert!(text(&output.stderr).contains("invalid sslmode value"));
}

#[test]
#[cfg(unix)]
fn a_url_that_is_not_utf8_is_not_passed_over() {
    use std::os::unix::ffi::OsStrExt as _;

    let url = std::ffi::OsStr::from_bytes(b"postgresql://maya:hunter2\xe4@127.0.0.1:1/bank");
    for arguments in [&["doctor"][..], &["demo"], &["faults", "--faults", "drop"]] {
        let output = command(arguments).env("DATABASE_URL", url).output().unwrap();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!output.status.success());
        assert!(said.contains("expected UTF-8 in DATABASE_URL"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn no_command_repeats_a_password() {
    let mistyped = [
        "postgres:/maya:hunter2@db/bank",
        "postgresql://maya:p@ss:hunter2@127.0.0.1/bank",
        "postgresql://maya:1/hunter2@127.0.0.1/bank",
        "postgresql://maya:hunter2@127.0.0.1:1/bank?connect_timeout=1",
        "host=127.0.0.1;password=hunter2",
        "password:hunter2",
    ];
    for url in mistyped {
        let to = format!("--to={url}");
        for arguments in [
            &["doctor", url][..],
            &["doctor", "--json", url],
            &["doctor", "--nonsense", url],
            &["doctor", url, url],
            &["demo", "--url", url],
            &["demo", url],
            &["faults", "--faults", "nonsense", &to],
            &["faults", "--faults", "drop", "--to", url, url],
            // A command is missing, or stands behind options of every command.
            &[url],
            &["--json", url],
            &["--json", "doctor", url],
            &["-q", "--color", "always", "doctor", "--nonsense", url],
            &["local", "status", url],
            &["doctor", "--color", url],
            &["faults", "--faults", "drop", "--seed", url],
            &["local", "start", "--port", url],
            &["-vv", "demo", "--json", "--url", url],
        ] {
            let output = kecoa(arguments);
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(!output.status.success(), "{arguments:?}");
            assert!(!said.contains("hunter2") && !said.is_empty(), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn an_empty_url_that_was_given_is_not_another_database() {
    let variable = ("DATABASE_URL", "postgresql://maya@127.0.0.1:1/other");
    for (arguments, option) in [
        (&["doctor"][..], None),
        (&["sql", "-c", "SELECT 1"], None),
        (&["sql", "-c", "SELECT 1"], Some("--dbname")),
        (&["demo"], Some("--url")),
        (&["faults", "--faults", "drop"], Some("--to")),
        (&["workload", "init", "bank"], Some("--url")),
        (&["workload", "run", "bank"], Some("--url")),
        (&["mongo", "start"], Some("--database")),
    ] {
        for url in ["", " ", "-"] {
            let given: Vec<&str> = arguments.iter().copied().chain(option).chain([url]).collect();
            let output = command(&given).envs([variable]).output().unwrap();
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{given:?}: {said}");
            assert!(said.contains("the URL is empty: "), "{given:?}: {said}");
        }
    }
    let both = kecoa(&["sql", "postgresql://maya@127.0.0.1:1/", "-d", "", "-c", "SELECT 1"]);
    assert_eq!(both.status.code(), Some(2));
    assert!(text(&both.stderr).contains("the name of the database is empty"));
}

#[test]
fn an_empty_variable_is_not_another_database() {
    for (arguments, status) in [
        (&["sql", "-c", "SELECT 1"][..], 2),
        (&["demo"], 2),
        (&["faults", "--faults", "drop"], 2),
        (&["workload", "run", "bank"], 2),
        (&["workload", "run", "bank", "--kill", "1s"], 2),
        (&["mongo", "start"], 2),
        // Its report says what is wrong.
        (&["doctor"], 1),
        (&["doctor", "--json"], 1),
    ] {
        for url in ["", " "] {
            let output = command(arguments).env("DATABASE_URL", url).output().unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
            assert!(said.contains("DATABASE_URL is set, and empty"), "{arguments:?}: {said}");
            assert!(said.contains("unset it"), "{arguments:?}: {said}");
        }
    }
    // What was given counts.
    let given = command(&["doctor", "postgresql://maya@127.0.0.1:1/bank"]);
    let said = text(&{ given }.env("DATABASE_URL", "").output().unwrap().stdout);
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn a_url_is_no_path() {
    let url = "postgresql://maya:hunter2@127.0.0.1:1/bank";
    for arguments in [
        &["local", "start", "--home", url][..],
        &["local", "start", "--postgres", url],
        &["local", "list", "--home", url],
        &["mongo", "status", "--home", url],
        &["mongo", "start", "--password-file", url],
        &["sql", "--home", url],
        &["sql", "-c", "SELECT 1", "-f", url],
        &["sql", "-c", "SELECT 1", "-o", url],
        &["workload", "run", "kv", "--report", url],
        &["man", url],
    ] {
        let output = kecoa(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("expected a path, found a URL"), "{arguments:?}: {said}");
        assert!(!said.contains("hunter2"), "{arguments:?}: {said}");
    }
}
