//! The entries of documents that are older than their index, made while others write.
//!
//! An index is announced first: from then on every write maintains it. What is left are the documents that were there
//! before. They are read in pages; each page gets its entries in a transaction of its own, which does nothing to
//! documents that somebody wrote in between: those are read again. So a build comes to its end however much is
//! written, and may be gone on with by another gateway.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ::bson::RawBsonRef;

use super::build_lease::BuildLease;
use super::builds::{ATTEMPTS, busy, indexes_change};
use super::collection::{Collection, Namespace};
use super::database::Effect;
use super::entry_changes::EntryChanges;
use super::failure::{Duplicate, Failed, read, unexpected};
use super::handle::{Checked, Handle};
use super::read::{Lock, Page, PageLimit, Position, Stored};
use super::statement::Statement;
use super::write::new_version;
use crate::bson::key::Key;
use crate::error::{Code, Error};
use crate::index::{Index, duplicate_key};
use crate::plan::access::{Access, Order};

/// How many documents get their entries at once.
const PAGE: usize = 256;

impl Handle<'_> {
    /// Makes the entries of documents that were there before, and lets queries use the indexes.
    pub(super) async fn fill(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
    ) -> Result<(), Error> {
        let mut lease = BuildLease::new(id, new);
        let mut filled = self.fill_and_publish(namespace, id, new, &mut lease).await;
        if filled.is_err() {
            // Where this fails, too, what is left is an index that writes maintain and no query uses: the background
            // goes on with it.
            let withdrawn = self.withdraw(namespace, id, new).await;
            filled = filled.and(withdrawn);
        }
        let _ = self.release(&lease).await;
        filled
    }

    /// Goes on with the builds of a collection that nobody works on any more. `now` is in milliseconds since 1970.
    pub(super) async fn resume_builds(
        &mut self,
        collection: &Collection,
        now: i64,
    ) -> Result<(), Error> {
        let mut left = Vec::new();
        for index in collection.maintained_indexes() {
            if index.is_building() && self.take_build(collection.id(), index, now).await? {
                left.push(Index::clone(index));
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        self.fill(collection.namespace(), collection.id(), &left).await
    }

    /// Waits until these indexes are built, by whomever.
    pub(super) async fn await_builds(
        &mut self,
        namespace: &Namespace,
        id: i64,
        numbers: &[i32],
    ) -> Result<(), Error> {
        loop {
            let Some(collection) = self.same(namespace, id).await? else {
                return Err(aborted(namespace));
            };
            let mut maintained = collection.maintained_indexes().iter();
            if !maintained.any(|index| index.is_building() && numbers.contains(&index.number())) {
                return Ok(());
            }
            self.resume_builds(&collection, super::record::now()).await?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn fill_and_publish(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
        lease: &mut BuildLease,
    ) -> Result<(), Error> {
        // Who began before may still write without the new entries: those are to be seen below.
        self.settle().await?;
        let mut after = None;
        let mut multikey = Vec::new();
        let mut conflicts = 0;
        loop {
            self.renew(lease).await?;
            // The fewer documents, the less others get in the way.
            let limit = PageLimit { documents: (PAGE >> conflicts).max(1), ..PageLimit::default() };
            match self.fill_page(namespace, id, new, after.as_ref(), limit, &mut multikey).await {
                Ok(None) => break,
                Ok(next) => (after, conflicts) = (next, conflicts / 2),
                // Many write here: it is tried again for longer than a single write is.
                Err(error) if error.code() == Code::WRITE_CONFLICT && conflicts < ATTEMPTS => {
                    conflicts += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => return Err(error),
            }
        }
        for _ in 0..ATTEMPTS {
            let Some(collection) = self.same(namespace, id).await? else {
                return Err(aborted(namespace));
            };
            let mut content = collection.content().clone();
            let mut published = 0;
            for index in &mut content.maintained {
                if new.iter().any(|new| new.number() == index.number()) {
                    published += 1;
                    let multikey = index.is_multikey() || multikey.contains(&index.number());
                    *index =
                        Arc::new(Index::clone(index).with_building(false).with_multikey(multikey));
                }
            }
            if published < new.len() {
                return Err(dropped(namespace));
            }
            let change = indexes_change("createIndexes", &content, new);
            if let Checked::Current(()) = self.store_catalogue(&content, Some(&change)).await? {
                return Ok(());
            }
        }
        Err(busy(namespace))
    }

    /// The entries of the documents behind `after`, a page of them; where the next page begins.
    async fn fill_page(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
        after: Option<&Position>,
        limit: PageLimit,
        multikey: &mut Vec<i32>,
    ) -> Result<Option<Position>, Error> {
        let access = Access::All { order: Order::Forward };
        let page = self.fill_read(namespace, id, &access, after, limit).await?;
        let documents = page.stored()?;
        let mut left = self.add_entries(namespace, id, new, &documents, multikey).await?;
        while !left.is_empty() {
            let access = Access::Ids { keys: left, order: Order::Forward };
            left = Vec::new();
            let mut after = None;
            loop {
                let page = self.fill_read(namespace, id, &access, after.as_ref(), limit).await?;
                let again = self.add_entries(namespace, id, new, &page.stored()?, multikey).await?;
                left.extend(again);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(page.next)
    }

    async fn fill_read(
        &mut self,
        namespace: &Namespace,
        id: i64,
        access: &Access,
        after: Option<&Position>,
        limit: PageLimit,
    ) -> Result<Page, Error> {
        loop {
            let Some(collection) = self.same(namespace, id).await? else {
                return Err(aborted(namespace));
            };
            if let Checked::Current(page) =
                self.page(&collection, access, after, limit, Lock::None).await?
            {
                return Ok(page);
            }
        }
    }

    /// The entries of a page of documents, of those that are as they were read. The documents get another version, so
    /// that a write which began before fails: it would not see, and not remove, the entries that are made here.
    ///
    /// The keys of the others: who wrote one of them since has made the entries that his write changed, but not those
    /// that it left alone.
    async fn add_entries(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
        documents: &[Stored],
        multikey: &mut Vec<i32>,
    ) -> Result<Vec<Key>, Error> {
        let mut changes = EntryChanges::default();
        for document in documents {
            for index in new {
                changes.note_index(index, &document.id_key, None, Some(&document.document))?;
            }
        }
        for number in &changes.newly_multikey {
            if !multikey.contains(number) {
                multikey.push(*number);
            }
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let seen: Vec<i64> = documents.iter().map(|document| document.version).collect();
        let keys: Vec<&[u8]> = documents.iter().map(|document| &*document.id_key).collect();
        let version = new_version();
        let mut statement = Statement::default();
        statement.text("WITH w AS (UPDATE kecoa_mongo.document AS d SET ver = ").param(&version);
        statement.text(" FROM unnest(").param(&keys).text("::BYTEA[], ").param(&seen);
        statement.text("::INT8[]) AS s(key, ver) WHERE d.coll = ").param(&id);
        statement.text(" AND d.id_key = s.key AND d.ver = s.ver RETURNING d.id_key)");
        for (name, table, list) in [
            ("e", "kecoa_mongo.entry", &changes.added),
            ("u", "kecoa_mongo.uniq", &changes.added_unique),
        ] {
            if list.is_empty() {
                continue;
            }
            statement.text(", ").text(name).text(" AS (INSERT INTO ").text(table);
            statement.text(" (coll, idx, key, id_key) SELECT ").param(&id);
            statement.text("::INT8, t.idx, t.key, t.id_key FROM ").entries(list);
            statement.text(" JOIN w ON w.id_key = t.id_key ON CONFLICT DO NOTHING RETURNING 1)");
        }
        statement.text(" SELECT id_key FROM w");
        // By themselves these rows are locked and looked at again: so much is enough here, and on a serializable server
        // it does not fail for what others read.
        let written = self
            .store()
            .read_committed(&statement.sql, &statement.params, self.deadline())
            .await
            .map_err(Error::from)?;
        let mut done = HashSet::with_capacity(written.len());
        for row in &written {
            done.insert(read::<Vec<u8>>(row, 0)?);
        }
        if !changes.added_unique.is_empty() {
            let mut statement = Statement::default();
            statement.text("SELECT t.idx, t.key, t.id_key, u.id_key FROM ");
            statement.entries(&changes.added_unique);
            statement.text(" JOIN kecoa_mongo.document d ON d.coll = ").param(&id);
            statement.text(" AND d.id_key = t.id_key AND d.ver = ").param(&version);
            statement.text(" LEFT JOIN kecoa_mongo.uniq u ON u.coll = ").param(&id);
            statement.text(" AND u.idx = t.idx AND u.key = t.key");
            statement.text(" WHERE u.id_key IS DISTINCT FROM t.id_key");
            for row in self.rows(Effect::Read, &statement.sql, &statement.params).await? {
                if read::<Option<Vec<u8>>>(&row, 3)?.is_none() {
                    // Another document had the key, and has gone since.
                    done.remove(&read::<Vec<u8>>(&row, 2)?);
                    continue;
                }
                let number: i32 = read(&row, 0)?;
                let index = new.iter().find(|index| index.number() == number);
                let index = index.ok_or_else(|| unexpected("an entry of an unknown index"))?;
                return Err(of_key(namespace, index, documents, &read::<Vec<u8>>(&row, 1)?));
            }
        }
        let left = documents.iter().filter(|document| !done.contains(&document.id_key));
        left.map(|document| {
            let id: Option<RawBsonRef<'_>> = document.document.get("_id").ok().flatten();
            id.map(Key::of).ok_or_else(|| unexpected("a document without an _id"))
        })
        .collect()
    }

    /// Takes indexes back that could not be made.
    async fn withdraw(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
    ) -> Result<(), Error> {
        let numbers: Vec<i32> = new.iter().map(Index::number).collect();
        for _ in 0..ATTEMPTS {
            let Some(collection) = self.same(namespace, id).await? else { return Ok(()) };
            let mut content = collection.content().clone();
            content.maintained.retain(|index| !numbers.contains(&index.number()));
            if let Checked::Current(()) = self.store_catalogue(&content, None).await? {
                return self.remove_entries(id, &numbers).await;
            }
        }
        Err(busy(namespace))
    }

    /// Waits until no statement runs that began before: it may not know what the catalogue says now. Transactions
    /// hold the catalogue's row of what they write to, and need not be waited for.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        if !self.capabilities().snapshots_shown {
            // The server orders transactions one after the other.
            return Ok(());
        }
        let sql = "SELECT extract(epoch FROM clock_timestamp())::FLOAT8";
        let rows = self.rows(Effect::Read, sql, &[]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let since: f64 = read(row, 0)?;
        let mut pause = Duration::from_millis(1);
        loop {
            let older = self
                .rows(
                    Effect::Read,
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND usename = current_user AND pid <> pg_backend_pid() AND state = 'active' \
                     AND extract(epoch FROM xact_start)::FLOAT8 <= $1",
                    &[&since],
                )
                .await?;
            let older: i64 = older.first().map_or(Ok(0), |row| read(row, 0))?;
            if older == 0 {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// The collection of this name, as long as it is the same.
    async fn same(&mut self, namespace: &Namespace, id: i64) -> Result<Option<Collection>, Error> {
        self.mistaken(namespace);
        Ok(self.collection(namespace).await?.filter(|collection| collection.id() == id))
    }
}

/// The error of a key that two documents have.
fn of_key(namespace: &Namespace, index: &Index, documents: &[Stored], key: &[u8]) -> Error {
    let has = |document: &&Stored| {
        let entries = index.entries(&document.document).unwrap_or_default();
        entries.keys.iter().any(|own| own.as_bytes() == key)
    };
    match documents.iter().rfind(has) {
        Some(document) => duplicate_key(&namespace.to_string(), index, &document.document, key),
        None => Failed::Duplicate(Duplicate::Other).into(),
    }
}

fn aborted(namespace: &Namespace) -> Error {
    Error::new(
        Code::INDEX_BUILD_ABORTED,
        format!("collection {namespace} was dropped while its indexes were built"),
    )
}

fn dropped(namespace: &Namespace) -> Error {
    Error::new(
        Code::INDEX_BUILD_ABORTED,
        format!("an index of {namespace} was dropped while it was built"),
    )
}
