//! `NULL` sorts first in CockroachDB and last in PostgreSQL, so the order says where it goes.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::{Context, Need};
use crate::dialect::edit::Edits;
use crate::dialect::plan::Stop;
use crate::dialect::upsert;

/// `ORDER BY a` -> `ORDER BY a NULLS FIRST`, in queries, windows and aggregates.
///
/// A key that cannot be NULL stays as it is, where that matters: with a LIMIT an index in the order that is
/// asked for saves reading the whole table, and PostgreSQL takes the words for another order.
pub(super) fn rewrite(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let tree = query.tree;
    let Some(around) = tree.parent(node).and_then(|order| tree.parent(order)) else {
        return Ok(());
    };
    if context.settings.null_ordered_last
        || tree.child(node, Kind::Nulls).is_some()
        // The aggregates that take an order so leave NULL out.
        || tree.is(around, Kind::WithinGroup)
        || has_limit(query, around) && never_null(query, node, around, context)?
    {
        return Ok(());
    }
    let descending = tree.head(node).is_some_and(|head| query.statement.is(head, "DESC"));
    edits.insert(query.end(node), if descending { " NULLS LAST" } else { " NULLS FIRST" });
    Ok(())
}

fn has_limit(query: &Query<'_, '_>, around: NodeId) -> bool {
    let limit = |child| matches!(query.tree.kind(child), Some(Kind::Limit | Kind::Fetch));
    query.tree.children(around).any(limit)
}

/// Whether the key is a column that is NOT NULL, of the only table that the statement reads.
fn never_null(
    query: &Query<'_, '_>,
    node: NodeId,
    around: NodeId,
    context: &Context<'_>,
) -> Result<bool, Need> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(key) = tree.child(node, Kind::Column) else { return Ok(false) };
    let Some(table) = only_table(query, around) else { return Ok(false) };
    let Some(name) = tree.child(table, Kind::Name) else { return Ok(false) };
    let (from, to) = tree.tokens(name);
    let (first, end) = tree.tokens(key);
    let called = match tree.child(table, Kind::Alias) {
        Some(alias) => statement.name(tree.last(alias)),
        None => statement.name(to - 1),
    };
    let column = statement.name(end - 1);
    let qualified = end == first + 3;
    if end != first + 1 && !(qualified && statement.name(first) == called) {
        return Ok(false);
    }
    let Some(column) = column else { return Ok(false) };
    if !qualified && hides(query, around, &column) || is_cte(query, from, to) {
        return Ok(false);
    }
    let Some(table) = upsert::table_name(statement, from, to, context)? else { return Ok(false) };
    let columns = context.catalog.table(&table)?;
    Ok(columns.iter().any(|known| known.name == column && known.not_null))
}

/// The table that a query reads, or that a statement changes, when there is one only.
fn only_table(query: &Query<'_, '_>, around: NodeId) -> Option<NodeId> {
    let tree = query.tree;
    if matches!(tree.kind(around), Some(Kind::Update | Kind::Delete)) {
        let joined = |child| matches!(tree.kind(child), Some(Kind::From | Kind::Using));
        return tree.child(around, Kind::Table).filter(|_| !tree.children(around).any(joined));
    }
    let select = tree.child(around, Kind::Select)?;
    let mut sources = tree.children(tree.child(select, Kind::From)?);
    let table = sources.next().filter(|source| tree.is(*source, Kind::Table))?;
    let others = sources.any(|source| !tree.is(source, Kind::AsOf));
    (!others && tree.child(table, Kind::Ordinality).is_none()).then_some(table)
}

/// Whether something else that is selected may have the column's name, by which ORDER BY then sorts.
fn hides(query: &Query<'_, '_>, around: NodeId, column: &str) -> bool {
    let (tree, statement) = (query.tree, query.statement);
    let Some(targets) = tree.child(around, Kind::Select).and_then(|s| tree.child(s, Kind::Targets))
    else {
        return false;
    };
    tree.children(targets).any(|target| {
        let plain = matches!(
            tree.children(target).next().and_then(|child| tree.kind(child)),
            Some(Kind::Column | Kind::Star)
        ) && tree.child(target, Kind::Alias).is_none();
        let (first, end) = tree.tokens(target);
        !plain && (first..end).any(|index| statement.name(index).as_deref() == Some(column))
    })
}

/// Whether a table's name is that of a query behind WITH.
fn is_cte(query: &Query<'_, '_>, from: usize, to: usize) -> bool {
    let (tree, statement) = (query.tree, query.statement);
    let mut ctes = tree.ids().filter(|id| tree.is(*id, Kind::Cte));
    to == from + 1 && ctes.any(|cte| statement.name(tree.first(cte)) == statement.name(from))
}
