//! MongoDB's rules for BSON values, by tables.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod decimals;
mod fields;
mod keys;
mod numbers;
mod order;
mod paths;
mod support;
mod validation;
