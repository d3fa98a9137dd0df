//! What PostgreSQL could do and CockroachDB refuses: refused, so that it is not met for the first time in
//! production. `SET kecoa_strict = off` lets it through.

use kecoa_sql::Statement;

use super::index_names::LONGEST;
use super::long_names;
use super::plan::Refusal;

mod alter;
mod clauses;
mod copy;
mod database;
mod extension;
mod grant;
mod index;
mod reserved;
mod role;
mod routine;
mod session;
mod table;

use table::{Found, OBJECTS, SYNTAX, Table, UNIMPLEMENTED, look};

/// The error for a statement, if CockroachDB has no such statement or clause.
pub(super) fn refusal(statement: &Statement<'_>) -> Option<Refusal> {
    if let Some(refusal) = long_name(statement)
        .or_else(|| reserved::in_definition(statement))
        .or_else(|| extension::refusal(statement))
        .or_else(|| field_of_row(statement))
    {
        return Some(refusal);
    }
    if drops_public(statement) {
        return Some(Refusal::new("3F000", "cannot drop schema \"public\""));
    }
    let (at, code, what) = if statement.is(0, "CREATE") {
        create(statement)
    } else if statement.is(0, "ALTER") {
        alter::find(statement)
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

/// The error for a word that is no name in CockroachDB, where a statement without a tree goes wrong at it.
pub(super) fn word(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    reserved::refusal(statement, at)
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
    if let Some(found) = clauses::find(statement).or_else(|| session::find(statement)) {
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

/// `CREATE TRIGGER … WHEN (NEW.v > 1)`: CockroachDB wants brackets around the row.
fn field_of_row(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.are(0, &["CREATE", "TRIGGER"]) {
        return None;
    }
    let at = (2..statement.len()).find(|at| {
        statement.is_any(*at, &["NEW", "OLD"])
            && statement.is_mark(at + 1, ".")
            && !statement.is_mark(at - 1, ".")
    })?;
    Some(Refusal::field_of_row(&statement.name(at)?, &statement.name(at + 2)?))
}

fn create(statement: &Statement<'_>) -> Found {
    let at = if statement.are(1, &["OR", "REPLACE"]) { 3 } else { 1 };
    if let Some(found) = look(statement, at, OBJECTS) {
        return Some(found);
    }
    if let Some(found) = database::create(statement, at)
        .or_else(|| role::options(statement))
        .or_else(|| created(statement, at))
    {
        return Some(found);
    }
    if statement.is(1, "TYPE") {
        if let Some(at) = statement.find(2, statement.len(), |i| statement.is(i, "COLLATE")) {
            return Some((at, SYNTAX, "COLLATE in a type of one's own"));
        }
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
            .or_else(|| clauses::view_options(statement, at))
            .or_else(|| clauses::method(statement, at));
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
    if let Some(found) = clauses::behind_table(statement, end) {
        return Some(found);
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
    clauses::elements(statement, end + 1, closing)
        .or_else(|| clauses::constraints(statement, end + 1, closing))
}

/// `CREATE` of other things.
fn created(statement: &Statement<'_>, at: usize) -> Found {
    if statement.are(1, &["UNLOGGED", "SEQUENCE"]) {
        return Some((1, SYNTAX, "unlogged sequences"));
    }
    if statement.is(1, "EXTENSION") {
        let name = 2 + if statement.are(2, &["IF", "NOT", "EXISTS"]) { 3 } else { 0 };
        let code = if statement.is(name + 1, "WITH") { UNIMPLEMENTED } else { SYNTAX };
        let more = statement.len() > name + 1;
        return more.then_some((name + 1, code, "clauses behind an extension's name"));
    }
    if statement.is(at, "STATISTICS") {
        let on = statement.find(at, statement.len(), |i| statement.is(i, "ON"));
        if let Some(on) = on.filter(|on| statement.is_mark(on + 1, "(")) {
            return Some((on + 1, SYNTAX, "statistics of expressions"));
        }
        let kinds = (2..4).find(|i| statement.is_mark(*i, "("));
        return kinds.map(|at| (at, SYNTAX, "kinds of statistics"));
    }
    if statement.is(1, "SCHEMA") {
        let element = |i| statement.is_any(i, &["CREATE", "GRANT"]);
        let found = statement.find(3, statement.len(), element);
        return found.map(|at| (at, SYNTAX, "objects within CREATE SCHEMA"));
    }
    None
}

/// `PARTITION BY RANGE (x)` with nothing behind it.
fn postgres_partitions(statement: &Statement<'_>, at: usize) -> bool {
    statement.are(at, &["PARTITION", "BY"])
        && statement.is_any(at + 2, &["RANGE", "LIST"])
        && statement.is_mark(at + 3, "(")
        && statement.partner(at + 3).is_some_and(|closing| !statement.is_mark(closing + 1, "("))
}

/// `DROP SCHEMA public`, which CockroachDB keeps.
fn drops_public(statement: &Statement<'_>) -> bool {
    let from = 2 + if statement.are(2, &["IF", "EXISTS"]) { 2 } else { 0 };
    statement.are(0, &["DROP", "SCHEMA"])
        && statement.elements(from, statement.len()).iter().any(|(at, _)| {
            statement.name(*at).as_deref() == Some("public") && !statement.is_mark(at + 1, ".")
        })
}

fn drop(statement: &Statement<'_>) -> Found {
    if statement.is(1, "STATISTICS") {
        return Some((1, SYNTAX, "DROP STATISTICS"));
    }
    look(statement, 1, OBJECTS).or_else(|| database::dropped(statement))
}
