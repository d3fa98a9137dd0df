//! `ON UPDATE expression` of a column: triggers of ours (`on_update.sql`).

use kecoa_sql::Statement;

use super::catalog::{Context, TableName};
use super::edit::Edits;
use super::index_names::perform;
use super::plan::{Analysis, Class, Piece, Stop};
use super::quote::quote;
use super::{expression, moments};

/// One past the expression of the `ON UPDATE` at `at` in a column's definition; `None` when there is
/// none, or a foreign key's action.
pub(super) fn end(statement: &Statement<'_>, at: usize, to: usize) -> Option<usize> {
    const NEXT: &[&str] = &[
        "NOT",
        "NULL",
        "DEFAULT",
        "CHECK",
        "UNIQUE",
        "PRIMARY",
        "REFERENCES",
        "CONSTRAINT",
        "GENERATED",
        "FAMILY",
        "CREATE",
        "VISIBLE",
        "ON",
        "COLLATE",
    ];
    let action = statement.is_any(at + 2, &["CASCADE", "RESTRICT"])
        || statement.are(at + 2, &["NO", "ACTION"])
        || statement.is(at + 2, "SET") && statement.is_any(at + 3, &["NULL", "DEFAULT"]);
    if !statement.are(at, &["ON", "UPDATE"]) || action || at + 2 >= to {
        return None;
    }
    let first = statement.skip(at + 2);
    Some(statement.find(first, to, |i| statement.is_any(i, NEXT)).unwrap_or(to).min(to))
}

/// Sets what fills a column.
pub(super) fn set(
    table: &TableName,
    column: &str,
    text: &str,
    context: &Context<'_>,
) -> Result<Piece, Stop> {
    let mut written = text.to_owned();
    if let Some(inner) = Statement::whole(text.as_bytes(), context.backslash_escapes) {
        let mut edits = Edits::under(context.settings);
        expression::rewrite(&inner, context, &mut edits)?;
        moments::annotated(&inner, 0, &mut edits);
        let sql = edits.apply(inner.sql(), 0);
        written = String::from_utf8_lossy(&sql.text).into_owned();
    }
    Ok(perform(&format!(
        "crdb_internal.set_on_update({}::pg_catalog.regclass, {}, {})",
        quote(&table.quoted()),
        quote(column),
        quote(&written)
    )))
}

/// `ALTER [COLUMN] c SET ON UPDATE expression`, `… DROP ON UPDATE` in `from..to`; `None` for other
/// commands.
pub(super) fn alter(
    statement: &Statement<'_>,
    from: usize,
    to: usize,
    table: &TableName,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let at = from + 1 + usize::from(statement.is(from + 1, "COLUMN"));
    let Some(column) = statement.name(at).filter(|_| statement.is(from, "ALTER")) else {
        return Ok(None);
    };
    let piece = if statement.are(at + 1, &["DROP", "ON", "UPDATE"]) && at + 4 == to {
        perform(&format!(
            "crdb_internal.drop_on_update({}::pg_catalog.regclass, {})",
            quote(&table.quoted()),
            quote(&column)
        ))
    } else if statement.are(at + 1, &["SET", "ON", "UPDATE"]) && at + 4 < to {
        set(table, &column, &statement.slice(at + 4, to), context)?
    } else {
        return Ok(None);
    };
    let piece = Piece::tagged(piece.sql.text, "ALTER TABLE");
    Ok(Some(Analysis::piece(Class::Definition, piece)))
}
