//! Names that a query gives to columns and tables, longer than PostgreSQL has them. ORMs make them of a path
//! through relations, and look for them in the result.
//!
//! PostgreSQL would cut them, so that two may become the same one. A shorter one stands for each, made of
//! its text; in the result's columns the client gets its own back.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::index_names::LONGEST;
use super::quote::quote_name;

/// Statements that read or write, and those that hold one. Elsewhere names are those of objects.
const QUERIES: [&str; 9] =
    ["SELECT", "WITH", "INSERT", "UPSERT", "UPDATE", "DELETE", "VALUES", "EXPLAIN", "PREPARE"];

/// The long names that the statement gives, and what stands for each.
pub fn given(statement: &Statement<'_>) -> HashMap<String, String> {
    let mut names = HashMap::new();
    if !statement.is_any(0, &QUERIES) && !statement.is_mark(0, "(") {
        return names;
    }
    for at in 1..statement.len() {
        if let Some(name) = long(statement, at)
            && gives(statement, at)
        {
            let short = short(&name);
            names.insert(name, short);
        }
    }
    names
}

/// Puts the short names in the place of the long ones that the statement gives.
pub(super) fn rewrite(statement: &Statement<'_>, edits: &mut Edits) {
    let names = given(statement);
    if names.is_empty() {
        return;
    }
    for at in 0..statement.len() {
        if let Some(short) = long(statement, at).and_then(|name| names.get(&name)) {
            edits.replace(statement.start(at), statement.end(at), quote_name(short));
        }
    }
}

/// The name at `at`, if it is a long one.
fn long(statement: &Statement<'_>, at: usize) -> Option<String> {
    if statement.end(at).saturating_sub(statement.start(at)) <= LONGEST {
        return None;
    }
    let named = matches!(statement.kind(at), Some(TokenKind::Word | TokenKind::QuotedIdentifier));
    named.then(|| statement.name(at)).flatten().filter(|name| name.len() > LONGEST)
}

/// Whether the name at `at` stands where one is given: behind AS, behind a table, or in a WITH.
fn gives(statement: &Statement<'_>, at: usize) -> bool {
    let before = at - 1;
    if statement.is_any(before, &["WITH", "RECURSIVE"]) || statement.is_mark(before, ",") {
        let columns = statement.partner(at + 1).filter(|_| statement.is_mark(at + 1, "("));
        let behind = columns.unwrap_or(at) + 1;
        return statement.is(behind, "AS")
            && (statement.is_mark(behind + 1, "(")
                || statement.is_any(behind + 1, &["NOT", "MATERIALIZED"]));
    }
    if statement.is(before, "AS") {
        // CAST(… AS type)
        let open = statement.partner(at + 1).filter(|_| statement.is_mark(at + 1, ")"));
        return !open
            .and_then(|open| open.checked_sub(1))
            .is_some_and(|at| statement.is(at, "CAST"));
    }
    statement.kind(before) == Some(TokenKind::QuotedIdentifier) || statement.is_mark(before, ")")
}

/// What stands for a name: its beginning, and a number made of all of it.
fn short(name: &str) -> String {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let mut end = LONGEST - 17;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{:016x}", name.get(..end).unwrap_or_default(), hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> usize {
        given(&Statement::whole(sql.as_bytes(), false).unwrap()).len()
    }

    #[test]
    fn names_are_given_behind_as_and_behind_a_table() {
        let long = "x".repeat(64);
        assert_eq!(names(&format!("SELECT 1 AS {long}, 2 AS \"{long}y\"")), 2);
        assert_eq!(names(&format!("SELECT * FROM \"t\" \"{long}\", (SELECT 1) \"{long}z\"")), 2);
        assert_eq!(names(&format!("SELECT {long}, t.{long}, CAST(a AS {long}) FROM t")), 0);
        assert_eq!(names(&format!("CREATE TABLE \"t\" (\"a\" \"{long}\")")), 0);
        assert_eq!(names(&format!("SELECT 1 AS {}", &long[1..])), 0);
        assert_eq!(
            names(&format!(
                "WITH {long} AS (SELECT 1), \"{long}z\" (a) AS MATERIALIZED (SELECT 1) SELECT 1"
            )),
            2
        );
        assert_eq!(names(&format!("SELECT a, {long}, ({long}) FROM t")), 0);
    }

    #[test]
    fn a_short_name_fits() {
        let short = short(&"é".repeat(40));
        assert!(short.len() <= LONGEST && short.contains('~'), "{short}");
    }
}
