//! The place in a statement, and how nodes are made.

use kecoa_sql::Statement;

use crate::error::Error;
use crate::keyword::{Category, Keyword};
use crate::kind::Kind;
use crate::symbol::{Operator, Symbol};
use crate::tree::{NONE, NodeId, Tree};

/// How deep a statement may be nested.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// So deep may brackets, queries and sources be nested in each other.
    depth: u32,
    /// So many operands may be begun within each other: `(a OR b = c + (…` begins four a bracket.
    operands: u32,
}

impl Limits {
    /// What the stack of any thread has room for.
    pub(crate) const OF_ANY_STACK: Self = Self { depth: 200, operands: 402 };
    /// What [`DEEP_STACK`] has room for, and about what PostgreSQL's own parser takes.
    pub(crate) const DEEP: Self = Self { depth: 1000, operands: 8000 };
}

/// Bytes of a stack for the deepest statement, as a debug build needs them. What is not used is not there.
pub(crate) const DEEP_STACK: usize = 64 << 20;

pub(crate) type Parsed<T = ()> = Result<T, Error>;

/// Where a node begins: at a token, and with which of the nodes that have no parent yet.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    token: u32,
    pending: usize,
}

pub(crate) struct Parser<'a, 's> {
    pub(crate) statement: &'a Statement<'s>,
    symbols: Vec<Symbol>,
    /// The next token.
    pub(crate) at: usize,
    limits: Limits,
    depth: u32,
    operands: u32,
    tree: Tree,
    /// Nodes that have no parent yet, in order.
    pending: Vec<NodeId>,
}

impl<'a, 's> Parser<'a, 's> {
    pub(crate) fn new(statement: &'a Statement<'s>, limits: Limits) -> Self {
        let length = statement.len();
        let symbols = (0..length).map(|index| Symbol::of(statement, index)).collect();
        Self {
            statement,
            symbols,
            at: 0,
            limits,
            depth: 0,
            operands: 0,
            tree: Tree::with_capacity(length),
            pending: Vec::with_capacity(16),
        }
    }

    pub(crate) fn into_tree(self) -> Tree {
        self.tree
    }

    // Looking.

    pub(crate) fn symbol(&self) -> Symbol {
        self.ahead(0)
    }

    pub(crate) fn ahead(&self, count: usize) -> Symbol {
        self.symbols.get(self.at + count).copied().unwrap_or(Symbol::End)
    }

    pub(crate) fn is(&self, symbol: Symbol) -> bool {
        self.symbol() == symbol
    }

    pub(crate) fn is_word(&self, keyword: Keyword) -> bool {
        self.symbol() == Symbol::Keyword(keyword)
    }

    /// Whether these words are the next ones.
    pub(crate) fn are(&self, keywords: &[Keyword]) -> bool {
        keywords.iter().enumerate().all(|(i, word)| self.ahead(i) == Symbol::Keyword(*word))
    }

    /// Whether the token `count` ahead may be a name of this category or an unreserved one.
    pub(crate) fn is_name_ahead(&self, count: usize, category: Category) -> bool {
        match self.ahead(count) {
            Symbol::Name => true,
            Symbol::Keyword(word) => {
                word.category() == Category::Unreserved || word.category() == category
            }
            _ => false,
        }
    }

    /// Whether the next token may name a table, a column or an alias.
    pub(crate) fn is_name(&self) -> bool {
        self.is_name_ahead(0, Category::Column)
    }

    /// Whether the token `count` ahead may be a name behind AS or a point, where any word may.
    pub(crate) fn is_label_ahead(&self, count: usize) -> bool {
        matches!(self.ahead(count), Symbol::Name | Symbol::Keyword(_))
    }

    /// Whether a line ends in front of the next token.
    pub(crate) fn is_on_another_line(&self) -> bool {
        let before = self.at.checked_sub(1).map_or(0, |index| self.statement.end(index));
        let between = self.statement.sql().get(before..self.statement.start(self.at));
        between.is_some_and(|bytes| bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')))
    }

    // Going on.

    pub(crate) fn bump(&mut self) {
        self.at += 1;
    }

    pub(crate) fn eat(&mut self, symbol: Symbol) -> bool {
        let found = self.symbol() == symbol;
        self.at += usize::from(found);
        found
    }

    pub(crate) fn eat_word(&mut self, keyword: Keyword) -> bool {
        self.eat(Symbol::Keyword(keyword))
    }

    pub(crate) fn eat_words(&mut self, keywords: &[Keyword]) -> bool {
        let found = self.are(keywords);
        if found {
            self.at += keywords.len();
        }
        found
    }

    pub(crate) fn eat_any(&mut self, keywords: &[Keyword]) -> bool {
        keywords.iter().any(|word| self.eat_word(*word))
    }

    pub(crate) fn eat_operator(&mut self, operator: Operator) -> bool {
        self.eat(Symbol::Operator(operator))
    }

    pub(crate) fn expect(&mut self, symbol: Symbol, expected: &'static str) -> Parsed {
        if self.eat(symbol) { Ok(()) } else { Err(self.error(expected)) }
    }

    pub(crate) fn expect_word(&mut self, keyword: Keyword, expected: &'static str) -> Parsed {
        self.expect(Symbol::Keyword(keyword), expected)
    }

    pub(crate) fn expect_name(&mut self) -> Parsed {
        if !self.is_name() {
            return Err(self.error("a name"));
        }
        self.bump();
        Ok(())
    }

    pub(crate) fn expect_label(&mut self) -> Parsed {
        if !self.is_label_ahead(0) {
            return Err(self.error("a name"));
        }
        self.bump();
        Ok(())
    }

    /// A syntax error at the next token.
    pub(crate) fn error(&self, expected: &'static str) -> Error {
        Error::Syntax { token: self.at, expected }
    }

    /// The next token starts what the grammar does not hold.
    pub(crate) fn not_held(&self) -> Error {
        Error::NotHeld { token: self.at }
    }

    /// The next token starts what only PostgreSQL has.
    pub(crate) fn foreign(&self, what: &'static str) -> Error {
        self.foreign_at(self.at, what)
    }

    /// The same of what starts at the token `at`.
    pub(crate) fn foreign_at(&self, at: usize, what: &'static str) -> Error {
        Error::Foreign { token: at, what }
    }

    // Making nodes.

    /// Where a node begins that is made later.
    pub(crate) fn mark(&self) -> Mark {
        Mark { token: narrow(self.at), pending: self.pending.len() }
    }

    /// Makes a node of all since `mark`.
    pub(crate) fn close(&mut self, mark: Mark, kind: Kind) {
        self.finish(mark, kind, NONE);
    }

    /// The same, with the token that makes it what it is.
    pub(crate) fn close_with(&mut self, mark: Mark, kind: Kind, head: usize) {
        self.finish(mark, kind, narrow(head));
    }

    fn finish(&mut self, mark: Mark, kind: Kind, head: u32) {
        let children = self.pending.get(mark.pending..).unwrap_or_default();
        let id = self.tree.add(kind, (mark.token, narrow(self.at), head), children);
        self.pending.truncate(mark.pending);
        self.pending.push(id);
    }

    /// The kind of the last node made.
    pub(crate) fn last_kind(&self) -> Option<Kind> {
        self.pending.last().and_then(|id| self.tree.kind(*id))
    }

    /// Makes a node of one token.
    pub(crate) fn leaf(&mut self, kind: Kind) {
        let mark = self.mark();
        self.bump();
        self.close(mark, kind);
    }

    /// Runs `inner` a level deeper.
    pub(crate) fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= self.limits.depth {
            return Err(Error::TooDeep);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Runs `inner` within one operand more.
    pub(crate) fn within(&mut self, inner: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.operands >= self.limits.operands {
            return Err(Error::TooDeep);
        }
        self.operands += 1;
        let result = inner(self);
        self.operands -= 1;
        result
    }

    /// `item, item, …`
    pub(crate) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Parsed) -> Parsed {
        item(self)?;
        while self.eat(Symbol::Comma) {
            item(self)?;
        }
        Ok(())
    }

    /// `(name, …)`
    pub(crate) fn names(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect(Symbol::Open, "(")?;
        self.list(Self::expect_name)?;
        self.expect(Symbol::Close, ")")?;
        self.close(mark, Kind::Names);
        Ok(())
    }

    /// `schema.table` as a node.
    pub(crate) fn relation_name(&mut self) -> Parsed {
        let mark = self.mark();
        self.expect_name()?;
        while self.is(Symbol::Dot) {
            self.bump();
            self.expect_label()?;
        }
        self.close(mark, Kind::Name);
        Ok(())
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(NONE)
}
