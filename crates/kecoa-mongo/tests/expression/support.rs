//! Runs tables of cases.

use bson::{RawBson, RawDocument, RawDocumentBuf, Timestamp};
use kecoa_mongo::bson::decimal128::Decimal;
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Expression, Scope, Variables};

use crate::notation;

/// The value of an expression on a document.
pub(crate) fn evaluate(
    expression: &RawBson,
    document: &RawDocument,
) -> Result<Option<RawBson>, Error> {
    let now = bson::DateTime::from_millis(1_700_000_000_123);
    let variables = Variables::new(now, Timestamp { time: 1_700_000_000, increment: 7 });
    let parsed = Expression::parse(expression.as_raw_bson_ref(), &Scope::new())?;
    Ok(parsed.evaluate(document, &variables)?.map(kecoa_mongo::value::Value::into_owned))
}

/// Types and bytes are the same; of doubles and decimals, those behind `~` are near.
pub(crate) fn check(context: &str, expected: &str, found: &Result<Option<RawBson>, Error>) -> bool {
    let expected = expected.trim();
    let good = match (expected.strip_prefix('!'), found) {
        (Some(code), Err(error)) => code.trim().parse::<i32>().unwrap() == error.code().number(),
        (Some(_), Ok(_)) | (None, Err(_)) => false,
        (None, Ok(None)) => expected == "missing",
        (None, Ok(Some(found))) => expected != "missing" && same(expected, found),
    };
    if !good {
        let found = match found {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        };
        eprintln!("{context}\n  expected {expected}\n  found    {found}");
    }
    good
}

fn same(expected: &str, found: &RawBson) -> bool {
    if let Some(near) = expected.strip_prefix('~') {
        let near: f64 = near.trim().parse().unwrap();
        let found = match found {
            RawBson::Double(found) => *found,
            RawBson::Decimal128(found) => Decimal::from_bson(*found).to_double(),
            _ => return false,
        };
        return (found - near).abs() <= 1e-12 * near.abs().max(1e-3);
    }
    let expected = notation::value(expected);
    if let (RawBson::Double(expected), RawBson::Double(found)) = (&expected, found)
        && expected.is_nan()
    {
        return found.is_nan();
    }
    bytes(&expected) == bytes(found)
}

fn bytes(value: &RawBson) -> Vec<u8> {
    let mut document = RawDocumentBuf::new();
    document.append(bson::raw::cstr!(""), value.as_raw_bson_ref());
    document.into_bytes()
}

/// A line that is a case: neither empty nor a comment.
pub(crate) fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Cases `expression => value` or `expression => !code`, on the document of the last line `on ...`.
pub(crate) fn run_cases(table: &str) -> usize {
    let mut document = RawDocumentBuf::new();
    let (mut count, mut failed) = (0, 0);
    for line in lines(table) {
        if let Some(text) = line.strip_prefix("on ") {
            document = notation::document(text);
            continue;
        }
        let (expression, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("{line}"));
        let found = evaluate(&notation::value(expression), &document);
        failed += usize::from(!check(expression, expected, &found));
        count += 1;
    }
    assert_eq!(failed, 0, "of {count} cases");
    count
}

/// A value of every type, and some at the ends, by their names.
pub(crate) const SAMPLES: [(&str, &str); 25] = [
    ("double", "2.5"),
    ("string", "'abc'"),
    ("object", "{a: 1}"),
    ("array", "[1, 2]"),
    ("binary", "bin(0, '0102')"),
    ("undefined", "undefined"),
    ("oid", "oid('65a000000000000000000001')"),
    ("bool", "true"),
    ("date", "date('2024-02-29T12:34:56.789Z')"),
    ("null", "null"),
    ("regex", "re('a', 'i')"),
    ("pointer", "pointer('db.c', '65a000000000000000000001')"),
    ("code", "code('f')"),
    ("symbol", "symbol('sym')"),
    ("scoped", "scoped('f', {})"),
    ("int", "5"),
    ("timestamp", "ts(1700000000, 3)"),
    ("long", "L(6)"),
    ("decimal", "D('7.5')"),
    ("min", "MinKey"),
    ("max", "MaxKey"),
    ("nan", "NaN"),
    ("inf", "Infinity"),
    ("empty", "''"),
    ("missing", ""),
];

/// How a sample stands in an expression.
#[derive(Clone, Copy)]
pub(crate) enum As {
    /// As a field of the document.
    Path,
    /// As a constant.
    Literal,
}

impl As {
    fn write(self, name: &str, value: &str) -> String {
        match self {
            Self::Path => format!("'${name}'"),
            Self::Literal if value.is_empty() => "'$$REMOVE'".to_owned(),
            Self::Literal => format!("{{$literal: {value}}}"),
        }
    }
}

/// Lines `expression | default | name=value | ...`: `?` in the expression is each sample.
pub(crate) fn run_matrix(table: &str, how: As) -> usize {
    let fields: Vec<_> = SAMPLES
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let document = notation::document(&format!("{{{}}}", fields.join(", ")));
    let (mut count, mut failed) = (0, 0);
    for line in lines(table) {
        let mut parts = line.split(" | ");
        let template = parts.next().unwrap();
        let default = parts.next().unwrap_or_else(|| panic!("{line}"));
        let special: Vec<(&str, &str)> = parts
            .flat_map(|part| {
                let (names, value) = part.split_once('=').unwrap_or_else(|| panic!("{part}"));
                names.split(',').map(move |name| (name.trim(), value)).collect::<Vec<_>>()
            })
            .collect();
        for (name, _) in &special {
            assert!(SAMPLES.iter().any(|(sample, _)| sample == name), "{name} in {line}");
        }
        for (name, value) in SAMPLES {
            let expected = special
                .iter()
                .find(|(special, _)| *special == name)
                .map_or(default, |found| found.1);
            let expression = template.replace('?', &how.write(name, value));
            let found = evaluate(&notation::value(&expression), &document);
            failed += usize::from(!check(&expression, expected, &found));
            count += 1;
        }
    }
    assert_eq!(failed, 0, "of {count} cases");
    count
}
