//! Labelled tuples: `((1, 2) AS a, b)`, which PostgreSQL's grammar lacks.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::quote::quote_name;

/// A field of one becomes its expression, `.*` all of them; any other a row of a query, whose columns have the
/// labels: JSON of it does, too.
pub(super) fn rewrite(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let tree = query.tree;
    let Some(tuple) = tree.children(node).next() else { return };
    let (from, to) = tree.tokens(node);
    let as_ = tree.tokens(tuple).1;
    let labels: Vec<String> = query
        .statement
        .elements(as_ + 1, to.saturating_sub(1))
        .into_iter()
        .filter_map(|(at, _)| query.statement.name(at))
        .collect();
    let values: Vec<NodeId> = tree.children(tuple).collect();
    if labels.len() != values.len() {
        return; // PostgreSQL says that it is no query
    }
    if let Some(field) = field(query, node) {
        let last = tree.last(field);
        let name = query.statement.name(last);
        let all = name.is_none();
        let is_target = tree.parent(field).is_some_and(|parent| tree.is(parent, Kind::Target));
        let place = query.start(field);
        if all && is_target {
            for (number, (label, value)) in labels.iter().zip(&values).enumerate() {
                let before = if number == 0 { "" } else { ", " };
                let after = format!(" AS {}", quote_name(label));
                edits.relocate((query.start(*value), query.end(*value)), place, before, after);
            }
            edits.replace(place, query.end(field), "");
            return;
        }
        let value = labels.iter().position(|label| name.as_ref() == Some(label));
        if let Some(value) = value.and_then(|at| values.get(at)) {
            edits.relocate((query.start(*value), query.end(*value)), place, "(", ")");
            edits.replace(place, query.end(field), "");
            return;
        }
    }
    let list: Vec<String> = labels.iter().map(|label| quote_name(label)).collect();
    let (Some(first), Some(end)) = (values.first(), values.last()) else { return };
    let start = query.statement.start(from);
    edits.replace(start, query.start(*first), "(SELECT \"?column?\" FROM (VALUES (");
    let close = format!(")) AS \"?column?\" ({}))", list.join(", "));
    edits.replace(query.end(*end), query.end(node), close);
}

/// The `.label` or `.*` behind the brackets around it.
fn field(query: &Query<'_, '_>, node: NodeId) -> Option<NodeId> {
    let tree = query.tree;
    let around = tree.ancestors(node).find(|id| !tree.is(*id, Kind::Paren))?;
    tree.is(around, Kind::Field).then_some(around)
}
