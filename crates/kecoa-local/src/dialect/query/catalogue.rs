//! Tables of `pg_catalog` whose rows are others in CockroachDB: `crdb_internal` has a view of each.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Stop;
use crate::dialect::show;

/// The tables.
const OURS: [&str; 22] = [
    "pg_am",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_class",
    "pg_constraint",
    "pg_database",
    "pg_event_trigger",
    "pg_extension",
    "pg_group",
    "pg_index",
    "pg_indexes",
    "pg_namespace",
    "pg_operator",
    "pg_proc",
    "pg_roles",
    "pg_sequence",
    "pg_shadow",
    "pg_stat_activity",
    "pg_trigger",
    "pg_type",
    "pg_user",
];

/// Where the session's variables are a table.
const WITH_VARIABLES: [&str; 2] = ["information_schema", "crdb_internal"];

/// Columns of every table that no view has.
const OF_TABLES: [&str; 6] = ["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"];

/// Tables in which clients see what they and others said last.
const ACTIVITY: [&str; 5] =
    ["cluster_queries", "cluster_sessions", "node_queries", "node_sessions", "pg_stat_activity"];

/// `pg_catalog.pg_constraint` -> `crdb_internal.pg_constraint`, as a source and in front of columns.
///
/// # Errors
/// What clients said last is not known yet.
pub(super) fn rewrite(
    query: &Query<'_, '_>,
    context: &Context<'_>,
    edits: &mut Edits,
) -> Result<(), Stop> {
    let (tree, statement) = (query.tree, query.statement);
    for source in tree.ids().filter(|node| tree.is(*node, Kind::Table)) {
        variables(query, source, edits);
        let name = tree.child(source, Kind::Name).map(|name| tree.last(name));
        let name = name.and_then(|last| statement.name(last));
        if name.is_some_and(|name| ACTIVITY.contains(&name.as_str())) {
            context.catalog.activity()?;
        }
    }
    let sources: Vec<NodeId> = tree
        .ids()
        .filter(|node| tree.is(*node, Kind::Table))
        .filter(|n| is_ours(query, *n))
        .collect();
    let name = |at| statement.name(at);
    if sources.is_empty()
        || (0..statement.len()).any(|at| name(at).is_some_and(|n| OF_TABLES.contains(&n.as_str())))
    {
        return Ok(());
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
    Ok(())
}

/// `information_schema.session_variables` becomes a query: a variable's value is the session's, and some are
/// the endpoint's.
fn variables(query: &Query<'_, '_>, source: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(name) = tree.child(source, Kind::Name) else { return };
    let (from, to) = tree.tokens(name);
    let schema = statement.name(from).unwrap_or_default();
    if to - from != 3
        || statement.name(to - 1).as_deref() != Some("session_variables")
        || !WITH_VARIABLES.contains(&schema.as_str())
    {
        return;
    }
    let hidden = if schema == "crdb_internal" { ", false AS hidden" } else { "" };
    let alias =
        if tree.child(source, Kind::Alias).is_some() { "" } else { " AS session_variables" };
    let text = format!(
        "(SELECT v.variable, v.value{hidden} FROM ({}) AS v){alias}",
        show::session_variables()
    );
    edits.replace(query.start(name), query.end(name), text);
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
