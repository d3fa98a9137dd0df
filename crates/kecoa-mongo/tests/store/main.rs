//! The store against a real PostgreSQL, which `KECOA_TEST_DSN` names: each test in a database of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers too"
)]

mod accounts;
mod background;
mod builds;
mod catalogue;
mod faults;
mod gateways;
mod indexes;
mod own_writes;
mod pages;
mod stale_keys;
mod statements;
mod support;
mod transactions;
mod views;
mod wire;
mod writes;
