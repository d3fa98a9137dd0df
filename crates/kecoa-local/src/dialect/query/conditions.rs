//! Conditions that PostgreSQL has in other words: lists behind ANY, empty lists behind IN, IS NAN.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// `= ANY (1, 2)` and `= ANY ARRAY[1]`: an array in brackets.
pub(super) fn quantified(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let Some(operand) = query.tree.children(node).nth(1) else { return };
    match query.tree.kind(operand) {
        Some(Kind::Paren | Kind::Subquery) => {}
        Some(Kind::Tuple) => {
            let (first, end) = query.tree.tokens(operand);
            if query.tree.children(operand).next().is_none() {
                // `ANY ()`: nothing is known of its type.
                edits.replace(query.start(operand), query.end(operand), "('{}')");
                return;
            }
            edits.insert(query.statement.end(first), "ARRAY[");
            let last = end.saturating_sub(1);
            let comma = last.checked_sub(1).filter(|i| query.statement.is_mark(*i, ","));
            let from = query.statement.start(comma.unwrap_or(last));
            edits.replace(from, query.statement.end(last), "])");
        }
        _ => query.wrap(operand, edits),
    }
}

/// `a IN ()` is false, and so it is for NULL.
pub(super) fn empty_list(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let empty = query.tree.child(node, Kind::InList).is_some_and(|list| {
        let (first, end) = query.tree.tokens(list);
        end == first + 2
    });
    let Some(head) = query.tree.head(node).filter(|_| empty) else { return };
    let found =
        if query.statement.is(head, "NOT") { "IS NULL OR true)" } else { "IS NULL AND false)" };
    edits.insert(query.start(node), "(");
    edits.replace(query.statement.start(head), query.end(node), found);
}

/// `a IS NAN` compares, as it does in CockroachDB: NULL gives NULL.
pub(super) fn is_nan(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let last = query.tree.last(node);
    let Some(head) = query.tree.head(node).filter(|_| query.statement.is(last, "NAN")) else {
        return;
    };
    let operator = if query.statement.is(last.saturating_sub(1), "NOT") { "<>" } else { "=" };
    edits.insert(query.start(node), "((");
    let text = format!(") {operator} 'NaN')");
    edits.replace(query.statement.start(head), query.end(node), text);
}
