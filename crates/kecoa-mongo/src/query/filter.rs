//! A filter of documents.

use ::bson::RawDocument;

use super::context::Context;
use super::node::Node;
use super::parser;
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::{Scope, Variables};

/// Which documents are meant.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Node,
    collator: Collator,
}

/// What a filter says of a document that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The position of the element by which a condition on an array was met, for `$` in updates and projections:
    /// that of the last condition that met one.
    pub position: Option<usize>,
}

impl Filter {
    /// Read a filter. Strings compare by the scope's collator.
    ///
    /// # Errors
    ///
    /// What MongoDB refuses: mostly 2; 9 and 14 where it expects numbers, 51091 for a regular expression that can't
    /// be read.
    pub fn parse(filter: &RawDocument, scope: &Scope) -> Result<Self, Error> {
        let root = parser::Parser::new(scope).filter(filter)?;
        Ok(Self { root, collator: scope.collator().clone() })
    }

    /// Read the filter of an element, as updates and projections have it: without `$expr`, `$jsonSchema`, `$where`
    /// and `$text`.
    ///
    /// # Errors
    ///
    /// 224 for `$expr` and `$jsonSchema`, and those of [`parse`](Self::parse).
    pub fn parse_plain(filter: &RawDocument, scope: &Scope) -> Result<Self, Error> {
        let parser = parser::Parser::new(scope).with(parser::Features::Plain);
        Ok(Self { root: parser.filter(filter)?, collator: scope.collator().clone() })
    }

    /// Whether it has an `$expr`.
    #[must_use]
    pub fn has_expression(&self) -> bool {
        self.root.has_expression()
    }

    /// Whether it matches a document.
    ///
    /// # Errors
    ///
    /// Those of expressions in `$expr`, and 51156 for a regular expression that takes too many steps.
    pub fn matches(&self, document: &RawDocument, variables: &Variables) -> Result<bool, Error> {
        self.root.accepts_document(document, self.context(variables), None)
    }

    /// The same with what `$` stands for.
    ///
    /// # Errors
    ///
    /// Those of [`matches`](Self::matches).
    pub fn find_match(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Option<Match>, Error> {
        let mut position = None;
        let context = self.context(variables);
        let matches = self.root.accepts_document(document, context, Some(&mut position))?;
        Ok(matches.then_some(Match { position }))
    }

    /// What it is made of.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// How its strings compare.
    #[must_use]
    pub fn collator(&self) -> &Collator {
        &self.collator
    }

    /// Whether it matches all documents because it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(&self.root, Node::And(nodes) if nodes.is_empty())
    }

    fn context<'a>(&'a self, variables: &'a Variables) -> Context<'a> {
        Context { variables, collator: &self.collator }
    }
}
