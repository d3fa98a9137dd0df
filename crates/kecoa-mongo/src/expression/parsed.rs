//! An expression as other modules use it.

use ::bson::{RawBsonRef, RawDocument};

use super::context::Context;
use super::node::Node;
use super::operator;
use super::parser::Parser;
use super::scope::Scope;
use super::variables::Variables;
use crate::error::Error;
use crate::value::Value;

/// An expression that can be evaluated on documents.
#[derive(Clone, Debug)]
pub struct Expression {
    node: Node,
}

impl Expression {
    /// Read an expression: a value as it stands in `$project`, `$expr`, `$group` and so on.
    ///
    /// # Errors
    ///
    /// What MongoDB refuses before it looks at documents: 168 for an unknown operator, 16020 for a wrong number of
    /// arguments, 17276 for an undefined variable, and many more; and what an operator refuses whose arguments are
    /// all known, even where it would never be evaluated.
    pub fn parse(value: RawBsonRef<'_>, scope: &Scope) -> Result<Self, Error> {
        let parser = Parser::new(scope, operator::find);
        let node = parser.operand(value)?;
        match parser.take_failure() {
            Some(failure) => Err(failure),
            None => Ok(Self { node }),
        }
    }

    /// The value on a document; `None` if it is missing.
    ///
    /// # Errors
    ///
    /// What the operators refuse: types, overflow, values that can't be converted.
    pub fn evaluate<'a>(
        &'a self,
        root: &'a RawDocument,
        variables: &'a Variables,
    ) -> Result<Option<Value<'a>>, Error> {
        self.node.evaluate(&Context::new(root, root, variables))
    }

    /// The value where `$$CURRENT`, of which field paths are read, is another document than `$$ROOT`.
    ///
    /// # Errors
    ///
    /// Those of [`evaluate`](Self::evaluate).
    pub fn evaluate_within<'a>(
        &'a self,
        root: &'a RawDocument,
        current: &'a RawDocument,
        variables: &'a Variables,
    ) -> Result<Option<Value<'a>>, Error> {
        self.node.evaluate(&Context::new(root, current, variables))
    }

    /// The value, if it is the same on all documents and was known when the expression was read: `Some(None)` is a
    /// constant that is missing.
    #[must_use]
    pub fn as_constant(&self) -> Option<Option<RawBsonRef<'_>>> {
        match &self.node {
            Node::Constant(value) => Some(value.as_ref().map(::bson::RawBson::as_raw_bson_ref)),
            _ => None,
        }
    }

    /// The path of the field, without `$`, if the expression is nothing but a path of `$$ROOT`.
    #[must_use]
    pub fn as_field_path(&self) -> Option<String> {
        match &self.node {
            Node::FieldPath(path) => path.of_root(),
            _ => None,
        }
    }
}
