//! The hidden `rowid` of a table without a primary key, as `SHOW CREATE TABLE` writes it: run again, it makes
//! such a table.

use kecoa_sql::Statement;

use super::catalog::TableName;
use super::index_names::perform;
use super::plan::Piece;
use super::quote::quote;

/// Where the column and its key begin among the elements of `from..to`; none, unless both are there as
/// `SHOW CREATE` has them.
pub(super) fn find(statement: &Statement<'_>, from: usize, to: usize) -> Vec<usize> {
    let elements = statement.elements(from, to);
    let column = elements.iter().find(|(start, end)| is_column(statement, *start, *end));
    let key = elements.iter().find(|(start, end)| is_key(statement, *start, *end));
    match (column, key) {
        (Some((column, _)), Some((key, _))) => vec![*column, *key],
        _ => Vec::new(),
    }
}

/// Keeps the name of the hidden key, which is the table's at the moment if none is given (`definitions.sql`).
pub(super) fn keep(table: &TableName, name: Option<&str>) -> Piece {
    let name = name.map_or_else(|| "NULL".to_owned(), quote);
    perform(&format!("crdb_internal.keep_hidden_key({}, {name})", quote(&table.quoted())))
}

/// The name that the key at `start` is given.
pub(super) fn name(statement: &Statement<'_>, start: usize) -> Option<String> {
    statement.name(start + 1).filter(|_| statement.is(start, "CONSTRAINT"))
}

fn is_rowid(statement: &Statement<'_>, at: usize) -> bool {
    statement.name(at).as_deref() == Some("rowid")
}

/// `rowid INT8 NOT VISIBLE NOT NULL DEFAULT unique_rowid()`
fn is_column(statement: &Statement<'_>, start: usize, end: usize) -> bool {
    const WORDS: [&str; 6] = ["NOT", "VISIBLE", "NOT", "NULL", "DEFAULT", "unique_rowid"];
    is_rowid(statement, start)
        && statement.is_any(start + 1, &["INT8", "INT"])
        && statement.are(start + 2, &WORDS)
        && end == start + 10
}

/// `CONSTRAINT t_pkey PRIMARY KEY (rowid ASC)`
fn is_key(statement: &Statement<'_>, start: usize, end: usize) -> bool {
    let key = if statement.is(start, "CONSTRAINT") { start + 2 } else { start };
    let column = key + 3;
    let ascends = usize::from(statement.is(column + 1, "ASC"));
    statement.are(key, &["PRIMARY", "KEY"])
        && statement.is_mark(key + 2, "(")
        && is_rowid(statement, column)
        && end == column + ascends + 2
}
