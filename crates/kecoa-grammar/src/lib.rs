//! A grammar of CockroachDB's SQL (25.2), as its documentation gives it: queries and the statements that
//! write rows, with all that may stand in an expression.
//!
//! [`parse`] makes a [`Tree`] of a [`kecoa_sql::Statement`]. A node is a kind and a range of the
//! statement's tokens, and every token lies in exactly one node's range outside its children: nothing is
//! lost, and spans lead back to the client's bytes. What the grammar does not hold is an [`Error`] that
//! says which of the three it is: a statement of another kind, text nested too deep, or a syntax error.
//!
//! By hand: recursive descent, with precedence climbing for operators. Time is linear in the text and
//! depth is bounded. Nothing here does I/O.
#![forbid(unsafe_code)]

mod error;
mod expression;
mod function;
mod keyword;
mod kind;
mod parser;
mod precedence;
mod primary;
mod query;
mod shape;
mod sorting;
mod source;
mod statement;
mod symbol;
mod tree;
mod type_name;
mod write;

pub use error::Error;
pub use kind::Kind;
pub use precedence::{Binding, postgresql};
pub use shape::shape;
pub use statement::parse;
pub use tree::{Element, NodeId, Tree};
