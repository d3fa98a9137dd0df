//! Brackets where PostgreSQL would group operators otherwise: `'[1]' <@ j->'a'`, `~a + b`, `a | b & c`.

use kecoa_grammar::{Kind, NodeId, postgresql};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// The loosest operator that a node shows on each side, or [`CLOSED`].
#[derive(Clone, Copy)]
struct Edges {
    left: u8,
    right: u8,
}

/// Nothing next to the node can take a part of it.
const CLOSED: u8 = u8::MAX;

/// Brackets the operands that PostgreSQL would cut apart, children before their parents.
pub(super) fn rewrite(query: &Query<'_, '_>, edits: &mut Edits) {
    let tree = query.tree;
    let mut edges = vec![Edges { left: CLOSED, right: CLOSED }; tree.len()];
    for node in tree.ids() {
        let Some(kind) = tree.kind(node) else { continue };
        let operator = tree.head(node).map_or(&[][..], |head| query.statement.text(head));
        let Some(binding) = postgresql(kind, operator) else { continue };
        let operands = || tree.children(node).filter(|child| !tree.is(*child, Kind::Type));
        let of = |node: NodeId| {
            edges.get(tree.number(node)).copied().unwrap_or(Edges { left: CLOSED, right: CLOSED })
        };
        let mut own = Edges { left: CLOSED, right: CLOSED };
        if let (Some(level), Some(operand)) = (binding.left, operands().next()) {
            let shown = of(operand).right;
            own.left = level;
            if shown < level || shown == level && !binding.associates {
                bracket(query, operand, edits);
            } else {
                own.left = level.min(of(operand).left);
            }
        }
        if let Some(level) = binding.right {
            own.right = level;
            for operand in operands().skip(usize::from(binding.left.is_some())) {
                let shown = of(operand).left;
                // A prefix operator may stand in front of itself.
                let prefix = binding.left.is_none();
                if shown < level || shown == level && !prefix {
                    bracket(query, operand, edits);
                } else {
                    own.right = level.min(of(operand).right);
                }
            }
        }
        if let Some(slot) = edges.get_mut(tree.number(node)) {
            *slot = own;
        }
    }
}

fn bracket(query: &Query<'_, '_>, operand: NodeId, edits: &mut Edits) {
    if !query.is_dropped(operand) {
        query.wrap(operand, edits);
    }
}
