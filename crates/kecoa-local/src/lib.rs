//! The local endpoint: an embedded PostgreSQL that speaks CockroachDB's dialect.
#![forbid(unsafe_code)]

pub mod dialect;
pub mod endpoint;
pub mod postgres;
pub mod state;
