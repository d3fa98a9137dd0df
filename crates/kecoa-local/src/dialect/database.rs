//! `CREATE DATABASE`, `DROP DATABASE`, `USE`.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::{Edits, Sql};
use super::plan::Control;
use super::plan::{Analysis, Class, OnError, Piece, Refusal, Stop};
use super::region;

/// `USE name`, `SET database = name`.
pub(super) fn use_database(name: Option<String>) -> Analysis {
    let piece = Piece::nothing("SET");
    let class = Class::Session;
    Analysis { class, control: Some(Control::Use(name)), pieces: vec![piece] }
}

/// `CREATE DATABASE [IF NOT EXISTS]`, `DROP DATABASE [IF EXISTS] … [CASCADE]`, `USE`.
pub(super) fn analyse(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Stop> {
    let detached = |sql: Sql| Analysis {
        class: Class::Schema,
        control: Some(Control::Detached),
        pieces: vec![Piece::forward(sql)],
    };
    if statement.is(0, "USE") && statement.len() == 2 {
        return Ok(statement.value(1).map(|name| use_database(Some(name))));
    }
    if statement.is_any(0, &["CREATE", "DROP", "ALTER"]) && statement.is(1, "SCHEMA") {
        return schema(statement, context);
    }
    if statement.are(0, &["CREATE", "DATABASE"]) {
        let lenient = statement.are(2, &["IF", "NOT", "EXISTS"]);
        let at = if lenient { 5 } else { 2 };
        let Some(name) = statement.name(at) else {
            return Ok(None);
        };
        if lenient && context.catalog.database(&name)? {
            let message = format!("database \"{name}\" already exists, skipping");
            let piece = Piece::notice(&message, "CREATE DATABASE");
            return Ok(Some(Analysis::piece(Class::Session, piece)));
        }
        let (end, notice) = region::create_database(statement, at);
        let rest = statement.start(at)..statement.end(end - 1);
        let rest = statement.sql().get(rest).unwrap_or_default();
        let mut sql = Sql::made("CREATE DATABASE ");
        sql.append(&Sql::copied(rest, statement.offset() + statement.start(at)));
        let mut analysis = detached(sql);
        for piece in &mut analysis.pieces {
            piece.notice.clone_from(&notice);
            if lenient {
                piece.on_error = OnError::Exists;
            }
        }
        return Ok(Some(analysis));
    }
    if statement.are(0, &["DROP", "DATABASE"]) {
        let at = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
        if statement.is_name(at) && statement.is_any(at + 1, &["CASCADE", "RESTRICT"])
            || statement.len() == at + 1
        {
            let to = statement.end(at);
            let kept = statement.sql().get(..to).unwrap_or_default();
            let mut sql = Sql::copied(kept, statement.offset());
            // CockroachDB drops a database that others are connected to.
            sql.push(" WITH (FORCE)");
            return Ok(Some(detached(sql)));
        }
    }
    Ok(None)
}

/// `CREATE SCHEMA database.schema` and its kin: the session's own database is left out.
fn schema(statement: &Statement<'_>, context: &Context<'_>) -> Result<Option<Analysis>, Stop> {
    let mut at = 2;
    while statement.is_any(at, &["IF", "NOT", "EXISTS"]) {
        at += 1;
    }
    let mut edits = Edits::default();
    while statement.qualified_name(at) == Some(at + 3) {
        let database = statement.name(at).unwrap_or_default();
        if database != context.database {
            return Err(Refusal::other_database(&database).into());
        }
        edits.replace(statement.start(at), statement.end(at + 1), "");
        at += if statement.is_mark(at + 3, ",") { 4 } else { 3 };
    }
    let piece = |edits| Analysis::piece(Class::Definition, Piece::edited(statement, edits));
    Ok((!edits.is_empty()).then(|| piece(edits)))
}
