//! What PostgreSQL alone says of a database.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX, UNIMPLEMENTED};

/// CockroachDB's clauses of PostgreSQL's, in the order that its grammar wants.
const ORDER: [&str; 6] = ["TEMPLATE", "ENCODING", "LC_COLLATE", "LC_CTYPE", "CONNECTION", "OWNER"];

const FOREIGN: [&str; 11] = [
    "ALLOW_CONNECTIONS",
    "BUILTIN_LOCALE",
    "COLLATION_VERSION",
    "ICU_LOCALE",
    "ICU_RULES",
    "IS_TEMPLATE",
    "LOCALE",
    "LOCALE_PROVIDER",
    "OID",
    "STRATEGY",
    "TABLESPACE",
];

/// `CREATE DATABASE`, whose second word stands at `at`.
pub(super) fn create(statement: &Statement<'_>, at: usize) -> Found {
    if !statement.is(at, "DATABASE") {
        return None;
    }
    let name = at + if statement.are(at + 1, &["IF", "NOT", "EXISTS"]) { 4 } else { 1 };
    let mut next = name + 1 + usize::from(statement.is(name + 1, "WITH"));
    let mut last = 0;
    while next < statement.len() {
        if statement.is_any(next, &FOREIGN) {
            return Some((next, SYNTAX, "this clause of CREATE DATABASE"));
        }
        let Some(place) = ORDER.iter().position(|word| statement.is(next, word)) else {
            return None; // regions and the like
        };
        if place < last {
            return Some((
                next,
                SYNTAX,
                "clauses of CREATE DATABASE in this order (OWNER comes last)",
            ));
        }
        last = place;
        next += 1 + usize::from(statement.are(next, &["CONNECTION", "LIMIT"]));
        next += 1 + usize::from(statement.is_mark(next, "="));
    }
    None
}

/// `ALTER DATABASE name` with what stands at `at`.
pub(super) fn altered(statement: &Statement<'_>, at: usize) -> Found {
    let option = at + usize::from(statement.is(at, "WITH"));
    if statement.is_any(option, &["ALLOW_CONNECTIONS", "CONNECTION", "IS_TEMPLATE", "REFRESH"]) {
        return Some((at, SYNTAX, "this in ALTER DATABASE"));
    }
    let current = statement.len().saturating_sub(2);
    let from = statement.is(at, "SET") && statement.are(current, &["FROM", "CURRENT"]);
    from.then_some((current, UNIMPLEMENTED, "SET … FROM CURRENT"))
}

/// `DROP DATABASE name WITH (FORCE)`.
pub(super) fn dropped(statement: &Statement<'_>) -> Found {
    if !statement.is(1, "DATABASE") {
        return None;
    }
    let name = 2 + if statement.are(2, &["IF", "EXISTS"]) { 2 } else { 0 };
    let force = statement.is(name + 1, "WITH") || statement.is_mark(name + 1, "(");
    force.then_some((name + 1, SYNTAX, "WITH (FORCE): its sessions end anyway"))
}
