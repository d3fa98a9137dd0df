//! What CockroachDB's functions and procedures do not have.

use kecoa_sql::Statement;

use super::reserved;
use super::table::{Found, SYNTAX, Table, UNIMPLEMENTED, look};

/// Behind the parameters.
const CLAUSES: Table = &[
    (&["BEGIN", "ATOMIC"], UNIMPLEMENTED, "BEGIN ATOMIC (write AS $$ … $$)"),
    (&["RETURN"], UNIMPLEMENTED, "RETURN as a body (write AS $$ SELECT … $$)"),
    (&["COST"], UNIMPLEMENTED, "COST of a function"),
    (&["ROWS"], UNIMPLEMENTED, "ROWS of a function"),
    (&["SUPPORT"], UNIMPLEMENTED, "SUPPORT of a function"),
    (&["PARALLEL"], UNIMPLEMENTED, "PARALLEL of a function"),
    (&["WINDOW"], UNIMPLEMENTED, "window functions of one's own"),
    (&["TRANSFORM"], SYNTAX, "transforms"),
    (&["SET"], UNIMPLEMENTED, "SET in a function's definition"),
];

/// What a `CREATE FUNCTION` or `CREATE PROCEDURE` has, whose kind stands at `at`.
pub(super) fn clauses(statement: &Statement<'_>, at: usize) -> Found {
    let open = statement.qualified_name(at + 1).filter(|open| statement.is_mark(*open, "("))?;
    let closing = statement.partner(open)?;
    if let Some(found) = reserved::of_routine(statement, open - 1) {
        return Some(found);
    }
    let copied =
        |at: usize| statement.is_mark(at, "%") && statement.is_any(at + 1, &["TYPE", "ROWTYPE"]);
    if let Some(at) = (open..statement.len()).find(|at| copied(*at)) {
        return Some((at, SYNTAX, "the type of something else (%TYPE)"));
    }
    for (start, end) in statement.elements(open + 1, closing) {
        let variadic = (start..end.min(start + 2)).find(|at| statement.is(*at, "VARIADIC"));
        if let Some(at) = variadic {
            return Some((at, UNIMPLEMENTED, "VARIADIC parameters"));
        }
    }
    let mut at = closing + 1;
    while at < statement.len() {
        if statement.is(at, "RETURNS") {
            // A type may be called like a clause.
            at += 1;
        } else if let Some(found) = look(statement, at, CLAUSES) {
            return Some(found);
        }
        at = statement.skip(at);
    }
    None
}
