//! Transactions.

use super::failure::not_yet;
use super::record::Record;
use crate::error::Error;

/// An open transaction: it owns a connection. One that is dropped is rolled back.
#[derive(Debug)]
pub struct Transaction {}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was committed, with this reply in its record.
    Yes(Vec<u8>),
    /// It was not, and will not be.
    No,
}

impl Transaction {
    /// Commit, with a record by which a second commit is answered. Where COMMIT itself is not answered, the record
    /// is looked up.
    ///
    /// # Errors
    ///
    /// 112 where it met another one; 91 where its outcome could not be learnt: see
    /// [`Store::settle_commit`](super::Store::settle_commit). Any other: it was not committed.
    #[expect(clippy::unused_async, reason = "it will ask the server")]
    pub async fn commit(self, record: Record) -> Result<(), Error> {
        let _ = record;
        Err(not_yet())
    }

    /// Roll back.
    pub async fn abort(self) {
        std::future::ready(()).await;
    }
}
