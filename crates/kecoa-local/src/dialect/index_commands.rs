//! `DROP INDEX`, `ALTER INDEX`, `COMMENT ON INDEX`: an index is named by its table, `t@i`, or alone.

use kecoa_sql::Statement;

use super::catalog::{Context, Need, TableName};
use super::edit::Edits;
use super::index_clauses::{VISIBLE, visibility};
use super::index_names::perform;
use super::plan::{Analysis, Class, Piece};
use super::quote::quote;
use super::upsert;

/// Analyses them; `None` for other statements, and for commands of `ALTER INDEX` that are
/// PostgreSQL's.
pub(super) fn analyse(
    statement: &Statement<'_>,
    context: &Context<'_>,
) -> Result<Option<Analysis>, Need> {
    if statement.are(0, &["DROP", "INDEX"]) {
        return drop(statement, context);
    }
    if statement.are(0, &["COMMENT", "ON", "INDEX"]) {
        return comment(statement, context);
    }
    if !statement.are(0, &["ALTER", "INDEX"]) {
        return Ok(None);
    }
    let to = statement.len();
    if (2..to).any(|at| visibility(statement, at).is_some_and(|last| last + 1 == to)) {
        let piece = Piece::notice(VISIBLE, "ALTER INDEX");
        return Ok(Some(Analysis::piece(Class::Definition, piece)));
    }
    rename(statement, context)
}

fn done(call: &str, tag: &str) -> Option<Analysis> {
    let piece = Piece::tagged(perform(call).sql.text, tag);
    Some(Analysis::piece(Class::Definition, piece))
}

/// `DROP INDEX [CONCURRENTLY] [IF EXISTS] t@i, s.j [CASCADE|RESTRICT]`.
fn drop(statement: &Statement<'_>, context: &Context<'_>) -> Result<Option<Analysis>, Need> {
    let mut at = 2 + usize::from(statement.is(2, "CONCURRENTLY"));
    let lenient = statement.are(at, &["IF", "EXISTS"]);
    at += if lenient { 2 } else { 0 };
    let mut to = statement.len();
    let cascade = statement.is(to - 1, "CASCADE");
    to -= usize::from(cascade || statement.is(to - 1, "RESTRICT"));
    let mut calls = Vec::new();
    for (start, end) in statement.elements(at, to) {
        let Some(index) = Index::read(statement, start, end, context)? else { return Ok(None) };
        calls
            .push(format!("crdb_internal.drop_index({}, {lenient}, {cascade})", index.arguments()));
    }
    if calls.is_empty() {
        return Ok(None);
    }
    Ok(done(&calls.join("; PERFORM "), "DROP INDEX"))
}

/// `ALTER INDEX [IF EXISTS] t@i RENAME TO j`.
fn rename(statement: &Statement<'_>, context: &Context<'_>) -> Result<Option<Analysis>, Need> {
    let to = statement.len();
    let lenient = statement.are(2, &["IF", "EXISTS"]);
    let from = if lenient { 4 } else { 2 };
    let Some(wanted) = statement.name(to - 1) else { return Ok(None) };
    if to < from + 4 || !statement.are(to - 3, &["RENAME", "TO"]) {
        return Ok(None);
    }
    let Some(index) = Index::read(statement, from, to - 3, context)? else { return Ok(None) };
    let arguments = index.arguments();
    let call = format!("crdb_internal.rename_index({arguments}, {lenient}, {})", quote(&wanted));
    Ok(done(&call, "ALTER INDEX"))
}

/// `COMMENT ON INDEX t@i IS 'text'`.
fn comment(statement: &Statement<'_>, context: &Context<'_>) -> Result<Option<Analysis>, Need> {
    let to = statement.len();
    let Some(is) = statement.find(3, to, |i| statement.is(i, "IS")) else { return Ok(None) };
    let Some(index) = Index::read(statement, 3, is, context)? else { return Ok(None) };
    if to != is + 2 {
        return Ok(None);
    }
    // The text is a literal; its percent signs are no places.
    let text = statement.slice(is + 1, to).replace('%', "%%");
    let command = quote(&format!("COMMENT ON INDEX %s IS {text}"));
    let found = format!("crdb_internal.index_named({}, false)", index.arguments());
    Ok(done(&format!("crdb_internal.with_index({found}, {command})"), "COMMENT ON INDEX"))
}

/// `ALTER INDEX t@i …` for PostgreSQL, which finds an index by its own name.
pub(super) fn alter(statement: &Statement<'_>, edits: &mut Edits) {
    let start = if statement.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    let Some(at) = statement.qualified_name(start) else { return };
    if statement.is_mark(at, "@") && statement.is_name(at + 1) {
        let schema = statement.slice(start, at - 1);
        let index = statement.slice(at + 1, at + 2);
        edits.replace(statement.start(start), statement.end(at + 1), format!("{schema}{index}"));
    }
}

/// An index as a client names it.
struct Index {
    table: Option<TableName>,
    schema: Option<String>,
    name: String,
}

impl Index {
    /// Reads `from..to`; `None` if it is no name of an index.
    fn read(
        statement: &Statement<'_>,
        from: usize,
        to: usize,
        context: &Context<'_>,
    ) -> Result<Option<Self>, Need> {
        let Some(end) = statement.qualified_name(from).filter(|end| *end <= to) else {
            return Ok(None);
        };
        let Some(named) = upsert::table_name(statement, from, end, context)? else {
            return Ok(None);
        };
        if end == to {
            return Ok(Some(Self { table: None, schema: named.schema, name: named.name }));
        }
        let name = statement.name(end + 1).filter(|_| statement.is_mark(end, "@") && to == end + 2);
        Ok(name.map(|name| Self { table: Some(named), schema: None, name }))
    }

    /// The arguments of our functions: table, schema, index.
    fn arguments(&self) -> String {
        let literal =
            |text: Option<String>| text.map_or_else(|| "NULL".to_owned(), |text| quote(&text));
        let table = literal(self.table.as_ref().map(TableName::quoted));
        format!("{table}, {}, {}", literal(self.schema.clone()), quote(&self.name))
    }
}
