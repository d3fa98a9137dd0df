//! `IF` and `IFNULL`, which PostgreSQL has as `CASE` and `COALESCE`.
//!
//! What a definition has of them is marked by a `COALESCE` of one argument, which changes nothing, so that
//! `SHOW CREATE` shows what was written (`show/operand.sql`).

use kecoa_sql::Statement;

use super::edit::Edits;

/// Around what marks it.
const MARK: &str = "COALESCE(";

/// `IF(condition, a, b)` -> `(CASE WHEN condition THEN a ELSE b END)`.
pub(super) fn choice(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let Some(closing) = statement.partner(at + 1) else {
        return;
    };
    let elements = statement.elements(at + 2, closing);
    let [(_, first), (_, second), (_, third)] = elements.as_slice() else {
        return;
    };
    if *third != closing {
        return;
    }
    let (mark, end) = if is_kept(statement) { (MARK, ")") } else { ("", "") };
    edits.replace(statement.start(at), statement.end(at + 1), format!("(CASE WHEN {mark}"));
    edits.replace(statement.start(*first), statement.end(*first), format!("{end} THEN "));
    edits.replace(statement.start(*second), statement.end(*second), " ELSE ");
    edits.replace(statement.start(closing), statement.end(closing), " END)");
}

/// `IFNULL(a, b)` -> `COALESCE(a, b)`.
pub(super) fn if_null(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    edits.replace(statement.start(at), statement.end(at), "COALESCE");
    let elements = statement.partner(at + 1).map(|closing| statement.elements(at + 2, closing));
    if let Some([(_, comma), _]) = elements.as_deref().filter(|_| is_kept(statement)) {
        edits.replace(statement.start(at + 1), statement.end(at + 1), format!("({MARK}"));
        edits.replace(statement.start(*comma), statement.end(*comma), "),");
    }
}

/// Whether the statement's expressions are shown later.
fn is_kept(statement: &Statement<'_>) -> bool {
    statement.is_any(0, &["CREATE", "ALTER"])
}
