//! What CockroachDB's indexes do not have.

use kecoa_sql::{Statement, TokenKind};

use super::table::{SYNTAX, UNIMPLEMENTED};
use crate::dialect::plan::Refusal;
use crate::dialect::vector_index;

/// Operator classes of inverted indexes.
const CLASSES: [&str; 4] = ["array_ops", "gin_trgm_ops", "gist_trgm_ops", "jsonb_ops"];

/// What may stand behind `USING`.
const METHODS: [&str; 4] = ["BTREE", "CSPANN", "GIN", "GIST"];

/// The error for a `CREATE INDEX`.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.is(0, "CREATE") || !(1..4).any(|at| statement.is(at, "INDEX")) {
        return None;
    }
    let open = statement.find(2, statement.len(), |at| statement.is_mark(at, "("))?;
    if statement.is(open - 2, "USING") && statement.is_any(open - 1, &["HASH", "BRIN", "SPGIST"]) {
        let what = "indexes of this kind (it has btree, gin and gist)";
        return Some(Refusal::syntax(statement, open - 2, UNIMPLEMENTED, what));
    }
    if statement.is(open - 2, "USING") && !statement.is_any(open - 1, &METHODS) {
        return Some(unknown_method(statement, open - 1));
    }
    let only = statement.find(2, open, |at| statement.are(at, &["ON", "ONLY"]));
    if let Some(at) = only.filter(|at| at + 2 < open) {
        return Some(Refusal::syntax(statement, at + 1, SYNTAX, "indexes ON ONLY a table"));
    }
    let closing = statement.partner(open)?;
    let vector = vector_index::is_one(statement);
    let inverted = (1..3).any(|at| statement.is(at, "INVERTED"))
        || statement.is(open - 2, "USING") && !statement.is(open - 1, "BTREE");
    let elements = statement.elements(open + 1, closing);
    let last = elements.len();
    for (number, (start, end)) in elements.into_iter().enumerate() {
        if let Some(at) = statement.find(start, end, |at| statement.is(at, "COLLATE")) {
            return Some(Refusal::syntax(statement, at, SYNTAX, "COLLATE in an index"));
        }
        if vector && number + 1 == last {
            continue; // its classes are its own
        }
        let found = element(statement, start, end, inverted && number + 1 == last);
        if found.is_some() {
            return found;
        }
    }
    behind(statement, closing + 1)
}

fn unknown_method(statement: &Statement<'_>, at: usize) -> Refusal {
    let method = statement.name(at).unwrap_or_default();
    let hint = match method.as_str() {
        "hnsw" | "ivfflat" => "CREATE VECTOR INDEX ON t (v), or USING cspann (v)",
        _ => "CockroachDB has btree, gin, gist and cspann",
    };
    let message =
        format!("at or near \"{method}\": syntax error: unrecognized access method: {method}");
    Refusal { hint: hint.to_owned(), ..Refusal::new(SYNTAX, message) }
}

/// One column or expression; `classes` if it may have an operator class.
fn element(
    statement: &Statement<'_>,
    start: usize,
    mut end: usize,
    classes: bool,
) -> Option<Refusal> {
    let nulls = end.checked_sub(2).filter(|at| *at > start && statement.is(*at, "NULLS"));
    if let Some(at) = nulls {
        let descending = statement.is(at - 1, "DESC");
        // NULLs come first in ascending order, and last in descending order.
        if descending == statement.is(at + 1, "FIRST") {
            let what = "indexes with NULLs in this place (leave NULLS out)";
            return Some(Refusal::syntax(statement, at, UNIMPLEMENTED, what));
        }
        end = at;
    }
    if end > start + 1 && statement.is_any(end - 1, &["ASC", "DESC"]) {
        end -= 1;
    }
    let class = end.checked_sub(1).filter(|at| *at > start)?;
    let behind_operand = statement.is_mark(class - 1, ")")
        || statement.kind(class - 1) == Some(TokenKind::QuotedIdentifier)
        || statement.kind(class - 1) == Some(TokenKind::Word)
            && !statement.is(class - 1, "COLLATE");
    if !statement.is_name(class) || !behind_operand {
        return None;
    }
    let name = statement.name(class)?;
    let strict = |code, message: String| {
        let hint = "SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster";
        Some(Refusal { hint: hint.to_owned(), ..Refusal::new(code, message) })
    };
    if !classes {
        let message = "operator classes are only allowed for the last column of an inverted index";
        return strict("42804", message.to_owned());
    }
    if name == "jsonb_path_ops" {
        return strict(
            "0A000",
            format!("unimplemented: operator class \"{name}\" is not supported"),
        );
    }
    if CLASSES.contains(&name.as_str()) {
        return None;
    }
    strict("42704", format!("operator class \"{name}\" does not exist"))
}

/// What stands behind the brackets.
fn behind(statement: &Statement<'_>, from: usize) -> Option<Refusal> {
    let mut at = from;
    while at < statement.len() {
        if statement.is(at, "NULLS")
            && (statement.is(at + 1, "DISTINCT") || statement.are(at + 1, &["NOT", "DISTINCT"]))
        {
            return Some(Refusal::syntax(statement, at, SYNTAX, "NULLS [NOT] DISTINCT"));
        }
        if statement.is(at, "TABLESPACE") && statement.is_name(at + 1) {
            return Some(Refusal::syntax(statement, at, UNIMPLEMENTED, "tablespaces"));
        }
        if statement.is(at, "WHERE") {
            return None;
        }
        at = statement.skip(at);
    }
    None
}
