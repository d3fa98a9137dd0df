//! Connections of clients, with a service that does what a test wants.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod connections;
mod encryption;
mod support;
