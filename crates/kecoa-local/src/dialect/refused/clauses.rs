//! Clauses of statements that CockroachDB has, but not with these.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX, UNIMPLEMENTED};
use super::{copy, grant};

/// What `EXPLAIN` takes in brackets.
const EXPLAIN: [&str; 18] = [
    "CATALOG",
    "DDL",
    "DEBUG",
    "DISTSQL",
    "ENV",
    "GIST",
    "JSON",
    "MEMO",
    "OPT",
    "PLAN",
    "REDACT",
    "SHAPE",
    "TYPES",
    "VEC",
    "VERBOSE",
    "VIZ",
    "FINGERPRINT",
    "KV",
];

/// The clause of a statement that neither makes nor changes nor drops anything.
pub(super) fn find(statement: &Statement<'_>) -> Found {
    if statement.is_any(0, &["COMMIT", "ROLLBACK", "END", "ABORT"]) {
        let chain = (1..3).find(|at| statement.is(*at, "AND"));
        return chain.map(|at| (at, SYNTAX, "AND CHAIN"));
    }
    if statement.is(0, "COPY") {
        return copy::options(statement);
    }
    if statement.is_any(0, &["GRANT", "REVOKE"]) {
        return grant::find(statement);
    }
    if statement.is(0, "EXPLAIN") {
        return explain(statement);
    }
    if statement.are(0, &["COMMENT", "ON"]) {
        return comment(statement);
    }
    None
}

/// The first option that is none of CockroachDB's, or has a value.
fn explain(statement: &Statement<'_>) -> Found {
    let open = 1 + usize::from(statement.is_any(1, &["ANALYZE", "ANALYSE"]));
    if statement.is(open, "VERBOSE") && statement.len() > open + 1 {
        return Some((open, SYNTAX, "EXPLAIN VERBOSE (say EXPLAIN (VERBOSE))"));
    }
    let closing = statement.partner(open).filter(|_| statement.is_mark(open, "("))?;
    if statement.is_mark(open + 1, "(")
        || statement.is_any(open + 1, &["SELECT", "VALUES", "TABLE", "WITH"])
    {
        return None; // a query in brackets
    }
    let elements = statement.elements(open + 1, closing);
    elements.into_iter().find_map(|(start, end)| {
        if !statement.is_any(start, &EXPLAIN) {
            return Some((start, SYNTAX, "this option of EXPLAIN"));
        }
        (end > start + 1).then_some((start + 1, SYNTAX, "values for options of EXPLAIN"))
    })
}

/// `COMMENT ON` what has none.
fn comment(statement: &Statement<'_>) -> Found {
    const COMMENTED: [&str; 7] =
        ["TABLE", "COLUMN", "INDEX", "CONSTRAINT", "DATABASE", "SCHEMA", "TYPE"];
    if statement.is_any(2, &COMMENTED) {
        return None;
    }
    let code = if statement.is_any(2, &["EXTENSION", "FUNCTION"]) { UNIMPLEMENTED } else { SYNTAX };
    Some((
        2,
        code,
        "comments on this (only on tables, columns, indexes, constraints, databases, schemas, types)",
    ))
}

/// `LIKE t INCLUDING …` among the elements of a table, with what CockroachDB does not copy.
pub(super) fn copied(statement: &Statement<'_>, from: usize, to: usize) -> Found {
    const COPIED: [&str; 5] = ["ALL", "CONSTRAINTS", "DEFAULTS", "GENERATED", "INDEXES"];
    for (start, end) in statement.elements(from, to) {
        if !statement.is(start, "LIKE") {
            continue;
        }
        let other = (start..end).find(|at| {
            statement.is_any(*at, &["INCLUDING", "EXCLUDING"]) && !statement.is_any(at + 1, &COPIED)
        });
        if let Some(at) = other {
            return Some((
                at + 1,
                SYNTAX,
                "this in LIKE (it has CONSTRAINTS, DEFAULTS, GENERATED, INDEXES, ALL)",
            ));
        }
    }
    None
}

/// What stands behind a table's name or its columns: how PostgreSQL keeps it, and what a commit does to it.
pub(super) fn behind_table(statement: &Statement<'_>, end: usize) -> Found {
    let closing = statement.partner(end).filter(|_| statement.is_mark(end, "("));
    let from = closing.map_or(end, |closing| closing + 1);
    let query = statement.find(from, statement.len(), |at| statement.is(at, "AS"));
    let to = query.unwrap_or(statement.len());
    let commit = |at| statement.are(at, &["ON", "COMMIT"]);
    if let Some(at) = statement.find(from, to, commit)
        && statement.is_any(at + 2, &["DROP", "DELETE"])
    {
        return Some((at, UNIMPLEMENTED, "this at a commit (it has PRESERVE ROWS)"));
    }
    if let Some(query) = query
        && statement.is(query + 1, "EXECUTE")
    {
        return Some((query + 1, SYNTAX, "CREATE TABLE … AS EXECUTE"));
    }
    let method =
        statement.find(from, to, |at| statement.is(at, "USING") && statement.is_name(at + 1));
    method.map(|at| (at, SYNTAX, "access methods"))
}

/// `CREATE MATERIALIZED VIEW v USING method AS query`.
pub(super) fn method(statement: &Statement<'_>, from: usize) -> Found {
    let end = statement.find(from, statement.len(), |at| statement.is(at, "AS"))?;
    let at = statement.find(from, end, |at| statement.is(at, "USING"))?;
    Some((at, SYNTAX, "access methods"))
}

/// Constraints of a table that only PostgreSQL has, among the elements in `from..to`.
pub(super) fn elements(statement: &Statement<'_>, from: usize, to: usize) -> Found {
    statement.elements(from, to).into_iter().find_map(|(start, end)| {
        let kind = if statement.is(start, "CONSTRAINT") { start + 2 } else { start };
        if statement.are(kind, &["NOT", "NULL"]) {
            return Some((kind, SYNTAX, "NOT NULL as a constraint of the table"));
        }
        let closing =
            statement.partner(kind + 2).filter(|_| statement.are(kind, &["PRIMARY", "KEY"]))?;
        let found = statement.find(closing, end, |at| statement.is(at, "INCLUDE"));
        found.map(|at| (at, SYNTAX, "INCLUDE in a primary key: it has all columns"))
    })
}

/// What columns and constraints may not have, in `from..to`.
pub(super) fn constraints(statement: &Statement<'_>, from: usize, to: usize) -> Found {
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
        if let Some(found) = constraint(statement, at) {
            return Some(found);
        }
        at = statement.skip(at);
    }
    None
}

/// What PostgreSQL alone says of a column or a constraint at `at`.
pub(super) fn constraint(statement: &Statement<'_>, at: usize) -> Found {
    // A column may be called so.
    let first = at.checked_sub(1).is_none_or(|before| {
        statement.is_mark(before, ",")
            || statement.is_mark(before, "(")
            || statement.is_any(before, &["ADD", "COLUMN", "EXISTS", "ALTER", "DROP", "TO"])
    });
    if first {
        return None;
    }
    if statement.is(at, "ENFORCED") {
        let from = if statement.is(at - 1, "NOT") { at - 1 } else { at };
        return Some((from, SYNTAX, "ENFORCED and NOT ENFORCED: constraints hold"));
    }
    if statement.are(at, &["NO", "INHERIT"]) {
        return Some((at, SYNTAX, "table inheritance"));
    }
    if statement.is(at, "STORAGE")
        && statement.is_any(at + 1, &["PLAIN", "EXTERNAL", "EXTENDED", "MAIN", "DEFAULT"])
    {
        return Some((at, SYNTAX, "STORAGE of a column"));
    }
    if statement.is(at, "COMPRESSION") && statement.is_any(at + 1, &["PGLZ", "LZ4", "DEFAULT"]) {
        return Some((at, SYNTAX, "COMPRESSION of a column"));
    }
    let space = statement.are(at, &["USING", "INDEX", "TABLESPACE"]);
    space.then_some((at, SYNTAX, "tablespaces"))
}

/// `CREATE VIEW v WITH (…) AS query`.
pub(super) fn view_options(statement: &Statement<'_>, from: usize) -> Found {
    let end = statement.find(from, statement.len(), |at| statement.is(at, "AS"))?;
    let at = statement.find(from, end, |at| statement.is(at, "WITH"))?;
    statement.is_mark(at + 1, "(").then_some((at, SYNTAX, "options of views"))
}

/// `CREATE VIEW … AS query WITH CHECK OPTION`.
pub(super) fn checked(statement: &Statement<'_>, from: usize) -> Found {
    let at = statement.len().checked_sub(2).filter(|at| *at > from)?;
    statement.are(at, &["CHECK", "OPTION"]).then_some((at, UNIMPLEMENTED, "WITH CHECK OPTION"))
}

/// `CREATE TABLE … AS query WITH NO DATA`.
pub(super) fn without_data(statement: &Statement<'_>, from: usize) -> Found {
    let at = statement.len().checked_sub(3).filter(|at| *at > from)?;
    statement.are(at, &["WITH", "NO", "DATA"]).then_some((
        at,
        UNIMPLEMENTED,
        "WITH NO DATA (add LIMIT 0 to the query)",
    ))
}
