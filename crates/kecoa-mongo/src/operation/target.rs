//! The one document that an update, a delete or `findAndModify` is about.

use ::bson::{RawBsonRef, RawDocument};

use crate::collation::Collator;
use crate::error::Error;
use crate::expression::Scope;
use crate::query::{Filter, Sort, SortKey, SortMode};
use crate::store::Collection;

use super::context::Context;
use super::planning;
use super::reader::{Found, Reader};

/// Which documents a write is about: filter, order, hint, collation, as the statement gives them.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Which documents.
    pub filter: &'a RawDocument,
    /// Which of them comes first.
    pub sort: Option<&'a RawDocument>,
    /// The index to use.
    pub hint: Option<RawBsonRef<'a>>,
    /// How strings compare.
    pub collation: Option<&'a RawDocument>,
}

/// A selection, parsed for a collection.
#[derive(Debug)]
pub struct Target {
    /// The names and the collation that its expressions know.
    pub scope: Scope,
    /// How strings compare.
    pub collator: Collator,
    /// Which documents.
    pub filter: Filter,
    /// Which of them comes first.
    pub sort: Option<Sort>,
}

impl Selection<'_> {
    /// Parse it for a collection, or for one that is not there.
    ///
    /// # Errors
    ///
    /// Those of filters, sorts and collations.
    pub fn parse(
        &self,
        context: &Context<'_>,
        collection: Option<&Collection>,
    ) -> Result<Target, Error> {
        let collator = Context::collator(self.collation, collection)?;
        let scope = context.scope_with(&collator);
        let filter = Filter::parse(self.filter, &scope)?;
        let sort = match self.sort.filter(|sort| !sort.is_empty()) {
            Some(sort) => Some(Sort::parse(sort, SortMode::Find, &scope)?),
            None => None,
        };
        Ok(Target { scope, collator, filter, sort })
    }

    /// Begin to read the documents.
    ///
    /// # Errors
    ///
    /// 2 for a hint that no index goes by.
    pub fn reader(&self, target: &Target, collection: &Collection) -> Result<Reader, Error> {
        let plan = planning::plan(
            collection,
            &planning::Wish {
                filter: &target.filter,
                filter_document: self.filter,
                sort: None,
                hint: self.hint,
                collator: &target.collator,
            },
        )?;
        Ok(Reader::new(collection.clone(), plan.access, target.filter.clone()))
    }

    /// The first document.
    ///
    /// # Errors
    ///
    /// Those of the store and of the filter.
    pub async fn first(
        &self,
        context: &mut Context<'_>,
        target: &Target,
        collection: &Collection,
    ) -> Result<Option<Found>, Error> {
        let mut reader = self.reader(target, collection)?;
        let Some(sort) = &target.sort else {
            reader = reader.expecting(16);
            return reader.next(context).await;
        };
        let mut best: Option<(SortKey, Found)> = None;
        while let Some(found) = reader.next(context).await? {
            let key = sort.key(&found.stored.document)?;
            if best.as_ref().is_none_or(|(first, _)| key < *first) {
                best = Some((key, found));
            }
        }
        Ok(best.map(|(_, found)| found))
    }
}
