//! The log of changes: rows that a write leaves for streams, in its own transaction.
//!
//! A transaction's rows have its UUID and are numbered. Where they stand among those of others is said by a row of
//! another table, which the transaction writes as its last step: see [`ticket`](super::ticket).

use kecoa::types::Uuid as SqlUuid;
use kecoa::{Answers, Slot};
use uuid::Uuid;

use super::collection::{Collection, CollectionKind, Namespace};
use super::database::{Effect, Params};
use super::failure::{Failed, read, unexpected};
use super::handle::{Handle, Work};
use super::record::now;
use super::statement::Statement;
use super::ticket::CommitOrder;
use crate::change::{Change, Origin};

use ::bson::RawDocument;

/// Changes of documents of a collection, as parameters: in each list the same place is one change.
#[derive(Debug)]
pub(super) struct ChangeList {
    transaction: SqlUuid,
    database: String,
    collection: String,
    number: Vec<i32>,
    id_key: Vec<Vec<u8>>,
    change: Vec<Vec<u8>>,
    uuid: Uuid,
    images: bool,
    at: i64,
}

impl ChangeList {
    pub(super) fn inserted(&mut self, id_key: &[u8], document: &RawDocument, first: i32) {
        let change = Change::insert(self.uuid, self.at, document);
        self.push(id_key, &change, first);
    }

    pub(super) fn changed(
        &mut self,
        id_key: &[u8],
        old: &RawDocument,
        new: Option<&RawDocument>,
        origin: Origin<'_>,
        first: i32,
    ) {
        let change = match new {
            Some(new) => Change::update(self.uuid, self.at, old, new, origin, self.images),
            None => Change::delete(self.uuid, self.at, old, self.images),
        };
        self.push(id_key, &change, first);
    }

    fn push(&mut self, id_key: &[u8], change: &Change, first: i32) {
        let number = i32::try_from(self.number.len()).unwrap_or(i32::MAX);
        self.number.push(first.saturating_add(number));
        self.id_key.push(id_key.to_vec());
        self.change.push(change.as_bytes().to_vec());
    }

    fn count(&self) -> i32 {
        i32::try_from(self.number.len()).unwrap_or(i32::MAX)
    }
}

impl<'p> Statement<'p> {
    /// Adds an insert of changes of documents, but for its condition; `t.id_key` is the document of each.
    pub(super) fn changes(&mut self, list: &'p ChangeList) -> &mut Self {
        self.text("INSERT INTO kecoa_mongo.change (t, i, db, name, ddl, change) SELECT ")
            .param(&list.transaction)
            .text("::UUID, t.i, ")
            .param(&list.database)
            .text("::TEXT, ")
            .param(&list.collection)
            .text("::TEXT, false, t.change FROM unnest(")
            .param(&list.number)
            .text("::INT4[], ")
            .param(&list.id_key)
            .text("::BYTEA[], ")
            .param(&list.change)
            .text("::BYTEA[]) AS t(i, id_key, change)")
    }
}

/// Changes of collections, as parameters.
#[derive(Debug)]
pub(super) struct CollectionChanges {
    transaction: SqlUuid,
    first: i32,
    number: Vec<i32>,
    id: Vec<i64>,
    database: Vec<String>,
    name: Vec<String>,
    change: Vec<Vec<u8>>,
}

impl CollectionChanges {
    /// Adds a change of a collection, which is told where `w.coll` has its number.
    pub(super) fn push(&mut self, id: i64, database: &str, name: &str, change: &Change) {
        let number = i32::try_from(self.number.len()).unwrap_or(i32::MAX);
        self.number.push(self.first.saturating_add(number));
        self.id.push(id);
        self.database.push(database.to_owned());
        self.name.push(name.to_owned());
        self.change.push(change.as_bytes().to_vec());
    }

    pub(super) fn of(&mut self, id: i64, namespace: &Namespace, change: &Change) {
        self.push(id, namespace.database(), namespace.collection(), change);
    }
}

/// Whether somebody watches a name, whose parts are SQL.
pub(super) fn is_watched(database: &str, name: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM kecoa_mongo.watch v WHERE v.db = '' OR v.db = {database} AND v.name IN ('', {name}))"
    )
}

impl<'p> Statement<'p> {
    /// Wraps a write of collections, which returns `coll` and `watched` of each, with the changes that it makes, as far
    /// as anybody watches anything. It gives what the write returns.
    pub(super) fn with_collection_changes(mut self, list: &'p CollectionChanges) -> Self {
        self.sql.insert_str(0, "WITH w AS (");
        self.text("), l AS (INSERT INTO kecoa_mongo.change (t, i, db, name, ddl, change) SELECT ")
            .param(&list.transaction)
            .text("::UUID, t.i, t.db, t.name, true, t.change FROM unnest(")
            .param(&list.number)
            .text("::INT4[], ")
            .param(&list.id)
            .text("::INT8[], ")
            .param(&list.database)
            .text("::TEXT[], ")
            .param(&list.name)
            .text("::TEXT[], ")
            .param(&list.change)
            .text(
                "::BYTEA[]) AS t(i, coll, db, name, change) JOIN w ON w.coll = t.coll \
                 WHERE EXISTS (SELECT 1 FROM kecoa_mongo.watch) RETURNING 1) SELECT coll, watched FROM w",
            );
        self
    }
}

impl Handle<'_> {
    /// Changes to be told of documents of a collection; none where nobody watches it. The second value is the number
    /// of the first.
    pub(super) fn change_list(&self, collection: &Collection) -> Option<(ChangeList, i32)> {
        if !collection.is_watched() || collection.kind() == CollectionKind::View {
            return None;
        }
        let (transaction, first) = self.log();
        let list = ChangeList {
            transaction,
            database: collection.namespace().database().to_owned(),
            collection: collection.namespace().collection().to_owned(),
            number: Vec::new(),
            id_key: Vec::new(),
            change: Vec::new(),
            uuid: collection.uuid(),
            images: collection.keeps_images(),
            at: now(),
        };
        Some((list, first))
    }

    /// Changes to be told of collections.
    pub(super) fn collection_changes(&self) -> CollectionChanges {
        let (transaction, first) = self.log();
        CollectionChanges {
            transaction,
            first,
            number: Vec::new(),
            id: Vec::new(),
            database: Vec::new(),
            name: Vec::new(),
            change: Vec::new(),
        }
    }

    /// The transaction's UUID in the log, and the number of its next change.
    fn log(&self) -> (SqlUuid, i32) {
        match &self.work {
            Work::Alone(_) => (SqlUuid::from_bytes(Uuid::new_v4().into_bytes()), 0),
            Work::Within(transaction) => transaction.log(),
        }
    }

    /// Statements that write changes, sent together; a slot for each.
    pub(super) async fn logged(
        &mut self,
        effect: Effect,
        statements: &[(&str, Params<'_>)],
        list: &ChangeList,
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        self.with_ticket(effect, statements, list.transaction, list.count()).await
    }

    /// A write of collections with its changes: whether each that it wrote is watched. `before` is sent first, in the
    /// same transaction.
    pub(super) async fn logged_collections<'p>(
        &mut self,
        effect: Effect,
        before: Option<(&str, Params<'_>)>,
        statement: Statement<'p>,
        list: &'p CollectionChanges,
    ) -> Result<Vec<bool>, Failed> {
        self.hold_watchers().await?;
        let statement = statement.with_collection_changes(list);
        let count = i32::try_from(list.number.len()).unwrap_or(i32::MAX);
        let mut statements: Vec<(&str, Params<'_>)> = before.into_iter().collect();
        statements.push((&statement.sql, &statement.params));
        let (mut answers, slots) =
            self.with_ticket(effect, &statements, list.transaction, count).await?;
        let slot = slots.last().ok_or_else(|| unexpected("no answer"))?;
        let rows = answers.rows(*slot).map_err(|error| unexpected(&error.to_string()))?;
        let watched = rows.iter().map(|row| read(row, 1));
        Ok(watched.collect::<Result<Vec<bool>, _>>()?)
    }

    /// Keeps others from beginning to watch until the transaction ends.
    async fn hold_watchers(&mut self) -> Result<(), Failed> {
        let deadline = self.deadline();
        match &mut self.work {
            Work::Within(transaction) => transaction.hold_watchers(deadline).await,
            Work::Alone(_) => Ok(()),
        }
    }

    async fn with_ticket(
        &mut self,
        effect: Effect,
        statements: &[(&str, Params<'_>)],
        transaction: SqlUuid,
        count: i32,
    ) -> Result<(Answers, Vec<Slot>), Failed> {
        let deadline = self.deadline();
        match &mut self.work {
            Work::Within(within) => {
                within.note_changes(count);
                within.together(statements, deadline).await
            }
            Work::Alone(store) => {
                let ticket = CommitOrder::of(store, transaction, None);
                let last = ticket.statements();
                let last = last.iter().map(|(sql, params)| (*sql, &**params));
                let all: Vec<(&str, Params<'_>)> = statements.iter().copied().chain(last).collect();
                let (mut answers, mut slots) = store.together(effect, &all, deadline).await?;
                let last = slots.split_off(statements.len());
                ticket.settle(store, &mut answers, &last)?;
                Ok((answers, slots))
            }
        }
    }
}
