//! The boundaries of `$bucket`.

use ::bson::{RawBson, RawBsonRef};

use crate::collation::Collator;
use crate::error::Error;

/// The boundaries of buckets.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct Boundaries {
    /// Ascending.
    pub(super) values: Vec<RawBson>,
    pub(super) default: Option<RawBson>,
}

impl Boundaries {
    /// The lower boundary of the bucket that a value falls into, or the default.
    pub(super) fn bucket_of(
        &self,
        value: Option<RawBsonRef<'_>>,
        collator: &Collator,
    ) -> Result<RawBsonRef<'_>, Error> {
        let above = self.values.partition_point(|boundary| {
            collator.compare_optional(Some(boundary.as_raw_bson_ref()), value).is_le()
        });
        let bucket = if above < self.values.len() { above.checked_sub(1) } else { None };
        bucket
            .and_then(|bucket| self.values.get(bucket))
            .or(self.default.as_ref())
            .map(RawBson::as_raw_bson_ref)
            .ok_or_else(|| {
                Error::location(
                    40066,
                    "$switch could not find a matching branch for an input, and no default was specified.",
                )
            })
    }
}
