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
//! [`blocking::Client`] is a connection; [`Config`] says where to; [`retry`] decides what is tried
//! again, for this client and for every other door to it; [`Error`] says what went wrong.

#[cfg(feature = "tokio")]
pub mod asynchronous;
pub mod blocking;
pub mod call;
pub mod config;
mod copy;
mod copying;
pub mod error;
#[doc(hidden)]
pub mod example;
mod extended;
mod pipeline;
mod prepared;
mod pulled;
pub mod replication;
mod result;
pub mod retry;
mod row;
mod session;
mod statement;
mod statement_cache;
#[cfg(test)]
mod tests;
mod transaction;
mod transport;
mod wire;

pub use config::Config;
pub use error::{Error, ErrorKind};
pub use result::ResultSet;
pub use pipeline::{Answers, Pipeline, Slot};
pub use prepared::Statement;
pub use row::{ColumnIndex, Columns, FromRow, Row, Values};
pub use session::{Interrupt, Never, Pulled, Readiness};
pub use statement::Piped;

/// The protocol's vocabulary: requests, rows, descriptions, reports.
#[cfg(feature = "derive")]
#[doc(inline)]
pub use kecoa_derive::FromRow;

pub use kecoa_proto as proto;
/// Values and their forms: oids, codecs, [`ToSql`](kecoa_types::ToSql) and
/// [`FromSql`](kecoa_types::FromSql).
pub use kecoa_types as types;
