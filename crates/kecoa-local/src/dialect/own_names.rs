//! Names of PostgreSQL's under which CockroachDB has something else, quoted or not.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::quote::quote;
use super::variables::{self, Form};

/// Functions that give something else in CockroachDB.
const OURS: [&str; 3] = ["version", "pg_get_indexdef", "pg_get_constraintdef"];

/// The languages that the bootstrap makes collations of, a line each.
const LANGUAGES: &str = include_str!("languages.txt");

/// Puts the endpoint's own in the place of what is named at `at`; says whether it did.
pub(super) fn rewrite(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> bool {
    let qualified = at > 0 && statement.is_mark(at - 1, ".");
    let is = |index: usize, name: &str| statement.name(index).as_deref() == Some(name);
    if let Some(function) = OURS.iter().find(|function| is(at, function))
        && let Some(closing) = statement.partner(at + 1).filter(|_| statement.is_mark(at + 1, "("))
    {
        let start = match at.checked_sub(2) {
            Some(schema) if qualified && is(schema, "pg_catalog") => schema,
            _ if qualified => return false,
            _ => at,
        };
        match (*function, statement.elements(at + 2, closing).as_slice()) {
            ("version", [])
            | ("pg_get_indexdef" | "pg_get_constraintdef", [_])
            | ("pg_get_constraintdef", [_, _]) => {}
            // Column 0 is the whole index.
            ("pg_get_indexdef", [(_, end), (column, _), _]) if statement.text(*column) == b"0" => {
                edits.replace(statement.start(*end), statement.start(closing), "");
            }
            _ => return false,
        }
        let name = format!("crdb_internal.{function}");
        edits.replace(statement.start(start), statement.end(at), name);
        return true;
    }
    if (!qualified || is(at.saturating_sub(2), "pg_catalog"))
        && statement.is_mark(at + 1, "(")
        && let Some(closing) = statement.partner(at + 1)
        && let Some(variable) = statement
            .value(at + 2)
            .filter(|_| statement.kind(at + 2) == Some(TokenKind::String))
            .map(|variable| variable.to_ascii_lowercase())
    {
        let start = if qualified { at.saturating_sub(2) } else { at };
        if is(at, "current_setting")
            && let Some(value) = setting(&variable)
        {
            let call = format!("crdb_internal.current_setting({value})");
            edits.replace(statement.start(start), statement.end(closing), call);
            return true;
        }
        if is(at, "set_config")
            && let Some(limit) = variables::timeout(&variable)
        {
            // As SET takes them and SHOW gives them: intervals, and milliseconds.
            edits.replace(statement.start(start), statement.end(at), "crdb_internal.set_timeout");
            edits.replace(statement.start(at + 2), statement.end(at + 2), quote(limit));
            return true;
        }
        if is(at, "set_config")
            && let Some(kept) = kept(&variable)
        {
            edits.replace(statement.start(at + 2), statement.end(at + 2), quote(&kept));
            return true;
        }
    }
    if !qualified
        && statement.is(at, "COLLATE")
        && let Some(language) = language(statement, at + 1)
    {
        if LANGUAGES.lines().any(|known| known == language) {
            let name = format!("pg_catalog.\"{language}\"");
            edits.replace(statement.start(at + 1), statement.end(at + 1), name);
        } else {
            edits.replace(statement.start(at), statement.end(at + 1), "");
        }
        // PostgreSQL's package knows no language's order.
        edits.add_notice(
            "strings are compared by code point: the local endpoint knows no language's order",
        );
        return true;
    }
    false
}

/// The value of one of CockroachDB's variables, as `SHOW` gives it, as an expression.
fn setting(variable: &str) -> Option<String> {
    match variable {
        "database" => Some("pg_catalog.current_database()".to_owned()),
        _ => variables::value(variable),
    }
}

/// The option that keeps one of CockroachDB's variables that can be set.
fn kept(variable: &str) -> Option<String> {
    let (_, form) = variables::find(variable)?;
    (form != Form::ReadOnly).then(|| variables::option_name(variable))
}

/// `en`, `de_DE`, `"en-US-u-ks-level2"`: a language's tag as CockroachDB writes it, no collation of PostgreSQL's.
fn language(statement: &Statement<'_>, at: usize) -> Option<String> {
    let name = statement.name(at).filter(|_| !statement.is_mark(at + 1, "."))?;
    let mut parts = name.split(['-', '_']);
    let language = parts.next()?;
    let known = |name: &str| LANGUAGES.lines().any(|line| line.eq_ignore_ascii_case(name));
    let is_one = (language.len() == 2 || known(language))
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.clone().next_back() != Some("icu")
        && parts
            .clone()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !is_one {
        return None;
    }
    let region = |part: &str| match part.len() {
        2 => part.to_ascii_uppercase(),
        4 => {
            part.get(..1).unwrap_or_default().to_ascii_uppercase()
                + part.get(1..).unwrap_or_default()
        }
        _ => part.to_owned(),
    };
    let tag: Vec<String> =
        std::iter::once(language.to_ascii_lowercase()).chain(parts.map(region)).collect();
    Some(tag.join("-"))
}
