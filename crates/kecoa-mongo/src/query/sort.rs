//! Sorts: the order of documents by values at paths.

mod field;
mod field_values;
mod key;
mod sorter;
mod specification;

use std::cmp::Ordering;

use ::bson::{RawBson, RawBsonRef, RawDocument};

use crate::bson::key::{Direction, KeyBuilder};
use crate::collation::Collator;
use crate::error::Error;
use crate::expression::Scope;

pub use field::{SortField, SortMode};
pub use key::SortKey;
pub use sorter::{Sorter, sort_memory_exceeded};

/// The order of documents.
///
/// In an array the least element counts where the order is ascending, the greatest where it is descending; an empty
/// array is below `null`, a missing field is as `null`.
#[derive(Clone, Debug)]
pub struct Sort {
    fields: Vec<SortField>,
    natural: Option<Direction>,
    collator: Collator,
}

impl Sort {
    /// Read a sort.
    ///
    /// # Errors
    ///
    /// 15974 for a value that is no direction, 15975 for a number that is neither 1 nor -1, 15976 for an empty
    /// `$sort`, 40218 for a score that the query does not give, and those of paths: 40352, 15998, 16410.
    pub fn parse(
        specification: &RawDocument,
        mode: SortMode,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let (fields, natural) = specification::parse(specification, mode)?;
        Ok(Self { fields, natural, collator: scope.collator().clone() })
    }

    /// The fields, the most significant first.
    #[must_use]
    pub fn fields(&self) -> &[SortField] {
        &self.fields
    }

    /// The direction of `{$natural: 1}`, the order in which documents are stored.
    #[must_use]
    pub fn natural(&self) -> Option<Direction> {
        self.natural
    }

    /// Whether it asks for no order.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// How strings compare.
    #[must_use]
    pub fn collator(&self) -> &Collator {
        &self.collator
    }

    /// What a document is sorted by.
    ///
    /// # Errors
    ///
    /// 2 if two arrays lie on the paths of different fields.
    pub fn key(&self, document: &RawDocument) -> Result<SortKey, Error> {
        let mut least: Option<SortKey> = None;
        field_values::visit(&self.fields, document, &mut |values| {
            let key = self.key_of(values);
            if least.as_ref().is_none_or(|least| key < *least) {
                least = Some(key);
            }
        })?;
        Ok(least.unwrap_or_default())
    }

    /// What a value that is no document is sorted by, as an element of an array is.
    #[must_use]
    pub fn key_of_value(&self, value: RawBsonRef<'_>) -> SortKey {
        let direction = self.fields.first().map_or(Direction::Ascending, |field| field.direction);
        let mut builder = KeyBuilder::default();
        self.collator.push_key(&mut builder, Some(value), direction);
        SortKey::from(builder)
    }

    /// Compare two documents.
    ///
    /// # Errors
    ///
    /// Those of [`key`](Self::key).
    pub fn compare(&self, left: &RawDocument, right: &RawDocument) -> Result<Ordering, Error> {
        Ok(self.key(left)?.cmp(&self.key(right)?))
    }

    fn key_of(&self, values: &[Option<RawBsonRef<'_>>]) -> SortKey {
        let mut builder = KeyBuilder::default();
        for (field, value) in self.fields.iter().zip(values) {
            if field.path.is_some() {
                self.collator.push_key(&mut builder, *value, field.direction);
            } else {
                let chance = RawBson::Double(fastrand::f64());
                builder.push(Some(chance.as_raw_bson_ref()), field.direction);
            }
        }
        SortKey::from(builder)
    }
}
