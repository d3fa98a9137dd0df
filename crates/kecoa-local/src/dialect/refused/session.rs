//! Statements about the session and its statistics, with what PostgreSQL alone has in them.

use kecoa_sql::Statement;

use super::table::{Found, SYNTAX, UNIMPLEMENTED};

/// What such a statement has.
pub(super) fn find(statement: &Statement<'_>) -> Found {
    if statement.is_any(0, &["BEGIN", "COMMIT", "END", "ROLLBACK"]) && statement.is(1, "WORK") {
        return Some((1, SYNTAX, "WORK in this place (leave it out, or say TRANSACTION)"));
    }
    if statement.is_any(0, &["ANALYZE", "ANALYSE"]) {
        return analyze(statement);
    }
    if statement.is(0, "SET") {
        let current = statement.len().saturating_sub(2);
        if current > 1 && statement.are(current, &["FROM", "CURRENT"]) {
            return Some((current, UNIMPLEMENTED, "SET … FROM CURRENT"));
        }
        let option = statement.are(1, &["XML", "OPTION"]);
        return option.then_some((1, SYNTAX, "SET XML OPTION"));
    }
    if statement.is(0, "DECLARE") {
        let locks = |at| {
            statement.is(at, "FOR") && statement.is_any(at + 1, &["UPDATE", "SHARE", "NO", "KEY"])
        };
        let query = statement.find(1, statement.len(), |at| statement.is(at, "FOR"))?;
        let found = statement.find(query + 1, statement.len(), locks);
        return found.map(|at| (at, UNIMPLEMENTED, "cursors that lock rows"));
    }
    None
}

/// `ANALYZE` of anything but a table.
fn analyze(statement: &Statement<'_>) -> Found {
    if statement.len() == 1 {
        return Some((1, SYNTAX, "ANALYZE without a table"));
    }
    let end = statement.qualified_name(1).unwrap_or(1);
    let more = end < statement.len();
    more.then_some((end, SYNTAX, "more than a table's name in ANALYZE"))
}
