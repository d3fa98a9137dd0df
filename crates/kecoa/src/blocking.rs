//! The blocking client.

mod calling;
mod client;
mod connecting;
mod copying;
mod pulling;
mod rows;
mod streaming;

pub use crate::transaction::{
    Attempts, FailedAttempt, Isolation, Observer, Transaction, TransactionError, TransactionOptions,
};
pub use client::{Canceller, Client};
pub use connecting::{Connecting, Stage};
pub use copying::{CopyReader, CopyWriter};
pub use rows::RowIter;
