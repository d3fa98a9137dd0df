//! Transactions that are run again when the server asks for it.
//!
//! What follows from a failure is decided without I/O ([`attempt`], [`retry_loop`]); the two clients
//! differ in how they wait.

pub(crate) mod attempt;
pub(crate) mod blocking;
mod error;
mod options;
pub(crate) mod retry_loop;
mod state;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

pub use error::TransactionError;
pub use options::{FailedAttempt, Isolation, Observer, TransactionOptions};
