//! Which columns of a primary key descend: PostgreSQL has no words for it, and its catalogue has the place.

use super::catalog::TableName;
use super::index_names::perform;
use super::plan::Piece;
use super::quote::quote;

/// Says it to what orders a new key (`definitions.sql`), for the rest of the transaction; `None` when all
/// columns ascend.
pub(super) fn piece(table: &TableName, descending: &[String]) -> Option<Piece> {
    Some(perform(&call(&table.quoted(), descending)?))
}

/// The call that says it, of a table as SQL names it.
pub(super) fn call(table: &str, descending: &[String]) -> Option<String> {
    if descending.is_empty() {
        return None;
    }
    let columns: Vec<String> = descending.iter().map(|column| quote(column)).collect();
    Some(format!("crdb_internal.descending_key({}, ARRAY[{}])", quote(table), columns.join(", ")))
}
