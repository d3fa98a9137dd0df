//! Tables of `pg_catalog` whose rows are others in CockroachDB: `crdb_internal` has a view of each.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// The tables.
const OURS: [&str; 4] = ["pg_constraint", "pg_am", "pg_indexes", "pg_roles"];

/// Columns of every table that no view has.
const OF_TABLES: [&str; 6] = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];

/// `pg_catalog.pg_constraint` -> `crdb_internal.pg_constraint`, as a source and in front of columns.
pub(super) fn rewrite(query: &Query<'_, '_>, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let sources: Vec<NodeId> = tree
        .ids()
        .filter(|node| tree.is(*node, Kind::Table))
        .filter(|n| is_ours(query, *n))
        .collect();
    let name = |at| statement.name(at);
    if sources.is_empty()
        || (0..statement.len()).any(|at| name(at).is_some_and(|n| OF_TABLES.contains(&n.as_str())))
    {
        return;
    }
    for source in sources {
        let Some((from, to)) = tree.child(source, Kind::Name).map(|name| tree.tokens(name)) else {
            continue;
        };
        match schema(query, from, to) {
            Some(at) => edits.replace(statement.start(at), statement.end(at), "crdb_internal"),
            None => edits.insert(statement.start(from), "crdb_internal."),
        }
    }
    // A column behind the table's own name without a schema is found either way.
    for column in tree.ids().filter(|node| tree.is(*node, Kind::Column)) {
        let (from, to) = tree.tokens(column);
        let table = (from..to).find(|at| name(*at).is_some_and(|n| OURS.contains(&n.as_str())));
        if let Some(at) = table.and_then(|table| schema(query, from, table + 1)) {
            edits.replace(statement.start(at), statement.end(at), "crdb_internal");
        }
    }
}

/// Whether a source is one of the tables, in `pg_catalog` or without a schema.
fn is_ours(query: &Query<'_, '_>, source: NodeId) -> bool {
    let (tree, statement) = (query.tree, query.statement);
    let Some((from, to)) = tree.child(source, Kind::Name).map(|name| tree.tokens(name)) else {
        return false;
    };
    statement.name(to - 1).is_some_and(|name| OURS.contains(&name.as_str()))
        && (to - from == 1 || schema(query, from, to).is_some())
}

/// The token `pg_catalog` in front of the last one of `from..to`.
fn schema(query: &Query<'_, '_>, from: usize, to: usize) -> Option<usize> {
    let at = to.checked_sub(3).filter(|at| *at >= from)?;
    (query.statement.name(at).as_deref() == Some("pg_catalog")).then_some(at)
}
