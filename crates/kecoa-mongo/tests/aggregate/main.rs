//! Pipelines: stages beside documents and what comes of them; pipelines that are refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod accumulators;
mod buckets;
mod collections;
mod densify;
mod fill;
mod leading;
mod lookups;
mod measures;
mod refusals;
#[path = "../query/shell.rs"]
mod shell;
mod spilling;
mod stages;
mod support;
mod updates;
mod windows;
mod writes;
