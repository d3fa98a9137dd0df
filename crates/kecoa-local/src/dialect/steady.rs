//! Statements after which names mean what they meant before.

use kecoa_sql::{Statement, TokenKind};

use super::catalog::Catalog;
use super::plan::{Analysis, Class, Control};

/// Functions that rows are often written with, and that change nothing beside them.
const HARMLESS: [&str; 24] = [
    "abs",
    "clock_timestamp",
    "coalesce",
    "concat",
    "date",
    "decode",
    "gen_random_uuid",
    "greatest",
    "ifnull",
    "least",
    "lower",
    "nextval",
    "now",
    "nullif",
    "numeric",
    "decimal",
    "round",
    "statement_timestamp",
    "timestamp",
    "timestamptz",
    "unique_rowid",
    "upper",
    "varchar",
    "char",
];

/// Whether a statement, once it has run, has changed nothing of what is known of the database: an `UPSERT` of
/// values into a table for whose rows no code of the client's runs. `catalog` is what was asked for it.
///
/// While it runs it holds its table: no other session changes that one up to the end of the transaction.
#[must_use]
pub fn keeps_names(statement: &Statement<'_>, analysis: &Analysis, catalog: &Catalog) -> bool {
    match &analysis.control {
        Some(Control::Begin(..)) => true,
        Some(_) => false,
        None => {
            analysis.class == Class::Work
                && statement.is(0, "UPSERT")
                && catalog.is_steady()
                && is_plain(statement)
        }
    }
}

/// Whether it has no query inside, and calls only what is known.
fn is_plain(statement: &Statement<'_>) -> bool {
    let from = statement.qualified_name(2).unwrap_or(statement.len());
    let from = match statement.partner(from) {
        Some(closing) if statement.is_mark(from, "(") => closing, // the columns
        _ => from,
    };
    (from..statement.len()).all(|at| {
        let word = statement.kind(at) == Some(TokenKind::Word);
        let named = word || statement.name(at).is_some();
        let queries = word && statement.is_any(at, &["SELECT", "TABLE", "WITH"]);
        let calls = named && statement.is_mark(at + 1, "(") && !is_harmless(statement, at);
        !queries && !calls
    })
}

/// Whether the name in front of a bracket calls nothing of the client's.
fn is_harmless(statement: &Statement<'_>, at: usize) -> bool {
    const WORDS: [&str; 8] = ["VALUES", "RETURNING", "AND", "OR", "NOT", "IN", "ARRAY", "ROW"];
    !statement.is_mark(at.saturating_sub(1), ".")
        && (statement.is_any(at, &WORDS) || HARMLESS.iter().any(|name| statement.is(at, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_call_code_of_the_clients() {
        for (sql, plain) in [
            ("UPSERT INTO t VALUES (1, 'a'), (2, 'b')", true),
            ("UPSERT INTO s.t (a, b) VALUES ($1, now()) RETURNING (a)", true),
            ("UPSERT INTO t (a) VALUES (ARRAY[1, 2])", true),
            ("UPSERT INTO t DEFAULT VALUES", true),
            ("UPSERT INTO t VALUES (1::DECIMAL(5, 2))", true),
            ("UPSERT INTO t VALUES (f(1))", false),
            ("UPSERT INTO t VALUES (\"f\"(1))", false),
            ("UPSERT INTO t VALUES (s.now())", false),
            ("UPSERT INTO t VALUES ((SELECT 1))", false),
            ("UPSERT INTO t SELECT * FROM v", false),
            ("UPSERT INTO t TABLE v", false),
            ("UPSERT INTO t VALUES (1) RETURNING f(a)", false),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            assert_eq!(is_plain(&statement), plain, "{sql}");
        }
    }
}
