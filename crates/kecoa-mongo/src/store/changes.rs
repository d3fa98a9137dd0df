//! Replacements and removals: compare-and-set by the version of each document.

use std::collections::HashSet;

use kecoa::Row;

use super::change_log::ChangeList;
use super::collection::Collection;
use super::database::Effect;
use super::entry_changes::{EntryChanges, EntryList};
use super::failure::{Duplicate, Failed, read, unexpected};
use super::handle::{Checked, Handle};
use super::parts::Tables;
use super::read::Stored;
use super::record::{Record, now};
use super::stale_keys::Taken;
use super::statement::{Guard, RecordList, Statement};
use super::write::{Delete, Replace, Written, new_version};
use crate::change::Origin;
use crate::error::{Code, Error, Label};
use crate::index::duplicate_key;

use ::bson::RawDocument;

/// What is done to a document.
struct Change<'a> {
    old: &'a Stored,
    /// None: it is removed.
    new: Option<&'a RawDocument>,
    record: Option<&'a Record>,
}

/// The parameters of a statement about several documents.
struct Batch {
    tables: &'static Tables,
    guard: Guard,
    new_version: i64,
    keys: Vec<Vec<u8>>,
    seen: Vec<i64>,
    bodies: Vec<Vec<u8>>,
    entries: EntryChanges,
    records: RecordList,
    /// What streams are told of it.
    log: Option<ChangeList>,
}

impl Handle<'_> {
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
        self.replace_by(collection, documents, Origin::Replacement).await
    }

    /// The same, where the client did not give the documents themselves: streams tell what changed in them.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub async fn replace_by(
        &mut self,
        collection: &Collection,
        documents: &[Replace<'_>],
        origin: Origin<'_>,
    ) -> Result<Checked<Written>, Error> {
        let changes: Vec<_> = documents
            .iter()
            .map(|one| Change { old: one.old, new: Some(one.new), record: one.record.as_ref() })
            .collect();
        self.change(collection, &changes, origin).await
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
        let changes: Vec<_> = documents
            .iter()
            .map(|one| Change { old: one.old, new: None, record: one.record.as_ref() })
            .collect();
        self.change(collection, &changes, Origin::Replacement).await
    }

    async fn change(
        &mut self,
        collection: &Collection,
        changes: &[Change<'_>],
        origin: Origin<'_>,
    ) -> Result<Checked<Written>, Error> {
        let mut written = Written::default();
        if changes.is_empty() {
            return Ok(Checked::Current(written));
        }
        match self.change_together(collection, changes, origin).await {
            Ok(Checked::Stale) => return Ok(Checked::Stale),
            Ok(Checked::Current(done)) => {
                written.done =
                    changes.iter().map(|change| done.contains(&change.old.id_key)).collect();
                // Nothing was done now: an attempt whose answer was lost may have done it.
                if done.is_empty()
                    && (self.were_done(changes).await? || !self.is_current(collection).await?)
                {
                    return Ok(Checked::Stale);
                }
                return Ok(Checked::Current(written));
            }
            Err(Failed::Duplicate(Duplicate::Record)) => return Ok(Checked::Stale),
            Err(Failed::Duplicate(_)) if self.were_done(changes).await? => {
                return Ok(Checked::Stale);
            }
            Err(Failed::Duplicate(duplicate)) if changes.len() == 1 || self.is_within() => {
                self.check_visible(collection, &duplicate).await?;
                written.done = vec![false; changes.len()];
                let failure = changes.iter().enumerate().find_map(|(number, change)| {
                    Some((number, error_of(collection, change, &duplicate)?))
                });
                let failure = failure.ok_or_else(|| Error::from(Failed::Duplicate(duplicate)))?;
                written.failure = Some(failure);
                return Ok(Checked::Current(written));
            }
            Err(Failed::Duplicate(_)) => {}
            // One of them cannot be indexed: it is found below.
            Err(Failed::Other(error))
                if changes.len() > 1 && !self.is_within() && is_of_one(&error) => {}
            Err(failed) => return Err(labelled(failed.into(), changes)),
        }
        // One by one, up to the one that fails.
        for (number, change) in changes.iter().enumerate() {
            let one = std::slice::from_ref(change);
            match Box::pin(self.change(collection, one, origin)).await {
                Ok(Checked::Stale) if number == 0 => return Ok(Checked::Stale),
                // They are to be read again in any case.
                Ok(Checked::Stale) => break,
                Ok(Checked::Current(one)) => {
                    written.done.extend(one.done);
                    if let Some((_, error)) = one.failure {
                        written.failure = Some((number, error));
                        break;
                    }
                }
                Err(error) if is_of_one(&error) => {
                    written.failure = Some((number, error));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        written.done.resize(changes.len(), false);
        Ok(Checked::Current(written))
    }

    /// Whether these changes were made before, by an attempt whose answer was lost.
    async fn were_done(&mut self, changes: &[Change<'_>]) -> Result<bool, Error> {
        if self.is_within() {
            return Ok(false);
        }
        let records: Vec<_> = changes.iter().filter_map(|change| change.record).collect();
        self.are_recorded(&records).await
    }

    /// The keys of the documents that were changed.
    async fn change_together(
        &mut self,
        collection: &Collection,
        changes: &[Change<'_>],
        origin: Origin<'_>,
    ) -> Result<Checked<HashSet<Vec<u8>>>, Failed> {
        let mut batch =
            Batch::new(self.tables(collection), collection, self.guard(collection), changes)?;
        batch.log = self.change_list(collection).map(|(mut list, first)| {
            for change in changes {
                let old = change.old;
                list.changed(&old.id_key, &old.document, change.new, origin, first);
            }
            list
        });
        if self.mark_multikey(collection, &batch.entries.newly_multikey).await? {
            return Ok(Checked::Stale);
        }
        let removes = changes.first().is_some_and(|change| change.new.is_none());
        if removes && collection.is_natural() {
            let removed = &mut batch.entries.removed_unique;
            self.remove_places(collection, &batch.keys, removed).await?;
        }
        let effect = if batch.records.is_empty() { Effect::Write } else { Effect::WriteOnce };
        if batch.is_bare() {
            return self.change_bare(&batch, removes, effect).await.map(Checked::Current);
        }
        let both =
            |added: &EntryList, removed: &EntryList| !added.is_empty() && !removed.is_empty();
        let twice = both(&batch.entries.added, &batch.entries.removed)
            || both(&batch.entries.added_unique, &batch.entries.removed_unique);
        let rows = if twice && !self.capabilities().one_table_twice {
            self.change_in_steps(&batch, effect).await?
        } else {
            let statement = batch.statement(removes);
            let list = batch.log.as_ref();
            let taken = Taken { id_keys: &[], unique: &batch.entries.added_unique };
            if let Some(key) = batch.counted() {
                let count = self.take_count(collection, effect, &statement, list, &taken).await?;
                return Ok(Checked::Current(one(key, count)));
            }
            self.take_rows(collection, effect, &statement, list, &taken).await?
        };
        Ok(Checked::Current(keys_of(&rows)?))
    }

    /// One document, no entries, no record: nothing but the document itself.
    async fn change_bare(
        &mut self,
        batch: &Batch,
        removes: bool,
        effect: Effect,
    ) -> Result<HashSet<Vec<u8>>, Failed> {
        let mut statement = Statement::default();
        let (Some(key), Some(seen)) = (batch.keys.first(), batch.seen.first()) else {
            return Ok(HashSet::new());
        };
        let (body, document) = (batch.bodies.first(), &batch.tables.document);
        if removes {
            statement
                .text("DELETE FROM ")
                .text(document)
                .text(" WHERE coll = ")
                .param(&batch.guard.id);
        } else {
            statement.text("UPDATE ").text(document).text(" SET ver = ").param(&batch.new_version);
            statement.text(", doc = ");
            let Some(body) = &body else { return Err(unexpected("no document").into()) };
            statement.param(*body);
            statement.text(" WHERE coll = ").param(&batch.guard.id);
        }
        statement.text(" AND id_key = ").param(key).text(" AND ver = ").param(seen).text(" AND ");
        statement.guard(&batch.guard);
        let count = self.execute(effect, &statement.sql, &statement.params).await?;
        Ok(one(key, count))
    }

    /// The same in several statements of one transaction, for servers that write a table once in a statement: those
    /// behind the first do what they do for documents that have the new version, which nobody else has written.
    async fn change_in_steps(&mut self, batch: &Batch, effect: Effect) -> Result<Vec<Row>, Failed> {
        let mut statements = vec![{
            let mut statement = Statement::default();
            batch.documents(&mut statement, false);
            statement
        }];
        // First, so that a second attempt is known by it.
        if !batch.records.is_empty() {
            let mut statement = Statement::default();
            statement.records(&batch.records).text(" WHERE ");
            batch.was_written(&mut statement);
            statements.push(statement);
        }
        for (table, removed) in [
            (&batch.tables.entry, &batch.entries.removed),
            (&batch.tables.unique, &batch.entries.removed_unique),
        ] {
            if removed.is_empty() {
                continue;
            }
            let mut statement = Statement::default();
            statement.text("DELETE FROM ").text(table).text(" AS e USING ").entries(removed);
            statement.text(" WHERE e.coll = ").param(&batch.guard.id);
            statement.text(" AND e.idx = t.idx AND e.key = t.key AND e.id_key = t.id_key AND ");
            batch.was_written(&mut statement);
            statements.push(statement);
        }
        for (table, added) in [
            (&batch.tables.entry, &batch.entries.added),
            (&batch.tables.unique, &batch.entries.added_unique),
        ] {
            if added.is_empty() {
                continue;
            }
            let mut statement = Statement::default();
            statement.text("INSERT INTO ").text(table).text(" (coll, idx, key, id_key) SELECT ");
            statement
                .param(&batch.guard.id)
                .text("::INT8, t.idx, t.key, t.id_key FROM ")
                .entries(added);
            statement.text(" WHERE ");
            batch.was_written(&mut statement);
            statements.push(statement);
        }
        if let Some(list) = &batch.log {
            let mut statement = Statement::default();
            statement.changes(list).text(" WHERE ");
            batch.was_written(&mut statement);
            statements.push(statement);
        }
        let sent: Vec<_> = statements.iter().map(|one| (one.sql.as_str(), &*one.params)).collect();
        let (mut answers, slots) = match &batch.log {
            None => self.together(effect, &sent).await?,
            Some(list) => self.logged(effect, &sent, list).await?,
        };
        let slot = slots.first().ok_or_else(|| unexpected("no answer"))?;
        Ok(answers.rows(*slot).map_err(|error| unexpected(&error.to_string()))?)
    }
}

impl Batch {
    fn new(
        tables: &'static Tables,
        collection: &Collection,
        guard: Guard,
        changes: &[Change<'_>],
    ) -> Result<Self, Error> {
        let mut batch = Self {
            tables,
            guard,
            new_version: new_version(),
            keys: Vec::with_capacity(changes.len()),
            seen: Vec::with_capacity(changes.len()),
            bodies: Vec::new(),
            entries: EntryChanges::default(),
            records: RecordList::default(),
            log: None,
        };
        let at = now();
        for change in changes {
            let key = &change.old.id_key;
            batch.keys.push(key.clone());
            batch.seen.push(change.old.version);
            batch.bodies.extend(change.new.map(|new| new.as_bytes().to_vec()));
            batch.entries.note(collection, key, Some(&change.old.document), change.new)?;
            if let Some(record) = change.record {
                batch.records.push(record, key, at);
            }
        }
        Ok(batch)
    }

    fn is_bare(&self) -> bool {
        self.keys.len() == 1
            && self.entries.is_empty()
            && self.records.is_empty()
            && self.log.is_none()
    }

    /// The key of the one document, where the statement ends with its record: that is counted, no rows come back.
    fn counted(&self) -> Option<&Vec<u8>> {
        match (&*self.keys, &*self.records.statement, &self.log) {
            ([key], [_], None) => Some(key),
            _ => None,
        }
    }

    /// All in one statement.
    fn statement(&self, removes: bool) -> Statement<'_> {
        let mut statement = Statement::default();
        statement.text("WITH w AS (");
        self.documents(&mut statement, removes);
        statement.text(")");
        for (name, table, removed) in [
            ("a", &self.tables.entry, &self.entries.removed),
            ("b", &self.tables.unique, &self.entries.removed_unique),
        ] {
            if removed.is_empty() {
                continue;
            }
            statement.text(", ").text(name).text(" AS (DELETE FROM ").text(table);
            statement.text(" AS e USING ").entries(removed).text(", w WHERE e.coll = ");
            statement
                .param(&self.guard.id)
                .text(" AND e.idx = t.idx AND e.key = t.key AND e.id_key = t.id_key");
            statement.text(" AND w.id_key = t.id_key RETURNING 1)");
        }
        for (name, table, added) in [
            ("c", &self.tables.entry, &self.entries.added),
            ("d", &self.tables.unique, &self.entries.added_unique),
        ] {
            if added.is_empty() {
                continue;
            }
            statement.text(", ").text(name).text(" AS (INSERT INTO ").text(table);
            statement.text(" (coll, idx, key, id_key) SELECT ").param(&self.guard.id);
            statement.text("::INT8, t.idx, t.key, t.id_key FROM ").entries(added);
            statement.text(" JOIN w ON w.id_key = t.id_key RETURNING 1)");
        }
        if self.counted().is_some() {
            statement.text(" ").record(&self.records, "w");
            return statement;
        }
        if !self.records.is_empty() {
            statement.text(", r AS (").records(&self.records);
            statement.text(" JOIN w ON w.id_key = t.id_key RETURNING 1)");
        }
        if let Some(list) = &self.log {
            statement.text(", l AS (").changes(list);
            statement.text(" JOIN w ON w.id_key = t.id_key RETURNING 1)");
        }
        statement.text(" SELECT id_key FROM w");
        statement
    }

    /// The change of the documents themselves; it gives the keys of those that had the version that was seen.
    fn documents<'b>(&'b self, statement: &mut Statement<'b>, removes: bool) {
        if removes {
            statement.text("DELETE FROM ").text(&self.tables.document).text(" AS d");
        } else {
            statement.text("UPDATE ").text(&self.tables.document).text(" AS d SET ver = ");
            statement.param(&self.new_version);
        }
        if let ([key], [seen]) = (&*self.keys, &*self.seen) {
            if let Some(body) = self.bodies.first() {
                statement.text(", doc = ").param(body);
            }
            statement.text(" WHERE d.coll = ").param(&self.guard.id);
            statement.text(" AND d.id_key = ").param(key).text(" AND d.ver = ").param(seen);
        } else {
            statement.text(if removes { " USING unnest(" } else { ", doc = n.doc FROM unnest(" });
            if !removes {
                statement.param(&self.bodies).text("::BYTEA[], ");
            }
            statement.param(&self.keys).text("::BYTEA[], ").param(&self.seen);
            statement.text("::INT8[]) AS n(").text(if removes { "" } else { "doc, " });
            statement.text("key, ver) WHERE d.coll = ").param(&self.guard.id);
            statement.text(" AND d.id_key = n.key AND d.ver = n.ver");
        }
        statement.text(" AND ");
        statement.guard(&self.guard).text(" RETURNING d.id_key");
    }

    /// The condition that a document has the version of this write.
    fn was_written<'b>(&'b self, statement: &mut Statement<'b>) {
        statement
            .text("EXISTS (SELECT 1 FROM ")
            .text(&self.tables.document)
            .text(" d WHERE d.coll = ")
            .param(&self.guard.id);
        statement.text(" AND d.id_key = t.id_key AND d.ver = ").param(&self.new_version).text(")");
    }
}

/// The key, where something was counted.
fn one(key: &[u8], count: u64) -> HashSet<Vec<u8>> {
    (count > 0).then(|| key.to_vec()).into_iter().collect()
}

fn keys_of(rows: &[Row]) -> Result<HashSet<Vec<u8>>, Error> {
    rows.iter().map(|row| read(row, 0)).collect()
}

/// Whether an error is that of one document, and says nothing of others.
fn is_of_one(error: &Error) -> bool {
    error.code() == Code::CANNOT_INDEX_PARALLEL_ARRAYS
        || matches!(error.code().number(), 16766 | 16746)
}

/// The error of a change, if it brings the key that is there already.
fn error_of(collection: &Collection, change: &Change<'_>, duplicate: &Duplicate) -> Option<Error> {
    let (new, Duplicate::Unique(number, key)) = (change.new?, duplicate) else { return None };
    let mut indexes = collection.maintained_indexes().iter();
    let index = indexes.find(|index| index.number() == *number)?;
    let has = |document| {
        let entries = index.entries(document).ok()?;
        entries.keys.iter().any(|own| own.as_bytes() == key).then_some(())
    };
    if has(&change.old.document).is_some() {
        return None;
    }
    has(new)?;
    Some(duplicate_key(&collection.namespace().to_string(), index, new, key))
}

/// With a record, a write may be sent again.
fn labelled(error: Error, changes: &[Change<'_>]) -> Error {
    let has_record = changes.iter().any(|change| change.record.is_some());
    if has_record && error.code() == Code::SHUTDOWN_IN_PROGRESS {
        return error.with_label(Label::RetryableWriteError);
    }
    error
}
