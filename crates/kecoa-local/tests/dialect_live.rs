//! How much of CockroachDB's dialect the local endpoint takes: drives the files of `dialect/` against a
//! real endpoint and PostgreSQL, in the simple and in the extended protocol, and makes of their
//! features the tables in `docs/*/reference/dialect.md`. A file has databases of its own.
//! `KECOA_DIALECT=show` runs one file.
//!
//! ```text
//! == yes|part|no | English | Indonesia        a feature and whether it works
//! note | English | Indonesia                  what to know about it
//! > SQL                                       a statement, continued by further > lines
//! >> SQL                                      a batch: simple protocol only
//! = TAG                                       a command tag, in order
//! : a | b                                     the result's column names
//! | 1 | x                                     a row
//! ! 42601 part of the message                 an error
//! ~ part of a notice or of the error's hint or detail
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::fmt::Write;
use std::path::PathBuf;

use live::{Replies, Server};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("dialect/", $name, ".txt")))),*]
    };
}

/// In the order of the documents' tables.
const FILES: &[(&str, &str)] = &files![
    "queries",
    "columns",
    "writes",
    "types",
    "functions",
    "builtins",
    "plpgsql",
    "definitions",
    "indexes",
    "names",
    "show",
    "show_create",
    "show_grants",
    "show_session",
    "catalogue",
    "settings",
    "transactions",
    "cluster",
    "errors",
    "messages",
    "roles",
    "wire",
    "refused",
    "refused_clauses",
    "refused_functions",
    "refused_types",
];

#[derive(Default)]
struct Feature {
    state: String,
    english: String,
    indonesian: String,
    note: (String, String),
    cases: Vec<Case>,
}

#[derive(Default)]
struct Case {
    file: &'static str,
    line: usize,
    sql: String,
    batch: bool,
    tags: Vec<String>,
    names: Option<Vec<String>>,
    rows: Vec<Vec<Option<String>>>,
    error: Option<(String, String)>,
    said: Option<String>,
}

fn cells(line: &str) -> Vec<String> {
    line.split(" | ").map(|cell| cell.replace("\\n", "\n").replace("\\t", "\t")).collect()
}

fn features(file: &'static str, text: &str) -> Vec<Feature> {
    let mut features: Vec<Feature> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("== ") {
            let parts = cells(rest);
            features.push(Feature {
                state: parts[0].clone(),
                english: parts[1].clone(),
                indonesian: parts[2].clone(),
                ..Feature::default()
            });
            continue;
        }
        let feature = features.last_mut().expect("a feature first");
        if let Some(rest) = line.strip_prefix("note | ") {
            let parts = cells(rest);
            feature.note = (parts[0].clone(), parts[1].clone());
            continue;
        }
        let sql = line.strip_prefix(">> ").or_else(|| line.strip_prefix("> "));
        if let Some(sql) = sql {
            let fresh = feature.cases.last().is_none_or(|case| {
                line.starts_with(">> ")
                    || !case.tags.is_empty()
                    || case.error.is_some()
                    || !case.rows.is_empty()
            });
            if fresh {
                let batch = line.starts_with(">>");
                feature.cases.push(Case { file, line: number + 1, batch, ..Case::default() });
            }
            let case = feature.cases.last_mut().unwrap();
            if !case.sql.is_empty() {
                case.sql.push('\n');
            }
            case.sql.push_str(sql);
            continue;
        }
        let case = feature.cases.last_mut().expect("a statement first");
        let (mark, rest) = line.split_at(1);
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            "=" => case.tags.push(rest.to_owned()),
            ":" => case.names = Some(cells(rest)),
            "|" => case.rows.push(
                cells(rest).into_iter().map(|cell| (cell != "NULL").then_some(cell)).collect(),
            ),
            "!" => {
                let (code, message) = rest.split_once(' ').unwrap();
                case.error = Some((code.to_owned(), message.to_owned()));
            }
            "~" => case.said = Some(rest.replace("\\n", "\n")),
            other => panic!("{file}.txt:{}: {other:?}", number + 1),
        }
    }
    features
}

fn check(case: &Case, replies: &Replies, protocol: &str) -> Result<(), String> {
    let at =
        format!("dialect/{}.txt:{} ({protocol}): {}\n{replies:#?}", case.file, case.line, case.sql);
    match (&case.error, &replies.error) {
        (None, None) => {}
        (Some((code, part)), Some((found, message, _)))
            if code == found && message.contains(part.as_str()) => {}
        (expected, _) => return Err(format!("expected error {expected:?} at {at}")),
    }
    if replies.tags != case.tags {
        return Err(format!("expected tags {:?} at {at}", case.tags));
    }
    if replies.rows != case.rows {
        return Err(format!("expected rows {:?} at {at}", case.rows));
    }
    if case.names.as_ref().is_some_and(|names| *names != replies.names) {
        return Err(format!("expected columns {:?} at {at}", case.names));
    }
    let said = |part: &String| {
        let all = replies.notices.iter().chain(&replies.hint).chain(&replies.detail);
        all.into_iter().any(|text| text.contains(part.as_str()))
    };
    if case.said.as_ref().is_some_and(|part| !said(part)) {
        return Err(format!("expected the notice {:?} at {at}", case.said));
    }
    Ok(())
}

#[test]
fn the_dialect_holds_in_both_protocols() {
    let Some(server) = Server::start() else { return };
    let mut failures = Vec::new();
    let mut checked = 0;
    let only = std::env::var("KECOA_DIALECT").ok();
    let chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for (name, protocol, text) in FILES
        .iter()
        .copied()
        .filter(|(name, _)| chosen(name))
        .flat_map(|(name, text)| [(name, "simple", text), (name, "extended", text)])
    {
        let mut owner = server.client("defaultdb");
        let database = format!("{name}_{protocol}");
        assert_eq!(owner.simple(&format!("CREATE DATABASE {database}")).error, None);
        for feature in features(name, text) {
            let mut client = server.client(&database);
            for case in &feature.cases {
                if case.batch && protocol == "extended" {
                    continue;
                }
                let replies = match protocol {
                    "simple" => client.simple(&case.sql),
                    _ => client.extended(&case.sql, &[]),
                };
                checked += 1;
                failures.extend(check(case, &replies, protocol).err());
            }
        }
    }
    println!("{checked} statements checked");
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n\n"));
}

/// What a statement makes or changes, of which `SHOW CREATE` can be asked.
struct Made<'a> {
    /// `TABLE`, `VIEW`, `SEQUENCE`, `FUNCTION` or `PROCEDURE`.
    kind: &'static str,
    /// Its name, as it is written.
    name: &'a str,
}

impl<'a> Made<'a> {
    /// What the statement makes, or the table that it changes.
    fn by(sql: &'a str) -> Option<Self> {
        const WORDS: [(&str, &str); 7] = [
            ("CREATE TABLE ", "TABLE"),
            ("ALTER TABLE ", "TABLE"),
            ("CREATE VIEW ", "VIEW"),
            ("CREATE OR REPLACE VIEW ", "VIEW"),
            ("CREATE SEQUENCE ", "SEQUENCE"),
            ("CREATE FUNCTION ", "FUNCTION"),
            ("CREATE PROCEDURE ", "PROCEDURE"),
        ];
        let (rest, kind) =
            WORDS.iter().find_map(|(words, kind)| Some((sql.strip_prefix(words)?, *kind)))?;
        let rest = ["IF NOT EXISTS ", "IF EXISTS "]
            .iter()
            .find_map(|words| rest.strip_prefix(words))
            .unwrap_or(rest);
        let name = match rest.strip_prefix('"').and_then(|quoted| quoted.find('"')) {
            Some(end) => rest.get(..end + 2),
            None => rest.split([' ', '(']).next(),
        }?;
        Some(Self { kind, name })
    }

    fn show(&self) -> String {
        format!("SELECT create_statement FROM [SHOW CREATE {} {}]", self.kind, self.name)
    }
}

/// What `SHOW CREATE` says of a table, a view, a sequence or a function makes the very same one, here in the
/// place of the first. An array that was a text is shown without blanks, and one that was an array with them.
#[test]
fn what_show_create_says_can_be_run() {
    let Some(server) = Server::start() else { return };
    let mut failures = Vec::new();
    let mut checked = 0;
    let only = std::env::var("KECOA_DIALECT").ok();
    let chosen = |name: &str| only.as_deref().is_none_or(|only| only == name);
    for (name, text) in FILES.iter().copied().filter(|(name, _)| chosen(name)) {
        let mut owner = server.client("defaultdb");
        let database = format!("{name}_again");
        assert_eq!(owner.simple(&format!("CREATE DATABASE {database}")).error, None);
        for feature in features(name, text) {
            let mut client = server.client(&database);
            for case in &feature.cases {
                let replies = client.simple(&case.sql);
                let idle = replies.status == Some(kecoa_proto::TransactionStatus::Idle);
                let plain = replies.error.is_none() && idle && !case.batch;
                let Some(made) = Made::by(&case.sql).filter(|_| plain) else {
                    continue;
                };
                let show = made.show();
                let found = client.simple(&show);
                if made.kind != "TABLE" && found.rows.len() != 1 || case.sql.contains("RENAME TO") {
                    continue; // it has overloads, or was there already, or has another name now
                }
                if found.error.is_some() && case.sql.starts_with("ALTER ") {
                    continue; // there was nothing to change
                }
                let Some(first) = found.rows.first().and_then(|row| row[0].clone()) else {
                    failures.push(format!("{name}.txt:{}: {:?}", case.line, found.error));
                    continue;
                };
                if first.contains("nextval(") {
                    continue; // the sequence is not made by it
                }
                client.simple("BEGIN; SET LOCAL autocommit_before_ddl = off");
                client.simple(&format!("DROP {} {} CASCADE", made.kind, made.name));
                let again = client.simple(&first);
                if again.error.as_ref().is_some_and(|error| error.0 == "42830") {
                    client.simple("ROLLBACK");
                    continue; // a column became NOT NULL later than its foreign key
                }
                let second = client.simple(&show);
                client.simple("ROLLBACK");
                checked += 1;
                let same = |text: &str| text.replace(", ", ",");
                let found = second.rows.first().and_then(|row| row[0].clone());
                if found.as_deref().map(same) != Some(same(&first)) {
                    let error = again.error;
                    let at = format!("{name}.txt:{}: {}", case.line, case.sql);
                    failures.push(format!("{at}\n{first}\n{error:?}\n{found:?}"));
                }
            }
        }
    }
    println!("{checked} made again");
    assert!(checked > 100 || only.is_some(), "{checked}");
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n\n"));
}

const START: &str = "<!-- made by crates/kecoa-local/tests/dialect_live.rs -->";
const END: &str = "<!-- end -->";

#[test]
fn the_docs_say_what_the_tests_show() {
    let headings = [
        ("en", "| | What | To know | Statements tested |", ["yes", "in part", "no"]),
        (
            "id",
            "| | Apa | Yang perlu diketahui | Statement yang diuji |",
            ["ya", "sebagian", "tidak"],
        ),
    ];
    for (language, heading, words) in headings {
        let mut table = format!("{heading}\n|---|---|---|---:|\n");
        for feature in FILES.iter().copied().flat_map(|(name, text)| features(name, text)) {
            let word = match feature.state.as_str() {
                "yes" => words[0],
                "part" => words[1],
                _ => words[2],
            };
            let (title, note) = match language {
                "en" => (&feature.english, &feature.note.0),
                _ => (&feature.indonesian, &feature.note.1),
            };
            writeln!(table, "| {word} | {title} | {note} | {} |", feature.cases.len()).unwrap();
        }
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../docs/{language}/reference/dialect.md"));
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(START).expect("the marker");
        let (found, after) = rest.split_once(END).expect("the end marker");
        let table = format!("\n{table}");
        if std::env::var_os("KECOA_WRITE_DOCS").is_some_and(|value| value == "1") {
            std::fs::write(&path, format!("{before}{START}{table}{END}{after}")).unwrap();
        } else {
            assert_eq!(found, table, "run the tests with KECOA_WRITE_DOCS=1 to renew {path:?}");
        }
    }
}
