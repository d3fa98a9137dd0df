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
    edits.insert(query.end(node), if descending { " NULLS LAST" } else { " NULLS FIRST" });
}
