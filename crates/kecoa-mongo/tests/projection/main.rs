//! Projections: specifications beside documents and what is shown of them; specifications that are refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod computed;
mod find;
mod inclusion;
mod refusals;
#[path = "../query/shell.rs"]
mod shell;
mod support;
