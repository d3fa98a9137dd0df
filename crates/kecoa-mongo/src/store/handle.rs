//! Calls that run by themselves or inside a transaction.

use kecoa::{Answers, Row, Slot};
use tokio::time::Instant;

use super::collection::{Collection, Namespace};
use super::database::{Effect, Params, Store};
use super::failure::{Duplicate, Failed};
use super::options::Capabilities;
use super::parts::Tables;
use super::read::Fetched;
use super::snapshot;
use super::statement::Guard;
use super::transaction::{Known, Transaction};
use crate::error::Error;

/// Work on a store, outside of transactions or inside of one.
#[derive(Debug)]
pub struct Handle<'a> {
    pub(super) work: Work<'a>,
    deadline: Option<Instant>,
}

#[derive(Debug)]
pub(super) enum Work<'a> {
    Alone(&'a Store),
    Within(&'a mut Transaction),
}

/// An answer that holds as long as the catalogue says what it said.
#[derive(Clone, Debug)]
pub enum Checked<T> {
    /// It does.
    Current(T),
    /// Nothing was done: the catalogue says something else of the collection by now, or a record of this write is there
    /// already. Look both up again, plan again.
    Stale,
}

impl Store {
    /// Work outside of transactions.
    #[must_use]
    pub fn alone(&self) -> Handle<'_> {
        Handle { work: Work::Alone(self), deadline: None }
    }
}

impl Transaction {
    /// Work inside of it.
    pub fn handle(&mut self) -> Handle<'_> {
        Handle { work: Work::Within(self), deadline: None }
    }
}

impl Handle<'_> {
    /// The same with a point in time at which calls fail with 50.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The point in time at which calls fail with 50.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The store that is worked on.
    #[must_use]
    pub fn store(&self) -> &Store {
        match &self.work {
            Work::Alone(store) => store,
            Work::Within(transaction) => transaction.store(),
        }
    }

    /// Whether it is inside a transaction.
    #[must_use]
    pub fn is_within(&self) -> bool {
        matches!(self.work, Work::Within(_))
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.store().capabilities()
    }

    /// The tables that a collection's documents and entries lie in.
    pub(super) fn tables(&self, collection: &Collection) -> &'static Tables {
        match self.capabilities().parts {
            true => Tables::of(collection.id()),
            false => Tables::whole(),
        }
    }

    /// What a write to a collection counts on.
    pub(super) fn guard(&self, collection: &Collection) -> Guard {
        Guard { id: collection.id(), version: collection.version(), holds: self.is_within() }
    }

    /// A document that the transaction has read, and sees so still.
    pub(super) fn seen(&mut self, collection: &Collection, id_key: &[u8]) -> Option<Fetched> {
        match &mut self.work {
            Work::Alone(_) => None,
            Work::Within(transaction) => transaction.seen(collection, id_key),
        }
    }

    /// A document was read by its `_id`.
    pub(super) fn see(&mut self, collection: &Collection, found: &Fetched) {
        if let Work::Within(transaction) = &mut self.work {
            transaction.see(collection, found);
        }
    }

    pub(super) async fn rows(
        &mut self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Failed> {
        match &mut self.work {
            Work::Alone(store) => store.rows(effect, sql, params, self.deadline).await,
            Work::Within(transaction) => transaction.rows(effect, sql, params, self.deadline).await,
        }
    }

    pub(super) async fn execute(
        &mut self,
        effect: Effect,
        sql: &str,
        params: Params<'_>,
    ) -> Result<u64, Failed> {
        match &mut self.work {
            Work::Alone(store) => store.count(effect, sql, params, self.deadline).await,
            Work::Within(transaction) => transaction.count(sql, params, self.deadline).await,
        }
    }

    pub(super) async fn together(
        &mut self,
        effect: Effect,
        statements: &[(&str, Params<'_>)],
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        match &mut self.work {
            Work::Alone(store) => store.together(effect, statements, self.deadline).await,
            Work::Within(transaction) => transaction.together(statements, self.deadline).await,
        }
    }

    /// Keeps what the catalogue says: for everybody, or for the transaction.
    pub(super) fn learn(&mut self, namespace: &Namespace, found: Option<&Collection>) {
        match &mut self.work {
            Work::Alone(store) => match found {
                Some(collection) => store.learn(collection),
                None => store.forget(namespace),
            },
            Work::Within(transaction) => {
                transaction.know(namespace, Known::Here(found.cloned()));
            }
        }
    }

    /// The collection was made, by the transaction where there is one.
    pub(super) fn note_made(&mut self, collection: &Collection) {
        if let Work::Within(transaction) = &mut self.work {
            transaction.make(collection.id());
        }
    }

    /// Whether the transaction has made the collection.
    pub(super) fn has_made(&self, collection: &Collection) -> bool {
        match &self.work {
            Work::Alone(_) => false,
            Work::Within(transaction) => transaction.has_made(collection.id()),
        }
    }

    /// Fails where the key that a transaction met was written by another one that it does not see: it is to be tried
    /// again then. Nothing, where the key is a duplicate for it, too.
    pub(super) async fn check_visible(
        &mut self,
        collection: &Collection,
        duplicate: &Duplicate,
    ) -> Result<(), Error> {
        let Work::Within(transaction) = &self.work else { return Ok(()) };
        let Some(snapshot) = transaction.snapshot() else { return Ok(()) };
        match snapshot::is_newer(transaction.store(), snapshot, collection.id(), duplicate).await? {
            true => Err(snapshot::conflict("committed")),
            false => Ok(()),
        }
    }

    /// What the catalogue said last; nothing where it must be asked.
    pub(super) fn known(&mut self, namespace: &Namespace) -> Option<Option<Collection>> {
        match &mut self.work {
            Work::Alone(store) => store.known(namespace).map(Some),
            Work::Within(transaction) => match transaction.known(namespace) {
                Known::Here(found) => Some(found),
                Known::Ask => None,
                Known::Elsewhere => transaction.store().known(namespace).map(Some),
            },
        }
    }

    /// What the catalogue said of this name was not so.
    pub(super) fn mistaken(&mut self, namespace: &Namespace) {
        match &mut self.work {
            Work::Alone(store) => store.forget(namespace),
            Work::Within(transaction) => {
                // Its snapshot may be older than what others know.
                transaction.know(namespace, Known::Ask);
            }
        }
    }
}
