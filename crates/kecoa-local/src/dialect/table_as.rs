//! `CREATE TABLE t (a PRIMARY KEY, b, FAMILY (a, b)) AS SELECT …`.

use kecoa_sql::Statement;

use super::definition::{is_family, leave_out};
use super::edit::Edits;
use super::plan::Piece;

/// Where the `AS` with the query stands behind the token at `last`, if there is one.
pub(super) fn query(statement: &Statement<'_>, last: usize) -> Option<usize> {
    statement.find(last + 1, statement.len(), |i| {
        statement.is(i, "AS")
            && (statement.is_any(i + 1, &["SELECT", "WITH", "VALUES", "TABLE"])
                || statement.is_mark(i + 1, "("))
    })
}

/// Leaves the names of the columns that end at `closing`; returns what makes the primary key. `table`
/// is where the table's name stands, and what follows it.
pub(super) fn columns(
    statement: &Statement<'_>,
    table: (usize, usize),
    closing: usize,
    edits: &mut Edits,
) -> Option<Piece> {
    let mut key = None;
    let mut kept_before = false;
    for (start, end) in statement.elements(table.1 + 1, closing) {
        let named = statement.is(start, "CONSTRAINT") && statement.is(start + 2, "PRIMARY");
        let kind = if named { start + 2 } else { start };
        if statement.are(kind, &["PRIMARY", "KEY"]) && statement.is_mark(kind + 2, "(") {
            let columns = statement.elements(kind + 3, statement.partner(kind + 2)?);
            let columns: Vec<String> = columns
                .into_iter()
                .map(|(from, _)| statement.slice(from, from + 1).into_owned())
                .collect();
            let name = statement.slice(start, kind);
            key = Some(format!("{name} PRIMARY KEY ({})", columns.join(", ")));
        } else if !is_family(statement, start) {
            kept_before = true;
            if statement.find(start + 1, end, |i| statement.is(i, "PRIMARY")).is_some() {
                key = Some(format!("PRIMARY KEY ({})", statement.slice(start, start + 1)));
            }
            if end > start + 1 {
                edits.replace(statement.end(start), statement.end(end - 1), "");
            }
            continue;
        }
        leave_out(statement, start, end, kept_before, edits);
    }
    let table = statement.slice(table.0, table.1);
    key.map(|key| Piece::hidden(&format!("ALTER TABLE {table} ADD {key}")))
}
