//! The client for tokio.
//!
//! [`Client`] is the [blocking client](crate::blocking::Client) with the waiting left to tokio: the
//! same protocol, the same statement cache, the same retry. There is no task in the background: a
//! future drives the connection while it is polled, so that a query costs one write, one wake-up and
//! one read. A client therefore does one thing at a time (`&mut self`); what is to be in flight
//! together goes through a [`Pipeline`](crate::Pipeline), or has a client of its own, out of a
//! [`Pool`](crate::Pool).
//!
//! ```
//! # kecoa::example::asynchronous(async |client| {
//! # #[cfg(any())] {
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
//! # Futures that are dropped
//!
//! Every future may be dropped at any time, as `tokio::time::timeout` and `select!` do. The server
//! is asked to cancel what the future waited for, and the client stays usable: the next call first
//! waits until that is over (at most 10 s; then it closes the connection). Whether a statement that
//! was dropped took effect is not known, as ever. A [`RowStream`] or a copy that is dropped before
//! its end is not cancelled: what the server still sends is read and dropped by the next call, and
//! a `COPY … FROM STDIN` is given up. The future of a transaction rolls back.
//!
//! # What it needs
//!
//! A tokio runtime with I/O and time. Connecting (host names, TLS, authentication) and sending a
//! cancel request run on tokio's threads for blocking work.

pub use crate::client::tokio::{
    Attempts, Boxed, Client, CopyReader, CopyWriter, RowStream, SavepointBody, Transaction,
    TransactionBody,
};
pub use crate::transaction::{
    FailedAttempt, Isolation, Observer, TransactionError, TransactionOptions,
};
