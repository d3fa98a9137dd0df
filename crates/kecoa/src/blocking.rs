//! The blocking client.

mod calling;
mod client;
mod connecting;
mod pulling;
mod streaming;

pub use crate::transaction::{
    FailedAttempt, Isolation, Observer, Transaction, TransactionError, TransactionOptions,
};
pub use client::{Canceller, Client};
pub use connecting::{Connecting, Stage};
