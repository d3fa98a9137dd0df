//! `CREATE INDEX`, `DROP INDEX`, `ALTER INDEX`.

use kecoa_sql::Statement;

use super::catalog::Context;
use super::edit::Edits;
use super::expression;
use super::index_clauses::{VISIBLE, implicit_name, nulls_first, trailer, visibility};
use super::partition;
use super::plan::{Analysis, Class, Piece, Refusal, Stop};
use super::quote::quote;

/// Rewrites `CREATE [UNIQUE] [INVERTED] INDEX`, whose reply is the last piece's; `None` for other
/// statements.
pub(super) fn create(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Vec<Piece>>, Stop> {
    let mut at = 1 + usize::from(statement.is(1, "UNIQUE"));
    if !statement.is(0, "CREATE") {
        return Ok(None);
    }
    if statement.is(at, "VECTOR") && statement.is(at + 1, "INDEX") {
        return Err(Refusal::cluster_only("make vector indexes").into());
    }
    let inverted = statement.is(at, "INVERTED");
    if !statement.is(at + usize::from(inverted), "INDEX") {
        return Ok(None);
    }
    let mut edits = Edits::default();
    expression::rewrite(statement, context, &mut edits)?;
    if inverted {
        edits.replace(statement.start(at), statement.start(at + 1), "");
        at += 1;
    }
    at += 1;
    at += usize::from(statement.is(at, "CONCURRENTLY"));
    let lenient = statement.are(at, &["IF", "NOT", "EXISTS"]);
    if lenient {
        at += 3;
    }
    let nameless = statement.is(at, "ON") && !statement.is(at + 1, "ON");
    let on = if nameless { at } else { at + 1 };
    let name = on + 1 + usize::from(statement.is(on + 1, "ONLY"));
    let Some(end) = statement.qualified_name(name).filter(|_| statement.is(on, "ON")) else {
        return Ok(Some(vec![Piece::edited(statement, edits)]));
    };
    let Some(open) = statement.find(end, statement.len(), |i| statement.is_mark(i, "(")) else {
        return Ok(Some(vec![Piece::edited(statement, edits)]));
    };
    let closing = statement.partner(open).unwrap_or(statement.len());
    // PostgreSQL's own name would have the stored columns in it.
    let stores = statement
        .find(closing, statement.len(), |i| statement.is_any(i, &["STORING", "COVERING"]))
        .is_some();
    if nameless && (lenient || stores) {
        let table = statement.slice(name, end);
        let text = implicit_name(statement, &table, open + 1, closing, "idx");
        edits.insert(statement.start(on), format!("{text} "));
    }
    let columns = statement.elements(open + 1, closing);
    if inverted {
        edits.insert(statement.start(open), " USING gin ");
        for (_, last) in &columns {
            if *last >= 2 && statement.is_any(last - 1, &["ASC", "DESC"]) {
                edits.replace(statement.end(last - 2), statement.end(last - 1), "");
            }
        }
    } else if statement.are(open - 2, &["USING", "BTREE"]) || !statement.is(open - 2, "USING") {
        nulls_first(statement, &columns, &mut edits);
    }
    let to = statement.len();
    if statement.find(closing, to, |i| statement.is(i, "INTERLEAVE")).is_some() {
        return Err(Refusal::cluster_only("interleave indexes").into());
    }
    partition::refuse(statement, closing, to, "partition indexes")?;
    trailer(statement, closing + 1, to, &mut edits);
    let mut pieces = Vec::new();
    if columns.len() > 1 && (inverted || statement.are(open - 2, &["USING", "GIN"])) {
        let body = "BEGIN PERFORM crdb_internal.need_gin_columns(); END";
        pieces.push(Piece::hidden(&format!("DO {}", quote(body))));
    }
    pieces.push(Piece::edited(statement, edits));
    Ok(Some(pieces))
}

/// `ALTER INDEX … [NOT] VISIBLE`; `None` for other statements.
pub(super) fn alter_visibility(statement: &Statement<'_>) -> Option<Analysis> {
    let to = statement.len();
    let shows = statement.are(0, &["ALTER", "INDEX"])
        && (2..to).any(|at| visibility(statement, at).is_some_and(|last| last + 1 == to));
    shows.then(|| Analysis::piece(Class::Definition, Piece::notice(VISIBLE, "ALTER INDEX")))
}

/// `DROP INDEX … CASCADE`, which drops a unique constraint too; `None` for other statements.
pub(super) fn drop_cascade(statement: &Statement<'_>) -> Option<Analysis> {
    let to = statement.len();
    if !statement.are(0, &["DROP", "INDEX"]) || !statement.is(to - 1, "CASCADE") {
        return None;
    }
    let lenient = statement.are(2, &["IF", "EXISTS"]);
    let mut body = String::from("BEGIN");
    for (start, end) in statement.elements(if lenient { 4 } else { 2 }, to - 1) {
        let (name, last) = index_name(statement, start)?;
        if last != end {
            return None;
        }
        body.push_str(&format!(" PERFORM crdb_internal.drop_index({}, {lenient});", quote(&name)));
    }
    let sql = format!("DO {}", quote(&format!("{body} END")));
    Some(Analysis::piece(Class::Definition, Piece::tagged(sql, "DROP INDEX")))
}

/// `DROP INDEX t@idx` -> `DROP INDEX idx`, in `t`'s schema when it names one.
pub(super) fn drop(statement: &Statement<'_>, edits: &mut Edits) {
    let mut at = 2 + usize::from(statement.is(2, "CONCURRENTLY"));
    if statement.are(at, &["IF", "EXISTS"]) {
        at += 2;
    }
    for (start, _) in statement.elements(at, statement.len()) {
        qualified(statement, start, edits);
    }
}

/// `ALTER INDEX [IF EXISTS] t@idx …`.
pub(super) fn alter(statement: &Statement<'_>, edits: &mut Edits) {
    qualified(statement, if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 }, edits);
}

fn qualified(statement: &Statement<'_>, start: usize, edits: &mut Edits) {
    if let Some((name, last)) = index_name(statement, start)
        && statement.qualified_name(start) != Some(last)
    {
        edits.replace(statement.start(start), statement.end(last - 1), name);
    }
}

/// The index named at `start` as PostgreSQL names it, and one past its last token.
fn index_name(statement: &Statement<'_>, start: usize) -> Option<(String, usize)> {
    let at = statement.qualified_name(start)?;
    if statement.is_mark(at, "@") && statement.is_name(at + 1) {
        let schema = statement.slice(start, at - 1).into_owned();
        let index = statement.slice(at + 1, at + 2);
        return Some((format!("{schema}{index}"), at + 2));
    }
    Some((statement.slice(start, at).into_owned(), at))
}
