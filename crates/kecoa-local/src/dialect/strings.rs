//! `STRING(n)`, which PostgreSQL has as `VARCHAR(n)`. CockroachDB shows the one that was written, and tools
//! compare it, so a column of the first is marked: its storage is MAIN, which changes nothing that a client
//! can see. PostgreSQL forgets the mark with the type.

use kecoa_sql::Statement;

use super::catalog::TableName;
use super::plan::Piece;
use super::quote::quote_name;

/// Whether the type at `at` is a string of limited length, or an array of such.
pub(super) fn is_limited(statement: &Statement<'_>, at: usize) -> bool {
    statement.is(at, "STRING") && statement.is_mark(at + 1, "(")
}

/// Marks columns of `table`; `None` without any.
pub(super) fn mark(table: &TableName, columns: &[String]) -> Option<Piece> {
    let storage = |column: &String| format!("ALTER COLUMN {} SET STORAGE MAIN", quote_name(column));
    let changes: Vec<String> = columns.iter().map(storage).collect();
    let sql = format!("ALTER TABLE {} {}", table.quoted(), changes.join(", "));
    (!columns.is_empty()).then(|| Piece::hidden(&sql))
}
