//! A client for CockroachDB and PostgreSQL with transaction retry that is right by default.
//!
//! ```
//! # kecoa::example::asynchronous(async |client| {
//! # #[cfg(any())] {
//! use kecoa::{Client, Config};
//!
//! let mut client = Client::connect(&Config::parse("postgresql://localhost:26257/bank")?).await?;
//! # }
//! let left: i64 = client.transaction(async |tx| {
//!     tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64]).await?;
//!     tx.execute("UPDATE accounts SET balance = balance + 100 WHERE id = $1", &[&2_i64]).await?;
//!     tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?.get(0)
//! }).await?;
//! assert_eq!(left, 900);
//! # Ok(()) });
//! ```
//!
//! [`Client`] is a connection for tokio, [`Pool`] keeps several of them; [`Config`] says where to
//! connect; [`FromRow`] makes structs of rows; [`retry`] decides what is tried again, for these
//! clients and for every other entry point; [`Error`] says what went wrong.
//!
//! # Without a runtime
//!
//! The module [`blocking`] has the same client for threads: no runtime, no thread of its own.
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
//! # Features
//!
//! `tokio` (on by default): the asynchronous [`Client`] and [`Pool`]. Without it there is only
//! [`blocking`]. `derive` (on by default): `#[derive(FromRow)]`. `tracing`: spans of connections,
//! statements and transactions; see [`observability`]. `uuid`, `chrono`, `jiff`, `time`,
//! `rust_decimal`, `serde_json`: the types of these crates as parameters and columns; examples are in
//! [`types::convert`].
//!
//! # Versions
//!
//! The crate keeps to semantic versioning. Enums and structs that may grow are `#[non_exhaustive]`,
//! or have private fields; [`TransactionOptions`] and [`Policy`](retry::Policy) are written with
//! `..Default::default()`, and grow in minor versions.
//! The vocabulary of the protocol ([`proto`]) and of values ([`types`]) is part of the interface.
//! Rust 1.90 is enough; a newer minimum comes in a minor version.

mod client;
pub mod config;
pub mod error;
#[doc(hidden)]
pub mod example;
mod interrupt;
mod net;
pub mod observability;
pub mod pool;
pub mod retry;
mod row;
mod session;
#[cfg(test)]
mod tests;
mod text_hash;
mod transaction;

#[cfg(feature = "tokio")]
pub use client::tokio::{Client, CopyReader, CopyWriter, RowStream};
pub use client::{Canceller, blocking};
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use interrupt::{Interrupt, Never, Readiness};
pub use net::server_probe;
#[cfg(feature = "tokio")]
pub use pool::tokio::{Pool, Pooled};
pub use row::{ColumnIndex, Columns, FromRow, ResultSet, Row, Values};
pub use session::NextReply;
pub use session::pipeline::{Answers, Pipeline, Slot};
pub use session::prepared::Statement;
pub use session::statement::PipelineOutcome;
pub use session::{call, replication};
#[doc(hidden)]
pub use text_hash::TextHash;
#[cfg(feature = "tokio")]
pub use transaction::tokio::{Attempts, BoxFuture, SavepointBody, Transaction, TransactionBody};
pub use transaction::{FailedAttempt, Isolation, Observer, TransactionError, TransactionOptions};

#[cfg(feature = "derive")]
#[doc(inline)]
pub use kecoa_derive::FromRow;

/// The protocol's vocabulary: requests, rows, descriptions, reports.
pub use kecoa_proto as proto;
/// Values and their forms: oids, codecs, [`ToSql`](kecoa_types::ToSql) and
/// [`FromSql`](kecoa_types::FromSql).
pub use kecoa_types as types;

/// Takes certificates and a revocation list apart, for the fuzz target.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_certificates(parts: [&[u8]; 3]) {
    net::fuzzing::exercise(parts);
}
