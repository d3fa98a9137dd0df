//! Views and sequences, as far as their names go.

use kecoa_sql::Statement;

use super::catalog::{Context, Need};
use super::index_names::room_for;
use super::plan::Piece;
use super::upsert;

/// What makes room for the view or sequence that the statement makes, if an index has its name.
pub(super) fn room(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Piece>, Need> {
    let mut at = 1 + usize::from(statement.is(1, "MATERIALIZED"));
    if !statement.is(0, "CREATE") || !statement.is_any(at, &["VIEW", "SEQUENCE"]) {
        return Ok(None);
    }
    at += 1;
    if statement.are(at, &["IF", "NOT", "EXISTS"]) {
        at += 3;
    }
    let Some(end) = statement.qualified_name(at) else { return Ok(None) };
    let Some(name) = upsert::table_name(statement, at, end, context)? else { return Ok(None) };
    room_for(&name, Vec::new(), context)
}
