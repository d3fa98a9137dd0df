//! Sources that PostgreSQL lacks: statements in brackets, WITH ORDINALITY on tables.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::edit::Edits;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::quote::quote_name;
use crate::dialect::upsert;

/// `[INSERT … RETURNING …]` becomes a query of the statement's WITH, which runs first in both databases;
/// `[SELECT …]` a query in brackets.
pub(super) fn statements(query: &Query<'_, '_>, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let mut writes = Vec::new();
    for node in tree.ids().filter(|node| tree.is(*node, Kind::StatementSource)) {
        let open = tree.first(node);
        let inner = tree.children(node).next();
        let Some(close) = statement.partner(open).filter(|_| !query.is_dropped(node)) else {
            continue;
        };
        match inner.and_then(|inner| tree.kind(inner)) {
            Some(Kind::Query) => {
                edits.replace(statement.start(open), statement.end(open), "(");
                edits.replace(statement.start(close), statement.end(close), ")");
            }
            Some(Kind::Insert | Kind::Update | Kind::Delete) => writes.push((open, close)),
            _ => {}
        }
    }
    // PostgreSQL takes a statement that writes in the outermost WITH only.
    let Some(whole) = tree.root().and_then(|root| outermost(query, root)) else { return };
    let with = tree.child(whole, Kind::With);
    let last = writes.len().saturating_sub(1);
    for (number, (open, close)) in writes.into_iter().enumerate() {
        let name = quote_name(&format!("[{}]", number + 1));
        let reader = with.and_then(|with| {
            tree.children(with).find(|cte| tree.first(*cte) < open && open < tree.tokens(*cte).1)
        });
        let (place, before, after) = match (with, reader) {
            // A query of the WITH reads from it.
            (_, Some(cte)) => (query.start(cte), format!("{name} AS ("), "), "),
            (Some(with), None) => (query.end(with), format!(", {name} AS ("), ")"),
            (None, None) => {
                let word = if number == 0 { "WITH" } else { "," };
                let after = if number == last { ") " } else { ")" };
                (query.start(whole), format!("{word} {name} AS ("), after)
            }
        };
        edits.relocate((statement.end(open), statement.start(close)), place, before, after);
        edits.replace(statement.start(open), statement.end(close), name);
    }
}

/// The statement behind EXPLAIN, PREPARE and the like.
fn outermost(query: &Query<'_, '_>, node: NodeId) -> Option<NodeId> {
    let tree = query.tree;
    let mut node = node;
    while matches!(tree.kind(node), Some(Kind::Explain | Kind::Prepare | Kind::Around)) {
        node = tree.children(node).last()?;
    }
    Some(node)
}

/// `TABLE` takes any source in CockroachDB: `TABLE f()`, `TABLE (a JOIN b USING (c))`.
pub(super) fn table(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(source) = tree.children(node).next() else { return };
    let mut parts = tree.children(source);
    let plain = tree.is(source, Kind::Table)
        && parts.all(|part| matches!(tree.kind(part), Some(Kind::Name | Kind::IndexHint)));
    if !plain {
        let word = tree.first(node);
        edits.replace(statement.start(word), statement.end(word), "SELECT * FROM");
    }
}

/// `t WITH ORDINALITY` -> `(SELECT *, row_number() OVER () AS ordinality FROM t) AS t`; PostgreSQL has it for
/// functions.
pub(super) fn ordinality(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(source) = tree.parent(node) else { return };
    if tree.is(source, Kind::FunctionSource) {
        return;
    }
    // LATERAL stays in front.
    let first = tree.first(source) + usize::from(statement.is(tree.first(source), "LATERAL"));
    let opening = "(SELECT *, pg_catalog.row_number() OVER () AS ordinality FROM ";
    edits.insert(statement.start(first), opening);
    let alias = match (tree.child(source, Kind::Alias), tree.child(source, Kind::Name)) {
        (None, Some(name)) => {
            let last = tree.last(name);
            format!(") AS {}", statement.slice(last, last + 1))
        }
        _ => ")".to_owned(),
    };
    edits.replace(query.start(node), query.end(node), alias);
}

/// `ORDER BY INDEX t@i DESC`, `ORDER BY PRIMARY KEY t` -> the index's columns in its order.
pub(super) fn sort_index(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(name) = tree.child(node, Kind::Name) else { return Ok(()) };
    let (from, to) = tree.tokens(name);
    let index = statement.is_mark(to, "@").then(|| statement.name(to + 1)).flatten();
    let Some(table) = upsert::table_name(statement, from, to, context)? else { return Ok(()) };
    let columns = context.catalog.index(&table, index.as_deref())?;
    if columns.is_empty() {
        let message = match index {
            Some(index) => format!("index \"{index}\" does not exist"),
            None => format!("relation \"{}\" has no primary key", table.name),
        };
        return Err(Refusal::new("42704", message).into());
    }
    let flipped = statement.is(tree.last(node), "DESC");
    let table = read_as(query, &statement.slice(from, to));
    let keys: Vec<String> = columns
        .iter()
        .map(|column| {
            let descending = column.descending != flipped;
            let qualifier = if column.expression { String::new() } else { format!("{table}.") };
            let order = match (descending, context.settings.null_ordered_last) {
                (true, false) => " DESC NULLS LAST",
                (true, true) => " DESC",
                (false, false) => " NULLS FIRST",
                (false, true) => "",
            };
            format!("{qualifier}{}{order}", column.text)
        })
        .collect();
    edits.replace(query.start(node), query.end(node), keys.join(", "));
    Ok(())
}

/// By what name a query reads a table: its alias, if it has one.
fn read_as(query: &Query<'_, '_>, table: &str) -> String {
    let (tree, statement) = (query.tree, query.statement);
    let slice = |node| {
        let (from, to) = tree.tokens(node);
        statement.slice(from, to)
    };
    tree.ids()
        .filter(|node| tree.is(*node, Kind::Table))
        .filter(|node| tree.child(*node, Kind::Name).is_some_and(|name| slice(name) == table))
        .find_map(|node| tree.child(node, Kind::Alias))
        .map_or_else(
            || table.to_owned(),
            |alias| {
                let name = tree.first(alias) + usize::from(statement.is(tree.first(alias), "AS"));
                statement.slice(name, name + 1).into_owned()
            },
        )
}
