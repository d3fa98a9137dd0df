//! Agreement with a server, through `psql`, so that no driver stands between.
//!
//! `KECOA_TEST_PSQL` is the path of `psql`, `KECOA_TEST_DSN` the connection string it gets. The server is
//! PostgreSQL 17 or newer: older ones have no infinite intervals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::fmt::Debug;
use std::io::Write as _;
use std::process::{Command, Stdio};

use common::{Codec, arrays, same_array};
use kecoa_types::array::Array;
use kecoa_types::{literal, text};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const COUNT: usize = 300;

struct Psql {
    program: String,
    dsn: String,
}

/// `None`, with a line that says so, where there is no server to ask.
fn psql(test: &str) -> Option<Psql> {
    match (std::env::var("KECOA_TEST_PSQL"), std::env::var("KECOA_TEST_DSN")) {
        (Ok(program), Ok(dsn)) => Some(Psql { program, dsn }),
        _ => {
            eprintln!("skipped: {test} needs KECOA_TEST_PSQL and KECOA_TEST_DSN");
            None
        }
    }
}

impl Psql {
    /// Runs a script; each line of its output as columns of bytes, which were printed as `\x…`.
    fn run(&self, script: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut child = Command::new(&self.program)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", "|", "-d", &self.dsn])
            .env("PGCLIENTENCODING", "UTF8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let script = script.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&script).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let field = |bytes: &[u8]| text::bytea::decode(&[br"\x", bytes].concat()).unwrap();
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| line.split(|byte| *byte == b'|').map(field).collect())
            .collect()
    }
}

fn sample<T: Debug>(values: &BoxedStrategy<T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..COUNT).map(|_| values.new_tree(&mut runner).unwrap().current()).collect()
}

/// One statement: every value's text, cast to the type, comes back as text and in binary form.
///
/// `format` prints by the type's output function; a cast to text does not for all types.
fn script(settings: &str, texts: &[Vec<u8>], sql: &str, send: &str) -> Vec<u8> {
    let mut script = format!(
        "{settings}\nset bytea_output to hex;\n\
         select encode(convert_to(format('%s', v), 'UTF8'), 'hex'), encode({send}(v), 'hex') \
         from (values "
    )
    .into_bytes();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            script.extend_from_slice(b",\n");
        }
        script.extend_from_slice(format!("({index}, ").as_bytes());
        script.extend_from_slice(&literal::quote_literal(text).unwrap());
        script.extend_from_slice(format!("::{sql})").as_bytes());
    }
    script.extend_from_slice(b") as t(i, v) order by i;\n");
    script
}

/// Printed byte for byte as the server does. For floating-point numbers whose shortest form lies
/// exactly halfway to the next number, the server prints more digits than are needed.
fn alike<T>(codec: &Codec<T>, ours: &[u8], servers: &[u8]) -> bool {
    ours == servers || codec.sql.starts_with("float") && ours.len() < servers.len()
}

fn scalars<T: Clone + Debug + 'static>(codec: &Codec<T>, psql: &Psql) {
    let values = sample(&codec.values);
    let texts: Vec<_> = values.iter().map(|value| codec.text(value)).collect();
    let settings = "set timezone to 'Asia/Kolkata';";
    let rows = psql.run(&script(settings, &texts, codec.sql, codec.send));
    assert_eq!(rows.len(), values.len(), "{}", codec.sql);
    for ((value, text), row) in values.iter().zip(&texts).zip(&rows) {
        let [server_text, server_binary] = &row[..] else { panic!("{row:?}") };
        let shown = String::from_utf8_lossy(server_text);
        let from_text = (codec.text_decode)(server_text)
            .unwrap_or_else(|error| panic!("{} {value:?}: {error}", codec.sql));
        assert!((codec.same_binary)(&from_text, value), "{} {value:?}: {shown}", codec.sql);
        let from_binary = (codec.binary_decode)(server_binary).unwrap();
        assert!((codec.same_binary)(&from_binary, value), "{} {value:?}", codec.sql);
        assert!(alike(codec, &codec.text(&from_text), server_text), "{}: {shown}", codec.sql);
        assert_eq!(codec.binary(value), *server_binary, "{} {value:?}", codec.sql);
        if codec.sql != "timestamptz" {
            assert!(alike(codec, text, server_text), "{} {value:?}: {shown}", codec.sql);
        }
    }
}

/// The server prints `jsonb` in its own way; the values here are spelt in that way already, but for
/// the order of keys.
#[test]
fn scalars_agree_with_the_server() {
    let Some(psql) = psql("scalars_agree_with_the_server") else { return };
    for_each_type!(scalars, &psql);
}

fn array_agreement<T: Clone + Debug + 'static>(codec: &Codec<T>, psql: &Psql) {
    let values: Vec<Array<T>> = sample(&arrays(codec.values.clone()));
    let texts: Vec<_> = values.iter().map(|value| codec.array_text(value)).collect();
    let sql = format!("{}[]", codec.sql);
    let rows = psql.run(&script("set timezone to 'UTC';", &texts, &sql, "array_send"));
    assert_eq!(rows.len(), values.len(), "{sql}");
    for (value, row) in values.iter().zip(&rows) {
        let [server_text, server_binary] = &row[..] else { panic!("{row:?}") };
        let shown = String::from_utf8_lossy(server_text);
        let from_text = codec.array_from_text(server_text).unwrap();
        assert!(same_array(&from_text, value, codec.same_binary), "{sql} {value:?}: {shown}");
        let from_binary = codec.array_from_binary(server_binary).unwrap();
        assert!(same_array(&from_binary, value, codec.same_binary), "{sql} {value:?}");
        assert!(alike(codec, &codec.array_text(&from_text), server_text), "{sql}: {shown}");
        assert_eq!(codec.array_binary(value), *server_binary, "{sql} {value:?}");
    }
}

#[test]
fn arrays_agree_with_the_server() {
    let Some(psql) = psql("arrays_agree_with_the_server") else { return };
    for_each_type!(array_agreement, &psql);
}

#[test]
fn every_interval_style_is_read() {
    let Some(psql) = psql("every_interval_style_is_read") else { return };
    let codec = common::intervals();
    let values = sample(&codec.values);
    let texts: Vec<_> = values.iter().map(|value| codec.text(value)).collect();
    for style in ["postgres", "postgres_verbose", "sql_standard", "iso_8601"] {
        // Written in the style they are read in by default, printed in the other.
        let mut asking = b"create temp table t (i int, v interval);
"
        .to_vec();
        for (index, text) in texts.iter().enumerate() {
            asking.extend_from_slice(format!("insert into t values ({index}, ").as_bytes());
            literal::push_portable_literal(text, &mut asking).unwrap();
            asking.extend_from_slice(
                b");
",
            );
        }
        asking.extend_from_slice(
            format!(
                "set intervalstyle to {style};
\
                 select encode(v::text::bytea, 'hex') from t order by i;
"
            )
            .as_bytes(),
        );
        let rows = psql.run(&asking);
        assert_eq!(rows.len(), values.len());
        for (value, row) in values.iter().zip(rows) {
            let shown = String::from_utf8_lossy(&row[0]).into_owned();
            let read = text::interval::decode(&row[0]);
            assert_eq!(read.as_ref().ok(), Some(value), "{style}: {shown}");
        }
    }
}

#[test]
fn offsets_of_all_lengths_are_read() {
    let Some(psql) = psql("offsets_of_all_lengths_are_read") else { return };
    let codec = common::timestamptzs();
    let values = sample(&codec.values);
    let texts: Vec<_> = values.iter().map(|value| codec.text(value)).collect();
    for zone in ["UTC", "Africa/Monrovia", "America/New_York", "Pacific/Kiritimati"] {
        let settings = format!("set timezone to '{zone}';");
        let rows = psql.run(&script(&settings, &texts, "timestamptz", codec.send));
        for (value, row) in values.iter().zip(rows) {
            let shown = String::from_utf8_lossy(&row[0]).into_owned();
            let read = (codec.text_decode)(&row[0]).unwrap();
            assert!((codec.same_binary)(&read, value), "{zone}: {shown}");
            assert_eq!(codec.text(&read), row[0], "{zone}: {shown}");
        }
    }
}

#[test]
fn other_date_styles_are_refused_by_name() {
    let Some(psql) = psql("other_date_styles_are_refused_by_name") else { return };
    for style in ["SQL", "German", "Postgres"] {
        let rows = psql.run(
            format!(
                "set datestyle to {style};\nselect encode(now()::text::bytea, 'hex'), \
                 encode(now()::date::text::bytea, 'hex'), \
                 encode(now()::timestamp::text::bytea, 'hex');"
            )
            .as_bytes(),
        );
        let error = text::timestamptz::decode(&rows[0][0]).unwrap_err().to_string();
        assert!(error.contains("DateStyle ISO"), "{error}");
        let date = text::date::decode(&rows[0][1]).map(drop).unwrap_err().to_string();
        assert!(date.contains("DateStyle ISO"), "{date}");
        let timestamp = text::timestamp::decode(&rows[0][2]).unwrap_err().to_string();
        assert!(timestamp.contains("DateStyle ISO"), "{timestamp}");
    }
}

#[test]
fn escaped_bytea_is_read() {
    let Some(psql) = psql("escaped_bytea_is_read") else { return };
    let codec = common::byteas();
    let values = sample(&codec.values);
    let texts: Vec<_> = values.iter().map(|value| codec.text(value)).collect();
    let hex = script("", &texts, "bytea", codec.send);
    let hex =
        String::from_utf8(hex).unwrap().replace("bytea_output to hex", "bytea_output to escape");
    for (value, row) in values.iter().zip(psql.run(hex.as_bytes())) {
        assert_eq!(text::bytea::decode(&row[0]).as_ref(), Ok(value));
    }
}

#[test]
fn literals_mean_what_they_quote() {
    let Some(psql) = psql("literals_mean_what_they_quote") else { return };
    use literal::StandardConformingStrings::{Off, On};
    let values = sample(&common::texts().values);
    for (setting, name) in [(On, "on"), (Off, "off")] {
        let mut script = format!(
            "set escape_string_warning to off;\nset standard_conforming_strings to {name};\nselect "
        )
        .into_bytes();
        for (index, value) in values.iter().enumerate() {
            script.extend_from_slice(if index > 0 {
                b",\nencode(convert_to("
            } else {
                b"encode(convert_to("
            });
            literal::push_literal(value.as_bytes(), setting, &mut script).unwrap();
            script.extend_from_slice(b"::text, 'UTF8'), 'hex'),\nencode(convert_to(");
            literal::push_portable_literal(value.as_bytes(), &mut script).unwrap();
            script.extend_from_slice(b"::text, 'UTF8'), 'hex'),\nencode(");
            literal::push_bytea(value.as_bytes(), setting, &mut script);
            script.extend_from_slice(b", 'hex')");
        }
        script.extend_from_slice(b";\n");
        let rows = psql.run(&script);
        let columns: Vec<_> = rows[0].chunks(3).collect();
        assert_eq!(columns.len(), values.len());
        for (value, column) in values.iter().zip(columns) {
            for read in column {
                assert_eq!(read, value.as_bytes(), "{setting:?}");
            }
        }
    }
}
