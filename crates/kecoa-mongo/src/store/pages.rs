//! Reads, in pages.

use std::collections::HashSet;

use kecoa::Row;

use super::collection::Collection;
use super::database::Effect;
use super::failure::{Failed, read};
use super::handle::{Checked, Handle};
use super::places::NATURAL;
use super::queries::{self, Take};
use super::read::{Fetched, Lock, Page, PageLimit, Position};
use crate::bson::key::{Key, MAX_WHOLE};
use crate::error::Error;
use crate::index::Index;
use crate::plan::access::{Access, KeyRange, Order};

/// How many documents the first page asks for, while nobody knows how large they are.
const FIRST: usize = 256;
/// How many ranges, or keys, one statement has.
const TOGETHER: usize = 256;
/// The average size of documents, in bytes, from which on a statement counts the bytes of its page. Smaller ones are
/// counted on: where they are many times larger than those before, the connection's limit of a result ends it, and the
/// bytes are counted after all.
const LARGE: usize = 32 * 1024;

impl Handle<'_> {
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
        match access {
            Access::Ids { keys, order } => {
                self.ids(collection, keys, *order, after, limit, lock).await
            }
            Access::All { order } => {
                let ranges = [KeyRange::all()];
                let source = match collection.is_natural() {
                    true => Source::Natural,
                    false => Source::Documents,
                };
                self.ranges(collection, source, &ranges, *order, after, limit).await
            }
            Access::IdRanges { ranges, order } => {
                self.ranges(collection, Source::Documents, ranges, *order, after, limit).await
            }
            Access::Index { index, ranges, order } => {
                let Some(index) = collection.index(*index) else {
                    self.mistaken(collection.namespace());
                    return Ok(Checked::Stale);
                };
                self.ranges(collection, Source::Index(index), ranges, *order, after, limit).await
            }
        }
    }

    async fn ids(
        &mut self,
        collection: &Collection,
        keys: &[Key],
        order: Order,
        after: Option<&Position>,
        limit: PageLimit,
        lock: Lock,
    ) -> Result<Checked<Page>, Error> {
        if let ([key], None) = (keys, after) {
            let seen = self.seen(collection, key.as_bytes()).filter(|_| lock == Lock::None);
            if let Some(seen) = seen {
                return Ok(Checked::Current(Page::new(vec![seen])));
            }
            let sql = match lock {
                Lock::None => queries::one(self.tables(collection)),
                Lock::Update => queries::one_locked(self.tables(collection)),
            };
            let rows = self.rows(Effect::Read, &sql, &[&collection.id(), &key.as_bytes()]).await?;
            if !self.holds(collection, &rows)? {
                return Ok(Checked::Stale);
            }
            let page = Page::new(fetched(rows));
            if let Some(found) = page.documents.first() {
                self.see(collection, found);
            }
            return Ok(Checked::Current(page));
        }
        let mut sorted: Vec<&[u8]> = keys.iter().map(Key::as_bytes).collect();
        sorted.sort_unstable();
        sorted.dedup();
        if order == Order::Backward {
            sorted.reverse();
        }
        let from = after.map_or(0, |position| position.range);
        let left = sorted.get(from..).unwrap_or_default();
        let size = after.map_or(0, |position| position.size);
        let count = statement_limit(limit, size).min(TOGETHER);
        let some = left.get(..count).unwrap_or(left);
        let bytes = i64::try_from(limit.bytes).unwrap_or(i64::MAX);
        let sql = match lock {
            Lock::None => queries::some(self.tables(collection), order),
            Lock::Update => queries::some_locked(self.tables(collection), order),
        };
        let rows = self.rows(Effect::Read, &sql, &[&collection.id(), &some, &bytes]).await?;
        if !self.holds(collection, &rows)? {
            return Ok(Checked::Stale);
        }
        let mut page = Page::new(fetched(rows));
        page.documents.sort_by(|left, right| match order {
            Order::Forward => left.id_key().cmp(right.id_key()),
            Order::Backward => right.id_key().cmp(left.id_key()),
        });
        let read: usize = page.documents.iter().map(Fetched::size).sum();
        // Where the bytes were spent, the keys behind the last document are still to be looked for.
        let done = match page.documents.last() {
            Some(last) if read >= limit.bytes => {
                some.iter().position(|key| *key == last.id_key()).map_or(some.len(), |at| at + 1)
            }
            _ => some.len(),
        };
        if from + done < sorted.len() {
            page.next = Some(Position {
                range: from + done,
                key: Vec::new(),
                id_key: Vec::new(),
                size: average(read, page.documents.len(), size),
            });
        }
        Ok(Checked::Current(page))
    }

    async fn ranges(
        &mut self,
        collection: &Collection,
        source: Source<'_>,
        ranges: &[KeyRange],
        order: Order,
        after: Option<&Position>,
        limit: PageLimit,
    ) -> Result<Checked<Page>, Error> {
        let from = after.map_or(0, |position| position.range);
        // Ranges are walked through in the order of the access.
        let mut left: Vec<&KeyRange> = match order {
            Order::Forward => ranges.iter().collect(),
            Order::Backward => ranges.iter().rev().collect(),
        };
        left = left.split_off(from.min(left.len()));
        left.truncate(TOGETHER);
        if left.is_empty() {
            return Ok(if self.is_current(collection).await? {
                Checked::Current(Page::new(Vec::new()))
            } else {
                Checked::Stale
            });
        }
        let size = after.map_or(0, |position| position.size);
        let bounds = Bounds::new(&left, order, after, &source);
        let (rows, is_full) =
            self.range_rows(collection, &source, &bounds, order, size, limit).await?;
        if !self.holds(collection, &rows)? {
            return Ok(Checked::Stale);
        }
        let mut page = Page::new(Vec::new());
        let mut found = fetched(rows);
        let Sorted { bytes, has_cut_keys } = sort(&mut found, order)?;
        page.has_cut_keys = has_cut_keys;
        page.next = match found.last() {
            Some(last) if is_full => {
                let key = last.key()?;
                let sought = if matches!(source, Source::Documents) { last.id_key() } else { key };
                let done = left.iter().position(|range| range.contains(sought)).unwrap_or_default();
                Some(Position {
                    range: from + done,
                    key: key.to_vec(),
                    id_key: last.id_key().to_vec(),
                    size: average(bytes, found.len(), size),
                })
            }
            // These ranges are done.
            _ if from + left.len() < ranges.len() => Some(Position {
                range: from + left.len(),
                key: Vec::new(),
                id_key: Vec::new(),
                size: average(bytes, found.len(), size),
            }),
            _ => None,
        };
        if let (Source::Natural, Some(last)) = (&source, found.last()) {
            let (key, id_key) = (last.key()?.to_vec(), last.id_key().to_vec());
            page.last = Some(Position { range: 0, key, id_key, size });
        }
        page.documents = match source {
            Source::Index(index) if index.is_multikey() => {
                first_entries(index, ranges, order, found)?
            }
            _ => found,
        };
        Ok(Checked::Current(page))
    }

    /// The rows of a page, and whether there may be more.
    async fn range_rows(
        &mut self,
        collection: &Collection,
        source: &Source<'_>,
        bounds: &Bounds,
        order: Order,
        size: usize,
        limit: PageLimit,
    ) -> Result<(Vec<Row>, bool), Error> {
        // What is too large is cancelled, and that would be the end of a transaction.
        if size < LARGE && !self.is_within() {
            let count = limit.documents.clamp(1, likely(limit, size));
            let rows = self.taken_rows(collection, source, bounds, order, Take::All, count).await;
            match rows {
                Err(Failed::TooLarge) => {}
                rows => {
                    let rows = rows?;
                    let is_full = rows.len() >= count;
                    return Ok((rows, is_full));
                }
            }
        }
        let count = statement_limit(limit, size);
        let take = Take::Bytes(i64::try_from(limit.bytes).unwrap_or(i64::MAX));
        let rows = self.taken_rows(collection, source, bounds, order, take, count).await?;
        let bytes: usize = rows.iter().filter_map(|row| row.raw(3)).map(<[u8]>::len).sum();
        let is_full = rows.len() >= count || bytes >= limit.bytes;
        Ok((rows, is_full))
    }

    async fn taken_rows(
        &mut self,
        collection: &Collection,
        source: &Source<'_>,
        bounds: &Bounds,
        order: Order,
        take: Take,
        count: usize,
    ) -> Result<Vec<Row>, Failed> {
        let id = collection.id();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let one = match (&*bounds.lower, &*bounds.lower_id, &*bounds.upper, &*bounds.upper_id) {
            ([lower], [lower_id], [upper], [upper_id]) => Some((lower, lower_id, upper, upper_id)),
            _ => None,
        };
        let mut params: Vec<&dyn kecoa::types::ToSql> = vec![&id, &count];
        match one {
            Some((lower, _, upper, _)) => params.extend([lower as &dyn kecoa::types::ToSql, upper]),
            None => params.extend([&bounds.lower as &dyn kecoa::types::ToSql, &bounds.upper]),
        }
        let entries = match source {
            Source::Documents => None,
            Source::Index(index) => Some((index.is_unique(), index.number())),
            Source::Natural => Some((true, NATURAL)),
        };
        let number;
        let tables = self.tables(collection);
        let sql = match entries {
            None if one.is_some() => queries::documents(tables, order, take),
            None => queries::documents_of_many(tables, order, take),
            Some((is_unique, of_index)) => {
                number = of_index;
                params.push(&number);
                match one {
                    Some((_, lower_id, _, upper_id)) => {
                        params.extend([lower_id as &dyn kecoa::types::ToSql, upper_id]);
                        queries::index(tables, is_unique, order, take)
                    }
                    None => {
                        params.extend([
                            &bounds.lower_id as &dyn kecoa::types::ToSql,
                            &bounds.upper_id,
                        ]);
                        queries::index_of_many(tables, is_unique, order, take)
                    }
                }
            }
        };
        if let Take::Bytes(bytes) = &take {
            params.push(bytes);
        }
        self.rows(Effect::Read, &sql, &params).await
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
        let (id, tables) = (collection.id(), self.tables(collection));
        let mut sum = 0;
        let bounds = |ranges: &[KeyRange]| -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
            ranges.iter().map(|range| (range.lower().to_vec(), range.upper().to_vec())).unzip()
        };
        let rows = match access {
            Access::All { .. } => {
                self.rows(Effect::Read, &queries::count_all(tables), &[&id]).await?
            }
            Access::Ids { keys, .. } => {
                let keys: HashSet<&[u8]> = keys.iter().map(Key::as_bytes).collect();
                let keys: Vec<&[u8]> = keys.into_iter().collect();
                self.rows(Effect::Read, &queries::count_some(tables), &[&id, &keys]).await?
            }
            Access::IdRanges { ranges, .. } => {
                let (lower, upper) = bounds(ranges);
                self.rows(Effect::Read, &queries::count_ranges(tables), &[&id, &lower, &upper])
                    .await?
            }
            Access::Index { index, ranges, .. } => {
                let Some(index) = collection.index(*index) else {
                    self.mistaken(collection.namespace());
                    return Ok(Checked::Stale);
                };
                let (lower, upper) = bounds(ranges);
                let sql = queries::count_entries(tables, index.is_unique(), index.is_multikey());
                let params: [&dyn kecoa::types::ToSql; 4] = [&id, &lower, &upper, &index.number()];
                self.rows(Effect::Read, &sql, &params).await?
            }
        };
        for row in &rows {
            if read::<i64>(row, 0)? != collection.version() {
                sum = -1;
                break;
            }
            sum = read::<i64>(row, 1)?;
        }
        match u64::try_from(sum) {
            Ok(sum) if !rows.is_empty() => Ok(Checked::Current(sum)),
            _ => {
                self.mistaken(collection.namespace());
                Ok(Checked::Stale)
            }
        }
    }

    /// Whether the catalogue still says what it said.
    fn holds(&mut self, collection: &Collection, rows: &[Row]) -> Result<bool, Error> {
        let is_current = match rows.first() {
            Some(row) => read::<i64>(row, 0)? == collection.version(),
            None => false,
        };
        if !is_current {
            self.mistaken(collection.namespace());
        }
        Ok(is_current)
    }
}

/// Where ranges are looked up.
enum Source<'a> {
    Documents,
    Index(&'a Index),
    /// The entries that say where documents were inserted.
    Natural,
}

/// The bounds of ranges, as a statement takes them.
struct Bounds {
    lower: Vec<Vec<u8>>,
    upper: Vec<Vec<u8>>,
    /// The bounds of documents among those of the lower, and the upper, key.
    lower_id: Vec<Vec<u8>>,
    upper_id: Vec<Vec<u8>>,
}

impl Bounds {
    fn new(
        ranges: &[&KeyRange],
        order: Order,
        after: Option<&Position>,
        source: &Source<'_>,
    ) -> Self {
        let mut bounds = Self {
            lower: ranges.iter().map(|range| range.lower().to_vec()).collect(),
            upper: ranges.iter().map(|range| range.upper().to_vec()).collect(),
            lower_id: vec![Vec::new(); ranges.len()],
            upper_id: vec![Vec::new(); ranges.len()],
        };
        let Some(after) = after.filter(|after| !after.id_key.is_empty()) else { return bounds };
        let (bound, bound_id) = match order {
            Order::Forward => (bounds.lower.first_mut(), bounds.lower_id.first_mut()),
            Order::Backward => (bounds.upper.first_mut(), bounds.upper_id.first_mut()),
        };
        if let (Some(bound), Some(bound_id)) = (bound, bound_id) {
            bound.clone_from(match source {
                Source::Documents => &after.id_key,
                Source::Index(_) | Source::Natural => &after.key,
            });
            // The next key above that of the last document: lower bounds are in their range.
            if order == Order::Forward && matches!(source, Source::Documents) {
                bound.push(0);
            }
            bound_id.clone_from(&after.id_key);
        }
        bounds
    }
}

/// How many rows are likely to fill a page.
fn likely(limit: PageLimit, size: usize) -> usize {
    match size {
        0 => FIRST,
        size => (limit.bytes / size).clamp(16, 10_000),
    }
}

/// How many rows a statement asks for that counts their bytes: more than are likely to fill the page.
fn statement_limit(limit: PageLimit, size: usize) -> usize {
    let most = if size == 0 { FIRST } else { likely(limit, size).saturating_mul(2).min(10_000) };
    limit.documents.clamp(1, most)
}

fn average(bytes: usize, documents: usize, before: usize) -> usize {
    bytes.checked_div(documents).unwrap_or(before)
}

fn fetched(rows: Vec<Row>) -> Vec<Fetched> {
    rows.into_iter().filter_map(Fetched::of).collect()
}

/// What is seen of documents on the way.
struct Sorted {
    bytes: usize,
    has_cut_keys: bool,
}

/// Puts documents into the order of their keys, which they all but always have.
fn sort(found: &mut Vec<Fetched>, order: Order) -> Result<Sorted, Error> {
    let mut seen = Sorted { bytes: 0, has_cut_keys: false };
    let (mut is_sorted, mut before) = (true, None);
    for document in &*found {
        let (key, id_key) = (document.key()?, document.id_key());
        is_sorted &= before.is_none_or(|before| match order {
            Order::Forward => before <= (key, id_key),
            Order::Backward => before >= (key, id_key),
        });
        before = Some((key, id_key));
        seen.bytes += document.size();
        seen.has_cut_keys |= key.len() > MAX_WHOLE || key.is_empty() && id_key.len() > MAX_WHOLE;
    }
    if !is_sorted {
        let key = |document: &Fetched| {
            let key = document.key().unwrap_or_default().to_vec();
            (key, document.id_key().to_vec())
        };
        found.sort_by_cached_key(key);
        if order == Order::Backward {
            found.reverse();
        }
    }
    Ok(seen)
}

/// Those whose entry is the first of their document's in the ranges: the others are the same documents again.
fn first_entries(
    index: &Index,
    ranges: &[KeyRange],
    order: Order,
    found: Vec<Fetched>,
) -> Result<Vec<Fetched>, Error> {
    let is_in = |key: &Key| {
        let key = key.as_bytes();
        let at = ranges.partition_point(|range| range.upper() <= key);
        ranges.get(at).is_some_and(|range| range.contains(key))
    };
    let mut documents = Vec::with_capacity(found.len());
    for document in found {
        let entries = index.entries(document.document()?)?.keys;
        let first = match order {
            Order::Forward => entries.iter().find(|key| is_in(key)),
            Order::Backward => entries.iter().rfind(|key| is_in(key)),
        };
        let key = document.key()?;
        if first.is_none_or(|first| first.as_bytes() == key) {
            documents.push(document);
        }
    }
    Ok(documents)
}
