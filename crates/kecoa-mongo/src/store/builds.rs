//! Indexes made and dropped, without losing a write that comes at the same time.

use std::sync::Arc;
use std::time::Duration;

use super::collection::{Collection, Content, CreatedIndexes, DroppedIndexes, Namespace};
use super::database::Effect;
use super::entry_changes::EntryChanges;
use super::failure::{Duplicate, Failed, read, unexpected};
use super::handle::{Checked, Handle};
use super::layout;
use super::read::{Lock, Page, PageLimit, Position, Stored};
use super::statement::Statement;
use super::write::new_version;
use crate::error::{Code, Error};
use crate::index::{Index, MAX_INDEXES, duplicate_key, same_index};
use crate::plan::access::{Access, Order};

/// How often something is tried that other gateways get in the way of.
const ATTEMPTS: usize = 20;

impl Handle<'_> {
    /// Make indexes, and their entries for documents that are there. Of those that exist already nothing is made. The
    /// collection must be there.
    ///
    /// # Errors
    ///
    /// 26 without the collection; 67, 85, 86 where they do not go with others; 11000 where documents have the same key
    /// of a unique one; 263 in a transaction, on a collection with documents.
    pub async fn create_indexes(
        &mut self,
        namespace: &Namespace,
        indexes: Vec<Index>,
    ) -> Result<CreatedIndexes, Error> {
        for _ in 0..ATTEMPTS {
            let Some(collection) = self.collection(namespace).await? else {
                return Err(Error::new(
                    Code::NAMESPACE_NOT_FOUND,
                    format!("ns does not exist: {namespace}"),
                ));
            };
            if !self.is_current(&collection).await? {
                continue;
            }
            let before = collection.maintained_indexes().len();
            let (content, new) = with_new(&collection, &indexes)?;
            if new.is_empty() {
                return Ok(CreatedIndexes { before, after: before });
            }
            let is_empty = self.is_empty(&collection).await?;
            if self.is_within() && !is_empty {
                return Err(Error::new(
                    Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
                    format!(
                        "Cannot create new indexes on non-empty collection {namespace} in a multi-document transaction."
                    ),
                ));
            }
            let done = if self.is_within() {
                self.announce(content, &new, false).await?
            } else {
                match self.announce(content, &new, true).await? {
                    Checked::Stale => Checked::Stale,
                    Checked::Current(()) => {
                        self.fill(namespace, collection.id(), &new).await?;
                        Checked::Current(())
                    }
                }
            };
            if matches!(done, Checked::Current(())) {
                return Ok(CreatedIndexes { before, after: before + new.len() });
            }
        }
        Err(busy(namespace))
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
        let mut content = collection.content().clone();
        let before = content.maintained.len();
        let mut dropped = Vec::new();
        for name in names {
            let Some(at) = content.maintained.iter().position(|index| index.name() == *name) else {
                return Err(Error::new(
                    Code::INDEX_NOT_FOUND,
                    format!("index not found with name [{name}]"),
                ));
            };
            let index = content.maintained.remove(at);
            if index.is_id() {
                return Err(Error::new(Code::INVALID_OPTIONS, "cannot drop _id index"));
            }
            dropped.push(index.number());
        }
        match self.store_catalogue(&content).await? {
            Checked::Stale => Ok(Checked::Stale),
            Checked::Current(()) => {
                self.remove_entries(collection.id(), &dropped).await?;
                Ok(Checked::Current(DroppedIndexes { before }))
            }
        }
    }

    /// Writes down that indexes meet arrays; whether anything was to be written. The collection is to be looked up
    /// again then.
    pub(super) async fn mark_multikey(
        &mut self,
        collection: &Collection,
        numbers: &[i32],
    ) -> Result<bool, Error> {
        if numbers.is_empty() {
            return Ok(false);
        }
        let mut content = collection.content().clone();
        for index in &mut content.maintained {
            if numbers.contains(&index.number()) {
                *index = Arc::new(Index::clone(index).with_multikey(true));
            }
        }
        self.store_catalogue(&content).await?;
        Ok(true)
    }

    /// Makes writers keep indexes up to date.
    async fn announce(
        &mut self,
        mut content: Content,
        new: &[Index],
        building: bool,
    ) -> Result<Checked<()>, Error> {
        for index in new {
            content.maintained.push(Arc::new(index.clone().with_building(building)));
        }
        self.store_catalogue(&content).await
    }

    /// Makes the entries of documents that were there before, and lets queries use the indexes.
    async fn fill(&mut self, namespace: &Namespace, id: i64, new: &[Index]) -> Result<(), Error> {
        let filled = self.fill_and_publish(namespace, id, new).await;
        if filled.is_err() {
            // Best effort: what is left is an index that writes maintain and no query uses.
            let _ = self.withdraw(namespace, id, new).await;
        }
        filled
    }

    async fn fill_and_publish(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
    ) -> Result<(), Error> {
        // Who began before may still write without the new entries: those are to be seen below.
        self.settle().await?;
        let mut after = None;
        let mut multikey = Vec::new();
        let mut conflicts = 0;
        loop {
            // The fewer documents, the less others get in the way.
            let documents = PageLimit::default().documents >> conflicts;
            let limit = PageLimit { documents: documents.max(1), ..PageLimit::default() };
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
            for index in &mut content.maintained {
                if new.iter().any(|new| new.number() == index.number()) {
                    let multikey = index.is_multikey() || multikey.contains(&index.number());
                    *index =
                        Arc::new(Index::clone(index).with_building(false).with_multikey(multikey));
                }
            }
            if let Checked::Current(()) = self.store_catalogue(&content).await? {
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
        loop {
            let Some(collection) = self.same(namespace, id).await? else {
                return Err(aborted(namespace));
            };
            let page = self.page(&collection, &access, after, limit, Lock::None);
            let Checked::Current(Page { documents, next, .. }) = page.await? else { continue };
            self.add_entries(namespace, id, new, &documents, multikey).await?;
            return Ok(next);
        }
    }

    /// The entries of a page of documents, of those that are as they were read: who changed one since has made its
    /// entries. The documents get another version, so that a write which began before fails: it would not see, and not
    /// remove, the entries that are made here.
    async fn add_entries(
        &mut self,
        namespace: &Namespace,
        id: i64,
        new: &[Index],
        documents: &[Stored],
        multikey: &mut Vec<i32>,
    ) -> Result<(), Error> {
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
            return Ok(());
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
        statement.text(" SELECT count(*) FROM w");
        self.rows(Effect::Write, &statement.sql, &statement.params).await?;
        if changes.added_unique.is_empty() {
            return Ok(());
        }
        // Keys that another document had before.
        let mut statement = Statement::default();
        statement.text("SELECT u.idx, u.key FROM ").entries(&changes.added_unique);
        statement.text(" JOIN kecoa_mongo.document d ON d.coll = ").param(&id);
        statement.text(" AND d.id_key = t.id_key AND d.ver = ").param(&version);
        statement.text(" JOIN kecoa_mongo.uniq u ON u.coll = ").param(&id);
        statement.text(" AND u.idx = t.idx AND u.key = t.key WHERE u.id_key <> t.id_key LIMIT 1");
        let others = self.rows(Effect::Read, &statement.sql, &statement.params).await?;
        let Some(row) = others.first() else { return Ok(()) };
        let number: i32 = read(row, 0)?;
        let index = new.iter().find(|index| index.number() == number);
        let index = index.ok_or_else(|| unexpected("an entry of an unknown index"))?;
        Err(of_key(namespace, index, documents, &read::<Vec<u8>>(row, 1)?))
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
            if let Checked::Current(()) = self.store_catalogue(&content).await? {
                return self.remove_entries(id, &numbers).await;
            }
        }
        Err(busy(namespace))
    }

    async fn remove_entries(&mut self, id: i64, indexes: &[i32]) -> Result<(), Error> {
        for table in ["kecoa_mongo.entry", "kecoa_mongo.uniq"] {
            for index in indexes {
                let sql = format!("DELETE FROM {table} WHERE coll = $1 AND idx = $2");
                self.execute(Effect::WriteOnce, &sql, &[&id, index]).await?;
            }
        }
        Ok(())
    }

    /// Waits until no statement runs that began before: it may not know what the catalogue says now. Transactions
    /// hold the catalogue's row of what they write to, and need not be waited for.
    async fn settle(&mut self) -> Result<(), Error> {
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
                     AND extract(epoch FROM query_start)::FLOAT8 <= $1",
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

    async fn is_empty(&mut self, collection: &Collection) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM kecoa_mongo.document WHERE coll = $1 LIMIT 1";
        Ok(self.rows(Effect::Read, sql, &[&collection.id()]).await?.is_empty())
    }

    /// The collection of this name, as long as it is the same.
    async fn same(&mut self, namespace: &Namespace, id: i64) -> Result<Option<Collection>, Error> {
        self.mistaken(namespace);
        Ok(self.collection(namespace).await?.filter(|collection| collection.id() == id))
    }
}

/// What is to be made, with numbers, and the collection's content with the numbers taken.
fn with_new(collection: &Collection, indexes: &[Index]) -> Result<(Content, Vec<Index>), Error> {
    let mut content = collection.content().clone();
    let mut new: Vec<Index> = Vec::new();
    for index in indexes {
        let mut is_there = index.is_id_pattern() && index.name() == "_id_";
        for existing in content.maintained.iter().map(|index| &**index).chain(&new) {
            is_there = is_there || same_index(existing, index)?;
        }
        if is_there {
            continue;
        }
        if content.maintained.len() + new.len() >= MAX_INDEXES {
            return Err(Error::new(
                Code::CANNOT_CREATE_INDEX,
                format!(
                    "add index fails, too many indexes for {}: at most {MAX_INDEXES}",
                    collection.namespace()
                ),
            ));
        }
        new.push(index.clone().with_number(content.next_index));
        content.next_index += 1;
    }
    content.indexes = layout::ready(&content.maintained);
    Ok((content, new))
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

fn busy(namespace: &Namespace) -> Error {
    Error::new(
        Code::WRITE_CONFLICT,
        format!("others went on changing what the catalogue says of {namespace}"),
    )
}

fn aborted(namespace: &Namespace) -> Error {
    Error::new(
        Code::INDEX_BUILD_ABORTED,
        format!("collection {namespace} was dropped while its indexes were built"),
    )
}
