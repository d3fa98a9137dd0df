//! Literals as psycopg2 2.9.13 and libpq 18 made them when they were asked.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kecoa_types::EncodeError;
use kecoa_types::literal::StandardConformingStrings::{self, Off, OffUnmarked, On};
use kecoa_types::literal::{
    push_bytea, push_float, push_int, push_literal, push_number, quote_ident, quote_literal,
};

fn made(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8(out).unwrap()
}

fn literal(value: &str, setting: StandardConformingStrings) -> String {
    made(|out| push_literal(value.as_bytes(), setting, out).unwrap())
}

#[test]
fn strings_as_psycopg2_quotes_them() {
    for (value, on, off, unmarked) in [
        ("it's", "'it''s'", "E'it''s'", "'it''s'"),
        (r"a\b", r"'a\b'", r"E'a\\b'", r"'a\\b'"),
        ("", "''", "E''", "''"),
        ("é\\'", "'é\\'''", "E'é\\\\'''", "'é\\\\'''"),
        ("a\nb%", "'a\nb%'", "E'a\nb%'", "'a\nb%'"),
    ] {
        assert_eq!(literal(value, On), on);
        assert_eq!(literal(value, Off), off);
        assert_eq!(literal(value, OffUnmarked), unmarked);
    }
}

#[test]
fn strings_as_libpq_quotes_them() {
    for (value, expected) in
        [("it's", "'it''s'"), (r"a\b", r" E'a\\b'"), ("", "''"), (r"\'", r" E'\\'''")]
    {
        assert_eq!(quote_literal(value.as_bytes()).unwrap(), expected.as_bytes());
    }
}

#[test]
fn bytes_as_psycopg2_quotes_them() {
    let bytea = |value: &[u8], setting| made(|out| push_bytea(value, setting, out));
    assert_eq!(bytea(b"\0\x01'\\abc", On), r"'\x0001275c616263'::bytea");
    assert_eq!(bytea(b"", On), r"'\x'::bytea");
    assert_eq!(bytea(b"\x01", Off), r"E'\\x01'::bytea");
    assert_eq!(bytea(b"\x01", OffUnmarked), r"'\\x01'::bytea");
}

#[test]
fn numbers_as_psycopg2_writes_them() {
    assert_eq!(made(|out| push_int(1, out)), "1");
    assert_eq!(made(|out| push_int(-1, out)), " -1");
    assert_eq!(made(|out| push_int(i64::MIN, out)), " -9223372036854775808");
    assert_eq!(made(|out| push_number(b"-1.50", out)), " -1.50");
    assert_eq!(made(|out| push_number(b"1E+5", out)), "1E+5");
    for (value, expected) in [
        (1.5, "1.5"),
        (-1.5, " -1.5"),
        (0.0, "0.0"),
        (-0.0, " -0.0"),
        (1e16, "1e+16"),
        (1e15, "1000000000000000.0"),
        (123456789012345680.0, "1.2345678901234568e+17"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (1.2345e-7, "1.2345e-07"),
        (1e22, "1e+22"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (1e23, "1e+23"),
        (f64::NAN, "'NaN'::float"),
        (f64::INFINITY, "'Infinity'::float"),
        (f64::NEG_INFINITY, "'-Infinity'::float"),
    ] {
        assert_eq!(made(|out| push_float(value, out)), expected);
    }
}

#[test]
fn names() {
    for (name, expected) in [
        ("a", "\"a\""),
        ("A b", "\"A b\""),
        ("a\"b", "\"a\"\"b\""),
        ("", "\"\""),
        ("x\\y", "\"x\\y\""),
    ] {
        assert_eq!(quote_ident(name.as_bytes()).unwrap(), expected.as_bytes());
    }
}

#[test]
fn nul_is_refused_and_nothing_appended() {
    let mut out = b"select ".to_vec();
    let error = push_literal(b"ab\0c", On, &mut out).unwrap_err();
    assert_eq!(error, EncodeError::Nul { position: 2 });
    assert_eq!(
        error.to_string(),
        "expected text without NUL (0x00) characters, found one at byte 2"
    );
    assert_eq!(out, b"select ");
    assert!(quote_literal(b"\0").is_err());
    assert!(quote_ident(b"\0").is_err());
}
