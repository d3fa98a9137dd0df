//! Words within a statement that CockroachDB has, for what it does not do; and roles that stay.

use kecoa_sql::Statement;

use super::plan::Refusal;

/// The error for such a statement.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if statement.is(0, "DECLARE") {
        return cursor(statement);
    }
    if statement.is_any(0, &["BEGIN", "START", "SET"]) {
        return deferrable(statement);
    }
    if statement.is_any(0, &["CREATE", "ALTER"]) {
        return cycle(statement);
    }
    if statement.is(0, "DROP") { special_role(statement) } else { None }
}

/// `DECLARE … SCROLL`, `BINARY`: what CockroachDB reads goes forward, in text.
fn cursor(statement: &Statement<'_>) -> Option<Refusal> {
    let end = statement.find(1, statement.len(), |at| statement.is(at, "CURSOR"))?;
    let at = (2..end).find(|at| {
        statement.is(*at, "BINARY") || statement.is(*at, "SCROLL") && !statement.is(at - 1, "NO")
    })?;
    let what =
        if statement.is(at, "BINARY") { "binary cursors" } else { "cursors that scroll back" };
    Some(Refusal::syntax(statement, at, "0A000", what))
}

/// `BEGIN … DEFERRABLE`.
fn deferrable(statement: &Statement<'_>) -> Option<Refusal> {
    if statement.is(0, "SET")
        && !statement.is(1, "TRANSACTION")
        && !statement.are(1, &["SESSION", "CHARACTERISTICS"])
    {
        return None;
    }
    let at = (1..statement.len())
        .find(|at| statement.is(*at, "DEFERRABLE") && !statement.is(at - 1, "NOT"))?;
    Some(Refusal::syntax(statement, at, "0A000", "DEFERRABLE transactions"))
}

/// `CREATE SEQUENCE … CYCLE`.
fn cycle(statement: &Statement<'_>) -> Option<Refusal> {
    let kind = 1 + usize::from(statement.is_any(1, &["TEMP", "TEMPORARY"]));
    if !statement.is(kind, "SEQUENCE") {
        return None;
    }
    let at = (kind + 2..statement.len())
        .find(|at| statement.is(*at, "CYCLE") && !statement.is(at - 1, "NO"))?;
    Some(Refusal::syntax(statement, at, "0A000", "sequences that begin again (CYCLE)"))
}

/// `DROP ROLE admin`, which every database needs.
fn special_role(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.is_any(1, &["ROLE", "USER"]) {
        return None;
    }
    let from = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    let name = statement
        .elements(from, statement.len())
        .into_iter()
        .filter_map(|(at, _)| statement.name(at))
        .find(|name| matches!(name.as_str(), "admin" | "root" | "node" | "public"))?;
    let kind = if name == "root" { "user" } else { "role" };
    Some(Refusal::new("2BP01", format!("cannot drop special {kind} {name}")))
}
