//! The generated list of SQLSTATEs.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use kecoa_proto::SqlState;

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools")
}

#[test]
fn every_code_of_the_list_is_known_by_its_name() {
    let text = std::fs::read_to_string(tools().join("sqlstate.txt")).unwrap();
    let mut listed: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            let [code, name, _class] = fields[..] else { panic!("{line}") };
            (code.to_owned(), name.to_owned())
        })
        .collect();
    listed.sort();
    let known: Vec<_> = SqlState::all()
        .map(|code| (code.as_str().to_owned(), code.condition_name().unwrap().to_owned()))
        .collect();
    assert_eq!(known, listed);
}

#[test]
fn the_generated_file_is_up_to_date() {
    let status = Command::new("python3")
        .arg(tools().join("generate_sqlstate.py"))
        .arg("--check")
        .status()
        .unwrap();
    assert!(status.success(), "run tools/generate_sqlstate.py");
}

#[test]
fn codes_have_a_class_and_a_name() {
    let code = SqlState::SERIALIZATION_FAILURE;
    assert_eq!(code.as_str(), "40001");
    assert_eq!(code.class(), "40");
    assert_eq!(code.condition_name(), Some("serialization_failure"));
    assert_eq!(code.to_string(), "40001");
    assert_eq!(SqlState::from_bytes(b"40001"), Some(code));
    assert_eq!(SqlState::STATEMENT_COMPLETION_UNKNOWN.as_str(), "40003");
    assert_eq!(SqlState::TRANSACTION_COMMITTED_WITH_SCHEMA_CHANGE_FAILURE.as_str(), "XXA00");
    let unknown = SqlState::from_bytes(b"99ZZZ").unwrap();
    assert_eq!(unknown.condition_name(), None);
    for wrong in [&b"4000"[..], b"400011", b"4000a", b"4000 ", b"\xff\xff\xff\xff\xff", b""] {
        assert_eq!(SqlState::from_bytes(wrong), None);
    }
}
