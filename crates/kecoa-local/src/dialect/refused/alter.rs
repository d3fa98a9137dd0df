//! What PostgreSQL alone can change.

use kecoa_sql::Statement;

use super::clauses::constraints;
use super::table::{Found, OBJECTS, SYNTAX, Table, UNIMPLEMENTED, look};
use super::{database, role};

/// What an `ALTER` has.
pub(super) fn find(statement: &Statement<'_>) -> Found {
    const ACTIONS: Table = &[
        (&["NO", "INHERIT"], SYNTAX, "table inheritance"),
        (&["INHERIT"], SYNTAX, "table inheritance"),
        (&["ATTACH", "PARTITION"], SYNTAX, "PostgreSQL's partitions"),
        (&["DETACH", "PARTITION"], SYNTAX, "PostgreSQL's partitions"),
        (&["CLUSTER", "ON"], SYNTAX, "CLUSTER"),
        (&["SET", "WITHOUT", "CLUSTER"], SYNTAX, "CLUSTER"),
        (&["SET", "TABLESPACE"], SYNTAX, "tablespaces"),
        (&["SET", "UNLOGGED"], SYNTAX, "unlogged tables"),
        (&["SET", "LOGGED"], SYNTAX, "unlogged tables"),
        (&["REPLICA", "IDENTITY"], SYNTAX, "REPLICA IDENTITY"),
        (&["ENABLE", "TRIGGER"], SYNTAX, "ENABLE TRIGGER"),
        (&["ENABLE", "ALWAYS"], SYNTAX, "ENABLE TRIGGER"),
        (&["ENABLE", "REPLICA"], SYNTAX, "ENABLE TRIGGER"),
        (&["ENABLE", "RULE"], SYNTAX, "rules"),
        (&["DISABLE", "TRIGGER"], SYNTAX, "DISABLE TRIGGER"),
        (&["DISABLE", "RULE"], SYNTAX, "rules"),
        (&["ALTER", "CONSTRAINT"], SYNTAX, "ALTER CONSTRAINT"),
        (&["OF"], SYNTAX, "tables of a type"),
        (&["NOT", "OF"], SYNTAX, "tables of a type"),
        (&["SET", "ACCESS", "METHOD"], SYNTAX, "access methods"),
        (&["SET", "WITHOUT", "OIDS"], SYNTAX, "SET WITHOUT OIDS"),
        (
            &["ADD", "NOT", "NULL"],
            SYNTAX,
            "NOT NULL as a constraint of the table (say ALTER COLUMN … SET NOT NULL)",
        ),
    ];
    const OTHERS: Table = &[
        (&["EXTENSION"], SYNTAX, "ALTER EXTENSION"),
        (&["STATISTICS"], SYNTAX, "ALTER STATISTICS"),
        (&["SYSTEM"], SYNTAX, "ALTER SYSTEM (use SET CLUSTER SETTING)"),
    ];
    if let Some(found) = look(statement, 1, OBJECTS).or_else(|| look(statement, 1, OTHERS)) {
        return Some(found);
    }
    if let Some(found) = other(statement) {
        return Some(found);
    }
    if !statement.is(1, "TABLE") {
        return None;
    }
    let mut name = 2 + if statement.are(2, &["IF", "EXISTS"]) { 2 } else { 0 };
    name += usize::from(statement.is(name, "ONLY"));
    let from = statement.qualified_name(name)?;
    let elements = statement.elements(from, statement.len());
    elements
        .iter()
        .find_map(|(start, _)| {
            look(statement, *start, ACTIONS)
                .or_else(|| column(statement, *start))
                .or_else(|| not_null(statement, *start))
        })
        .or_else(|| constraints(statement, from, statement.len()))
}

/// What `ALTER COLUMN` of PostgreSQL's alone changes.
fn column(statement: &Statement<'_>, at: usize) -> Found {
    const CHANGES: Table = &[
        (&["SET", "STATISTICS"], SYNTAX, "SET STATISTICS of a column"),
        (&["SET", "STORAGE"], SYNTAX, "SET STORAGE of a column"),
        (&["SET", "COMPRESSION"], SYNTAX, "SET COMPRESSION of a column"),
        (&["SET", "EXPRESSION"], SYNTAX, "SET EXPRESSION of a column"),
        (&["DROP", "EXPRESSION"], SYNTAX, "DROP EXPRESSION (say DROP STORED)"),
    ];
    if !statement.is(at, "ALTER") {
        return None;
    }
    let name = at + 1 + usize::from(statement.is(at + 1, "COLUMN"));
    if statement.is_any(name + 1, &["SET", "RESET"]) && statement.is_mark(name + 2, "(") {
        return Some((name + 1, SYNTAX, "options of a column"));
    }
    look(statement, name + 1, CHANGES)
}

/// `ADD CONSTRAINT name NOT NULL column`.
fn not_null(statement: &Statement<'_>, at: usize) -> Found {
    let named =
        statement.are(at, &["ADD", "CONSTRAINT"]) && statement.are(at + 3, &["NOT", "NULL"]);
    named.then_some((
        at + 3,
        SYNTAX,
        "NOT NULL as a constraint of the table (say ALTER COLUMN … SET NOT NULL)",
    ))
}

/// What is no table.
fn other(statement: &Statement<'_>) -> Found {
    let kind = if statement.is(1, "MATERIALIZED") { 2 } else { 1 };
    let name = kind + if statement.are(kind + 1, &["IF", "EXISTS"]) { 3 } else { 1 };
    let action = statement.qualified_name(name)?;
    if statement.is(kind, "VIEW") {
        let known = [&["RENAME", "TO"][..], &["SET", "SCHEMA"], &["OWNER", "TO"]];
        let known = known.iter().any(|words| statement.are(action, words));
        return (!known).then_some((
            action,
            SYNTAX,
            "this in ALTER VIEW (it has RENAME TO, SET SCHEMA, OWNER TO)",
        ));
    }
    if statement.is_any(1, &["ROLE", "USER", "GROUP"]) {
        return role::options(statement);
    }
    match () {
        () if statement.is(1, "DATABASE") => database::altered(statement, action),
        () if statement.is(1, "INDEX") => {
            // CockroachDB's name of it may have its table in front.
            let action = if statement.is_mark(action, "@") { action + 2 } else { action };
            let options =
                statement.is_any(action, &["SET", "RESET"]) && statement.is_mark(action + 1, "(");
            options.then_some((action, SYNTAX, "options of an index"))
        }
        () if statement.is(1, "SEQUENCE") => {
            let logged = statement.are(action, &["SET", "LOGGED"])
                || statement.are(action, &["SET", "UNLOGGED"]);
            logged.then_some((action, SYNTAX, "unlogged sequences"))
        }
        () if statement.is(1, "TRIGGER") => {
            Some((1, SYNTAX, "ALTER TRIGGER (drop it and create it anew)"))
        }
        () if statement.is(1, "TYPE") => {
            let attribute = statement.is_any(action, &["ADD", "DROP", "ALTER", "RENAME"])
                && statement.is(action + 1, "ATTRIBUTE");
            attribute.then_some((action, UNIMPLEMENTED, "ALTER TYPE … ATTRIBUTE"))
        }
        () if statement.is_any(1, &["FUNCTION", "PROCEDURE"]) => {
            let from = statement
                .partner(action)
                .filter(|_| statement.is_mark(action, "("))
                .map_or(action, |end| end + 1);
            routine(statement, from)
        }
        () => None,
    }
}

/// What stands behind the name of a function or a procedure.
fn routine(statement: &Statement<'_>, from: usize) -> Found {
    const OPTIONS: Table = &[
        (&["COST"], UNIMPLEMENTED, "COST of a function"),
        (&["ROWS"], UNIMPLEMENTED, "ROWS of a function"),
        (&["SUPPORT"], UNIMPLEMENTED, "SUPPORT of a function"),
        (&["PARALLEL"], UNIMPLEMENTED, "PARALLEL of a function"),
        (&["RESET"], SYNTAX, "RESET of a function"),
    ];
    if statement.is(from, "SET") && !statement.is(from + 1, "SCHEMA") {
        return Some((from, UNIMPLEMENTED, "SET of a function"));
    }
    if statement.is(1, "PROCEDURE") && !statement.is_any(from, &["RENAME", "OWNER", "SET"]) {
        return Some((
            from,
            SYNTAX,
            "this in ALTER PROCEDURE (it has RENAME TO, SET SCHEMA, OWNER TO)",
        ));
    }
    (from..statement.len()).find_map(|at| look(statement, at, OPTIONS))
}
