//! Clauses of statements that CockroachDB has, but not with these.

use kecoa_sql::Statement;

use super::copy;
use super::table::{Found, SYNTAX, UNIMPLEMENTED};

/// What `EXPLAIN` takes in brackets; `ANALYZE` was an option in earlier versions.
const EXPLAIN: [&str; 19] = [
    "ANALYZE",
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
        return columns(statement);
    }
    if statement.is(0, "EXPLAIN") {
        return explain(statement);
    }
    if statement.are(0, &["COMMENT", "ON"]) {
        return comment(statement);
    }
    None
}

/// `GRANT SELECT (a) ON t`.
fn columns(statement: &Statement<'_>) -> Found {
    let on = statement.find(1, statement.len(), |at| statement.is(at, "ON"))?;
    let open = (1..on).find(|at| statement.is_mark(*at, "("))?;
    Some((open, SYNTAX, "privileges on columns"))
}

/// The first option that is none of CockroachDB's, or has a value.
fn explain(statement: &Statement<'_>) -> Found {
    let open = 1 + usize::from(statement.is_any(1, &["ANALYZE", "ANALYSE"]));
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
