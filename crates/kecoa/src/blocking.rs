//! The blocking client.

mod client;

pub use crate::transaction::{
    FailedAttempt, Isolation, Observer, Transaction, TransactionError, TransactionOptions,
};
pub use client::{Canceller, Client};
