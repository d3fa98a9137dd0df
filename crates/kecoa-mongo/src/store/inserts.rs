//! Inserts: a statement for many documents, with their entries and records.

use std::collections::HashSet;

use super::collection::Collection;
use super::database::Effect;
use super::entry_changes::EntryChanges;
use super::failure::{Duplicate, Failed, read};
use super::handle::{Checked, Handle};
use super::record::now;
use super::stale_keys::Taken;
use super::statement::{RecordList, Statement};
use super::write::{Inserted, NewDocument};
use crate::bson::key::Key;
use crate::error::{Code, Error, Label};
use crate::index::{Entries, Index, duplicate_id, duplicate_key};

/// The most documents of one statement.
const MOST: usize = 1000;
/// The most bytes of documents of one statement, but for one that is larger.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// How often documents are tried again that others get in the way of, one key after the other.
const ATTEMPTS: usize = 10;

/// A document on its way in.
struct Prepared<'a> {
    /// Its number in the call.
    number: usize,
    id_key: Vec<u8>,
    new: &'a NewDocument,
    /// Its keys in unique indexes.
    unique: Vec<(i32, Vec<u8>)>,
    /// Its entries, for each index that is maintained.
    entries: Vec<Entries>,
}

impl Handle<'_> {
    /// Insert documents, as many as there are.
    ///
    /// # Errors
    ///
    /// Those of the database. In a transaction the transaction is over once a document failed, and only the first
    /// failure is told. [`Checked::Stale`] comes only where nothing was written.
    pub async fn insert(
        &mut self,
        collection: &Collection,
        documents: &[NewDocument],
        ordered: bool,
    ) -> Result<Checked<Inserted>, Error> {
        let mut inserted = Inserted::default();
        let mut prepared = Vec::with_capacity(documents.len());
        for (number, new) in documents.iter().enumerate() {
            match prepare(collection, number, new) {
                Ok(document) => prepared.push(document),
                Err(error) => {
                    inserted.failures.push((number, error));
                    if ordered {
                        break;
                    }
                }
            }
        }
        let mut left = &*prepared;
        while !left.is_empty() {
            let (some, others) = left.split_at(statement_size(left));
            left = others;
            let failures = inserted.failures.len();
            match self.insert_some(collection, some, ordered, &mut inserted).await? {
                Checked::Current(()) => {}
                // Others' keys may be others by the next try.
                Checked::Stale if inserted.inserted == 0 => return Ok(Checked::Stale),
                Checked::Stale => {
                    // Whoever knows the rules of the collection decides about the rest.
                    let first = some.first().map_or(0, |one| one.number);
                    if ordered {
                        inserted.failures.clear();
                        inserted.left = (first..documents.len()).collect();
                    } else {
                        let failed = |number| inserted.failures.iter().any(|(at, _)| *at == number);
                        let numbers = some.iter().chain(left).map(|one| one.number);
                        inserted.left = numbers.filter(|number| !failed(*number)).collect();
                    }
                    break;
                }
            }
            if ordered && inserted.failures.len() > failures {
                break;
            }
        }
        inserted.failures.sort_by_key(|(number, _)| *number);
        if ordered {
            inserted.failures.truncate(1);
        }
        Ok(Checked::Current(inserted))
    }

    /// Inserts the documents of one statement, and tries again without those that others have the keys of.
    async fn insert_some(
        &mut self,
        collection: &Collection,
        some: &[Prepared<'_>],
        ordered: bool,
        inserted: &mut Inserted,
    ) -> Result<Checked<()>, Error> {
        let mut left: Vec<&Prepared<'_>> = some.iter().collect();
        for _ in 0..ATTEMPTS {
            if left.is_empty() {
                return Ok(Checked::Current(()));
            }
            match self.insert_together(collection, &left).await {
                Ok(0) => {
                    self.mistaken(collection.namespace());
                    return Ok(Checked::Stale);
                }
                Ok(count) => {
                    inserted.inserted += usize::try_from(count).unwrap_or(usize::MAX);
                    return Ok(Checked::Current(()));
                }
                Err(Failed::Duplicate(Duplicate::Record)) => return Ok(Checked::Stale),
                Err(Failed::Duplicate(duplicate)) if self.is_within() => {
                    self.check_visible(collection, &duplicate).await?;
                    let failed = whose(&left, &duplicate);
                    let failure =
                        failed.map(|one| (one.number, error_of(collection, one, &duplicate)));
                    inserted.failures.extend(failure);
                    return match failed {
                        Some(_) => Ok(Checked::Current(())),
                        None => Err(Failed::Duplicate(duplicate).into()),
                    };
                }
                Err(Failed::Duplicate(_)) if self.left_records(&left).await? => {
                    if inserted.inserted == 0 {
                        return Ok(Checked::Stale);
                    }
                    inserted.inserted += left.len();
                    return Ok(Checked::Current(()));
                }
                Err(Failed::Duplicate(_)) => {
                    left = self.without_taken(collection, left, ordered, inserted).await?;
                }
                Err(failed) => return Err(labelled(failed.into(), &left)),
            }
        }
        Err(Error::new(
            Code::WRITE_CONFLICT,
            "others went on writing the keys of the documents to insert",
        ))
    }

    /// Whether these documents went in before, by an attempt whose answer was lost.
    async fn left_records(&mut self, documents: &[&Prepared<'_>]) -> Result<bool, Error> {
        let records: Vec<_> =
            documents.iter().filter_map(|document| document.new.record.as_ref()).collect();
        Ok(records.len() == documents.len() && self.are_recorded(&records).await?)
    }

    async fn insert_together(
        &mut self,
        collection: &Collection,
        documents: &[&Prepared<'_>],
    ) -> Result<u64, Failed> {
        let (tables, guard) = (self.tables(collection), self.guard(collection));
        let mut changes = EntryChanges::default();
        let mut records = RecordList::default();
        let mut log = self.change_list(collection);
        let at = now();
        for document in documents {
            for (index, entries) in indexes(collection).zip(&document.entries) {
                changes.note_new(index, &document.id_key, entries);
            }
            if let Some(record) = &document.new.record {
                records.push(record, &document.id_key, at);
            }
            if let Some((list, first)) = &mut log {
                list.inserted(&document.id_key, &document.new.document, *first);
            }
        }
        if self.mark_multikey(collection, &changes.newly_multikey).await? {
            return Ok(0);
        }
        let keys: Vec<&[u8]> = documents.iter().map(|document| &*document.id_key).collect();
        if collection.is_natural() {
            let added = &mut changes.added_unique;
            self.add_places(collection, keys.iter().copied(), added).await?;
        }
        let bodies: Vec<&[u8]> =
            documents.iter().map(|document| document.new.document.as_bytes()).collect();
        let mut statement = Statement::default();
        // Others are written as well: the guard is looked up once for all.
        let several = !(changes.is_empty() && records.is_empty() && log.is_none());
        if several {
            statement.text("WITH g AS (").guarding(&guard).text(")");
        }
        for (name, table, list) in
            [("e", &tables.entry, &changes.added), ("u", &tables.unique, &changes.added_unique)]
        {
            if list.is_empty() {
                continue;
            }
            statement.text(", ").text(name).text(" AS (INSERT INTO ").text(table);
            statement.text(" (coll, idx, key, id_key) SELECT ").param(&guard.id);
            statement.text("::INT8, t.idx, t.key, t.id_key FROM ").entries(list);
            statement.text(", g RETURNING 1)");
        }
        if !records.is_empty() {
            statement.text(", r AS (");
            if !statement.record(&records, "g") {
                statement.records(&records).text(", g");
            }
            statement.text(" RETURNING 1)");
        }
        if let Some((list, _)) = &log {
            statement.text(", l AS (").changes(list).text(", g RETURNING 1)");
        }
        statement.text(if several { " " } else { "" });
        statement
            .text("INSERT INTO ")
            .text(&tables.document)
            .text(" (coll, id_key, ver, doc) SELECT ")
            .param(&guard.id);
        let new_version = super::write::new_version();
        statement.text("::INT8, ");
        let (key, body);
        if let ([one_key], [one_body]) = (&*keys, &*bodies) {
            (key, body) = (*one_key, *one_body);
            statement.param(&key).text("::BYTEA, ").param(&new_version).text("::INT8, ");
            statement.param(&body).text(if several { "::BYTEA FROM g" } else { "::BYTEA" });
        } else {
            statement.text("t.key, ").param(&new_version).text("::INT8, t.doc FROM unnest(");
            statement.param(&keys).text("::BYTEA[], ").param(&bodies);
            statement.text("::BYTEA[]) AS t(key, doc)").text(if several { ", g" } else { "" });
        }
        if !several {
            statement.text(" WHERE ").guard(&guard);
        }
        let effect = Effect::WriteOnce;
        // A second run of a lost insert without a record would find its own documents in its way.
        let effect = if records.is_empty() { Effect::Write } else { effect };
        let list = log.as_ref().map(|(list, _)| list);
        let taken = Taken { id_keys: &keys, unique: &changes.added_unique };
        self.take_count(collection, effect, &statement, list, &taken).await
    }

    /// The documents that may go in: those whose keys nobody has, of the database or of the documents before them.
    async fn without_taken<'d, 'a>(
        &mut self,
        collection: &Collection,
        documents: Vec<&'d Prepared<'a>>,
        ordered: bool,
        inserted: &mut Inserted,
    ) -> Result<Vec<&'d Prepared<'a>>, Error> {
        let (id, tables) = (collection.id(), self.tables(collection));
        let keys: Vec<&[u8]> = documents.iter().map(|document| &*document.id_key).collect();
        let sql = format!(
            "SELECT d.id_key FROM unnest($2::BYTEA[]) AS k(key) JOIN {} d \
             ON d.coll = $1 AND d.id_key = k.key",
            tables.document
        );
        let taken = self.rows(Effect::Read, &sql, &[&id, &keys]).await?;
        let mut ids = HashSet::new();
        for row in &taken {
            ids.insert(read::<Vec<u8>>(row, 0)?);
        }
        let unique: Vec<&(i32, Vec<u8>)> =
            documents.iter().flat_map(|document| &document.unique).collect();
        let mut uniques = HashSet::new();
        if !unique.is_empty() {
            let numbers: Vec<i32> = unique.iter().map(|(number, _)| *number).collect();
            let keys: Vec<&[u8]> = unique.iter().map(|(_, key)| key.as_slice()).collect();
            let sql = format!(
                "SELECT u.idx, u.key FROM unnest($2::INT4[], $3::BYTEA[]) AS k(idx, key) \
                 JOIN {} u ON u.coll = $1 AND u.idx = k.idx AND u.key = k.key",
                tables.unique
            );
            let taken = self.rows(Effect::Read, &sql, &[&id, &numbers, &keys]).await?;
            for row in &taken {
                uniques.insert((read::<i32>(row, 0)?, read::<Vec<u8>>(row, 1)?));
            }
        }
        let mut free = Vec::new();
        for document in documents {
            let duplicate = if ids.contains(&document.id_key) {
                Some(Duplicate::Document(document.id_key.clone()))
            } else {
                let taken = document.unique.iter().find(|unique| uniques.contains(unique));
                taken.map(|(number, key)| Duplicate::Unique(*number, key.clone()))
            };
            match duplicate {
                Some(duplicate) => {
                    let error = error_of(collection, document, &duplicate);
                    inserted.failures.push((document.number, error));
                    if ordered {
                        break;
                    }
                }
                None => {
                    ids.insert(document.id_key.clone());
                    uniques.extend(document.unique.iter().cloned());
                    free.push(document);
                }
            }
        }
        Ok(free)
    }
}

fn prepare<'a>(
    collection: &Collection,
    number: usize,
    new: &'a NewDocument,
) -> Result<Prepared<'a>, Error> {
    let id = match new.document.get("_id") {
        Ok(Some(id)) => id,
        _ => return Err(Error::new(Code::INVALID_ID_FIELD, "expected a document with an _id")),
    };
    let (mut unique, mut all) = (Vec::new(), Vec::new());
    for index in indexes(collection) {
        let entries = index.entries(&new.document)?;
        if index.is_unique() {
            let keys = entries.keys.iter();
            unique.extend(keys.map(|key| (index.number(), key.as_bytes().to_vec())));
        }
        all.push(entries);
    }
    Ok(Prepared { number, id_key: Key::of(id).into_bytes(), new, unique, entries: all })
}

/// The indexes with entries.
fn indexes(collection: &Collection) -> impl Iterator<Item = &Index> {
    collection.maintained_indexes().iter().map(|index| &**index).filter(|index| !index.is_id())
}

/// How many of the documents one statement takes.
fn statement_size(documents: &[Prepared<'_>]) -> usize {
    let mut bytes = 0_usize;
    let fits = documents.iter().take(MOST).take_while(|document| {
        bytes = bytes.saturating_add(document.new.document.as_bytes().len());
        bytes <= MOST_BYTES
    });
    fits.count().max(1)
}

/// Whose key is there already: the second one with it where two have it, as the first went in.
fn whose<'d, 'a>(
    documents: &[&'d Prepared<'a>],
    duplicate: &Duplicate,
) -> Option<&'d Prepared<'a>> {
    let has = |document: &&&'d Prepared<'a>| match duplicate {
        Duplicate::Document(key) => document.id_key == *key,
        Duplicate::Unique(number, key) => {
            document.unique.iter().any(|(other, unique)| other == number && unique == key)
        }
        Duplicate::Record | Duplicate::Other => false,
    };
    let mut found = documents.iter().filter(has);
    let first = found.next()?;
    Some(found.next().unwrap_or(first))
}

fn error_of(collection: &Collection, document: &Prepared<'_>, duplicate: &Duplicate) -> Error {
    let namespace = collection.namespace().to_string();
    match duplicate {
        Duplicate::Unique(number, key) => {
            let mut indexes = collection.maintained_indexes().iter();
            match indexes.find(|index| index.number() == *number) {
                Some(index) => duplicate_key(&namespace, index, &document.new.document, key),
                None => Failed::Duplicate(duplicate.clone()).into(),
            }
        }
        _ => match document.new.document.get("_id") {
            Ok(Some(id)) => duplicate_id(&namespace, id),
            _ => Failed::Duplicate(duplicate.clone()).into(),
        },
    }
}

/// With a record, a write may be sent again.
fn labelled(error: Error, documents: &[&Prepared<'_>]) -> Error {
    let has_record = documents.iter().any(|document| document.new.record.is_some());
    if has_record && error.code() == Code::SHUTDOWN_IN_PROGRESS {
        return error.with_label(Label::RetryableWriteError);
    }
    error
}
