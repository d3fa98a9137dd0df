//! `$jsonSchema`: draft 4 of JSON Schema as MongoDB has it, with `bsonType`.
//!
//! A keyword is asked only of values of the types that it is for; the order of fields counts nowhere, collations
//! neither.

mod arguments;
mod encryption;
mod explain;
mod keywords;
mod multiple;
mod parser;
mod schema;
mod types;
mod unordered;
mod validate;

pub use schema::Schema;
