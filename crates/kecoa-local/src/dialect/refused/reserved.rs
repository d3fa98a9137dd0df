//! Keywords of CockroachDB that PostgreSQL takes for names.

use kecoa_sql::{Statement, TokenKind};

use super::table::{Found, SYNTAX};
use crate::dialect::plan::Refusal;

/// No names of tables, columns or aliases without quotes: PostgreSQL takes them for one. A test compares the
/// lists of both databases.
const NO_NAMES: [&str; 4] = ["family", "index", "none", "nothing"];

/// No names of functions of one's own without quotes: PostgreSQL's grammar has no use for them, or another.
const NO_FUNCTIONS: [&str; 19] = [
    "annotate_type",
    "box2d",
    "characteristics",
    "concurrently",
    "current_schema",
    "extract_duration",
    "geography",
    "geometry",
    "if",
    "iferror",
    "index",
    "iserror",
    "nothing",
    "string",
    "timestamptz",
    "timetz",
    "varbit",
    "virtual",
    "work",
];

/// The word at `at`, if it is no name.
fn is_word(statement: &Statement<'_>, at: usize) -> bool {
    statement.kind(at) == Some(TokenKind::Word) && statement.is_any(at, &NO_NAMES)
}

/// The error for such a word at `at`.
pub(super) fn refusal(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    is_word(statement, at).then(|| {
        let hint = "CockroachDB keeps this word for itself: write it in quotes, \"index\"";
        let refusal = Refusal::syntax(statement, at, SYNTAX, "this word as a name");
        Refusal { hint: hint.to_owned(), ..refusal }
    })
}

/// The name of a function or procedure that `CREATE` makes, at `at`.
pub(super) fn of_routine(statement: &Statement<'_>, at: usize) -> Found {
    let word = statement.kind(at) == Some(TokenKind::Word)
        && !statement.is_mark(at.saturating_sub(1), ".")
        && statement.is_any(at, &NO_FUNCTIONS);
    word.then_some((at, SYNTAX, "this word as a function's name (write it in quotes)"))
}

/// The error for such a word where a definition names something.
pub(super) fn in_definition(statement: &Statement<'_>) -> Option<Refusal> {
    if !statement.is_any(0, &["CREATE", "ALTER"]) {
        return None;
    }
    named(statement).and_then(|at| refusal(statement, at))
}

/// Where a table, a column, or a column of an index has such a name.
fn named(statement: &Statement<'_>) -> Option<usize> {
    let mut kind = 1;
    while statement.is_any(
        kind,
        &[
            "OR",
            "REPLACE",
            "TEMP",
            "TEMPORARY",
            "LOCAL",
            "GLOBAL",
            "UNLOGGED",
            "UNIQUE",
            "INVERTED",
            "MATERIALIZED",
        ],
    ) {
        kind += 1;
    }
    if !statement.is_any(kind, &["TABLE", "INDEX", "VIEW", "SEQUENCE"]) {
        return None;
    }
    let mut name = kind + 1;
    while statement.is_any(name, &["IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"]) {
        name += 1;
    }
    if is_word(statement, name) {
        return Some(name);
    }
    if statement.is(0, "ALTER") {
        return statement.is(kind, "TABLE").then(|| altered(statement, name)).flatten();
    }
    let open = statement.find(name, statement.len(), |at| statement.is_mark(at, "("))?;
    let closing = statement.partner(open)?;
    let elements = statement.elements(open + 1, closing);
    if statement.is(kind, "INDEX") {
        return elements.into_iter().map(|(start, _)| start).find(|at| is_word(statement, *at));
    }
    if !statement.is(kind, "TABLE") {
        return None;
    }
    elements
        .into_iter()
        .map(|(start, _)| start)
        .find(|at| is_word(statement, *at) && !is_clause(statement, *at))
}

/// `INDEX (…)`, `INDEX name (…)`, `FAMILY name (…)` among the elements of a table.
fn is_clause(statement: &Statement<'_>, at: usize) -> bool {
    if !statement.is_any(at, &["INDEX", "FAMILY"]) {
        return false;
    }
    let mut name = at + 1;
    while statement.is_any(name, &["IF", "NOT", "EXISTS"]) {
        name += 1;
    }
    let columns = |open: usize| {
        // A type has a number there: "index varchar(10)" is a column.
        statement.is_mark(open, "(") && statement.kind(open + 1) != Some(TokenKind::Number)
    };
    columns(name) || statement.is_name(name) && columns(name + 1)
}

/// The columns that `ALTER TABLE`, whose table's name stands at `name`, adds, changes or drops.
fn altered(statement: &Statement<'_>, name: usize) -> Option<usize> {
    let from = statement.qualified_name(name)?;
    statement.elements(from, statement.len()).into_iter().find_map(|(start, _)| {
        if !statement.is_any(start, &["ADD", "ALTER", "DROP", "RENAME"]) {
            return None;
        }
        let mut at = start + 1;
        if statement.is_any(at, &["CONSTRAINT", "TO"]) {
            return None;
        }
        at += usize::from(statement.is(at, "COLUMN"));
        while statement.is_any(at, &["IF", "NOT", "EXISTS"]) {
            at += 1;
        }
        let renamed = statement.is(start, "RENAME") && statement.is(at + 1, "TO");
        if renamed && is_word(statement, at + 2) {
            return Some(at + 2);
        }
        (is_word(statement, at) && !is_clause(statement, at)).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_clauses_and_words_that_are_names() {
        for (sql, refused) in [
            ("CREATE TABLE t (a INT, INDEX (a), INDEX i (a), FAMILY (a), FAMILY f (a))", false),
            ("CREATE TABLE t (a INT, index INT)", true),
            ("CREATE TABLE t (a INT, index VARCHAR(10))", true),
            ("CREATE TABLE t (a INT, \"index\" INT)", false),
            ("CREATE TABLE t (family STRING)", true),
            ("CREATE TABLE t (none STRING, b INT)", true),
            ("CREATE TABLE IF NOT EXISTS nothing (a INT)", true),
            ("CREATE TABLE s.nothing (a INT)", false),
            ("CREATE INDEX i ON t (a, index)", true),
            ("CREATE INDEX ON t (a)", false),
            ("CREATE UNIQUE INDEX IF NOT EXISTS i ON t (nothing)", true),
            ("CREATE VIEW family AS SELECT 1", true),
            ("ALTER TABLE t ADD COLUMN IF NOT EXISTS index INT", true),
            ("ALTER TABLE t ADD none INT, ADD b INT", true),
            ("ALTER TABLE t ADD CONSTRAINT index CHECK (true)", false),
            ("ALTER TABLE t RENAME COLUMN a TO family", true),
            ("ALTER TABLE t RENAME TO u", false),
            ("ALTER INDEX i RENAME TO j", false),
            ("ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a)", false),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            assert_eq!(in_definition(&statement).is_some(), refused, "{sql}");
        }
    }
}
