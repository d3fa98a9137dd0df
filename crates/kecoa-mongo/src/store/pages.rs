//! Reads, in pages.

use std::collections::HashSet;

use ::bson::RawDocumentBuf;
use kecoa::Row;

use super::collection::Collection;
use super::database::Effect;
use super::failure::{read, unexpected};
use super::handle::{Checked, Handle};
use super::queries;
use super::read::{Lock, Page, PageLimit, Position, Stored};
use crate::bson::key::{Key, MAX_WHOLE};
use crate::error::{Code, Error};
use crate::index::Index;
use crate::plan::access::{Access, KeyRange, Order};

/// How many documents the first page asks for, while nobody knows how large they are.
const FIRST: usize = 256;
/// How many ranges, or keys, one statement has.
const TOGETHER: usize = 256;

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
                self.ranges(collection, Source::Documents, &ranges, *order, after, limit).await
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
            let sql = match lock {
                Lock::None => queries::ONE,
                Lock::Update => queries::ONE_LOCKED,
            };
            let rows = self.rows(Effect::Read, sql, &[&collection.id(), &key.as_bytes()]).await?;
            if !self.holds(collection, &rows)? {
                return Ok(Checked::Stale);
            }
            return Ok(Checked::Current(Page::new(documents_of(&rows)?)));
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
            Lock::None => queries::some(order),
            Lock::Update => queries::some_locked(order),
        };
        let rows = self.rows(Effect::Read, &sql, &[&collection.id(), &some, &bytes]).await?;
        if !self.holds(collection, &rows)? {
            return Ok(Checked::Stale);
        }
        let mut page = Page::new(documents_of(&rows)?);
        sort(&mut page.documents, order, |document| &document.id_key);
        let read: usize =
            page.documents.iter().map(|document| document.document.as_bytes().len()).sum();
        // Where the bytes were spent, the keys behind the last document are still to be looked for.
        let done = match page.documents.last() {
            Some(last) if read >= limit.bytes => {
                some.iter().position(|key| *key == last.id_key).map_or(some.len(), |at| at + 1)
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
        let count = statement_limit(limit, size);
        let bounds = Bounds::new(&left, order, after, &source);
        let rows = self.range_rows(collection, &source, &bounds, order, count, limit).await?;
        if !self.holds(collection, &rows)? {
            return Ok(Checked::Stale);
        }
        let mut page = Page::new(Vec::new());
        let mut found: Vec<(Vec<u8>, Stored)> = keyed(&rows)?;
        found.sort_by(|left, right| match order {
            Order::Forward => (&left.0, &left.1.id_key).cmp(&(&right.0, &right.1.id_key)),
            Order::Backward => (&right.0, &right.1.id_key).cmp(&(&left.0, &left.1.id_key)),
        });
        let bytes: usize =
            found.iter().map(|(_, document)| document.document.as_bytes().len()).sum();
        let is_full = found.len() >= count || bytes >= limit.bytes;
        page.has_cut_keys = found.iter().any(|(key, document)| {
            key.len() > MAX_WHOLE || key.is_empty() && document.id_key.len() > MAX_WHOLE
        });
        page.next = match found.last() {
            Some((key, last)) if is_full => {
                let sought = if matches!(source, Source::Documents) { &last.id_key } else { key };
                let done = left.iter().position(|range| range.contains(sought)).unwrap_or_default();
                Some(Position {
                    range: from + done,
                    key: key.clone(),
                    id_key: last.id_key.clone(),
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
        page.documents = match source {
            Source::Index(index) if index.is_multikey() => {
                first_entries(index, ranges, order, found)?
            }
            _ => found.into_iter().map(|(_, document)| document).collect(),
        };
        Ok(Checked::Current(page))
    }

    async fn range_rows(
        &mut self,
        collection: &Collection,
        source: &Source<'_>,
        bounds: &Bounds,
        order: Order,
        count: usize,
        limit: PageLimit,
    ) -> Result<Vec<Row>, Error> {
        let id = collection.id();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let bytes = i64::try_from(limit.bytes).unwrap_or(i64::MAX);
        let one = match (&*bounds.lower, &*bounds.lower_id, &*bounds.upper, &*bounds.upper_id) {
            ([lower], [lower_id], [upper], [upper_id]) => Some((lower, lower_id, upper, upper_id)),
            _ => None,
        };
        let rows = match (source, one) {
            (Source::Documents, Some((lower, _, upper, _))) => {
                let sql = queries::documents(order);
                self.rows(Effect::Read, &sql, &[&id, &count, &bytes, lower, upper]).await?
            }
            (Source::Documents, None) => {
                let sql = queries::documents_of_many(order);
                let params: [&dyn kecoa::types::ToSql; 5] =
                    [&id, &count, &bytes, &bounds.lower, &bounds.upper];
                self.rows(Effect::Read, &sql, &params).await?
            }
            (Source::Index(index), Some((lower, lower_id, upper, upper_id))) => {
                let sql = queries::index(index.is_unique(), order);
                let number = index.number();
                let params: [&dyn kecoa::types::ToSql; 8] =
                    [&id, &count, &bytes, lower, upper, &number, lower_id, upper_id];
                self.rows(Effect::Read, &sql, &params).await?
            }
            (Source::Index(index), None) => {
                let sql = queries::index_of_many(index.is_unique(), order);
                let number = index.number();
                let params: [&dyn kecoa::types::ToSql; 8] = [
                    &id,
                    &count,
                    &bytes,
                    &bounds.lower,
                    &bounds.upper,
                    &number,
                    &bounds.lower_id,
                    &bounds.upper_id,
                ];
                self.rows(Effect::Read, &sql, &params).await?
            }
        };
        Ok(rows)
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
        let id = collection.id();
        let mut sum = 0;
        let bounds = |ranges: &[KeyRange]| -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
            ranges.iter().map(|range| (range.lower().to_vec(), range.upper().to_vec())).unzip()
        };
        let rows = match access {
            Access::All { .. } => self.rows(Effect::Read, queries::COUNT_ALL, &[&id]).await?,
            Access::Ids { keys, .. } => {
                let keys: HashSet<&[u8]> = keys.iter().map(Key::as_bytes).collect();
                let keys: Vec<&[u8]> = keys.into_iter().collect();
                self.rows(Effect::Read, queries::COUNT_SOME, &[&id, &keys]).await?
            }
            Access::IdRanges { ranges, .. } => {
                let (lower, upper) = bounds(ranges);
                self.rows(Effect::Read, queries::COUNT_RANGES, &[&id, &lower, &upper]).await?
            }
            Access::Index { index, ranges, .. } => {
                let Some(index) = collection.index(*index) else {
                    self.mistaken(collection.namespace());
                    return Ok(Checked::Stale);
                };
                let (lower, upper) = bounds(ranges);
                let sql = queries::count_entries(index.is_unique(), index.is_multikey());
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
                Source::Index(_) => &after.key,
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

/// How many rows a statement asks for: as many as are likely to fill the page.
fn statement_limit(limit: PageLimit, size: usize) -> usize {
    let likely = match size {
        0 => FIRST,
        size => (limit.bytes / size).saturating_mul(2).clamp(16, 10_000),
    };
    limit.documents.clamp(1, likely)
}

fn average(bytes: usize, documents: usize, before: usize) -> usize {
    bytes.checked_div(documents).unwrap_or(before)
}

/// The document of a row: version, key, document.
fn stored(row: &Row) -> Result<Option<Stored>, Error> {
    let Some(id_key) = read::<Option<Vec<u8>>>(row, 1)? else { return Ok(None) };
    let document = RawDocumentBuf::from_bytes(read(row, 3)?)
        .map_err(|error| Error::new(Code::INVALID_BSON, format!("a stored document: {error}")))?;
    Ok(Some(Stored { id_key, version: read(row, 2)?, document }))
}

fn documents_of(rows: &[Row]) -> Result<Vec<Stored>, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(stored(row)?);
    }
    Ok(found)
}

fn keyed(rows: &[Row]) -> Result<Vec<(Vec<u8>, Stored)>, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(document) = stored(row)? {
            let key = read::<Option<Vec<u8>>>(row, 4)?;
            found.push((key.ok_or_else(|| unexpected("a document without a key"))?, document));
        }
    }
    Ok(found)
}

fn sort(documents: &mut [Stored], order: Order, key: impl Fn(&Stored) -> &[u8]) {
    documents.sort_by(|left, right| match order {
        Order::Forward => key(left).cmp(key(right)),
        Order::Backward => key(right).cmp(key(left)),
    });
}

/// Those whose entry is the first of their document's in the ranges: the others are the same documents again.
fn first_entries(
    index: &Index,
    ranges: &[KeyRange],
    order: Order,
    found: Vec<(Vec<u8>, Stored)>,
) -> Result<Vec<Stored>, Error> {
    let is_in = |key: &Key| {
        let key = key.as_bytes();
        let at = ranges.partition_point(|range| range.upper() <= key);
        ranges.get(at).is_some_and(|range| range.contains(key))
    };
    let mut documents = Vec::with_capacity(found.len());
    for (key, document) in found {
        let entries = index.entries(&document.document)?.keys;
        let first = match order {
            Order::Forward => entries.iter().find(|key| is_in(key)),
            Order::Backward => entries.iter().rfind(|key| is_in(key)),
        };
        if first.is_none_or(|first| first.as_bytes() == key) {
            documents.push(document);
        }
    }
    Ok(documents)
}
