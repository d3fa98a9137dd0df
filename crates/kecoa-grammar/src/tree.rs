//! The tree: nodes in one vector, children before their parents.

use crate::kind::Kind;

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// First token, and one past the last.
    start: u32,
    end: u32,
    /// The token that makes it what it is: an operator, a word.
    head: u32,
    parent: u32,
    first_child: u32,
    next: u32,
}

/// A child of a node, or a token of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// A child.
    Node(NodeId),
    /// A token's index in the statement.
    Token(usize),
}

/// What a statement's tokens are to each other.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        Self { nodes: Vec::with_capacity(nodes) }
    }

    /// Adds a node above `children`, which have no parent yet and are in the order of their tokens.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        (start, end, head): (u32, u32, u32),
        children: &[NodeId],
    ) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(NONE));
        let mut next = NONE;
        for child in children.iter().rev() {
            if let Some(node) = self.nodes.get_mut(child.index()) {
                node.parent = id.0;
                node.next = next;
            }
            next = child.0;
        }
        self.nodes.push(Node {
            kind,
            start,
            end,
            head,
            parent: NONE,
            first_child: next,
            next: NONE,
        });
        id
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())
    }

    fn some(id: u32) -> Option<NodeId> {
        (id != NONE).then_some(NodeId(id))
    }

    /// All nodes, children before their parents; the last one is the statement.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(NONE)).map(NodeId)
    }

    /// The statement.
    pub fn root(&self) -> Option<NodeId> {
        self.ids().next_back()
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none; never of what [`crate::parse`] returns.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nodes' numbers, to keep something for each of them: less than [`Self::len`].
    pub fn number(&self, id: NodeId) -> usize {
        id.index()
    }

    /// What a node is.
    pub fn kind(&self, id: NodeId) -> Option<Kind> {
        self.node(id).map(|node| node.kind)
    }

    /// Whether a node is of this kind.
    pub fn is(&self, id: NodeId, kind: Kind) -> bool {
        self.kind(id) == Some(kind)
    }

    /// Its first token, and one past its last.
    pub fn tokens(&self, id: NodeId) -> (usize, usize) {
        self.node(id).map_or((0, 0), |node| (wide(node.start), wide(node.end)))
    }

    /// Its first token.
    pub fn first(&self, id: NodeId) -> usize {
        self.tokens(id).0
    }

    /// Its last token.
    pub fn last(&self, id: NodeId) -> usize {
        self.tokens(id).1.saturating_sub(1)
    }

    /// The token that makes it what it is, if one does: an operator, a word. [`Kind`] says which.
    pub fn head(&self, id: NodeId) -> Option<usize> {
        self.node(id).filter(|node| node.head != NONE).map(|node| wide(node.head))
    }

    /// The node around it.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).and_then(|node| Self::some(node.parent))
    }

    /// The nodes around it, the innermost first.
    pub fn ancestors(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(id), |id| self.parent(*id))
    }

    /// Its children, in order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let first = self.node(id).and_then(|node| Self::some(node.first_child));
        std::iter::successors(first, |id| self.node(*id).and_then(|node| Self::some(node.next)))
    }

    /// The first child of this kind.
    pub fn child(&self, id: NodeId, kind: Kind) -> Option<NodeId> {
        self.children(id).find(|child| self.is(*child, kind))
    }

    /// Its children and, between them, the tokens that are its own.
    pub fn elements(&self, id: NodeId) -> Vec<Element> {
        let (start, end) = self.tokens(id);
        let mut elements = Vec::new();
        let mut at = start;
        for child in self.children(id) {
            let (from, to) = self.tokens(child);
            elements.extend((at..from).map(Element::Token));
            elements.push(Element::Node(child));
            at = to;
        }
        elements.extend((at..end).map(Element::Token));
        elements
    }
}

fn wide(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
