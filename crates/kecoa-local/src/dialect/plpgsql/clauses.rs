//! Parts of statements and declarations of PL/pgSQL that CockroachDB does not have.

use kecoa_sql::{Statement, TokenKind};

use super::blocks::Blocks;
use crate::dialect::plan::Refusal;

/// What says of an error where it was.
const PLACES: [&str; 5] = ["COLUMN", "CONSTRAINT", "DATATYPE", "SCHEMA", "TABLE"];

/// The names of class 40, and the others of transactions that are to be retried.
const RETRIED: [&str; 5] = [
    "DEADLOCK_DETECTED",
    "SERIALIZATION_FAILURE",
    "STATEMENT_COMPLETION_UNKNOWN",
    "TRANSACTION_INTEGRITY_CONSTRAINT_VIOLATION",
    "TRANSACTION_ROLLBACK",
];

/// The error for a part that CockroachDB does not have.
pub(super) fn refusal(body: &Statement<'_>, blocks: &Blocks, is_function: bool) -> Option<Refusal> {
    let strict = |what: &str| Some(Refusal::strict("0A000", what));
    if body.text(0).starts_with(b"#") {
        return strict("options of PL/pgSQL (# in front of a body)");
    }
    let ended = if is_function { blocks.ends } else { blocks.ends_in_handled };
    if ended.is_some() {
        let hint =
            "COMMIT and ROLLBACK are for procedures, outside of blocks with EXCEPTION".to_owned();
        return Some(Refusal { hint, ..Refusal::new("2D000", "invalid transaction termination") });
    }
    for at in 0..body.len() {
        let found = if blocks.declares(at) {
            declaration(body, at)
        } else if blocks.starts(at) && body.is(at, "RAISE") {
            raise(body, at)
        } else if body.are(at, &["RETURN", "QUERY", "EXECUTE"]) {
            Some("RETURN QUERY EXECUTE in PL/pgSQL")
        } else if body.is(at, "WHEN") {
            condition(body, at)
        } else if body.is(at, "INTO") && assigns_twice(body, at + 1) {
            Some("a variable twice behind INTO in PL/pgSQL")
        } else {
            None
        };
        if let Some(what) = found {
            return strict(what);
        }
    }
    None
}

/// What stands between DECLARE and BEGIN.
fn declaration(body: &Statement<'_>, at: usize) -> Option<&'static str> {
    let named = at >= 2 && (body.is_mark(at - 2, ";") || body.is(at - 2, "DECLARE"));
    if named && body.is(at, "RECORD") {
        return Some("RECORD variables in PL/pgSQL");
    }
    if named && body.is(at, "ALIAS") {
        return Some("ALIAS in PL/pgSQL");
    }
    if body.is(at, "CURSOR") && body.is_mark(at + 1, "(") {
        return Some("cursors with arguments in PL/pgSQL");
    }
    body.is(at, "COLLATE").then_some("variables with a collation in PL/pgSQL")
}

/// `RAISE` without anything, or with places.
fn raise(body: &Statement<'_>, at: usize) -> Option<&'static str> {
    let end = body.find(at, body.len(), |i| body.is_mark(i, ";")).unwrap_or(body.len());
    if end == at + 1 {
        return Some("RAISE alone in PL/pgSQL (name the error anew)");
    }
    let using = body.find(at, end, |i| body.is(i, "USING"))?;
    let place = |i: usize| {
        body.is_any(i, &PLACES)
            && (body.is_mark(i - 1, ",") || i == using + 1)
            && (body.is_mark(i + 1, "=") || body.is_mark(i + 1, ":="))
    };
    (using..end).skip(1).any(place).then_some("COLUMN, TABLE and the like behind RAISE … USING")
}

/// `WHEN serialization_failure THEN`, `WHEN SQLSTATE '40001' THEN`, of which several may be joined by OR.
fn condition(body: &Statement<'_>, at: usize) -> Option<&'static str> {
    let end = body.find(at, body.len(), |i| body.is(i, "THEN") || body.is_mark(i, ";"))?;
    let retried = |i: usize| {
        let first = body.is(i - 1, "WHEN") || body.is(i - 1, "OR");
        let named = body.is_any(i, &RETRIED) && (body.is(i + 1, "THEN") || body.is(i + 1, "OR"));
        let coded = body.is(i, "SQLSTATE")
            && body.kind(i + 1) == Some(TokenKind::String)
            && body.value(i + 1).is_some_and(|code| code.starts_with("40"));
        first && (named || coded)
    };
    (at + 1..end)
        .any(retried)
        .then_some("EXCEPTION for errors that the client is to retry (class 40) in PL/pgSQL")
}

/// Whether one name stands twice in the list at `from`.
fn assigns_twice(body: &Statement<'_>, from: usize) -> bool {
    let mut at = from + usize::from(body.is(from, "STRICT"));
    let mut seen: Vec<String> = Vec::new();
    while let Some(end) = body.qualified_name(at) {
        let name = body.slice(at, end).to_lowercase();
        if seen.contains(&name) {
            return true;
        }
        seen.push(name);
        if !body.is_mark(end, ",") {
            break;
        }
        at = end + 1;
    }
    false
}
