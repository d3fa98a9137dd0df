//! Calls that run by themselves or inside a transaction.
#![expect(clippy::unused_async, reason = "they will ask the server")]

use tokio::time::Instant;

use super::collection::{
    Collection, CreatedIndexes, DroppedIndexes, Modification, Namespace, NewCollection, Statistics,
};
use super::database::Store;
use super::failure::not_yet;
use super::read::{Lock, Page, PageLimit, Position};
use super::record::Record;
use super::transaction::Transaction;
use super::write::{Delete, Inserted, NewDocument, Replace, Written};
use crate::error::Error;
use crate::index::Index;
use crate::plan::access::Access;

/// Work on a store, outside of transactions or inside of one.
#[derive(Debug)]
pub struct Handle<'a> {
    #[allow(dead_code, reason = "what the calls below will work with")]
    work: Work<'a>,
    deadline: Option<Instant>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "what the calls below will work with")]
enum Work<'a> {
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

    // The catalogue.

    /// What the catalogue says of a collection; nothing where there is none.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn collection(&mut self, namespace: &Namespace) -> Result<Option<Collection>, Error> {
        let _ = namespace;
        Err(not_yet())
    }

    /// Make a collection. The second value says whether it was made; else it was there already, with whatever
    /// options.
    ///
    /// # Errors
    ///
    /// 112 in a transaction, where another one makes it; 13297 where a database's name differs only in case.
    pub async fn create(
        &mut self,
        namespace: &Namespace,
        new: &NewCollection,
    ) -> Result<(Collection, bool), Error> {
        let _ = (namespace, new);
        Err(not_yet())
    }

    /// Drop a collection; whether it was there. Its documents are removed later.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn drop_collection(&mut self, collection: &Collection) -> Result<bool, Error> {
        let _ = collection;
        Err(not_yet())
    }

    /// Drop all collections of a database; how many there were.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn drop_database(&mut self, database: &str) -> Result<u64, Error> {
        let _ = database;
        Err(not_yet())
    }

    /// Give a collection another name. `drop_target`: a collection of that name is dropped, in the same transaction.
    ///
    /// # Errors
    ///
    /// 48 where that name is taken.
    pub async fn rename(
        &mut self,
        collection: &Collection,
        to: &Namespace,
        drop_target: bool,
    ) -> Result<Checked<()>, Error> {
        let _ = (collection, to, drop_target);
        Err(not_yet())
    }

    /// Change options of a collection, or of its indexes.
    ///
    /// # Errors
    ///
    /// 27 for an index that is not there.
    pub async fn modify(
        &mut self,
        collection: &Collection,
        modification: &Modification,
    ) -> Result<Checked<()>, Error> {
        let _ = (collection, modification);
        Err(not_yet())
    }

    /// The names of all databases, in order.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn databases(&mut self) -> Result<Vec<String>, Error> {
        Err(not_yet())
    }

    /// The collections of a database, in order of their names.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn collections(&mut self, database: &str) -> Result<Vec<Collection>, Error> {
        let _ = database;
        Err(not_yet())
    }

    /// Make indexes, and their entries for documents that are there. Of those that exist already nothing is made.
    ///
    /// # Errors
    ///
    /// 67, 85, 86 where they do not go with others; 11000 where documents have the same key of a unique one; 263 in a
    /// transaction, on a collection with documents.
    pub async fn create_indexes(
        &mut self,
        namespace: &Namespace,
        indexes: Vec<Index>,
    ) -> Result<CreatedIndexes, Error> {
        let _ = (namespace, indexes);
        Err(not_yet())
    }

    /// Drop indexes, by name.
    ///
    /// # Errors
    ///
    /// 27 where one is not there; 72 for that of `_id`.
    pub async fn drop_indexes(
        &mut self,
        collection: &Collection,
        names: &[String],
    ) -> Result<Checked<DroppedIndexes>, Error> {
        let _ = (collection, names);
        Err(not_yet())
    }

    /// How many documents a collection has, and their bytes. Reads all of it.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn statistics(&mut self, collection: &Collection) -> Result<Statistics, Error> {
        let _ = collection;
        Err(not_yet())
    }

    // Reads.

    /// Documents, from the beginning or from where a page ended.
    ///
    /// # Errors
    ///
    /// Those of the database; 112 for a [`Lock`] that cannot be had.
    pub async fn page(
        &mut self,
        collection: &Collection,
        access: &Access,
        after: Option<&Position>,
        limit: PageLimit,
        lock: Lock,
    ) -> Result<Checked<Page>, Error> {
        let _ = (collection, access, after, limit, lock);
        Err(not_yet())
    }

    /// How many documents an access has, without reading them.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn count(
        &mut self,
        collection: &Collection,
        access: &Access,
    ) -> Result<Checked<u64>, Error> {
        let _ = (collection, access);
        Err(not_yet())
    }

    // Writes.

    /// Insert documents, as many as there are.
    ///
    /// # Errors
    ///
    /// Those of the database. In a transaction every failure of a document is one: the transaction is over then.
    pub async fn insert(
        &mut self,
        collection: &Collection,
        documents: &[NewDocument],
        ordered: bool,
    ) -> Result<Checked<Inserted>, Error> {
        let _ = (collection, documents, ordered);
        Err(not_yet())
    }

    /// Put documents in place of others: all of one call together, but for those that failed.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub async fn replace(
        &mut self,
        collection: &Collection,
        documents: &[Replace<'_>],
    ) -> Result<Checked<Written>, Error> {
        let _ = (collection, documents);
        Err(not_yet())
    }

    /// Remove documents: all of one call together.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub async fn delete(
        &mut self,
        collection: &Collection,
        documents: &[Delete<'_>],
    ) -> Result<Checked<Written>, Error> {
        let _ = (collection, documents);
        Err(not_yet())
    }

    // Records.

    /// The records of a session's transaction number, by statement.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn records(
        &mut self,
        session: &[u8],
        transaction: i64,
    ) -> Result<Vec<Record>, Error> {
        let _ = (session, transaction);
        Err(not_yet())
    }

    /// Keep a record of a write that changed nothing.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn keep_record(&mut self, record: &Record) -> Result<Checked<()>, Error> {
        let _ = record;
        Err(not_yet())
    }

    /// The highest transaction number of a session that left a record.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn last_transaction(&mut self, session: &[u8]) -> Result<Option<i64>, Error> {
        let _ = session;
        Err(not_yet())
    }
}
