//! A client for CockroachDB and PostgreSQL with transaction retry that is right by default.
//!
//! ```no_run
//! use kecoa::{Config, Error, blocking::Client};
//!
//! let mut client = Client::connect(&Config::parse("postgresql://localhost:26257/bank")?)?;
//! client.transaction(|tx| {
//!     tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64])?;
//!     tx.execute("UPDATE accounts SET balance = balance + 100 WHERE id = $1", &[&2_i64])?;
//!     Ok(())
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! [`blocking::Client`] is a connection, [`asynchronous::Client`] is one for tokio; [`Config`] says
//! where to; [`FromRow`] makes structs of rows; [`retry`] decides what is tried again, for these
//! clients and for every other door to them; [`Error`] says what went wrong.
//!
//! # Features
//!
//! `tokio` (on by default): [`asynchronous`]. `derive` (on by default): `#[derive(FromRow)]`.
//!
//! # Versions
//!
//! The crate keeps to semantic versioning. Enums and structs that may grow are `#[non_exhaustive]`,
//! or have private fields; [`TransactionOptions`](blocking::TransactionOptions) and
//! [`Policy`](retry::Policy) are written with `..Default::default()`, and grow in minor versions.
//! The vocabulary of the protocol ([`proto`]) and of values ([`types`]) is part of the interface.
//! Rust 1.90 is enough; a newer minimum comes in a minor version.

#[cfg(feature = "tokio")]
pub mod asynchronous;
mod client;
pub mod config;
mod der;
pub mod error;
#[doc(hidden)]
pub mod example;
mod interrupt;
mod net;
pub mod observe;
pub mod pool;
pub mod retry;
mod row;
mod session;
#[cfg(test)]
mod tests;
mod transaction;

pub use client::blocking;
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use interrupt::{Interrupt, Never, Readiness};
#[cfg(feature = "tokio")]
pub use pool::tokio::{Pool, Pooled};
pub use row::{ColumnIndex, Columns, FromRow, ResultSet, Row, Values};
pub use session::Pulled;
pub use session::pipeline::{Answers, Pipeline, Slot};
pub use session::prepared::Statement;
pub use session::statement::Piped;
pub use session::{call, replication};

#[cfg(feature = "derive")]
#[doc(inline)]
pub use kecoa_derive::FromRow;

/// The protocol's vocabulary: requests, rows, descriptions, reports.
pub use kecoa_proto as proto;
/// Values and their forms: oids, codecs, [`ToSql`](kecoa_types::ToSql) and
/// [`FromSql`](kecoa_types::FromSql).
pub use kecoa_types as types;
