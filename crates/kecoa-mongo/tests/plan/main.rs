//! Plans: which ranges are read, and that no document is left out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod choice;
mod intervals;
#[path = "../update/json.rs"]
mod json;
mod random;
mod support;
