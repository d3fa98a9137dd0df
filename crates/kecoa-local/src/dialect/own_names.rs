//! Names of PostgreSQL's under which CockroachDB has something else, quoted or not.

use kecoa_sql::Statement;

use super::edit::Edits;

/// Puts the endpoint's own in the place of what is named at `at`; says whether it did.
pub(super) fn rewrite(statement: &Statement<'_>, at: usize, edits: &mut Edits) -> bool {
    let qualified = at > 0 && statement.is_mark(at - 1, ".");
    let is = |index: usize, name: &str| statement.name(index).as_deref() == Some(name);
    if !qualified && is(at, "information_schema") && statement.is_mark(at + 1, ".") {
        // The same view with the columns CockroachDB has in it.
        let ours = ["columns", "statistics"].iter().any(|view| is(at + 2, view));
        if ours {
            edits.replace(statement.start(at), statement.end(at), "crdb_internal");
        }
        return ours;
    }
    if is(at, "version")
        && statement.is_mark(at + 1, "(")
        && statement.partner(at + 1) == Some(at + 2)
    {
        let start = match at.checked_sub(2) {
            Some(schema) if qualified && is(schema, "pg_catalog") => schema,
            _ if qualified => return false,
            _ => at,
        };
        edits.replace(statement.start(start), statement.end(at), "crdb_internal.version");
        return true;
    }
    if !qualified && statement.is(at, "COLLATE") && is_language(statement, at + 1) {
        // PostgreSQL's package knows no language's order.
        edits.replace(statement.start(at), statement.end(at + 1), "");
        edits.add_notice(
            "strings are compared by code point: the local endpoint knows no language's order",
        );
        return true;
    }
    false
}

/// `en`, `de_DE`, `"en-US-u-ks-level2"`: a language's tag, not a collation of PostgreSQL's.
fn is_language(statement: &Statement<'_>, at: usize) -> bool {
    let Some(name) = statement.name(at).filter(|_| !statement.is_mark(at + 1, ".")) else {
        return false;
    };
    let mut parts = name.split(['-', '_']);
    let language = parts.next().unwrap_or_default();
    (language.len() == 2 || language == "und")
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.clone().next_back() != Some("icu")
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
