//! Which entries of indexes a write adds and removes.

use ::bson::RawDocument;

use super::collection::Collection;
use crate::error::Error;
use crate::index::{Entries, Index};

/// Entries, as parameters: in each list the same place is one entry.
#[derive(Debug, Default)]
pub(super) struct EntryList {
    pub(super) index: Vec<i32>,
    pub(super) key: Vec<Vec<u8>>,
    pub(super) id_key: Vec<Vec<u8>>,
}

/// What a write does to entries.
#[derive(Debug, Default)]
pub(super) struct EntryChanges {
    /// New ones of indexes that are not unique.
    pub(super) added: EntryList,
    /// New ones of unique indexes.
    pub(super) added_unique: EntryList,
    pub(super) removed: EntryList,
    pub(super) removed_unique: EntryList,
    /// Indexes that meet an array for the first time.
    pub(super) newly_multikey: Vec<i32>,
}

impl EntryList {
    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Add an entry.
    pub(super) fn push(&mut self, index: i32, key: Vec<u8>, id_key: &[u8]) {
        self.index.push(index);
        self.key.push(key);
        self.id_key.push(id_key.to_vec());
    }
}

impl EntryChanges {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.added_unique.is_empty()
            && self.removed.is_empty()
            && self.removed_unique.is_empty()
    }

    /// Adds what a document's change does; one of the two is none for an insert and a removal.
    pub(super) fn note(
        &mut self,
        collection: &Collection,
        id_key: &[u8],
        old: Option<&RawDocument>,
        new: Option<&RawDocument>,
    ) -> Result<(), Error> {
        for index in collection.maintained_indexes() {
            if index.is_id() {
                continue;
            }
            self.note_index(index, id_key, old, new)?;
        }
        Ok(())
    }

    /// Adds those of a new document, which are known.
    pub(super) fn note_new(&mut self, index: &Index, id_key: &[u8], entries: &Entries) {
        let number = index.number();
        self.note_multikey(index, entries.multikey);
        let added = if index.is_unique() { &mut self.added_unique } else { &mut self.added };
        for key in &entries.keys {
            added.push(number, key.as_bytes().to_vec(), id_key);
        }
    }

    fn note_multikey(&mut self, index: &Index, multikey: bool) {
        let number = index.number();
        if multikey && !index.is_multikey() && !self.newly_multikey.contains(&number) {
            self.newly_multikey.push(number);
        }
    }

    /// The same for one index.
    pub(super) fn note_index(
        &mut self,
        index: &Index,
        id_key: &[u8],
        old: Option<&RawDocument>,
        new: Option<&RawDocument>,
    ) -> Result<(), Error> {
        let number = index.number();
        let old = old.map(|old| index.entries(old)).transpose()?.unwrap_or_default().keys;
        let new = new.map(|new| index.entries(new)).transpose()?.unwrap_or_default();
        self.note_multikey(index, new.multikey);
        let (added, removed) = if index.is_unique() {
            (&mut self.added_unique, &mut self.removed_unique)
        } else {
            (&mut self.added, &mut self.removed)
        };
        // Both are in order.
        let mut old = old.into_iter().peekable();
        let mut new = new.keys.into_iter().peekable();
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(left), Some(right)) => left.cmp(right),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return Ok(()),
            };
            if order.is_le()
                && let Some(key) = old.next()
                && order.is_lt()
            {
                removed.push(number, key.into_bytes(), id_key);
            }
            if order.is_ge()
                && let Some(key) = new.next()
                && order.is_gt()
            {
                added.push(number, key.into_bytes(), id_key);
            }
        }
    }
}
