//! Transactions of the client for tokio.

mod attempts;
mod body;
mod end;
mod savepoint;
mod transaction;

pub use self::attempts::Attempts;
pub(crate) use self::attempts::{Run, SessionAttempts, run, run_local};
pub use self::body::{BoxFuture, SavepointBody, TransactionBody};
pub use self::transaction::Transaction;
