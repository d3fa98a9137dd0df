//! Each option of `kecoa workload`, with each workload: it is taken, or refused before there is a server.

use std::process::{Command, Output, Stdio};

const ALL: &str = "bank kv ycsb tpcc movr";
/// Nobody listens there, which is found after the options are.
const NOWHERE: [&str; 2] = ["--url", "postgresql://maya@127.0.0.1:1/bank"];

/// Options of `run` with a value, and the workloads that know them.
const RUN: [(&[&str], &str); 26] = [
    (&[], ALL),
    (&["--init"], ALL),
    (&["--init", "--accounts", "9"], "bank"),
    (&["--init", "--keys", "9"], "kv ycsb"),
    (&["--init", "--warehouses", "2"], "tpcc"),
    (&["--init", "--vehicles", "9"], "movr"),
    // A run takes what is there.
    (&["--accounts", "9"], ""),
    (&["--keys", "9"], ""),
    (&["--warehouses", "2"], ""),
    (&["--vehicles", "9"], ""),
    (&["--duration", "1s"], ALL),
    (&["--duration", "0s"], ""),
    (&["--concurrency", "2"], ALL),
    (&["--rate", "5"], ALL),
    (&["--ramp", "1s"], ALL),
    (&["--seed", "7"], ALL),
    (&["--distribution", "hot:2:0.9"], "bank kv ycsb movr"),
    (&["--reads", "10"], "kv"),
    (&["--mix", "c"], "ycsb"),
    (&["--client", "tokio"], ALL),
    (&["--client", "python"], "bank kv ycsb"),
    (&["--isolation", "read-committed"], ALL),
    (&["--max-attempts", "3"], ALL),
    (&["--check-every", "0s"], ALL),
    (&["--faults", "drop:0.1"], ALL),
    (&["--no-live"], ALL),
];

/// The same of `--kill`, which is for an endpoint of its own.
const KILL: [(&[&str], &str); 5] = [
    (&["--kill", "1s"], ALL),
    (&["--kill", "1s", "--accounts", "9"], "bank"),
    (&["--kill", "0s"], ""),
    (&["--kill", "5s", "--duration", "5s"], ""),
    (&["--kill", "1s", "--url", "postgresql://maya@127.0.0.1:1/bank"], ""),
];

/// The same of `init` and `check`.
const OTHERS: [(&[&str], &str); 5] = [
    (&["init", "--drop"], ALL),
    (&["init", "--accounts", "9"], "bank"),
    (&["init", "--keys", "9"], "kv ycsb"),
    (&["init", "--warehouses", "2", "--vehicles", "9"], ""),
    (&["check"], ALL),
];

fn run(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kecoa"));
    command.args(["workload"]).args(arguments).stdin(Stdio::null());
    command.env_remove("DATABASE_URL").env("KECOA_HOME", home.path().join("home"));
    // A Python that has every package, and no PostgreSQL.
    command.env("KECOA_PYTHON", "/bin/true").env("KECOA_POSTGRES", home.path());
    command.output().unwrap()
}

/// What is taken fails for want of a server; what is refused is a mistake in the arguments, and says what it is
/// about.
#[track_caller]
fn assert_taken(arguments: &[&str], name: &str, known: &str) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_known = known.split(' ').any(|known| known == name);
    let expected = if is_known { 1 } else { 2 };
    assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {said}");
    assert!(is_known || said.contains("--") || said.contains("kill"), "{arguments:?}: {said}");
}

#[test]
fn each_option_is_taken_or_refused() {
    for name in ALL.split(' ') {
        for (options, known) in RUN {
            assert_taken(&[&["run", name][..], &NOWHERE, options].concat(), name, known);
        }
        for (options, known) in KILL {
            assert_taken(&[&["run", name][..], options].concat(), name, known);
        }
        for (options, known) in OTHERS {
            let (action, options) = options.split_at(1);
            assert_taken(&[action, &[name][..], &NOWHERE, options].concat(), name, known);
        }
    }
    // One of those above names each of the options that there are.
    let help = run(&["run", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let options = options.filter_map(|line| line.split(' ').next());
    let tried = |option: &str| {
        let all = RUN.iter().chain(&KILL).flat_map(|(options, _)| options.iter());
        all.chain(&NOWHERE).any(|tried| tried.strip_prefix("--") == Some(option))
    };
    let general = ["report", "color", "json"];
    let missing: Vec<_> = options.filter(|it| !general.contains(it) && !tried(it)).collect();
    assert!(missing.is_empty(), "not tried: {missing:?}");
}
