//! The bodies of functions, procedures and blocks: CockroachDB's types and operators in them. All else stays as it is.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::plan::Refusal;
use super::{operators, plpgsql, types};

const LEAKPROOF: &str = "the local endpoint ignores LEAKPROOF: PostgreSQL keeps it for superusers";

/// The body of a statement that makes a function or a procedure, or of `DO`; and what PostgreSQL lets
/// nobody but a superuser say of a function.
///
/// # Errors
/// A type that CockroachDB does not have.
pub(super) fn rewrite(statement: &Statement<'_>, edits: &mut Edits) -> Result<(), Refusal> {
    let mut at = 1;
    if statement.are(0, &["ALTER", "FUNCTION"]) {
        let found = (2..statement.len()).find(|at| statement.is(*at, "LEAKPROOF"));
        if let Some(at) = found.filter(|at| !statement.is(at - 1, "NOT")) {
            edits.insert(statement.start(at), "NOT ");
            edits.add_notice(LEAKPROOF);
        }
        return Ok(());
    }
    if statement.is(0, "CREATE") {
        at += if statement.are(at, &["OR", "REPLACE"]) { 2 } else { 0 };
        if !statement.is_any(at, &["FUNCTION", "PROCEDURE"]) {
            return Ok(());
        }
    } else if !statement.is(0, "DO") {
        return Ok(());
    }
    while at < statement.len() {
        if statement.is(at, "LEAKPROOF") {
            let from = if statement.is(at - 1, "NOT") { at - 1 } else { at };
            edits.replace(statement.start(from), statement.end(at), "");
            if from == at {
                edits.add_notice(LEAKPROOF);
            }
        } else if statement.is_any(at - 1, &["AS", "DO", "PLPGSQL"]) {
            text(statement, at, edits)?;
        }
        at = statement.skip(at);
    }
    Ok(())
}

/// The text at `at`, if nothing in it is escaped.
fn text(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> Result<(), Refusal> {
    let token = statement.text(at);
    let quote = match statement.kind(at) {
        Some(TokenKind::DollarString) => {
            token.iter().skip(1).position(|byte| *byte == b'$').map(|end| end + 2)
        }
        Some(TokenKind::String) if token.starts_with(b"'") => Some(1),
        _ => None,
    };
    let Some(quote) = quote else { return Ok(()) };
    let Some(body) = token.get(quote..token.len().saturating_sub(quote)) else { return Ok(()) };
    if quote == 1 && body.iter().any(|byte| matches!(byte, b'\'' | b'\\')) {
        return Ok(());
    }
    let Some(inner) = Statement::whole(body, false).filter(Statement::is_understood) else {
        return Ok(());
    };
    if edits.settings.strict
        && let Some(refusal) = plpgsql::refusal(statement, &inner)
    {
        return Err(refusal);
    }
    let mut own = Edits::under(&edits.settings);
    let mut declares = false;
    for at in 0..inner.len() {
        declares = match () {
            () if inner.is(at, "DECLARE") => true,
            () if inner.is(at, "BEGIN") => false,
            () => declares,
        };
        let typed = at > 0
            && inner.kind(at - 1) == Some(TokenKind::Operator)
            && matches!(inner.text(at - 1), b"::" | b":::")
            || at > 1 && inner.is(at - 1, "AS") && is_cast(&inner, at)
            || declares && is_declared(&inner, at);
        if typed {
            types::rewrite(&inner, at, false, &mut own)?;
        }
        operators::apart(&inner, at, &mut own);
        if inner.text(at) == b":::" {
            own.replace(inner.start(at), inner.end(at), "::");
        }
    }
    if own.is_empty() {
        return Ok(());
    }
    let start = statement.start(at) + quote + inner.offset();
    let end = start + inner.sql().len();
    edits.replace(
        start,
        end,
        String::from_utf8_lossy(&own.apply(inner.sql(), 0).text).into_owned(),
    );
    Ok(())
}

/// `CAST(x AS type)`, where the type stands at `at`.
fn is_cast(inner: &Statement<'_>, at: usize) -> bool {
    let mut depth = 0_usize;
    for before in (0..at).rev() {
        if inner.is_mark(before, ")") {
            depth += 1;
        } else if inner.is_mark(before, "(") {
            if depth == 0 {
                return before > 0 && inner.is(before - 1, "CAST");
            }
            depth -= 1;
        }
    }
    false
}

/// `name type` or `name CONSTANT type` of a declaration, where the type stands at `at`.
fn is_declared(inner: &Statement<'_>, at: usize) -> bool {
    let name = match at.checked_sub(1) {
        Some(before) if inner.is(before, "CONSTANT") => at.checked_sub(2),
        before => before,
    };
    name.is_some_and(|name| {
        inner.is_name(name)
            && name > 0
            && (inner.is(name - 1, "DECLARE") || inner.is_mark(name - 1, ";"))
    })
}
