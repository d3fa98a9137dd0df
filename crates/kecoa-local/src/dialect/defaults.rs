//! `ALTER ROLE … SET`, `ALTER DATABASE … SET`: what session variables are from the start.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::{Edits, Sql};
use super::plan::{Analysis, Class, Piece, Refusal};
use super::quote::{quote, quote_name};
use super::set;
use super::variables::{self, Form};

/// The statement with the option that keeps the variable in place of its name; `None` for others, and where
/// PostgreSQL has the variable itself.
pub(super) fn alter(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Refusal> {
    if !statement.is(0, "ALTER") || !statement.is_any(1, &["ROLE", "USER", "DATABASE"]) {
        return Ok(None);
    }
    let of_role = !statement.is(1, "DATABASE");
    let name = 2 + if statement.are(2, &["IF", "EXISTS"]) { 2 } else { 0 };
    let within = of_role && statement.are(name + 1, &["IN", "DATABASE"]);
    let verb = name + if within { 4 } else { 1 };
    if !statement.is_any(verb, &["SET", "RESET"]) {
        return Ok(None);
    }
    let mut edits = Edits::under(context.settings);
    let all = of_role && statement.is(name, "ALL");
    if all {
        // Only a superuser may set what holds in all databases.
        let database = if within { statement.name(name + 3) } else { None };
        let database = database.unwrap_or_else(|| context.database.to_owned());
        let text = format!("DATABASE {}", quote_name(&database));
        edits.replace(statement.start(1), statement.end(verb - 1), text);
        if !within {
            edits.add_notice(format!(
                "the local endpoint keeps settings of all roles with a database: set for \"{database}\""
            ));
        }
    }
    let end = statement.qualified_name(verb + 1);
    let variable = end.map(|end| statement.slice(verb + 1, end).to_ascii_lowercase());
    let Some((known, form)) =
        variable.as_deref().and_then(|name| variables::find(name).map(|f| (name, f.1)))
    else {
        return Ok(all.then(|| Analysis::piece(Class::Definition, Piece::edited(statement, edits))));
    };
    if form == Form::ReadOnly {
        let message = format!("parameter \"{known}\" cannot be changed");
        return Err(Refusal::new("55P02", message));
    }
    let from = statement.start(verb + 1);
    let end = end.unwrap_or(verb + 2);
    let text = variables::option_name(known);
    if statement.is(verb, "RESET") || statement.is(end + 1, "DEFAULT") {
        edits.replace(from, statement.end(end - 1), text);
    } else {
        let value = statement
            .value(end + 1)
            .unwrap_or_else(|| statement.slice(end + 1, statement.len()).into_owned());
        let value = set::checked(known, form, &value)?;
        let to = statement.end(statement.len() - 1);
        edits.replace(from, to, format!("{text} TO {}", quote(&value)));
    }
    let mut piece = Piece::edited(statement, edits);
    piece.sql = Sql::made(piece.sql.text);
    Ok(Some(Analysis::piece(Class::Definition, piece)))
}
