//! Counts and positions as replies hold them.

use ::bson::RawBson;

/// A number of documents: int32 as long as it fits.
#[must_use]
pub fn number(count: i64) -> RawBson {
    i32::try_from(count).map_or(RawBson::Int64(count), RawBson::Int32)
}

/// A position: int32 as long as it fits.
#[must_use]
pub fn position(index: usize) -> RawBson {
    number(i64::try_from(index).unwrap_or(i64::MAX))
}
