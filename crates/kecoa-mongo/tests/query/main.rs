//! Filters, sorts and collations, by tables.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arrays;
mod collations;
mod failures;
mod patterns;
mod properties;
mod refusals;
mod schemas;
mod shell;
mod sorts;
mod speed;
mod support;
mod types;
