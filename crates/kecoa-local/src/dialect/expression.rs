//! What may stand anywhere in a statement: casts, literals, functions, index hints, `UPSERT`.

use kecoa_sql::Statement;
use kecoa_sql::TokenKind;

use super::catalog::Context;
use super::edit::Edits;
use super::plan::{Refusal, Stop};
use super::quote::quote;
use super::{
    bytes, conditionals, limited, literals, long_names, names, operators, own_names, query,
    quoted_words, show, signature, sql_json, system_time, texts, types, upsert,
};

/// Collects the edits for all of `statement`.
pub(super) fn rewrite(
    statement: &Statement<'_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    query::rewrite(statement, context, edits)?;
    long_names::rewrite(statement, edits);
    let length = statement.len();
    // The closing brackets around the token at hand.
    let mut around: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < length {
        if around.last() == Some(&at) {
            around.pop();
        }
        let mut next = at + 1;
        match statement.kind(at) {
            Some(TokenKind::Punctuation) => {
                if let Some(closing) = statement.partner(at).filter(|closing| *closing > at) {
                    if let Some(after) = show::source(statement, at, closing, context, edits)? {
                        next = after;
                    } else if explained(statement, at, closing, context, edits)? {
                        next = closing + 1;
                    } else {
                        if is_column_definitions(statement, at) {
                            signature::columns(statement, at, edits)?;
                        }
                        around.push(closing);
                    }
                }
            }
            Some(TokenKind::Operator) => {
                operators::apart(statement, at, edits);
                if edits.settings.strict
                    && let Some(refusal) = operators::foreign(statement, at)
                {
                    return Err(refusal.into());
                }
                operator(statement, at, edits)?;
            }
            Some(TokenKind::Number) if edits.settings.strict => {
                literals::check(statement, at)?;
            }
            Some(TokenKind::BString) => {
                if let Some(literal) = bytes::escaped(statement.text(at)) {
                    edits.replace(statement.start(at), statement.end(at), literal);
                }
            }
            Some(TokenKind::XString) => {
                if let Some(literal) = bytes::hexadecimal(statement.text(at)) {
                    edits.replace(statement.start(at), statement.end(at), literal);
                }
            }
            Some(TokenKind::Word | TokenKind::QuotedIdentifier)
                if statement.is_mark(at + 1, ".")
                    && !(at > 0 && statement.is_mark(at - 1, "."))
                    && statement.name(at).as_deref() == Some(context.database) =>
            {
                let open = around.last().and_then(|closing| statement.partner(*closing));
                names::rewrite(statement, at, open, context, edits)?;
            }
            Some(TokenKind::Word | TokenKind::QuotedIdentifier)
                if own_names::rewrite(statement, at, edits) => {}
            Some(TokenKind::Word) => {
                quoted_words::rewrite(statement, at, edits);
                let end = around.last().copied().unwrap_or(length);
                word(statement, at, end, context, edits)?;
            }
            _ => {}
        }
        at = next;
    }
    Ok(())
}

/// One operator: `::` and `:::`, `@` of several meanings, `//` where there is no tree.
fn operator(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> Result<(), Stop> {
    match statement.text(at) {
        b"::" => {
            if at > 0 {
                texts::literal(statement, at - 1, at + 1, edits);
            }
            types::rewrite(statement, at + 1, false, edits)?;
        }
        b":::" => {
            edits.replace(statement.start(at), statement.end(at), "::");
            types::rewrite(statement, at + 1, false, edits)?;
        }
        // The field of a tuple, which the rules on trees know.
        b"@" if edits.has_tree && at > 0 && statement.is_mark(at - 1, ".") => {}
        b"@" if is_ordinal(statement, at) && edits.settings.strict => {
            let what = "columns by their number (write the name, or abs() for @)";
            return Err(Refusal::syntax(statement, at, "0A000", what).into());
        }
        b"@" if is_absolute(statement, at) && edits.settings.strict => {
            let what = "the operator @ (write abs())";
            return Err(Refusal::syntax(statement, at, "42601", what).into());
        }
        b"@" => index_hint(statement, at, edits),
        text if !edits.has_tree && is_whole_division(text) => {
            let from = statement.start(at);
            edits.replace(from, from + 2, "/ crdb_internal.whole() /");
        }
        _ => {}
    }
    Ok(())
}

fn word(
    statement: &Statement<'_>,
    at: usize,
    end: usize,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let qualified = at > 0 && statement.is_mark(at - 1, ".");
    let text = statement.text(at);
    if statement.is(at, "AS") && statement.are(at + 1, &["OF", "SYSTEM", "TIME"]) {
        system_time::rewrite(statement, at, edits)?;
        return Ok(());
    }
    if statement.are(at, &["RETURNING", "NOTHING"]) && (at + 2 == end) {
        edits.replace(statement.start(at), statement.end(at + 1), "");
        return Ok(());
    }
    if statement.is_any(at, &["UPDATE", "DELETE"])
        && starts(statement, at, end)
        && edits.first_in(end)
    {
        return limited::rewrite(statement, at, end, edits);
    }
    if statement.is(at, "UPSERT") && statement.is(at + 1, "INTO") && !qualified {
        return upsert::rewrite(statement, at, end, context, edits);
    }
    if edits.settings.strict
        && statement.is(at, "VARIADIC")
        && at > 0
        && (statement.is_mark(at - 1, "(") || statement.is_mark(at - 1, ","))
        && !(1..4).any(|at| statement.is_any(at, &["FUNCTION", "PROCEDURE"]))
    {
        return Err(Refusal::syntax(statement, at, "42601", "VARIADIC").into());
    }
    if edits.settings.strict && statement.are(at, &["AT", "LOCAL"]) {
        let what = "AT LOCAL (say AT TIME ZONE)";
        return Err(Refusal::syntax(statement, at, "42601", what).into());
    }
    if edits.settings.strict
        && let Some(refusal) = sql_json::refusal(statement, at)
    {
        return Err(refusal.into());
    }
    if statement.is_mark(at + 1, "(") {
        let closing = statement.partner(at + 1);
        if text.eq_ignore_ascii_case(b"cast") {
            let Some(closing) = closing else { return Ok(()) };
            if let Some(cast) = statement.find(at + 2, closing, |i| statement.is(i, "AS")) {
                if cast == at + 3 {
                    texts::literal(statement, at + 2, cast + 1, edits);
                }
                types::rewrite(statement, cast + 1, false, edits)?;
            }
        } else if text.eq_ignore_ascii_case(b"annotate_type") && !sql_json::is_named(statement, at)
        {
            annotated(statement, at, edits)?;
        } else if text.eq_ignore_ascii_case(b"ifnull") && !sql_json::is_named(statement, at) {
            conditionals::if_null(statement, at, edits);
        } else if text.eq_ignore_ascii_case(b"if") && !sql_json::is_named(statement, at) {
            conditionals::choice(statement, at, edits);
        } else if text.eq_ignore_ascii_case(b"extract") && !qualified {
            // Called as any function: PostgreSQL's grammar has the form with FROM alone.
            if closing.is_some_and(|closing| statement.elements(at + 2, closing).len() == 2) {
                edits.replace(statement.start(at), statement.end(at), "pg_catalog.\"extract\"");
            }
        } else if text.eq_ignore_ascii_case(b"extract_duration") && statement.is(at + 3, "FROM") {
            // The same, which PostgreSQL's grammar does not have at all.
            let part = statement.value(at + 2).or_else(|| statement.name(at + 2));
            let part = format!("{},", quote(&part.unwrap_or_default()));
            edits.replace(statement.start(at + 2), statement.end(at + 3), part);
        } else if text.eq_ignore_ascii_case(b"count_rows") && closing == Some(at + 2) {
            // An aggregate without arguments is called with a star.
            edits.insert(statement.start(at + 2), "*");
        } else if !qualified && closing == Some(at + 2) && statement.is_any(at, &WITHOUT_BRACKETS) {
            edits.replace(statement.start(at + 1), statement.end(at + 2), "");
        }
        return Ok(());
    }
    let literal = matches!(
        statement.kind(at + 1),
        Some(TokenKind::String | TokenKind::EscapeString | TokenKind::DollarString)
    );
    if literal
        && !qualified
        && (types::is_changed_type(statement, at) || types::is_refused(statement, at))
    {
        // A typed literal: BYTES 'abc'.
        types::rewrite(statement, at, false, edits)?;
    }
    if literal && !qualified {
        texts::literal(statement, at + 1, at, edits);
    }
    Ok(())
}

/// `ANNOTATE_TYPE(a, STRING)`, which is `a:::STRING` -> `CAST(a AS STRING)`.
fn annotated(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> Result<(), Stop> {
    let Some(closing) = statement.partner(at + 1) else { return Ok(()) };
    if let [(_, comma), (kind, _)] = statement.elements(at + 2, closing).as_slice() {
        edits.replace(statement.start(at), statement.end(at), "CAST");
        edits.replace(statement.start(*comma), statement.end(*comma), " AS ");
        types::rewrite(statement, *kind, false, edits)?;
    }
    Ok(())
}

/// `FROM [EXPLAIN …]`: a function runs it and gives its lines. True if it was one.
fn explained(
    statement: &Statement<'_>,
    at: usize,
    closing: usize,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<bool, Stop> {
    if !statement.is_mark(at, "[") || !statement.is(at + 1, "EXPLAIN") {
        return Ok(false);
    }
    let nested = |i| statement.is_mark(i, "[") && statement.is(i + 1, "EXPLAIN");
    if (at + 1..closing).any(nested) {
        return Ok(false);
    }
    let text = statement.slice(at + 1, closing);
    let Some(inner) = Statement::whole(text.as_bytes(), context.backslash_escapes) else {
        return Ok(false);
    };
    let mut within = Edits::under(context.settings);
    rewrite(&inner, context, &mut within)?;
    let sql = within.apply(inner.sql(), inner.offset()).text;
    let call = format!("crdb_internal.explained({})", quote(&String::from_utf8_lossy(&sql)));
    edits.replace(statement.start(at), statement.end(closing), call);
    Ok(true)
}

/// Whether the bracket at `at` is the list of columns behind a function: `f(…) AS t (a INT)`.
fn is_column_definitions(statement: &Statement<'_>, at: usize) -> bool {
    let mut before = at;
    if before > 0 && statement.is_name(before - 1) && !statement.is(before - 1, "AS") {
        before -= 1;
    }
    if before > 0 && statement.is(before - 1, "AS") {
        before -= 1;
    }
    before < at
        && before > 0
        && statement.is_mark(before - 1, ")")
        && !statement
            .is_any(at + 1, &["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE"])
}

/// Functions that PostgreSQL knows without brackets only.
const WITHOUT_BRACKETS: [&str; 7] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "CURRENT_USER",
    "SESSION_USER",
];

/// Whether a statement starts at `at`, in the bracket that `end` closes or at the top.
fn starts(statement: &Statement<'_>, at: usize, end: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    if statement.is_mark(before, "(") || statement.is_mark(before, "[") {
        return statement.partner(before) == Some(end);
    }
    // Behind the queries of a WITH, or EXPLAIN's words.
    statement.is_any(0, &["WITH", "EXPLAIN", "PREPARE"])
        && (statement.is_mark(before, ")")
            || before == 0
            || statement.is_any(before, &["ANALYZE", "VERBOSE", "AS"]))
}

/// `//`, perhaps with the sign of what follows it.
fn is_whole_division(operator: &[u8]) -> bool {
    operator.strip_prefix(b"//").is_some_and(|rest| rest.iter().all(|b| matches!(b, b'+' | b'-')))
}

/// `@1`: a column of CockroachDB's where `allow_ordinal_column_references` is on, and in PostgreSQL an
/// absolute value.
fn is_ordinal(statement: &Statement<'_>, at: usize) -> bool {
    statement.kind(at + 1) == Some(TokenKind::Number)
        && statement.start(at + 1) == statement.end(at)
        && at.checked_sub(1).is_none_or(|before| {
            !statement.is_name(before) || statement.end(before) != statement.start(at)
        })
}

/// `(@ v`: PostgreSQL's absolute value where no tree says so, behind a bracket, a comma or an operator.
fn is_absolute(statement: &Statement<'_>, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| match statement.kind(before) {
        Some(TokenKind::Operator) => true,
        Some(TokenKind::Punctuation) => {
            statement.is_mark(before, ",") || statement.is_mark(before, "(")
        }
        _ => false,
    })
}

/// `t@idx`, `t@{FORCE_INDEX=idx}`, `t@[1]`: a hint that changes no result is dropped. `@` with a
/// blank before it is PostgreSQL's absolute value.
fn index_hint(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let Some(before) = at.checked_sub(1) else {
        return;
    };
    if !statement.is_name(before) || statement.end(before) != statement.start(at) {
        return;
    }
    let last = if statement.is_name(at + 1) {
        at + 1
    } else if statement.is_mark(at + 1, "{") || statement.is_mark(at + 1, "[") {
        match statement.partner(at + 1) {
            Some(closing) => closing,
            None => return,
        }
    } else {
        return;
    };
    edits.replace(statement.start(at), statement.end(last), "");
}
