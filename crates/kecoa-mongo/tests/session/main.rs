//! Sessions by tables: numbers, cursors, concerns, labels, clocks.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod clock;
mod concern;
mod cursors;
mod labels;
mod numbers;
mod options;
mod read_preference;
mod registry;
