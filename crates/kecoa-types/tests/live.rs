//! What a server prints under other settings, and what it makes of literals. `agreement.rs` has all types.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod common;
mod psql;

use std::fmt::Debug;

use kecoa_types::{literal, text};
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use psql::Psql;

const COUNT: usize = 300;

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

#[test]
fn offsets_of_all_lengths_are_read() {
    let Some(psql) = Psql::of_tests("offsets_of_all_lengths_are_read") else { return };
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
    let Some(psql) = Psql::of_tests("other_date_styles_are_refused_by_name") else { return };
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
    let Some(psql) = Psql::of_tests("escaped_bytea_is_read") else { return };
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
    let Some(psql) = Psql::of_tests("literals_mean_what_they_quote") else { return };
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
