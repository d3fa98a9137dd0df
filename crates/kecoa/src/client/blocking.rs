//! The blocking client.

mod call;
mod client;
mod connecting;
mod copy;
mod replication;
mod replies;
mod rows;

pub use crate::transaction::{
    Attempts, FailedAttempt, Isolation, Observer, Transaction, TransactionError, TransactionOptions,
};
pub use client::{Canceller, Client};
pub use connecting::{Connecting, Stage};
pub use copy::{CopyReader, CopyWriter};
pub use rows::RowIter;
