//! Words that are names in CockroachDB and keywords in PostgreSQL: put in quotes.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;

/// A test compares the lists of both databases.
const WORDS: [&str; 5] = ["binary", "freeze", "system_user", "tablesample", "verbose"];

/// Puts the word at `at` in quotes, if it is such a name.
pub(super) fn rewrite(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    if statement.kind(at) != Some(TokenKind::Word) || !statement.is_any(at, &WORDS) {
        return;
    }
    if !edits.settings.strict || is_clause(statement, at) {
        return;
    }
    let Some(name) = statement.name(at) else { return };
    edits.replace(statement.start(at), statement.end(at), format!("\"{name}\""));
}

/// Whether the word says what the statement does.
fn is_clause(statement: &Statement<'_>, at: usize) -> bool {
    if statement.is(at, "TABLESAMPLE") {
        return statement.is_name(at + 1) && statement.is_mark(at + 2, "(");
    }
    if statement.is(0, "EXPLAIN") {
        let options = 1 + usize::from(statement.is_any(1, &["ANALYZE", "ANALYSE"]));
        let end = statement.partner(options).filter(|_| statement.is_mark(options, "("));
        return at <= end.unwrap_or(options);
    }
    if statement.is(0, "COPY") {
        let way = statement.find(1, statement.len(), |i| {
            statement.are(i, &["TO", "STDOUT"]) || statement.are(i, &["FROM", "STDIN"])
        });
        return way.is_some_and(|way| at > way) || at == 1 && statement.is_name(2);
    }
    let first = ["DECLARE", "VACUUM", "CLUSTER", "REINDEX", "ANALYZE", "ANALYSE"];
    statement.is_any(0, &first) && at < 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::settings::Settings;

    #[test]
    fn names_and_clauses() {
        for (sql, becomes) in [
            ("SELECT Verbose, t.freeze FROM t", "SELECT \"verbose\", t.\"freeze\" FROM t"),
            ("EXPLAIN VERBOSE SELECT 1", "EXPLAIN VERBOSE SELECT 1"),
            (
                "EXPLAIN ANALYZE (VERBOSE) SELECT binary",
                "EXPLAIN ANALYZE (VERBOSE) SELECT \"binary\"",
            ),
            ("COPY t (binary) TO STDOUT WITH BINARY", "COPY t (\"binary\") TO STDOUT WITH BINARY"),
            (
                "DECLARE c BINARY CURSOR FOR SELECT freeze",
                "DECLARE c BINARY CURSOR FOR SELECT \"freeze\"",
            ),
            ("SELECT * FROM t TABLESAMPLE system (10)", "SELECT * FROM t TABLESAMPLE system (10)"),
            ("SELECT tablesample FROM t", "SELECT \"tablesample\" FROM t"),
            (
                "CREATE TABLE verbose (system_user INT)",
                "CREATE TABLE \"verbose\" (\"system_user\" INT)",
            ),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            let settings = Settings::default();
            let mut edits = Edits::under(&settings);
            (0..statement.len()).for_each(|at| rewrite(&statement, at, &mut edits));
            let text = edits.apply(statement.sql(), statement.offset()).text;
            assert_eq!(String::from_utf8_lossy(&text), becomes);
        }
    }
}
