//! `SET` and `RESET` of session variables.

use kecoa_sql::Statement;

use super::edit::{Edits, Sql};
use super::plan::{Analysis, Class, Control, Piece, Refusal};
use super::quote::quote;
use super::settings::{Change, Settings};
use super::shared_values;
use super::variables::{self, Form, boolean, find, is_utf8, option_name};

/// `SET`, `RESET` and `SHOW`'s sister statements; `None` when PostgreSQL shall have it as it is.
pub(super) fn analyse(
    statement: &Statement<'_>,
    settings: &Settings,
) -> Result<Option<Analysis>, Refusal> {
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
    // Quoted or not: names of variables have no case.
    let name = match statement.name(at).filter(|_| end == at + 1) {
        Some(name) => name.to_ascii_lowercase(),
        None => statement.slice(at, end).to_ascii_lowercase(),
    };
    let assigned = statement.is_mark(end, "=") || statement.is(end, "TO");
    let value = statement.value(end + 1);
    if name == "database" && (reset || assigned) {
        let value = if reset { None } else { value.filter(|v| !v.eq_ignore_ascii_case("default")) };
        return Ok(Some(super::database::use_database(value)));
    }
    if let Some(kept) = variables::timeout(&name) {
        let value = (!reset && assigned).then_some(value).flatten();
        return Ok(timeout(statement, (at, end), kept, value, !scope.is_empty()));
    }
    if settings.strict && !variables::is_known(&name) && (reset || assigned) {
        return Err(shared_values::unknown(&name));
    }
    if settings.strict && assigned {
        // What is no string is a list of words: `SET datestyle = SQL, MDY`.
        let given = match value.as_deref().filter(|_| end + 2 == statement.len()) {
            Some(value) => value.to_owned(),
            None => statement.slice(end + 1, statement.len()).replace('\'', ""),
        };
        if let Some(refusal) = shared_values::refusal(&name, &given) {
            return Err(refusal);
        }
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
    let acts = Change::of(&name, usual, false).is_some();
    let change = value.as_deref().and_then(|value| Change::of(&name, value, !scope.is_empty()));
    let idle = value.as_deref().is_some_and(|value| !acts && value != usual);
    let text = match &value {
        // SET … TO DEFAULT of an option never set would be an error.
        None => {
            let reset = if scope.is_empty() { "RESET " } else { "SET LOCAL " };
            let to = if scope.is_empty() { "" } else { " TO DEFAULT" };
            let body = format!(
                "BEGIN IF pg_catalog.current_setting({}, true) IS NOT NULL THEN {reset}{option}{to}; \
                 END IF; END",
                quote(&option)
            );
            format!("DO {}", quote(&body))
        }
        Some(value) => format!("SET {scope}{option} TO {}", quote(value)),
    };
    let mut piece = Piece::tagged(text, if reset { "RESET" } else { "SET" });
    if idle {
        piece.notice =
            Some(format!("the local endpoint keeps {name} and shows it; it changes nothing here"));
    }
    let mut analysis = Analysis::piece(Class::Session, piece);
    analysis.control = match change {
        Some(change) => Some(Control::Set(change)),
        // A role or a database may have another default.
        None => (acts && default).then_some(Control::SetAny),
    };
    Ok(Some(analysis))
}

/// A limit of time, which CockroachDB takes as an interval too; `None` when PostgreSQL takes it as it is.
fn timeout(
    statement: &Statement<'_>,
    (from, to): (usize, usize),
    kept: &str,
    value: Option<String>,
    local: bool,
) -> Option<Analysis> {
    let plain = |value: &str| {
        let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        matches!(unit.trim(), "" | "us" | "ms" | "s" | "min" | "h" | "d")
    };
    match value.filter(|value| !plain(value) && !value.eq_ignore_ascii_case("default")) {
        Some(value) => {
            let body = format!(
                "BEGIN PERFORM pg_catalog.set_config({}, pg_catalog.round(extract(epoch FROM {}::interval) \
                 * 1000)::text, {local}); END",
                quote(kept),
                quote(&value)
            );
            Some(Analysis::piece(
                Class::Session,
                Piece::tagged(format!("DO {}", quote(&body)), "SET"),
            ))
        }
        None => {
            let mut edits = Edits::default();
            edits.replace(statement.start(from), statement.end(to - 1), kept);
            Some(Analysis::piece(Class::Session, Piece::edited(statement, edits)))
        }
    }
}

/// A value for a variable of this form, as it is kept.
pub(crate) fn checked(name: &str, form: Form, value: &str) -> Result<String, Refusal> {
    match form {
        Form::Boolean => match boolean(value) {
            Some(flag) => Ok(if flag { "on" } else { "off" }.to_owned()),
            None => {
                let message = format!("parameter \"{name}\" requires a Boolean value");
                Err(Refusal::new("22023", message))
            }
        },
        Form::OneOf(words) if !words.iter().any(|word| word.eq_ignore_ascii_case(value)) => {
            let message = format!("invalid value for parameter \"{name}\": {value:?}");
            let hint = format!("Available values: {}", words.join(","));
            Err(Refusal { hint, ..Refusal::new("22023", message) })
        }
        Form::Number => number(name, value.trim()),
        Form::Text | Form::ReadOnly | Form::OneOf(_) => Ok(value.to_owned()),
    }
}

/// A number that counts something.
fn number(name: &str, value: &str) -> Result<String, Refusal> {
    const MOST_JOINS: i64 = 63;
    let invalid = |why: String| Refusal::new("22023", why);
    // It is compared with an estimate.
    if name == "large_full_scan_rows" && value.parse::<f64>().is_ok() {
        return Ok(value.to_owned());
    }
    match value.parse::<i64>() {
        Err(_) => {
            let message = format!("invalid value for parameter \"{name}\": {value:?}");
            let detail = format!("strconv.ParseInt: parsing {value:?}: invalid syntax");
            Err(Refusal { detail, ..invalid(message) })
        }
        Ok(count) if count < 0 => {
            Err(invalid(format!("cannot set {name} to a negative value: {count}")))
        }
        Ok(count) if name == "reorder_joins_limit" && count > MOST_JOINS => {
            Err(invalid(format!("cannot set {name} to a value greater than {MOST_JOINS}")))
        }
        Ok(count) => Ok(count.to_string()),
    }
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
