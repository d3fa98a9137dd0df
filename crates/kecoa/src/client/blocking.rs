//! The client that blocks, for threads.
//!
//! The same protocol, the same statement cache and the same retry as the client for tokio, in this
//! module's names: [`Client`], [`Transaction`], [`RowIter`], [`CopyReader`], [`CopyWriter`] and
//! [`Pool`]. There is no runtime and no thread behind it. [`Connecting`], and methods such as
//! [`Client::advance`], are for callers that wait for the socket by themselves.

mod call;
mod client;
mod connecting;
mod copy;
mod replication;
mod replies;
mod requests;
mod row_iter;
mod state;
mod statements;
mod transactions;

pub use self::client::Client;
pub use self::connecting::{Connecting, Stage};
pub use self::copy::{CopyReader, CopyWriter};
pub use self::row_iter::RowIter;
pub use crate::pool::blocking::{Pool, Pooled};
pub use crate::transaction::blocking::{Attempts, Transaction};
