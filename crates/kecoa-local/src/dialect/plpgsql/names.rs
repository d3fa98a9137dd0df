//! Names in a body of PL/pgSQL: what CockroachDB does not find, or not under that name.

use kecoa_sql::{Statement, TokenKind};

use super::blocks::Blocks;
use crate::dialect::plan::Refusal;

/// The error for a name that a cluster does not find.
pub(super) fn refusal(body: &Statement<'_>, blocks: &Blocks, is_trigger: bool) -> Option<Refusal> {
    if let Some(name) = &blocks.hiding {
        let message = "unimplemented: variable shadowing is not yet implemented";
        let hint = format!("variable \"{name}\" shadows a previously defined variable");
        return Some(Refusal { hint, ..Refusal::new("0A000", message) });
    }
    (0..body.len()).find_map(|at| {
        if body.kind(at) == Some(TokenKind::Parameter) {
            let number = String::from_utf8_lossy(body.text(at)).into_owned();
            let message = format!("no value provided for placeholder: {number}");
            let hint = "PL/pgSQL of CockroachDB's has parameters by their names only".to_owned();
            return Some(Refusal { hint, ..Refusal::new("42P02", message) });
        }
        qualified(body, blocks, at, is_trigger)
    })
}

/// `new.v`, `variable.field` and `label.variable`, where a value is read.
fn qualified(
    body: &Statement<'_>,
    blocks: &Blocks,
    at: usize,
    is_trigger: bool,
) -> Option<Refusal> {
    let after = |mark| at.checked_sub(1).is_some_and(|before| body.is_mark(before, mark));
    if !body.is_mark(at + 1, ".") || !body.is_name(at + 2) || after(".") {
        return None;
    }
    let (name, field) = (body.name(at)?, body.name(at + 2)?);
    let is_row = is_trigger && matches!(name.as_str(), "new" | "old");
    let is_variable = is_row || blocks.names.contains(&name) && !is_source(body, &name);
    let by_label =
        blocks.labels.contains(&name) && blocks.names.contains(&field) && !is_source(body, &name);
    if !is_variable && !by_label || is_target(body, blocks, at) {
        return None;
    }
    if is_variable {
        return Some(Refusal::field_of_row(&name, &field));
    }
    let message = format!("no data source matches prefix: {name} in this context");
    let hint = format!("write {field}: CockroachDB finds no variable by the label of its block");
    Some(Refusal { hint, ..Refusal::new("42P01", message) })
}

/// Whether a table or the like may have this name in the body.
fn is_source(body: &Statement<'_>, name: &str) -> bool {
    const BEFORE: [&str; 7] = ["AS", "FROM", "INTO", "JOIN", "UPDATE", "USING", "WITH"];
    (1..body.len()).any(|at| {
        let named = body.name(at).as_deref() == Some(name) && !body.is_mark(at + 1, ".");
        named
            && (body.is_any(at - 1, &BEFORE)
                || body.is_mark(at - 1, ")")
                || body.kind(at - 1) == Some(TokenKind::QuotedIdentifier)
                || in_from(body, at))
    })
}

/// Whether the name at `at` stands in a FROM: `FROM a, b`, `FROM a b`.
fn in_from(body: &Statement<'_>, at: usize) -> bool {
    const CLAUSES: [&str; 12] = [
        "FROM",
        "SELECT",
        "WHERE",
        "GROUP",
        "ORDER",
        "SET",
        "ON",
        "VALUES",
        "LIMIT",
        "RETURNING",
        "INTO",
        "HAVING",
    ];
    let found =
        (0..at).rev().find(|before| body.is_mark(*before, ";") || body.is_any(*before, &CLAUSES));
    found.is_some_and(|before| body.is(before, "FROM"))
}

/// Whether the name at `at` is what is assigned to: `new.v := 1`, `INTO new.v`.
fn is_target(body: &Statement<'_>, blocks: &Blocks, at: usize) -> bool {
    let mut end = at + 1;
    while body.is_mark(end, ".") && body.is_name(end + 1) {
        end += 2;
    }
    if blocks.starts(at) && (body.is_mark(end, ":=") || body.is_mark(end, "=")) {
        return true;
    }
    let mut from = at;
    while from > 1 && body.is_mark(from - 1, ",") && body.is_name(from - 2) {
        from -= 2;
        while from > 1 && body.is_mark(from - 1, ".") && body.is_name(from - 2) {
            from -= 2;
        }
    }
    from > 0 && (body.is(from - 1, "INTO") || body.is(from - 1, "STRICT"))
}
