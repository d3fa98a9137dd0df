//! `database.table`: CockroachDB reads two parts as schema and table, and where there is no such
//! schema as database and table.

use kecoa_sql::Statement;

use super::catalog::{Context, Need};
use super::edit::Edits;

/// Where the name of a relation follows.
const BEFORE: [&str; 9] =
    ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES", "ONLY", "TRUNCATE", "VIEW"];

/// Functions with a FROM between their brackets.
const NOT_RELATIONS: [&str; 5] = ["EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"];

/// Rewrites the name at `at`, `around` being the innermost bracket it stands in, if its first part
/// is the session's database and no schema.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    at: usize,
    around: Option<usize>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Need> {
    if statement.qualified_name(at) != Some(at + 3)
        // A function there has its brackets, and so have a new table's columns elsewhere.
        || statement.is_mark(at + 3, "(") && statement.is_any(at.wrapping_sub(1), &["FROM", "JOIN"])
        || statement.name(at).as_deref() != Some(context.database)
        || !relation(statement, at, around)
        || context.catalog.schema(context.database)?
    {
        return Ok(());
    }
    edits.replace(statement.start(at), statement.end(at), "public");
    Ok(())
}

fn relation(statement: &Statement<'_>, at: usize, around: Option<usize>) -> bool {
    let Some(mut before) = at.checked_sub(1) else { return false };
    if statement.is(before, "EXISTS") {
        // TABLE IF EXISTS, TABLE IF NOT EXISTS
        let not = before.checked_sub(1).is_some_and(|i| statement.is(i, "NOT"));
        let Some(earlier) = before.checked_sub(if not { 3 } else { 2 }) else { return false };
        before = earlier;
        return statement.is_any(before, &["TABLE", "VIEW"]);
    }
    if statement.is(before, "ON") {
        // CREATE INDEX … ON, GRANT … ON, COMMENT ON has TABLE between.
        return statement.is(0, "CREATE") && (1..4).any(|i| statement.is(i, "INDEX"))
            || statement.is_any(0, &["GRANT", "REVOKE"]);
    }
    if !statement.is_any(before, &BEFORE) {
        return false;
    }
    let distinct = before.checked_sub(1).is_some_and(|i| statement.is(i, "DISTINCT"));
    let inside = around
        .and_then(|open| open.checked_sub(1))
        .is_some_and(|name| statement.is_any(name, &NOT_RELATIONS));
    !(statement.is(before, "FROM") && (distinct || inside))
}
