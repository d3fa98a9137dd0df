//! What PostgreSQL alone says of a role.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX, UNIMPLEMENTED};

const FOREIGN: [&str; 11] = [
    "ADMIN",
    "CONNECTION",
    "ENCRYPTED",
    "IN",
    "INHERIT",
    "NOINHERIT",
    "NOSUPERUSER",
    "ROLE",
    "SUPERUSER",
    "SYSID",
    "USER",
];

/// `CREATE ROLE` and `ALTER ROLE` with an option that CockroachDB does not have.
pub(super) fn options(statement: &Statement<'_>) -> Found {
    if !statement.is_any(0, &["CREATE", "ALTER"])
        || !statement.is_any(1, &["ROLE", "USER", "GROUP"])
    {
        return None;
    }
    let mut name = 2;
    while statement.is_any(name, &["IF", "NOT", "EXISTS"]) {
        name += 1;
    }
    let mut at = name + 1;
    if statement.is(0, "ALTER") {
        if statement.is_any(at, &["SET", "RESET"]) || statement.are(at, &["IN", "DATABASE"]) {
            return from_current(statement, at);
        }
        if statement.are(at, &["RENAME", "TO"]) {
            return Some((at, SYNTAX, "other names for a role"));
        }
        if statement.is_any(at, &["ADD", "DROP"]) {
            return Some((at, SYNTAX, "ALTER GROUP (use GRANT and REVOKE)"));
        }
    }
    at += usize::from(statement.is(at, "WITH"));
    while at < statement.len() {
        if statement.is_any(at, &FOREIGN) {
            return Some((at, SYNTAX, "this option of a role"));
        }
        at += match () {
            () if statement.is(at, "PASSWORD") => 2,
            () if statement.are(at, &["VALID", "UNTIL"]) => 3,
            () => 1,
        };
    }
    None
}

/// `ALTER ROLE … SET x FROM CURRENT`.
fn from_current(statement: &Statement<'_>, from: usize) -> Found {
    let current = statement.len().saturating_sub(2);
    (current > from && statement.are(current, &["FROM", "CURRENT"])).then_some((
        current,
        UNIMPLEMENTED,
        "SET … FROM CURRENT",
    ))
}
