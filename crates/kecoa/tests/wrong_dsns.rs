//! Wrong connection strings: what is said of each. The table is shared with the Python tests.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unwrap_used)]

use kecoa::blocking::Client;
use kecoa::config::{Environment, conninfo};
use kecoa::{Config, ErrorKind};

const TABLE: &str = include_str!("../../../tests/dbapi/wrong_dsns.txt");

struct Wrong {
    /// Whether it shows when the string is read, not only when it is used.
    when_read: bool,
    dsn: &'static str,
    message: String,
}

fn table() -> Vec<Wrong> {
    let blocks = TABLE.split("\n\n").filter(|block| block.starts_with('['));
    blocks
        .map(|block| {
            let (heading, message) = block.split_once('\n').expect("a message");
            let (sort, dsn) = heading.split_once("] ").expect("a string");
            let message = message.trim_end().replace("\\t", "\t");
            Wrong { when_read: sort.starts_with("[P "), dsn, message }
        })
        .collect()
}

#[test]
fn each_is_refused_with_what_was_expected_and_found() {
    let environment = Environment::empty().with_user("maya");
    let table = table();
    assert!(table.len() >= 60);
    let mut failures = Vec::new();
    for Wrong { when_read, dsn, message } in table {
        let read = conninfo::parse(dsn);
        let used = Config::parse(dsn)
            .and_then(|config| config.resolve(&environment))
            .and_then(|config| Client::connect(&config));
        let error = match used {
            Ok(_) => panic!("{dsn} connected"),
            Err(error) => error,
        };
        let found = error.to_string();
        if found != message || read.is_err() != when_read {
            failures.push(format!("{dsn}\n  expected {message:?}\n  found    {found:?}"));
        }
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{dsn}: {error:?}");
        assert!(matches!(error.kind(), ErrorKind::Config | ErrorKind::Connect), "{dsn}");
        assert!(error.nothing_was_sent(), "{dsn}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
