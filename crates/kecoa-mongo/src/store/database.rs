//! A database that documents lie in.

use std::sync::Arc;

use super::failure::not_yet;
use super::options::{Capabilities, Options};
use super::record::RecordId;
use super::transaction::{Committed, Transaction};
use crate::error::Error;

/// A database: a pool of connections, what the server can do, what the catalogue says. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    #[expect(dead_code, reason = "what the calls below will work with")]
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {}

impl Store {
    /// Connect, set the tables up where they are not there, and ask what the server can do.
    ///
    /// # Errors
    ///
    /// 6 where nobody answers; 1 for tables of an unknown format.
    #[expect(clippy::unused_async, reason = "it will wait for the server")]
    pub async fn open(config: &kecoa::Config, options: Options) -> Result<Self, Error> {
        let _ = (config, options);
        Err(not_yet())
    }

    /// Begin a transaction, on a connection of its own. Nothing is sent before its first statement.
    ///
    /// # Errors
    ///
    /// 462 where as many transactions are open as may be.
    #[expect(clippy::unused_async, reason = "it will wait for a connection")]
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Err(not_yet())
    }

    /// What became of a transaction whose COMMIT was not answered: settles it, so that a commit that has not happened
    /// by then never does.
    ///
    /// # Errors
    ///
    /// 91 where the database cannot be asked.
    #[expect(clippy::unused_async, reason = "it will ask the server")]
    pub async fn settle_commit(&self, commit: &RecordId) -> Result<Committed, Error> {
        let _ = commit;
        Err(not_yet())
    }

    /// What the server can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// One round of what happens in the background: documents of dropped collections, old records, documents past
    /// their time. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Those of the statements; what was done before stays.
    #[expect(clippy::unused_async, reason = "it will ask the server")]
    pub async fn maintain(&self, now: i64) -> Result<(), Error> {
        let _ = now;
        Err(not_yet())
    }

    /// Close the connections: those in use when they are given back.
    pub async fn close(&self) {
        std::future::ready(()).await;
    }
}
