//! What PostgreSQL could do and CockroachDB refuses: refused, so that it is not met for the first time in
//! production. `SET kecoa_strict = off` lets it through.

use kecoa_sql::Statement;

use super::index_names::LONGEST;
use super::long_names;
use super::plan::Refusal;

mod clauses;
mod copy;
mod index;
mod routine;
mod table;

use table::{Found, SYNTAX, Table, UNIMPLEMENTED, look};

/// The error for a statement, if CockroachDB has no such statement or clause.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if let Some(refusal) = long_name(statement) {
        return Some(refusal);
    }
    let (at, code, what) = if statement.is(0, "CREATE") {
        create(statement)
    } else if statement.is(0, "ALTER") {
        alter(statement)
    } else if statement.is(0, "DROP") {
        drop(statement)
    } else {
        first_words(statement)
    }?;
    Some(Refusal::syntax(statement, at, code, what))
}

/// The error for a `CREATE INDEX` with something that CockroachDB's indexes do not have.
pub(super) fn index(statement: &Statement<'_>) -> Option<Refusal> {
    index::refusal(statement)
}

/// The error for a name that CockroachDB takes and PostgreSQL would cut, unless another stands for it.
fn long_name(statement: &Statement<'_>) -> Option<Refusal> {
    let long = |at: usize| {
        let length = statement.end(at) - statement.start(at);
        (length > LONGEST).then(|| statement.name(at)).flatten().filter(|n| n.len() > LONGEST)
    };
    let first = (0..statement.len()).find(|at| long(*at).is_some())?;
    let given = long_names::given(statement);
    let name = (first..statement.len()).filter_map(long).find(|name| !given.contains_key(name))?;
    let start: String = name.chars().take(30).collect();
    Some(Refusal {
        hint: "PostgreSQL lies underneath and cuts it, which SET kecoa_strict = off lets it do"
            .to_owned(),
        ..Refusal::new("42622", format!("the name \"{start}…\" is longer than {LONGEST} bytes"))
    })
}

fn first_words(statement: &Statement<'_>) -> Found {
    const TABLE: Table = &[
        (&["MERGE"], SYNTAX, "MERGE"),
        (&["LISTEN"], SYNTAX, "LISTEN"),
        (&["NOTIFY"], SYNTAX, "NOTIFY"),
        (&["LOCK"], SYNTAX, "LOCK TABLE"),
        (&["CLUSTER"], SYNTAX, "CLUSTER"),
        (&["VACUUM"], SYNTAX, "VACUUM"),
        (&["CHECKPOINT"], SYNTAX, "CHECKPOINT"),
        (&["LOAD"], SYNTAX, "LOAD"),
        (&["SECURITY", "LABEL"], SYNTAX, "SECURITY LABEL"),
        (&["REINDEX"], UNIMPLEMENTED, "REINDEX: its indexes need none"),
        (&["SET", "CONSTRAINTS"], UNIMPLEMENTED, "SET CONSTRAINTS"),
        (&["DISCARD", "PLANS"], SYNTAX, "DISCARD PLANS"),
    ];
    if let Some(found) = clauses::find(statement) {
        return Some(found);
    }
    if statement.are(0, &["SET", "SESSION", "AUTHORIZATION"]) && !statement.is(3, "DEFAULT") {
        return Some((1, UNIMPLEMENTED, "SET SESSION AUTHORIZATION (use SET ROLE)"));
    }
    if statement.is(0, "TRUNCATE")
        && statement.len() > 3
        && statement.is_any(statement.len() - 2, &["RESTART", "CONTINUE"])
        && statement.is(statement.len() - 1, "IDENTITY")
    {
        return Some((statement.len() - 2, SYNTAX, "RESTART IDENTITY"));
    }
    look(statement, 0, TABLE)
}

/// What is made, changed and dropped by the same words.
const OBJECTS: Table = &[
    (&["ACCESS", "METHOD"], UNIMPLEMENTED, "access methods"),
    (&["AGGREGATE"], UNIMPLEMENTED, "aggregates of one's own"),
    (&["CAST"], UNIMPLEMENTED, "casts of one's own"),
    (&["COLLATION"], UNIMPLEMENTED, "collations of one's own"),
    (&["CONVERSION"], UNIMPLEMENTED, "conversions"),
    (&["DEFAULT", "CONVERSION"], UNIMPLEMENTED, "conversions"),
    (&["DOMAIN"], UNIMPLEMENTED, "domains"),
    (&["EVENT", "TRIGGER"], SYNTAX, "event triggers"),
    (&["FOREIGN"], UNIMPLEMENTED, "foreign tables and data wrappers"),
    (&["LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["TRUSTED", "LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["PROCEDURAL", "LANGUAGE"], UNIMPLEMENTED, "languages of one's own"),
    (&["OPERATOR"], UNIMPLEMENTED, "operators of one's own"),
    (&["PUBLICATION"], UNIMPLEMENTED, "publications"),
    (&["RULE"], UNIMPLEMENTED, "rules"),
    (&["SERVER"], UNIMPLEMENTED, "foreign servers"),
    (&["SUBSCRIPTION"], UNIMPLEMENTED, "subscriptions"),
    (&["TABLESPACE"], UNIMPLEMENTED, "tablespaces"),
    (&["TEXT", "SEARCH"], UNIMPLEMENTED, "text search objects of one's own"),
    (&["TRANSFORM"], SYNTAX, "transforms"),
    (&["USER", "MAPPING"], SYNTAX, "user mappings"),
    (&["CONSTRAINT", "TRIGGER"], UNIMPLEMENTED, "constraint triggers"),
    (&["LARGE", "OBJECT"], SYNTAX, "large objects"),
    (&["RECURSIVE", "VIEW"], UNIMPLEMENTED, "CREATE RECURSIVE VIEW"),
    (&["ROUTINE"], SYNTAX, "ROUTINE (say FUNCTION or PROCEDURE)"),
];

/// What CockroachDB's triggers cannot.
fn trigger(statement: &Statement<'_>, at: usize) -> Found {
    if at > 1 {
        return Some((1, UNIMPLEMENTED, "CREATE OR REPLACE TRIGGER (drop it first)"));
    }
    let on = statement.find(3, statement.len(), |i| statement.is(i, "ON"))?;
    let has = |words: &[&str]| statement.find(3, on, |i| statement.are(i, words));
    if let Some(at) = has(&["INSTEAD", "OF"]) {
        return Some((at, UNIMPLEMENTED, "INSTEAD OF triggers"));
    }
    if let Some(at) = has(&["UPDATE", "OF"]) {
        return Some((at, UNIMPLEMENTED, "triggers of columns (UPDATE OF)"));
    }
    if let Some(at) = has(&["TRUNCATE"]) {
        return Some((at, UNIMPLEMENTED, "triggers of TRUNCATE"));
    }
    let behind = |words: &[&str]| statement.find(on, statement.len(), |i| statement.are(i, words));
    if let Some(at) = behind(&["REFERENCING"]) {
        return Some((at, UNIMPLEMENTED, "REFERENCING in triggers"));
    }
    let each = behind(&["FOR", "EACH", "ROW"]).or_else(|| behind(&["FOR", "ROW"]));
    each.is_none().then_some((on, UNIMPLEMENTED, "triggers of statements (say FOR EACH ROW)"))
}

fn create(statement: &Statement<'_>) -> Found {
    let at = if statement.are(1, &["OR", "REPLACE"]) { 3 } else { 1 };
    if let Some(found) = look(statement, at, OBJECTS) {
        return Some(found);
    }
    if statement.is(1, "TYPE") {
        let range = |i| statement.are(i, &["AS", "RANGE"]);
        if let Some(at) = statement.find(2, statement.len(), range) {
            return Some((at + 1, UNIMPLEMENTED, "range types of one's own"));
        }
        let end = statement.qualified_name(2)?;
        return (end == statement.len() || statement.is_mark(end, "(")).then_some((
            end,
            UNIMPLEMENTED,
            "base types of one's own",
        ));
    }
    if (at..at + 3).any(|i| statement.is(i, "VIEW")) {
        return clauses::without_data(statement, at)
            .or_else(|| clauses::checked(statement, at))
            .or_else(|| clauses::view_options(statement, at));
    }
    if statement.is(at, "TRIGGER") {
        return trigger(statement, at);
    }
    if statement.is_any(at, &["FUNCTION", "PROCEDURE"]) {
        return routine::clauses(statement, at);
    }
    let table = (1..4).find(|i| statement.is(*i, "TABLE"))?;
    let name = table + if statement.are(table + 1, &["IF", "NOT", "EXISTS"]) { 4 } else { 1 };
    let end = statement.qualified_name(name)?;
    if statement.are(end, &["PARTITION", "OF"]) {
        return Some((end, SYNTAX, "CREATE TABLE … PARTITION OF"));
    }
    if statement.is(end, "OF") {
        return Some((end, SYNTAX, "CREATE TABLE … OF a type"));
    }
    if !statement.is_mark(end, "(") {
        return clauses::without_data(statement, end);
    }
    let closing = statement.partner(end)?;
    if let Some(found) = clauses::copied(statement, end + 1, closing)
        .or_else(|| clauses::without_data(statement, closing))
    {
        return Some(found);
    }
    for at in closing + 1..statement.len() {
        let found = if statement.is(at, "INHERITS") {
            (at, UNIMPLEMENTED, "table inheritance")
        } else if statement.is(at, "TABLESPACE") {
            (at, UNIMPLEMENTED, "tablespaces")
        } else if statement.are(at, &["PARTITION", "BY", "HASH"])
            || postgres_partitions(statement, at)
        {
            (
                at,
                SYNTAX,
                "PostgreSQL's partitions (CockroachDB lists its own: PARTITION BY RANGE (x) (PARTITION …))",
            )
        } else if statement.is(at, "AS") {
            break; // a query
        } else {
            continue;
        };
        return Some(found);
    }
    constraints(statement, end + 1, closing)
}

/// `PARTITION BY RANGE (x)` with nothing behind it.
fn postgres_partitions(statement: &Statement<'_>, at: usize) -> bool {
    statement.are(at, &["PARTITION", "BY"])
        && statement.is_any(at + 2, &["RANGE", "LIST"])
        && statement.is_mark(at + 3, "(")
        && statement.partner(at + 3).is_some_and(|closing| !statement.is_mark(closing + 1, "("))
}

/// What columns and constraints may not have, in `from..to`.
fn constraints(statement: &Statement<'_>, from: usize, to: usize) -> Found {
    let mut at = from;
    while at < to {
        if statement.is(at, "DEFERRABLE") && !statement.is(at - 1, "NOT")
            || statement.are(at, &["INITIALLY", "DEFERRED"])
        {
            return Some((at, UNIMPLEMENTED, "deferrable constraints"));
        }
        if statement.is(at, "EXCLUDE")
            && (statement.is(at + 1, "USING") || statement.is_mark(at + 1, "("))
        {
            return Some((at, UNIMPLEMENTED, "EXCLUDE constraints"));
        }
        if statement.is(at, "NULLS")
            && (statement.is(at + 1, "DISTINCT") || statement.are(at + 1, &["NOT", "DISTINCT"]))
        {
            return Some((at, SYNTAX, "NULLS [NOT] DISTINCT"));
        }
        if statement.are(at, &["MATCH", "PARTIAL"]) {
            return Some((at, UNIMPLEMENTED, "MATCH PARTIAL"));
        }
        if let Some(found) = clauses::constraint(statement, at) {
            return Some(found);
        }
        at = statement.skip(at);
    }
    None
}

fn alter(statement: &Statement<'_>) -> Found {
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
    ];
    const OTHERS: Table = &[
        (&["EXTENSION"], SYNTAX, "ALTER EXTENSION"),
        (&["STATISTICS"], SYNTAX, "ALTER STATISTICS"),
        (&["SYSTEM"], SYNTAX, "ALTER SYSTEM (use SET CLUSTER SETTING)"),
    ];
    if let Some(found) = look(statement, 1, OBJECTS).or_else(|| look(statement, 1, OTHERS)) {
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
            look(statement, *start, ACTIONS).or_else(|| column(statement, *start))
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
    look(statement, name + 1, CHANGES)
}

fn drop(statement: &Statement<'_>) -> Found {
    look(statement, 1, OBJECTS)
}
