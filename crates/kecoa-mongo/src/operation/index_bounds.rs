//! `min` and `max` of a `find`: the part of an index that is read.

use ::bson::raw::CStr;
use ::bson::{RawBsonRef, RawDocument};

use crate::bson::key::KeyBuilder;
use crate::error::{Code, Error};
use crate::index::Index;
use crate::plan::access::{Access, KeyRange, Order};
use crate::store::Collection;

/// What is read between two keys of the index that the hint names: from `min` on, up to below `max`.
///
/// # Errors
///
/// 51173 without a hint, 51174 for keys that are not those of the index, 51175 and 51176 for two that do not go
/// together, 2 for a hint that no index goes by.
pub(super) fn access(
    collection: &Collection,
    hint: Option<RawBsonRef<'_>>,
    min: Option<&RawDocument>,
    max: Option<&RawDocument>,
) -> Result<Access, Error> {
    let index = index_of(collection, hint)?;
    if let (Some(min), Some(max)) = (min, max)
        && !names(min).eq(names(max))
    {
        return Err(Error::location(51176, "min and max must have the same field names"));
    }
    let lower = min.map(|min| key(index, min)).transpose()?;
    let upper = max.map(|max| key(index, max)).transpose()?;
    if let (Some(lower), Some(upper)) = (&lower, &upper)
        && lower >= upper
    {
        return Err(Error::location(
            51175,
            "The value provided for min() does not come before the value provided for max()",
        ));
    }
    let range = KeyRange::between(
        lower.as_deref().map(|key| (key, true)),
        upper.as_deref().map(|key| (key, false)),
    );
    let ranges = if range.is_empty() { Vec::new() } else { vec![range] };
    Ok(if index.is_id() {
        Access::IdRanges { ranges, order: Order::Forward }
    } else {
        Access::Index { index: index.number(), ranges, order: Order::Forward }
    })
}

fn names(document: &RawDocument) -> impl Iterator<Item = &CStr> {
    document.iter_elements().map_while(Result::ok).map(|field| field.key())
}

fn index_of<'c>(
    collection: &'c Collection,
    hint: Option<RawBsonRef<'_>>,
) -> Result<&'c Index, Error> {
    let found = match hint {
        None => return Err(Error::location(51173, "min() and max() require a hint")),
        Some(RawBsonRef::String(name)) => {
            collection.indexes().iter().find(|index| index.name() == name)
        }
        Some(RawBsonRef::Document(pattern)) => {
            if pattern.is_empty() {
                return Err(Error::location(51173, "min() and max() require a hint"));
            }
            if matches!(pattern.get("$natural"), Ok(Some(_))) {
                return Err(incompatible());
            }
            collection.indexes().iter().find(|index| {
                crate::bson::compare::compare_documents(index.key_pattern(), pattern).is_eq()
            })
        }
        Some(_) => {
            return Err(Error::new(Code::FAILED_TO_PARSE, "Hint must be a string or an object"));
        }
    };
    found.map(|index| &**index).filter(|index| !index.is_hidden()).ok_or_else(|| {
        Error::new(
            Code::BAD_VALUE,
            "error processing query: planner returned error :: caused by :: hint provided does \
             not correspond to an existing index",
        )
    })
}

/// The bytes of a key, which has the fields of the index in its order.
fn key(index: &Index, values: &RawDocument) -> Result<Vec<u8>, Error> {
    let mut builder = KeyBuilder::default();
    let mut given = values.iter().map_while(Result::ok);
    for field in index.fields() {
        match given.next() {
            Some((name, value)) if name.as_str() == field.name() => {
                index.push_value(&mut builder, field, Some(value));
            }
            _ => return Err(incompatible()),
        }
    }
    if given.next().is_some() {
        return Err(incompatible());
    }
    Ok(builder.finish().as_bytes().to_vec())
}

fn incompatible() -> Error {
    Error::location(
        51174,
        "The index chosen is not compatible with min/max: their fields must be those of the index, in its order",
    )
}
