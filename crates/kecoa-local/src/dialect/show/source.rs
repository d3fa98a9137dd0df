//! A `SHOW` inside of another statement: `FROM [SHOW …]`, `WITH s AS (SHOW …)`, `PREPARE p AS SHOW …`.

use kecoa_sql::Statement;

use crate::dialect::catalog::Context;
use crate::dialect::edit::Edits;
use crate::dialect::plan::{Piece, Stop};

/// Makes a subquery of the `SHOW` in the bracket that opens at `at`; the index of what follows it, or
/// `None` when there is none.
pub(in crate::dialect) fn rewrite(
    statement: &Statement<'_>,
    at: usize,
    closing: usize,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<Option<usize>, Stop> {
    if at == 0 || !statement.is(at + 1, "SHOW") {
        return Ok(None);
    }
    let square = statement.is_mark(at, "[")
        && (statement.is_any(at - 1, &["FROM", "JOIN", "USING"]) || statement.is_mark(at - 1, ","));
    let named = statement.is_mark(at, "(")
        && statement.is(0, "WITH")
        && statement.is_any(at - 1, &["AS", "MATERIALIZED"]);
    if !square && !named {
        return Ok(None);
    }
    let Some(shown) = super::query(statement, at + 1, closing, context)? else {
        return Ok(None);
    };
    let alias = if named || statement.is(closing + 1, "AS") || aliased(statement, closing + 1) {
        ""
    } else {
        " AS \"[SHOW]\""
    };
    let text = format!("({}){alias}", shown.sql);
    edits.replace(statement.start(at), statement.end(closing), text);
    Ok(Some(closing + 1))
}

/// The statement with a query instead of the `SHOW` behind `PREPARE p AS` or `EXPLAIN`; `None` for
/// others.
pub(in crate::dialect) fn behind(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Piece>, Stop> {
    let end = statement.len();
    let at = if statement.are(1, &["SHOW"]) && statement.is(0, "EXPLAIN") {
        Some(1)
    } else if statement.is(0, "PREPARE") {
        statement.find(2, end, |i| statement.are(i, &["AS", "SHOW"])).map(|i| i + 1)
    } else {
        None
    };
    let Some(at) = at else { return Ok(None) };
    let Some(shown) = super::query(statement, at, end, context)? else { return Ok(None) };
    let mut edits = Edits::default();
    edits.replace(statement.start(at), statement.end(end - 1), shown.sql);
    Ok(Some(Piece::edited(statement, edits)))
}

/// Whether an alias without `AS` stands at `at`.
fn aliased(statement: &Statement<'_>, at: usize) -> bool {
    const CLAUSES: [&str; 17] = [
        "WHERE",
        "GROUP",
        "HAVING",
        "WINDOW",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "FETCH",
        "FOR",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "JOIN",
        "CROSS",
        "NATURAL",
        "ON",
        "SET",
    ];
    const JOINS: [&str; 6] = ["INNER", "LEFT", "RIGHT", "FULL", "USING", "RETURNING"];
    statement.is_name(at) && !statement.is_any(at, &CLAUSES) && !statement.is_any(at, &JOINS)
}
