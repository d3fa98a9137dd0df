//! What PostgreSQL alone grants.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX};

/// Privileges that CockroachDB does not have.
const PRIVILEGES: [&str; 6] = ["MAINTAIN", "REFERENCES", "SET", "TEMP", "TEMPORARY", "TRUNCATE"];

/// What privileges are granted on.
const OBJECTS: [&str; 6] = ["DOMAIN", "FOREIGN", "LANGUAGE", "LARGE", "PARAMETER", "TABLESPACE"];

/// What a `GRANT` or `REVOKE` has.
pub(super) fn find(statement: &Statement<'_>) -> Found {
    let length = statement.len();
    let on = statement.find(1, length, |at| statement.is(at, "ON"));
    if let Some(on) = on {
        if let Some(at) = (1..on).find(|at| statement.is_mark(*at, "(")) {
            return Some((at, SYNTAX, "privileges on columns"));
        }
        if let Some(at) = (1..on).find(|at| statement.is_any(*at, &PRIVILEGES)) {
            return Some((at, SYNTAX, "this privilege"));
        }
        if statement.is_any(on + 1, &OBJECTS)
            && !statement.is_any(on + 2, &["TO", "FROM"])
            && !statement.is_mark(on + 2, ",")
        {
            return Some((on + 1, SYNTAX, "privileges on this"));
        }
    }
    let from = on.unwrap_or(1);
    let word = if statement.is(0, "GRANT") { "TO" } else { "FROM" };
    let to = statement.find(from, length, |at| statement.is(at, word))?;
    if statement.is(to + 1, "GROUP") && statement.is_name(to + 2) {
        return Some((to + 1, SYNTAX, "GROUP in front of a role"));
    }
    let behind = |words: &[&str]| statement.find(to + 2, length, |at| statement.are(at, words));
    if let Some(at) = behind(&["GRANTED", "BY"]) {
        return Some((at, SYNTAX, "GRANTED BY"));
    }
    if statement.is(0, "REVOKE") {
        let last = length - 1;
        let restricts = last > to + 1
            && statement.is_any(last, &["CASCADE", "RESTRICT"])
            && !statement.is_mark(last - 1, ",");
        return restricts.then_some((last, SYNTAX, "CASCADE and RESTRICT in REVOKE"));
    }
    let at = behind(&["WITH"]).filter(|at| !statement.is_any(at + 1, &["GRANT", "ADMIN"]))?;
    Some((at, SYNTAX, "this option of GRANT"))
}
