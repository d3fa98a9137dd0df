//! `ALTER TYPE … DROP VALUE` (`enum_values.sql`).

use kecoa_sql::Statement;

use super::index_names::perform;
use super::plan::{Analysis, Class, Piece};
use super::quote::quote;

/// Analyses it; `None` for other statements.
pub(super) fn drop_value(statement: &Statement<'_>) -> Option<Analysis> {
    if !statement.are(0, &["ALTER", "TYPE"]) {
        return None;
    }
    let end = statement.qualified_name(2).filter(|end| statement.are(*end, &["DROP", "VALUE"]))?;
    let label = statement.value(end + 2).filter(|_| statement.len() == end + 3)?;
    let call = format!(
        "crdb_internal.drop_enum_value({}::pg_catalog.regtype, {})",
        quote(&statement.slice(2, end)),
        quote(&label)
    );
    let piece = Piece::tagged(perform(&call).sql.text, "ALTER TYPE");
    Some(Analysis::piece(Class::Definition, piece))
}
