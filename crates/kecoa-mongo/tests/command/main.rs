//! Commands by tables: arguments, replies, the frame of all of them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod api;
mod arguments;
mod authorization;
mod custom_roles;
mod definitions;
mod diagnostics;
mod fail_points;
mod frame;
mod hello;
mod options;
mod sessions;
mod support;
