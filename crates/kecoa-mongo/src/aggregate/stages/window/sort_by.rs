//! The sort of a stage.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::key::Direction;
use crate::error::Error;
use crate::expression::{Expression, Scope};
use crate::query::{Sort, SortMode};

/// The sort of a stage.
#[derive(Clone, Debug)]
pub(super) struct SortBy {
    pub(super) sort: Arc<Sort>,
    /// The value that it sorts by, where it is one field.
    single: Option<Arc<Expression>>,
}

impl SortBy {
    pub(super) fn parse(document: &RawDocument, scope: &Scope) -> Result<Self, Error> {
        let sort = Arc::new(Sort::parse(document, SortMode::Aggregate, scope)?);
        let path = match sort.fields() {
            [field] => field.path.as_ref().map(|path| format!("${}", path.as_str())),
            _ => None,
        };
        let single = match path {
            Some(path) => Some(Arc::new(Expression::parse(RawBsonRef::String(&path), scope)?)),
            None => None,
        };
        Ok(Self { sort, single })
    }

    /// How many fields it has.
    pub(super) fn count(&self) -> usize {
        self.sort.fields().len()
    }

    /// The value that it sorts by, where it is one field.
    pub(super) fn single(&self) -> Option<&Arc<Expression>> {
        self.single.as_ref()
    }

    pub(super) fn is_ascending(&self) -> bool {
        self.sort.fields().iter().all(|field| field.direction == Direction::Ascending)
    }
}
