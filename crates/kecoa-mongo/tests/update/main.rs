//! Updates by tables: a document, an update, and the document after it or the code of the error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod array_filters;
mod arrays;
mod checks;
mod fields;
mod json;
mod limits;
mod parsing;
mod pipeline;
mod replacement;
mod support;
mod types;
mod upsert;
