//! Types in the signatures of functions and procedures, in composite types, and in the lists of
//! columns behind a function that gives records.

use kecoa_sql::Statement;

use super::edit::Edits;
use super::plan::Refusal;
use super::types;

/// The types of a whole statement that makes, changes or drops a function or makes a type.
pub(super) fn rewrite(statement: &Statement<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    if !statement.is_any(0, &["CREATE", "ALTER", "DROP"]) {
        return Ok(());
    }
    let mut at = 1;
    if statement.are(at, &["OR", "REPLACE"]) {
        at += 2;
    }
    let is_type = statement.is(at, "TYPE");
    if !is_type && !statement.is_any(at, &["FUNCTION", "PROCEDURE", "ROUTINE"]) {
        return Ok(());
    }
    at += 1;
    if statement.are(at, &["IF", "EXISTS"]) {
        at += 2;
    }
    if !is_type {
        return routines(statement, at, edits);
    }
    if let Some(open) = statement.qualified_name(at)
        && statement.is(open, "AS")
    {
        columns(statement, open + 1, edits)?;
    }
    Ok(())
}

/// `f(a INT, b STRING), g()`, whose first name stands at `at`, and what a new one returns.
///
/// # Errors
/// A type that CockroachDB does not have.
pub(super) fn routines(
    statement: &Statement<'_>,
    at: usize,
    edits: &mut Edits,
) -> Result<(), Refusal> {
    let Some(mut open) = statement.qualified_name(at) else { return Ok(()) };
    parameters(statement, open, edits)?;
    while let Some(close) = statement.partner(open).filter(|close| *close > open) {
        // The next one of a DROP.
        let next = close + 1;
        match statement.qualified_name(next + 1).filter(|_| statement.is_mark(next, ",")) {
            Some(after) => {
                parameters(statement, after, edits)?;
                open = after;
            }
            None => return returns(statement, next, edits),
        }
    }
    Ok(())
}

/// `(a INT, b STRING)` at `open`, where every element is a name and a type.
///
/// # Errors
/// A type that CockroachDB does not have.
pub(super) fn columns(
    statement: &Statement<'_>,
    open: usize,
    edits: &mut Edits,
) -> Result<(), Refusal> {
    let Some(close) = statement.partner(open).filter(|_| statement.is_mark(open, "(")) else {
        return Ok(());
    };
    for (start, end) in statement.elements(open + 1, close) {
        if end > start + 1 && statement.is_name(start) {
            types::rewrite(statement, start + 1, false, edits)?;
        }
    }
    Ok(())
}

/// `(IN a INT DEFAULT 1, STRING)` at `open`: the mode and the name may be missing.
fn parameters(statement: &Statement<'_>, open: usize, edits: &mut Edits) -> Result<(), Refusal> {
    let Some(close) = statement.partner(open).filter(|_| statement.is_mark(open, "(")) else {
        return Ok(());
    };
    for (mut start, end) in statement.elements(open + 1, close) {
        while start + 1 < end && statement.is_any(start, &["IN", "OUT", "INOUT", "VARIADIC"]) {
            start += 1;
        }
        let named = start + 1 < end
            && statement.is_name(start + 1)
            && !statement.is_any(start + 1, &["DEFAULT", "ARRAY"]);
        types::rewrite(statement, start + usize::from(named), false, edits)?;
    }
    Ok(())
}

/// `RETURNS SETOF INT`, `RETURNS TABLE (a INT)`.
fn returns(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> Result<(), Refusal> {
    if !statement.is(at, "RETURNS") {
        return Ok(());
    }
    if statement.is(at + 1, "TABLE") {
        return columns(statement, at + 2, edits);
    }
    let set = usize::from(statement.is(at + 1, "SETOF"));
    types::rewrite(statement, at + 1 + set, false, edits)
}
