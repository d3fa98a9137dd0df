//! Find, insert, update, delete, aggregate: the layers below put together.
//!
//! An operation gets a [`Context`]: where its statements go, until when, for whom. What fails for one statement of a
//! write is its result; what fails the command is an error.

pub mod attempts;
pub mod batch;
mod capped;
pub mod change_stream;
mod context;
pub mod count;
pub mod cursor;
pub mod delete;
pub mod distinct;
pub mod document;
pub mod explain;
pub mod find;
pub mod find_and_modify;
mod index_bounds;
pub mod insert;
pub mod numbers;
pub mod pipeline;
pub mod reader;
pub mod retry;
mod rules;
pub mod sorting;
pub mod statement_result;
pub mod stats;
pub mod target;
mod temporary_files;
pub mod update;
pub mod validator;
pub mod view_graph;
pub mod views;
pub mod write_result;

pub use context::Context;
pub use cursor::{Cursor, Source, Tail};
pub use retry::Retry;
pub use statement_result::StatementResult;
pub use target::Selection;
