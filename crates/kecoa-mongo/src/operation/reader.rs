//! Reads the documents of a collection that a filter wants, page by page.
//!
//! Nothing is held between two pages: the next one begins behind the last key.

use std::collections::HashSet;

use crate::bson::key::Key;
use crate::error::{Code, Error};
use crate::expression::Variables;
use crate::plan::access::{Access, Order};
use crate::query::Filter;
use crate::store::{Checked, Collection, Fetched, Lock, Page, PageLimit, Position, Stored};

use super::context::Context;

/// The documents of a first page, where nothing says how many are needed.
const FIRST_PAGE: usize = 256;

/// Reads the documents of a collection that a filter wants.
#[derive(Debug)]
pub struct Reader {
    collection: Collection,
    access: Access,
    filter: Filter,
    after: Option<Position>,
    page: std::vec::IntoIter<Fetched>,
    first_page: usize,
    began: bool,
    finished: bool,
    tail: Option<Tail>,
    examined: Examined,
}

/// How it goes on behind the end.
#[derive(Debug, Default)]
struct Tail {
    /// The last document that was read.
    last: Option<Key>,
    /// Where it is.
    place: Option<Position>,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Examined {
    /// Documents read.
    pub documents: u64,
    /// Documents that the filter wants.
    pub matched: u64,
}

/// A document that the filter wants.
#[derive(Debug)]
pub struct Found {
    /// The document and its version.
    pub stored: Stored,
    /// The position in the array that the filter met, for `$`.
    pub position: Option<usize>,
}

impl Reader {
    /// Nothing read yet.
    #[must_use]
    pub fn new(collection: Collection, access: Access, filter: Filter) -> Self {
        Self {
            collection,
            access,
            filter,
            after: None,
            page: Vec::new().into_iter(),
            first_page: FIRST_PAGE,
            began: false,
            finished: false,
            tail: None,
            examined: Examined::default(),
        }
    }

    /// The same, which at its end looks again for documents behind the last one.
    #[must_use]
    pub fn tailing(mut self) -> Self {
        self.tail = Some(Tail::default());
        self
    }

    /// The same, which reads about `documents` at first: as many as are needed.
    #[must_use]
    pub fn expecting(mut self, documents: usize) -> Self {
        self.first_page = documents.clamp(1, PageLimit::default().documents);
        self
    }

    /// Read the first page, if it was not. `false`: the catalogue says something else of the collection than this was
    /// planned by. Nothing was read then: plan again.
    ///
    /// # Errors
    ///
    /// Those of the store; 50 when the time is up.
    pub async fn begin(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        if self.began || self.finished {
            return Ok(true);
        }
        match self.read_page(context).await {
            Ok(()) => Ok(true),
            Err(error) if is_outdated(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next document that the filter wants.
    ///
    /// # Errors
    ///
    /// Those of the store and of the filter; 50 when the time is up; 175 when the collection is gone.
    pub async fn next(&mut self, context: &mut Context<'_>) -> Result<Option<Found>, Error> {
        let mut looked_again = false;
        loop {
            if let Some(found) = self.next_of_page(&context.variables)? {
                return Ok(Some(found));
            }
            if self.finished {
                if looked_again || !self.go_on(context).await? {
                    return Ok(None);
                }
                looked_again = true;
            }
            self.read_page(context).await?;
        }
    }

    /// Begin behind the last document once more; whether it is read so.
    async fn go_on(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        let Some(tail) = &self.tail else { return Ok(false) };
        self.after = match &tail.last {
            None => None,
            Some(last) => {
                let access = Access::Ids { keys: vec![last.clone()], order: Order::Forward };
                let limit = PageLimit::default();
                let page = read_page(context, &mut self.collection, &access, None, limit).await?;
                if page.documents.is_empty() {
                    return Err(Error::location(
                        136,
                        "CollectionScan died due to position in capped collection being deleted.",
                    ));
                }
                tail.place.clone().or_else(|| Some(Position::behind(last)))
            }
        };
        Ok(true)
    }

    /// What was looked at so far.
    #[must_use]
    pub fn examined(&self) -> Examined {
        self.examined
    }

    /// The collection that is read, as the catalogue has it now.
    #[must_use]
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// What is asked of the documents.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How it is read.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Whether there is certainly no further document.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished && self.page.len() == 0
    }

    fn next_of_page(&mut self, variables: &Variables) -> Result<Option<Found>, Error> {
        for fetched in self.page.by_ref() {
            variables.interrupt().check()?;
            self.examined.documents += 1;
            if let Some(found) = self.filter.find_match(fetched.document()?, variables)? {
                self.examined.matched += 1;
                let stored = fetched.stored()?;
                return Ok(Some(Found { stored, position: found.position }));
            }
        }
        Ok(None)
    }

    async fn read_page(&mut self, context: &mut Context<'_>) -> Result<(), Error> {
        context.check_time()?;
        let mut limit = PageLimit::default();
        if !self.began {
            limit.documents = self.first_page;
        }
        let page =
            read_page(context, &mut self.collection, &self.access, self.after.as_ref(), limit)
                .await?;
        self.began = true;
        self.after = page.next;
        self.finished = self.after.is_none();
        if let (Some(tail), Some(last)) = (&mut self.tail, page.documents.last()) {
            tail.last = last.document()?.get("_id").ok().flatten().map(Key::of);
            tail.place = page.last;
        }
        self.page = page.documents.into_iter();
        Ok(())
    }
}

/// A page; where the catalogue has changed, by what it says now.
async fn read_page(
    context: &mut Context<'_>,
    collection: &mut Collection,
    access: &Access,
    after: Option<&Position>,
    limit: PageLimit,
) -> Result<Page, Error> {
    let mut tries = context.tries();
    loop {
        let page = context.handle().page(collection, access, after, limit, Lock::None).await;
        match page {
            Ok(Checked::Current(page)) => return Ok(page),
            Ok(Checked::Stale) => {
                reload(context, collection, access).await?;
                tries.next(super::attempts::write_conflict()).await?;
            }
            Err(error) if context.is_in_transaction() => return Err(error),
            Err(error) => tries.next(error).await?,
        }
    }
}

async fn reload(
    context: &mut Context<'_>,
    collection: &mut Collection,
    access: &Access,
) -> Result<(), Error> {
    let namespace = collection.namespace().clone();
    let current = context.collection(&namespace).await?.filter(|now| now.id() == collection.id());
    let Some(current) = current else {
        return Err(plan_killed("collection dropped"));
    };
    if let Access::Index { index, .. } = access
        && !current.indexes().iter().any(|known| known.number() == *index)
    {
        return Err(plan_killed("index dropped"));
    }
    *collection = current;
    Ok(())
}

/// Whether a read ended because the collection, or the index that it was planned by, is no more.
pub(super) fn is_outdated(error: &Error) -> bool {
    error.code() == Code::QUERY_PLAN_KILLED
}

fn plan_killed(why: &str) -> Error {
    Error::new(Code::QUERY_PLAN_KILLED, format!("{why} while the query was running"))
}

/// Leaves out documents that were seen before: of a write that moves documents in the index that it reads by.
#[derive(Debug, Default)]
pub struct Once {
    seen: Option<HashSet<Vec<u8>>>,
}

impl Once {
    /// For reads by `access`.
    #[must_use]
    pub fn of(access: &Access) -> Self {
        Self { seen: matches!(access, Access::Index { .. }).then(HashSet::new) }
    }

    /// Whether a document comes for the first time.
    pub fn is_new(&mut self, stored: &Stored) -> bool {
        self.seen.as_mut().is_none_or(|seen| seen.insert(stored.id_key.clone()))
    }
}
