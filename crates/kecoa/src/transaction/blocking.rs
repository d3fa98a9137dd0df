//! Transactions of the blocking client.

mod attempts;
mod end;
mod statements;
mod transaction;

pub use attempts::Attempts;
pub(crate) use attempts::{SessionAttempts, run};
pub use transaction::Transaction;
