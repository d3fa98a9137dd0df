//! `find`: the documents of a collection that a filter wants, in order, shown as a projection says.

use std::sync::LazyLock;

use ::bson::raw::cstr;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::error::{Code, Error};
use crate::plan::{Plan, Request, plan};
use crate::projection::{Mode, Projection};
use crate::query::{Filter, Sort, SortMode};
use crate::store::Collection;

use super::context::Context;
use super::index_bounds;
use super::reader::{Examined, Found, Reader};
use super::sorting::Sorting;

/// What `find` asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Find<'a> {
    /// Which documents.
    pub filter: Option<&'a RawDocument>,
    /// In which order.
    pub sort: Option<&'a RawDocument>,
    /// What is shown of each.
    pub projection: Option<&'a RawDocument>,
    /// How many are left out at first.
    pub skip: u64,
    /// How many there are at most; 0 for all.
    pub limit: u64,
    /// The index to use.
    pub hint: Option<RawBsonRef<'a>>,
    /// The lowest key of the hint's index.
    pub min: Option<&'a RawDocument>,
    /// The key of the hint's index that is above all.
    pub max: Option<&'a RawDocument>,
    /// How strings compare.
    pub collation: Option<&'a RawDocument>,
    /// Whether keys of the index are shown, not documents.
    pub return_key: bool,
    /// Whether the place of each document is shown.
    pub show_record_id: bool,
    /// Whether a sort may hold more than its memory.
    pub allow_disk_use: bool,
    /// How many documents are expected to be read at first.
    pub expected: Option<usize>,
}

/// Documents that are found, one after the other.
#[derive(Debug)]
pub struct Query {
    reader: Reader,
    sorting: Option<Sorting>,
    skip: u64,
    left: Option<u64>,
    projection: Option<Projection>,
    show_record_id: bool,
    return_key: Option<RawDocumentBuf>,
    returned: u64,
}

/// The empty document.
#[must_use]
pub fn empty_document() -> &'static RawDocument {
    static EMPTY: LazyLock<RawDocumentBuf> = LazyLock::new(RawDocumentBuf::new);
    &EMPTY
}

impl Find<'_> {
    /// Check what can be checked without a collection.
    ///
    /// # Errors
    ///
    /// Those of filters, sorts and projections.
    pub fn check(&self, context: &Context<'_>) -> Result<(), Error> {
        self.parse(context, None).map(|_| ())
    }

    fn parse(
        &self,
        context: &Context<'_>,
        collection: Option<&Collection>,
    ) -> Result<Parsed, Error> {
        let collator = Context::collator(self.collation, collection)?;
        let scope = context.scope_with(&collator);
        let filter = Filter::parse(self.filter.unwrap_or(empty_document()), &scope)?;
        let sort = match self.sort.filter(|sort| !sort.is_empty()) {
            Some(sort) if is_natural(sort)?.is_none() => {
                Some(Sort::parse(sort, SortMode::Find, &scope)?)
            }
            _ => None,
        };
        let projection = match self.projection.filter(|projection| !projection.is_empty()) {
            Some(projection) => Some(Projection::parse(projection, Mode::Find, &scope)?),
            None => None,
        };
        Ok(Parsed { filter, sort, projection })
    }

    /// Begin to find.
    ///
    /// # Errors
    ///
    /// Those of filters, sorts and projections; 2 for a hint that no index goes by; 51173 for bounds without a hint.
    pub fn open(&self, context: &Context<'_>, collection: &Collection) -> Result<Query, Error> {
        let Parsed { filter, sort, projection } = self.parse(context, Some(collection))?;
        let natural = match self.sort {
            Some(sort) => is_natural(sort)?,
            None => None,
        };
        let min = self.min.filter(|min| !min.is_empty());
        let max = self.max.filter(|max| !max.is_empty());
        let bounds = match (min, max) {
            (None, None) => None,
            _ => Some(index_bounds::access(collection, self.hint, min, max)?),
        };
        let natural_hint = natural.and(self.sort).map(RawBsonRef::Document);
        let Plan { access, sort_is_served, index } = plan(&Request {
            filter: &filter,
            sort: sort.as_ref(),
            indexes: collection.indexes(),
            hint: natural_hint.or(self.hint),
        })?;
        let (access, sort_is_served) = match bounds {
            Some(bounds) => (bounds, sort.is_none()),
            None => (access, sort_is_served),
        };
        let mut reader = Reader::new(collection.clone(), access, filter);
        if let Some(expected) = self.expected {
            reader = reader.expecting(expected);
        }
        let kept = match self.limit {
            0 => None,
            limit => usize::try_from(limit.saturating_add(self.skip)).ok(),
        };
        Ok(Query {
            reader,
            sorting: sort
                .filter(|_| !sort_is_served)
                .map(|sort| Sorting::new(sort, kept, self.allow_disk_use)),
            skip: self.skip,
            left: (self.limit > 0).then_some(self.limit),
            projection,
            show_record_id: self.show_record_id,
            return_key: self.return_key.then(|| key_pattern(index.as_deref(), collection)),
            returned: 0,
        })
    }
}

/// The fields of the index that is read; none where the whole collection is.
fn key_pattern(index: Option<&str>, collection: &Collection) -> RawDocumentBuf {
    match index {
        Some("_id_") => rawdoc! { "_id": 1 },
        Some(name) => collection
            .indexes()
            .iter()
            .find(|index| index.name() == name)
            .map(|index| index.key_pattern().to_owned())
            .unwrap_or_default(),
        None => RawDocumentBuf::new(),
    }
}

struct Parsed {
    filter: Filter,
    sort: Option<Sort>,
    projection: Option<Projection>,
}

/// The direction of a sort by natural order; none for any other sort.
fn is_natural(sort: &RawDocument) -> Result<Option<bool>, Error> {
    let Ok(Some(direction)) = sort.get("$natural") else { return Ok(None) };
    if sort.iter_elements().count() > 1 {
        return Err(Error::new(
            Code::BAD_VALUE,
            "Cannot include '$natural' in compound sort: expected it alone",
        ));
    }
    match crate::bson::number::Number::from_bson(direction) {
        Some(_) => Ok(Some(crate::bson::compare::compare(direction, RawBsonRef::Int32(0)).is_gt())),
        None => Err(Error::new(Code::BAD_VALUE, "$natural sort must be a number: 1 or -1")),
    }
}

impl Query {
    /// Read the first documents, if none were. `false`: it was planned by what the catalogue says no more; open it
    /// again, by what it says now.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn begin(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        self.reader.begin(context).await
    }

    /// The next document.
    ///
    /// # Errors
    ///
    /// Those of the store, of the filter and of the projection.
    pub async fn next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        match self.next_wanted(context).await? {
            Some(found) => self.show(found, context).map(Some),
            None => Ok(None),
        }
    }

    /// Go on by one document without showing it; whether there was one.
    ///
    /// # Errors
    ///
    /// Those of the store and of the filter.
    pub async fn skip_one(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        Ok(self.next_wanted(context).await?.is_some())
    }

    /// Whether there is certainly no further document: as many were given as are asked for, or all of a sort. Where
    /// documents come as they are read, the end is seen by asking for one more, as in MongoDB.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.left == Some(0) || self.sorting.as_ref().is_some_and(Sorting::is_finished)
    }

    /// The same, which at its end can be asked again for documents that are there by then.
    #[must_use]
    pub fn tailing(mut self) -> Self {
        self.reader = self.reader.tailing();
        self
    }

    /// What was looked at so far.
    #[must_use]
    pub fn examined(&self) -> Examined {
        self.reader.examined()
    }

    /// How many keys of indexes were read so far.
    #[must_use]
    pub fn keys_examined(&self) -> u64 {
        match self.reader.access() {
            crate::plan::access::Access::Index { .. }
            | crate::plan::access::Access::Ids { .. }
            | crate::plan::access::Access::IdRanges { .. } => self.examined().documents,
            _ => 0,
        }
    }

    /// How many documents were given so far.
    #[must_use]
    pub fn returned(&self) -> u64 {
        self.returned
    }

    /// What is read, and how.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Whether documents are sorted after they are read.
    #[must_use]
    pub fn is_sorting(&self) -> bool {
        self.sorting.is_some()
    }

    /// The next document, behind those that are left out.
    async fn next_wanted(&mut self, context: &mut Context<'_>) -> Result<Option<Found>, Error> {
        loop {
            if self.left == Some(0) {
                return Ok(None);
            }
            let Some(found) = self.next_found(context).await? else { return Ok(None) };
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            if let Some(left) = &mut self.left {
                *left -= 1;
            }
            self.returned += 1;
            return Ok(Some(found));
        }
    }

    async fn next_found(&mut self, context: &mut Context<'_>) -> Result<Option<Found>, Error> {
        let Some(sorting) = &mut self.sorting else { return self.reader.next(context).await };
        if sorting.is_gathering() {
            while let Some(found) = self.reader.next(context).await? {
                sorting.push(found)?;
            }
            sorting.end()?;
        }
        sorting.next_found()
    }

    fn show(&self, found: Found, context: &Context<'_>) -> Result<RawDocumentBuf, Error> {
        let Found { stored, position } = found;
        if let Some(pattern) = &self.return_key {
            return Ok(index_key(pattern, &stored.document));
        }
        let mut document = match &self.projection {
            Some(projection) => projection.apply(&stored.document, position, &context.variables)?,
            None => stored.document,
        };
        if self.show_record_id {
            document.append(cstr!("$recordId"), record_id(&stored.id_key));
        }
        Ok(document)
    }
}

/// The values of an index's fields, by their dotted names.
fn index_key(pattern: &RawDocument, document: &RawDocument) -> RawDocumentBuf {
    let mut key = RawDocumentBuf::new();
    for field in pattern.iter_elements().map_while(Result::ok) {
        let mut value = Some(RawBsonRef::Document(document));
        for name in field.key().as_str().split('.') {
            value = value
                .and_then(|value| value.as_document())
                .and_then(|inner| inner.get(name).ok().flatten());
        }
        key.append(field.key(), value.unwrap_or(RawBsonRef::Null));
    }
    key
}

/// A number for the place of a document: stable as long as it lives, and different for others all but certainly.
fn record_id(id_key: &[u8]) -> i64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    id_key.hash(&mut hasher);
    i64::try_from(hasher.finish() >> 1).unwrap_or(i64::MAX)
}
