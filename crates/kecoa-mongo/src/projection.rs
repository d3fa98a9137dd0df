//! What a result shows of a document: `find`'s projections, and `$project`, `$addFields`, `$unset`.
//!
//! A specification becomes a tree of names. In the middle of a path an array stands for its elements, those of
//! arrays within it too. Expressions see the whole document that came in, never what was already projected.

mod apply;
mod element;
mod mode;
mod names;
mod parse;
mod tree;

use ::bson::{RawDocument, RawDocumentBuf};

use crate::error::Error;
use crate::expression::{Scope, Variables};

pub use mode::Mode;
pub(crate) use names::{check_field_path, describe, type_name};

use tree::{Kind, Tree};

/// A projection, parsed.
#[derive(Clone, Debug)]
pub struct Projection {
    tree: Tree,
}

impl Projection {
    /// Parse a projection.
    ///
    /// # Errors
    ///
    /// What MongoDB refuses: an empty one in [`Mode::Aggregate`] (51272), inclusion and exclusion in one (31253,
    /// 31254), paths that collide (31249, 31250), bad names, bad expressions.
    pub fn parse(specification: &RawDocument, mode: Mode, scope: &Scope) -> Result<Self, Error> {
        Ok(Self { tree: parse::projection(specification, mode, scope)? })
    }

    /// Parse what `$addFields` and `$set` take: every value is an expression, all other fields stay.
    ///
    /// # Errors
    ///
    /// Colliding paths, bad names, bad expressions.
    pub fn parse_added(specification: &RawDocument, scope: &Scope) -> Result<Self, Error> {
        Ok(Self { tree: parse::added(specification, scope)? })
    }

    /// An exclusion of these paths, as `$unset` has it.
    ///
    /// # Errors
    ///
    /// Colliding paths, bad names.
    pub fn excluding<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Ok(Self { tree: parse::excluded(paths)? })
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.kind != Kind::Inclusion && self.tree.root.is_empty() && self.tree.keeps_id
    }

    /// Whether [`apply`](Self::apply) must know the position of the array's element that the filter met.
    #[must_use]
    pub fn needs_position(&self) -> bool {
        self.tree.positional.is_some()
    }

    /// The path in front of the `$` of a positional projection.
    #[must_use]
    pub fn positional_path(&self) -> Option<&str> {
        self.tree.positional.as_ref().map(|positional| &*positional.path)
    }

    /// What it shows of a document. `position` is that of the element which the filter met first.
    ///
    /// # Errors
    ///
    /// Those of expressions; 51246 and 51247 where a positional projection finds no such element.
    pub fn apply(
        &self,
        document: &RawDocument,
        position: Option<usize>,
        variables: &Variables,
    ) -> Result<RawDocumentBuf, Error> {
        apply::apply(&self.tree, document, position, variables)
    }
}
