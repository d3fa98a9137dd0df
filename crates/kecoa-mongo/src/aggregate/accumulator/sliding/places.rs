//! What follows from the places of a window's documents alone: `$count`, `$push`, `$first`, `$firstN` and so on.

use std::ops::Range;

use ::bson::raw::RawArrayBuf;
use ::bson::{RawBson, RawBsonRef};

use crate::aggregate::accumulator::slide::Sliding;
use crate::error::Error;

/// A window as its places.
pub(super) struct Places<'v> {
    values: &'v [Option<RawBson>],
    shown: Shown,
}

/// The ends of a window.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    First,
    Last,
}

enum Shown {
    Count,
    All,
    One(Ends),
    Many(Ends, usize),
}

impl<'v> Places<'v> {
    pub(super) fn count() -> Self {
        Self { values: &[], shown: Shown::Count }
    }

    pub(super) fn all(values: &'v [Option<RawBson>]) -> Self {
        Self { values, shown: Shown::All }
    }

    pub(super) fn one(values: &'v [Option<RawBson>], end: Ends) -> Self {
        Self { values, shown: Shown::One(end) }
    }

    pub(super) fn many(values: &'v [Option<RawBson>], end: Ends, count: usize) -> Self {
        Self { values, shown: Shown::Many(end, count) }
    }
}

impl Sliding for Places<'_> {
    fn add(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn remove(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn value(&self, window: Range<usize>) -> RawBson {
        let count = window.len();
        let within = self.values.get(window).unwrap_or_default();
        let or_null = |value: &Option<RawBson>| value.clone().unwrap_or(RawBson::Null);
        match self.shown {
            Shown::Count => match i32::try_from(count) {
                Ok(count) => RawBson::Int32(count),
                Err(_) => RawBson::Int64(i64::try_from(count).unwrap_or(i64::MAX)),
            },
            Shown::All => {
                let present = within.iter().flatten().map(RawBson::as_raw_bson_ref);
                RawBson::Array(present.collect())
            }
            Shown::One(Ends::First) => within.first().map_or(RawBson::Null, or_null),
            Shown::One(Ends::Last) => within.last().map_or(RawBson::Null, or_null),
            Shown::Many(end, most) => {
                let many = match end {
                    Ends::First => within.get(..most.min(count)),
                    Ends::Last => within.get(count.saturating_sub(most)..),
                };
                let many = many.unwrap_or_default().iter();
                let shown: RawArrayBuf = many
                    .map(|value| value.as_ref().map_or(RawBsonRef::Null, RawBson::as_raw_bson_ref))
                    .collect();
                RawBson::Array(shown)
            }
        }
    }
}
