//! Indexes made and dropped, without losing a write that comes at the same time.

use std::sync::Arc;

use super::build_lease::BuildLease;
use super::collection::{Collection, Content, CreatedIndexes, DroppedIndexes, Namespace};
use super::database::Effect;
use super::handle::{Checked, Handle};
use super::layout;
use super::record::now;
use crate::change::Change;
use crate::error::{Code, Error};
use crate::index::{Index, MAX_INDEXES, same_index};

/// How often something is tried that other gateways get in the way of.
pub(super) const ATTEMPTS: usize = 20;

impl Handle<'_> {
    /// Make indexes, and their entries for documents that are there. Of those that exist already nothing is made. The
    /// collection must be there.
    ///
    /// # Errors
    ///
    /// 26 without the collection; 67, 85, 86 where they do not go with others; 11000 where documents have the same key
    /// of a unique one; 263 in a transaction, on a collection that it has not made, or with documents.
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
                let building = in_building(&collection, &indexes)?;
                if self.is_within() || building.is_empty() {
                    return Ok(CreatedIndexes { before, after: before });
                }
                self.await_builds(namespace, collection.id(), &building).await?;
                continue;
            }
            if self.is_within() {
                let state = match self.has_made(&collection) {
                    false => Some("existing"),
                    true => (!self.is_empty(&collection).await?).then_some("non-empty"),
                };
                if let Some(state) = state {
                    return Err(Error::new(
                        Code::OPERATION_NOT_SUPPORTED_IN_TRANSACTION,
                        format!(
                            "Cannot create new indexes on {state} collection {namespace} in a multi-document transaction."
                        ),
                    ));
                }
            }
            let done = if self.is_within() {
                let change = indexes_change("createIndexes", &content, &new);
                self.announce(content, &new, false, Some(&change)).await?
            } else {
                // Nobody takes a build for left alone that is about to begin.
                self.renew(&mut BuildLease::new(collection.id(), &new)).await?;
                match self.announce(content, &new, true, None).await? {
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
            dropped.push(Index::clone(&index));
        }
        let change = indexes_change("dropIndexes", &content, &dropped);
        let change = (!dropped.is_empty()).then_some(&change);
        match self.store_catalogue(&content, change).await? {
            Checked::Stale => Ok(Checked::Stale),
            Checked::Current(()) => {
                let dropped: Vec<i32> = dropped.iter().map(Index::number).collect();
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
        self.store_catalogue(&content, None).await?;
        Ok(true)
    }

    /// Makes writers keep indexes up to date.
    async fn announce(
        &mut self,
        mut content: Content,
        new: &[Index],
        building: bool,
        change: Option<&Change>,
    ) -> Result<Checked<()>, Error> {
        for index in new {
            content.maintained.push(Arc::new(index.clone().with_building(building)));
        }
        self.store_catalogue(&content, change).await
    }

    pub(super) async fn remove_entries(&mut self, id: i64, indexes: &[i32]) -> Result<(), Error> {
        for table in ["kecoa_mongo.entry", "kecoa_mongo.uniq"] {
            for index in indexes {
                let sql = format!("DELETE FROM {table} WHERE coll = $1 AND idx = $2");
                self.execute(Effect::WriteOnce, &sql, &[&id, index]).await?;
            }
        }
        Ok(())
    }

    async fn is_empty(&mut self, collection: &Collection) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM kecoa_mongo.document WHERE coll = $1 LIMIT 1";
        Ok(self.rows(Effect::Read, sql, &[&collection.id()]).await?.is_empty())
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

/// What streams are told of indexes that were made or dropped.
pub(super) fn indexes_change(operation: &str, content: &Content, indexes: &[Index]) -> Change {
    let indexes = indexes.iter().map(Index::to_document);
    Change::indexes(operation, content.uuid, now(), indexes)
}

pub(super) fn busy(namespace: &Namespace) -> Error {
    Error::new(
        Code::WRITE_CONFLICT,
        format!("others went on changing what the catalogue says of {namespace}"),
    )
}

/// The numbers of those of the indexes that are being built.
fn in_building(collection: &Collection, indexes: &[Index]) -> Result<Vec<i32>, Error> {
    let mut numbers = Vec::new();
    for existing in collection.maintained_indexes() {
        let mut is_asked_for = false;
        for index in indexes {
            is_asked_for = is_asked_for || existing.is_building() && same_index(existing, index)?;
        }
        if is_asked_for {
            numbers.push(existing.number());
        }
    }
    Ok(numbers)
}
