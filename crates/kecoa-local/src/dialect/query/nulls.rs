//! `NULL` sorts first in CockroachDB and last in PostgreSQL, so the order says where it goes.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::edit::Edits;

/// `ORDER BY a` -> `ORDER BY a NULLS FIRST`, in queries, windows and aggregates.
///
/// Keys that cannot be NULL too: PostgreSQL takes it for another order all the same, and indexes and primary
/// keys have this one (`index_clauses::nulls_first`, `definitions.sql`).
pub(super) fn rewrite(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
    edits: &mut Edits,
) {
    let tree = query.tree;
    let Some(around) = tree.parent(node).and_then(|order| tree.parent(order)) else {
        return;
    };
    if context.settings.null_ordered_last
        || tree.child(node, Kind::Nulls).is_some()
        // The aggregates that take an order so leave NULL out.
        || tree.is(around, Kind::WithinGroup)
    {
        return;
    }
    let descending = tree.head(node).is_some_and(|head| query.statement.is(head, "DESC"));
    let first = tree.children(node).next();
    if let Some(tuple) = first.filter(|key| is_split(query, *key, around)) {
        split(query, tuple, descending, edits);
    }
    edits.insert(query.end(node), if descending { " NULLS LAST" } else { " NULLS FIRST" });
}

/// Whether a key is a tuple whose parts can be keys of their own: a NULL within a tuple sorts first, too.
/// A literal alone would be the number of a column; what DISTINCT or a set operation gives is sorted as it is.
fn is_split(query: &Query<'_, '_>, key: NodeId, around: NodeId) -> bool {
    let tree = query.tree;
    let literal = |part| matches!(tree.kind(part), Some(Kind::Integer | Kind::Text));
    matches!(tree.kind(key), Some(Kind::Tuple | Kind::Row))
        && tree.children(key).next().is_some()
        && !tree.children(key).any(literal)
        && !query.has_distinct
        && !tree.children(around).any(|part| tree.is(part, Kind::SetOperation))
}

/// `(a, b) DESC` -> `a DESC NULLS LAST, b DESC`.
fn split(query: &Query<'_, '_>, tuple: NodeId, descending: bool, edits: &mut Edits) {
    let parts: Vec<NodeId> = query.tree.children(tuple).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
    edits.replace(query.start(tuple), query.start(*first), "");
    edits.replace(query.end(*last), query.end(tuple), "");
    for part in parts.iter().take(parts.len() - 1) {
        edits
            .insert(query.end(*part), if descending { " DESC NULLS LAST" } else { " NULLS FIRST" });
    }
}
