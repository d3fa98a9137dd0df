//! What requests may take: time, memory, depth.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod interrupts;
mod support;
