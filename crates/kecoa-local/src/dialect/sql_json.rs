//! What PostgreSQL's grammar has of SQL/JSON and XML: CockroachDB has none of it.

use kecoa_sql::{Statement, TokenKind};

use super::plan::Refusal;

/// Functions with a syntax of their own.
const FUNCTIONS: [&str; 18] = [
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "xmlconcat",
    "xmlelement",
    "xmlforest",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// The error for what the word at `at` begins.
pub(super) fn refusal(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    match statement.text(at).first()? {
        b'i' | b'I' if statement.is(at, "IS") => tested(statement, at),
        b'j' | b'J' | b'x' | b'X' if statement.is_mark(at + 1, "(") => called(statement, at),
        _ => None,
    }
}

/// `IS JSON`, where no tree says so: in a definition.
fn tested(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    let test = at + 1 + usize::from(statement.is(at + 1, "NOT"));
    statement
        .is_any(test, &["JSON", "DOCUMENT"])
        .then(|| Refusal::syntax(statement, test, "42601", "IS JSON and IS DOCUMENT"))
}

fn called(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    if is_named(statement, at) {
        return None;
    }
    if let Some(name) = FUNCTIONS.iter().find(|name| statement.is(at, name)) {
        let hint = "SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster";
        let message = format!("unknown function: {name}()");
        return Some(Refusal { hint: hint.to_owned(), ..Refusal::new("42883", message) });
    }
    if !statement.is(at, "json_object") {
        return None;
    }
    // CockroachDB's takes arrays.
    let closing = statement.partner(at + 1)?;
    let mark = |i: usize| {
        statement.kind(i) == Some(TokenKind::Operator) && statement.text(i) == b":"
            || statement.is_any(i, &["VALUE", "ABSENT"])
                && matches!(
                    statement.kind(i + 1),
                    Some(TokenKind::String | TokenKind::Number | TokenKind::Word)
                )
    };
    let found = statement.find(at + 2, closing, mark)?;
    Some(Refusal::syntax(
        statement,
        found,
        "42601",
        "JSON_OBJECT with pairs (use json_build_object())",
    ))
}

/// Whether the word at `at`, in front of a bracket, names no function: it stands behind a point or a word that says so.
pub(super) fn is_named(statement: &Statement<'_>, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|at| statement.is_mark(at, ".") || statement.is_any(at, &PLACES))
}

/// What stands before a name that is no function.
const PLACES: [&str; 12] = [
    "TABLE",
    "INTO",
    "INDEX",
    "AS",
    "CONSTRAINT",
    "FUNCTION",
    "PROCEDURE",
    "VIEW",
    "EXISTS",
    "REFERENCES",
    "WITH",
    "RECURSIVE",
];
