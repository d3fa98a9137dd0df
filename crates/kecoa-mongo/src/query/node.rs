//! What a filter is made of.

use super::bits::BitTest;
use super::comparison::{Comparison, ComparisonOperator};
use super::field_path::FieldPath;
use super::in_list::InList;
use super::json_schema::Schema;
use super::modulo::Modulo;
use super::pattern::Pattern;
use super::type_set::TypeSet;
use crate::expression::Expression;

/// A part of a filter.
#[derive(Clone, Debug)]
pub enum Node {
    /// All of them hold. Without parts it always holds.
    And(Vec<Node>),
    /// One of them holds.
    Or(Vec<Node>),
    /// None of them holds.
    Nor(Vec<Node>),
    /// It does not hold: `$not`, `$ne`, `$nin`, `$exists: false`.
    Not(Box<Node>),
    /// A field passes a test.
    Field(FieldTest),
    /// `$expr`.
    Expr(Box<Expression>),
    /// `$jsonSchema`.
    JsonSchema(Box<Schema>),
    /// `$alwaysTrue`, `$alwaysFalse`, `$all: []`.
    Constant(bool),
    /// `$sampleRate`: the share of documents that pass, by chance.
    Sample(f64),
}

impl Node {
    /// Whether there is an `$expr` in it. There is none below a field.
    pub(super) fn has_expression(&self) -> bool {
        match self {
            Self::And(nodes) | Self::Or(nodes) | Self::Nor(nodes) => {
                nodes.iter().any(Self::has_expression)
            }
            Self::Not(node) => node.has_expression(),
            Self::Expr(_) => true,
            _ => false,
        }
    }
}

/// A test of what a path leads to.
#[derive(Clone, Debug)]
pub struct FieldTest {
    /// The path. It is empty within `$elemMatch` of values, where the element itself is tested.
    pub path: FieldPath,
    /// The test.
    pub test: Test,
}

/// A test of a value.
#[derive(Clone, Debug)]
pub enum Test {
    /// `$eq $gt $gte $lt $lte`.
    Compare(Comparison),
    /// `$in`.
    In(InList),
    /// `$exists: true`.
    Exists,
    /// `$type`.
    Type(TypeSet),
    /// `$size`.
    Size(u64),
    /// `$mod`.
    Modulo(Modulo),
    /// `$regex`, or a regular expression where a value stands.
    Pattern(Pattern),
    /// `$bitsAllSet` and its like.
    Bits(BitTest),
    /// `$elemMatch` with operators: one element of an array passes all of them.
    ElementValue(Box<Node>),
    /// `$elemMatch` with a filter: it matches one element of an array, a document or an array.
    ElementDocument(Box<Node>),
}

impl Test {
    /// Whether it asks for one of some values: `$eq`, `$in`, a regular expression.
    pub(super) fn is_equality(&self) -> bool {
        match self {
            Self::Compare(comparison) => comparison.operator == ComparisonOperator::Equal,
            Self::In(_) | Self::Pattern(_) => true,
            _ => false,
        }
    }

    /// Whether it is asked of arrays as a whole, never of their elements.
    pub(crate) fn is_of_whole_arrays(&self) -> bool {
        matches!(self, Self::Size(_) | Self::ElementValue(_) | Self::ElementDocument(_))
    }
}
