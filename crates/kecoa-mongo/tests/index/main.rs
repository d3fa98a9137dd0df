//! Indexes by tables: specifications with their errors, entries of documents.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod entries;
mod specifications;
