//! What indexes and keys have in common, wherever they are written: names, and what stands behind the columns.

use kecoa_sql::Statement;
use kecoa_sql::TokenKind;

use super::edit::Edits;

/// `table_column_expr_expr1_key`, as CockroachDB names an index that has no name.
pub(super) fn implicit_name(
    statement: &Statement<'_>,
    table: &str,
    from: usize,
    to: usize,
    suffix: &str,
) -> String {
    let mut name = table.to_owned();
    let mut expressions = 0;
    for (start, end) in statement.elements(from, to) {
        name.push('_');
        // Behind a column there is its order or its operator class; an expression has brackets.
        let simple = end == start + 1 || statement.is_name(start + 1);
        if let Some(part) = statement.name(start).filter(|_| simple) {
            name.push_str(&part);
            continue;
        }
        name.push_str("expr");
        if expressions > 0 {
            name.push_str(&expressions.to_string());
        }
        expressions += 1;
    }
    name.push('_');
    name.push_str(suffix);
    name
}

/// Gives each column of an index the place that CockroachDB has for its NULLs, which is first, so that
/// the index serves the order of CockroachDB's queries.
pub(super) fn nulls_first(
    statement: &Statement<'_>,
    columns: &[(usize, usize)],
    edits: &mut Edits,
) {
    for (start, end) in columns {
        let last = end.saturating_sub(1);
        if last < *start || last > *start && statement.is(last - 1, "NULLS") {
            continue;
        }
        let place = if last > *start && statement.is(last, "DESC") { "LAST" } else { "FIRST" };
        edits.insert(statement.end(last), format!(" NULLS {place}"));
    }
}

/// What stands behind an index's or a key's columns.
pub(super) fn trailer(statement: &Statement<'_>, from: usize, to: usize, edits: &mut Edits) {
    let mut at = from;
    while at < to {
        if statement.are(at, &["USING", "HASH"]) {
            hash_sharding(statement, at, to, edits);
            at += 1;
        } else if statement.is_any(at, &["STORING", "COVERING"]) && statement.is_mark(at + 1, "(") {
            edits.replace(statement.start(at), statement.end(at), "INCLUDE");
        } else if let Some(last) = visibility(statement, at) {
            edits.replace(statement.start(at), statement.end(last), "");
            edits.add_notice(VISIBLE);
            at = last;
        } else if statement.is(at, "WHERE") {
            // Behind a condition it can only be the last thing; a column may have the name.
            let behind = to.saturating_sub(2);
            if behind <= at + 1 || visibility(statement, behind) != Some(to - 1) {
                return;
            }
            at = behind;
            continue;
        }
        at = statement.skip(at);
    }
}

pub(super) const VISIBLE: &str = "the local endpoint's indexes are all visible to the optimizer";

/// The last token of `[NOT] VISIBLE` or `VISIBILITY 0.5` at `at`.
pub(super) fn visibility(statement: &Statement<'_>, at: usize) -> Option<usize> {
    if statement.is(at, "VISIBLE") {
        return Some(at);
    }
    let number = statement.kind(at + 1) == Some(TokenKind::Number);
    (statement.are(at, &["NOT", "VISIBLE"]) || statement.is(at, "VISIBILITY") && number)
        .then_some(at + 1)
}

/// `USING HASH [WITH (bucket_count = 8)] [WITH BUCKET_COUNT = 8]`: hash sharding spreads writes
/// over ranges, and there is one.
pub(super) fn hash_sharding(statement: &Statement<'_>, at: usize, to: usize, edits: &mut Edits) {
    let mut last = at + 1;
    if statement.is(at + 2, "WITH") && at + 3 < to {
        if statement.is_mark(at + 3, "(") {
            last = statement.partner(at + 3).unwrap_or(at + 3);
        } else if statement.is(at + 3, "BUCKET_COUNT") {
            last = (at + 5).min(to.saturating_sub(1));
        }
    }
    edits.replace(statement.start(at), statement.end(last), "");
}
