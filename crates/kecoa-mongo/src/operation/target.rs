//! The one document that an update, a delete or `findAndModify` is about.

use ::bson::{RawBsonRef, RawDocument};

use crate::collation::Collator;
use crate::error::Error;
use crate::expression::Scope;
use crate::plan::{Request, plan};
use crate::query::{Filter, Sort, SortKey, SortMode};
use crate::store::Collection;

use super::context::Context;
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
        Ok(self.sorted_reader(target, collection, None)?.0)
    }

    /// The same in an order; whether it comes in that.
    fn sorted_reader(
        &self,
        target: &Target,
        collection: &Collection,
        sort: Option<&Sort>,
    ) -> Result<(Reader, bool), Error> {
        let plan = plan(&Request {
            filter: &target.filter,
            sort,
            indexes: collection.indexes(),
            hint: self.hint,
        })?;
        let reader = Reader::new(collection.clone(), plan.access, target.filter.clone());
        Ok((reader, plan.sort_is_served))
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
        let sort = target.sort.as_ref();
        let (mut reader, is_sorted) = self.sorted_reader(target, collection, sort)?;
        let Some(sort) = sort.filter(|_| !is_sorted) else {
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
