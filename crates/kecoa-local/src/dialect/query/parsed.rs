//! A statement beside its tree, and edits to its nodes.

use kecoa_grammar::{Kind, NodeId, Tree};
use kecoa_sql::Statement;

use crate::dialect::edit::Edits;

/// A statement, its tree, and what is kept of each node.
pub(super) struct Query<'a, 's> {
    pub(super) statement: &'a Statement<'s>,
    pub(super) tree: &'a Tree,
    /// There is a DISTINCT somewhere.
    pub(super) has_distinct: bool,
    /// Nodes whose text the rules on tokens take out.
    dropped: Vec<bool>,
}

impl<'a, 's> Query<'a, 's> {
    pub(super) fn new(statement: &'a Statement<'s>, tree: &'a Tree) -> Self {
        let mut dropped = vec![false; tree.len()];
        for node in tree.ids().rev() {
            let above = tree.parent(node).is_some_and(|parent| at(&dropped, tree.number(parent)));
            let own = matches!(tree.kind(node), Some(Kind::AsOf | Kind::IndexHint));
            if let Some(slot) = dropped.get_mut(tree.number(node)) {
                *slot = above || own;
            }
        }
        let has_distinct = tree.ids().any(|node| tree.is(node, Kind::Distinct));
        Self { statement, tree, has_distinct, dropped }
    }

    /// What is in the brackets around it.
    pub(super) fn bare(&self, node: NodeId) -> NodeId {
        let mut inner = node;
        while self.tree.is(inner, Kind::Paren) {
            let Some(child) = self.tree.children(inner).next() else { break };
            inner = child;
        }
        inner
    }

    /// Whether a node's text is taken out.
    pub(super) fn is_dropped(&self, node: NodeId) -> bool {
        at(&self.dropped, self.tree.number(node))
    }

    /// First byte of a node.
    pub(super) fn start(&self, node: NodeId) -> usize {
        self.statement.start(self.tree.first(node))
    }

    /// One past its last byte.
    pub(super) fn end(&self, node: NodeId) -> usize {
        self.statement.end(self.tree.last(node))
    }

    /// Puts brackets around a node.
    pub(super) fn wrap(&self, node: NodeId, edits: &mut Edits) {
        edits.insert(self.start(node), "(");
        edits.insert(self.end(node), ")");
    }

    /// Takes a node's text out.
    pub(super) fn drop(&self, node: NodeId, edits: &mut Edits) {
        edits.replace(self.start(node), self.end(node), "");
    }
}

fn at(flags: &[bool], index: usize) -> bool {
    flags.get(index).copied().unwrap_or(false)
}
