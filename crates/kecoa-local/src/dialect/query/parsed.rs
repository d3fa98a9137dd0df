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
    /// The tuples that are selected under a name of which a field is taken, by that name.
    named_tuples: Vec<(String, NodeId)>,
}

/// So many names of tuples are looked at in a statement.
const TUPLES: usize = 16;

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
        let mut query = Self { statement, tree, has_distinct, dropped, named_tuples: Vec::new() };
        query.named_tuples = query.find_tuples();
        query
    }

    fn find_tuples(&self) -> Vec<(String, NodeId)> {
        let tree = self.tree;
        let mut read: Vec<String> = tree
            .ids()
            .filter(|node| tree.is(*node, Kind::Field))
            .filter_map(|field| {
                let operand = self.bare(tree.children(field).next()?);
                self.statement.name(tree.last(operand)).filter(|_| tree.is(operand, Kind::Column))
            })
            .collect();
        read.sort_unstable();
        read.dedup();
        if read.is_empty() {
            return Vec::new();
        }
        let named = tree.ids().filter(|node| tree.is(*node, Kind::Target)).filter_map(|target| {
            let tuple = self.bare(tree.children(target).next()?);
            let is_tuple =
                matches!(tree.kind(tuple), Some(Kind::LabelledTuple | Kind::Tuple | Kind::Row));
            let alias = tree.child(target, Kind::Alias).filter(|_| is_tuple)?;
            let name = self.statement.name(tree.last(alias))?;
            read.binary_search(&name).is_ok().then_some((name, tuple))
        });
        named.take(TUPLES).collect()
    }

    /// The tuple that is selected under `name`.
    pub(super) fn tuple_named(&self, name: &str) -> Option<NodeId> {
        self.named_tuples.iter().find(|(label, _)| label == name).map(|(_, tuple)| *tuple)
    }

    /// Whether a tuple is selected under a name of which a field is taken.
    pub(super) fn is_read(&self, tuple: NodeId) -> bool {
        self.named_tuples.iter().any(|(_, read)| *read == tuple)
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
