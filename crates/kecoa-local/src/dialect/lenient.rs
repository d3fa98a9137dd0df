//! `IF NOT EXISTS` where PostgreSQL has none: `CREATE TYPE`, `CREATE ROLE`, `CREATE USER`,
//! `CREATE VIEW`.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::Edits;
use super::expression;
use super::grant;
use super::plan::{Analysis, Class, Piece, Stop};
use super::quote::quote;
use super::signature;

/// A block that takes it for done when the thing exists; `None` for other statements.
pub(super) fn create(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let tag = if statement.are(0, &["CREATE", "TYPE"]) {
        "CREATE TYPE"
    } else if statement.are(0, &["CREATE", "ROLE"]) || statement.are(0, &["CREATE", "USER"]) {
        "CREATE ROLE"
    } else if statement.are(0, &["CREATE", "VIEW"]) || view_of_session(statement) {
        "CREATE VIEW"
    } else {
        return Ok(None);
    };
    let at = 2 + usize::from(view_of_session(statement));
    if !statement.are(at, &["IF", "NOT", "EXISTS"]) {
        return Ok(None);
    }
    let mut edits = Edits::under(context.settings);
    expression::rewrite(statement, context, &mut edits)?;
    if let Some(after) = statement.qualified_name(at + 3).filter(|after| statement.is(*after, "AS"))
    {
        signature::columns(statement, after + 1, &mut edits)?;
    }
    grant::role_options(statement, &mut edits);
    edits.replace(statement.start(at), statement.end(at + 2), "");
    let sql = edits.apply(statement.sql(), statement.offset()).text;
    let body = format!(
        "BEGIN EXECUTE {}; EXCEPTION WHEN duplicate_object OR duplicate_table THEN \
         RAISE NOTICE USING MESSAGE = SQLERRM || ', skipping'; END",
        quote(&String::from_utf8_lossy(&sql))
    );
    let piece = Piece::tagged(format!("DO {}", quote(&body)), tag);
    Ok(Some(Analysis::piece(Class::Definition, piece)))
}

fn view_of_session(statement: &Statement<'_>) -> bool {
    statement.is(0, "CREATE")
        && statement.is_any(1, &["TEMP", "TEMPORARY"])
        && statement.is(2, "VIEW")
}
