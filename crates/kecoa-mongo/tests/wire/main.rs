//! Messages as bytes, by tables.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, in its helpers too"
)]

mod bad;
mod compression;
mod exact;
mod pieces;
mod properties;
mod support;
