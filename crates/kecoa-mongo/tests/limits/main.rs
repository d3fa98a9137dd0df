//! What requests may take: time, memory, depth.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "../../../../fuzz/src/documents.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets use it as well, from a crate")]
mod documents;
mod interrupts;
mod random;
mod sizes;
mod support;
