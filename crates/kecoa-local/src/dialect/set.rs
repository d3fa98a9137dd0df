//! `SET` and `RESET` of session variables.

use kecoa_sql::Statement;

use super::edit::Sql;
use super::plan::{Analysis, Class, Control, Piece, Refusal};
use super::quote::quote;
use super::settings::Change;
use super::variables::{Form, boolean, find, is_utf8, option_name};

/// `SET`, `RESET` and `SHOW`'s sister statements; `None` when PostgreSQL shall have it as it is.
pub(super) fn analyse(statement: &Statement<'_>) -> Result<Option<Analysis>, Refusal> {
    if statement.are(0, &["SET", "CLUSTER", "SETTING"])
        || statement.are(0, &["RESET", "CLUSTER", "SETTING"])
    {
        let what = statement.slice(3, statement.len());
        let message = format!("the local endpoint has no cluster settings; ignored: {what}");
        let piece = Piece::notice(&message, "SET CLUSTER SETTING");
        return Ok(Some(Analysis::piece(Class::Session, piece)));
    }
    let all = statement.are(0, &["RESET", "ALL"]) || statement.are(0, &["DISCARD", "ALL"]);
    if all && statement.len() == 2 {
        let mut analysis =
            Analysis::plain(Class::Session, Sql::copied(statement.sql(), statement.offset()));
        analysis.control = Some(Control::SetAny);
        return Ok(Some(analysis));
    }
    let reset = statement.is(0, "RESET");
    if !reset && !statement.is(0, "SET") {
        return Ok(None);
    }
    let scope = if statement.is(1, "LOCAL") { "LOCAL " } else { "" };
    let at = 1 + usize::from(!reset && statement.is_any(1, &["SESSION", "LOCAL"]));
    let Some(end) = statement.qualified_name(at) else {
        return Ok(None);
    };
    let name = statement.slice(at, end).to_ascii_lowercase();
    let assigned = statement.is_mark(end, "=") || statement.is(end, "TO");
    let value = statement.value(end + 1);
    if name == "database" && (reset || assigned) {
        let value = if reset { None } else { value.filter(|v| !v.eq_ignore_ascii_case("default")) };
        return Ok(Some(super::database::use_database(value)));
    }
    let Some((usual, form)) = find(&name) else {
        if name.starts_with("kecoa.") {
            let mut analysis =
                Analysis::plain(Class::Session, Sql::copied(statement.sql(), statement.offset()));
            analysis.control = Some(Control::SetAny);
            return Ok(Some(analysis));
        }
        return client_encoding(statement, &name, end);
    };
    if form == Form::ReadOnly {
        let message = format!("parameter \"{name}\" cannot be changed");
        return Err(Refusal::new("55P02", message));
    }
    let option = option_name(&name);
    let default = reset || statement.is(end + 1, "DEFAULT");
    if !default && !assigned {
        return Ok(None); // a syntax error, for PostgreSQL to report
    }
    let value = match default {
        true => None,
        false => {
            let text =
                value.unwrap_or_else(|| statement.slice(end + 1, statement.len()).into_owned());
            Some(checked(&name, form, &text)?)
        }
    };
    let change = value.as_deref().unwrap_or(usual);
    let change = Change::of(&name, change, !scope.is_empty());
    let text = match &value {
        None => {
            format!("SELECT pg_catalog.set_config({}, '', {})", quote(&option), !scope.is_empty())
        }
        Some(value) => format!("SET {scope}{option} TO {}", quote(value)),
    };
    // SET … TO DEFAULT of an option never set would be an error, hence set_config, hence the DO:
    // a SELECT would send a row.
    let text = if default { perform(&text) } else { text };
    let piece = Piece::tagged(text, if reset { "RESET" } else { "SET" });
    let mut analysis = Analysis::piece(Class::Session, piece);
    analysis.control = change.map(Control::Set);
    Ok(Some(analysis))
}

/// A value for a variable of this form, as it is kept.
pub(super) fn checked(name: &str, form: Form, value: &str) -> Result<String, Refusal> {
    match form {
        Form::Boolean => match boolean(value) {
            Some(flag) => Ok(if flag { "on" } else { "off" }.to_owned()),
            None => {
                let message = format!("parameter \"{name}\" requires a Boolean value");
                Err(Refusal::new("22023", message))
            }
        },
        Form::Text | Form::ReadOnly => Ok(value.to_owned()),
    }
}

fn perform(select: &str) -> String {
    let body = select.replacen("SELECT", "PERFORM", 1);
    format!("DO {}", quote(&format!("BEGIN {body}; END")))
}

/// CockroachDB speaks UTF-8 only, and so does the lexer.
fn client_encoding(
    statement: &Statement<'_>,
    name: &str,
    end: usize,
) -> Result<Option<Analysis>, Refusal> {
    let value = match name {
        "client_encoding" => statement.value(end + 1),
        "names" => statement.value(end),
        _ => return Ok(None),
    };
    match value {
        Some(value) if !is_utf8(&value) && !value.eq_ignore_ascii_case("default") => {
            let message = format!("client_encoding must be UTF8, found {value:?}");
            Err(Refusal::new("22023", message))
        }
        _ => Ok(None),
    }
}
