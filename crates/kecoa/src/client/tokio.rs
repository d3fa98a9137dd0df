//! The client for tokio.

mod client;
mod copy;
mod link;
mod rows;
mod socket;
mod transaction;

pub use client::Client;
pub use copy::{CopyReader, CopyWriter};
pub use rows::RowStream;
pub use transaction::{Attempts, BoxFuture, SavepointBody, Transaction, TransactionBody};
