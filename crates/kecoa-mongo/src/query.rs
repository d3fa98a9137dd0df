//! Filters and sorts: which documents are meant, and in which order.
//!
//! A [`Filter`] is parsed once into a tree of [`Node`]s and then asked about raw documents, of which it copies
//! nothing. [`ElementFilter`] asks about a value instead: an element of an array. [`Sort`] gives each document a
//! key, and [`Sorter`] puts documents in order.

mod bits;
mod comparison;
mod context;
mod element_filter;
mod explain_failure;
mod field_path;
mod filter;
mod in_list;
mod integer;
mod json_schema;
mod matcher;
mod modulo;
mod node;
mod parser;
mod pattern;
mod sort;
mod type_set;

pub use bits::{BitTest, BitTestKind};
pub use comparison::{Comparison, ComparisonOperator};
pub use element_filter::ElementFilter;
pub use field_path::FieldPath;
pub use filter::{Filter, Match};
pub use in_list::InList;
pub use json_schema::Schema;
pub use modulo::Modulo;
pub use node::{FieldTest, Node, Test};
pub use pattern::Pattern;
pub use sort::{Sort, SortField, SortKey, SortMode, Sorter, sort_memory_exceeded};
pub use type_set::TypeSet;
