//! `$slice` and `$elemMatch` of `find`'s projections.

use ::bson::raw::{CStr, RawArrayBuf};
use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::Filter;

/// A part of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// How many are left out at the front; counted from the end where it is negative.
    skip: i64,
    /// How many are shown.
    limit: Option<usize>,
}

impl Slice {
    /// `n` or `[skip, limit]`; none if the argument has another form, which may be an expression's.
    pub(super) fn parse(argument: RawBsonRef<'_>) -> Option<Self> {
        if let Some(count) = integer(argument) {
            return Some(if count < 0 {
                Self { skip: count, limit: None }
            } else {
                Self { skip: 0, limit: usize::try_from(count).ok() }
            });
        }
        let mut items = argument.as_array()?.into_iter();
        let skip = integer(items.next()?.ok()?)?;
        let limit = integer(items.next()?.ok()?)?;
        if items.next().is_some() || limit <= 0 {
            return None;
        }
        Some(Self { skip, limit: usize::try_from(limit).ok() })
    }

    pub(super) fn of(self, array: &RawArray) -> RawArrayBuf {
        let start = if self.skip >= 0 {
            usize::try_from(self.skip).unwrap_or(usize::MAX)
        } else {
            let length = array.into_iter().count();
            length.saturating_sub(usize::try_from(self.skip.unsigned_abs()).unwrap_or(usize::MAX))
        };
        let items = array.into_iter().map_while(Result::ok).skip(start);
        items.take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

fn integer(value: RawBsonRef<'_>) -> Option<i64> {
    let bound = |value: i64| value.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    Some(match Number::from_bson(value)? {
        Number::Int32(value) => i64::from(value),
        Number::Int64(value) => bound(value),
        // Casts of floats saturate, and NaN gives zero.
        #[allow(clippy::cast_possible_truncation)]
        Number::Double(value) => bound(value as i64),
        Number::Decimal(value) => {
            #[allow(clippy::cast_possible_truncation)]
            let value = value.to_bson().to_string().parse::<f64>().unwrap_or(0.0) as i64;
            bound(value)
        }
    })
}

/// `$elemMatch`: the first element of an array that a filter meets.
#[derive(Clone, Debug)]
pub(super) struct ElementMatch {
    filter: Filter,
}

impl ElementMatch {
    pub(super) fn parse(
        field: &CStr,
        argument: RawBsonRef<'_>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let mut operator = RawDocumentBuf::new();
        operator.append(::bson::raw::cstr!("$elemMatch"), argument);
        let mut filter = RawDocumentBuf::new();
        filter.append(field, operator);
        Ok(Self { filter: Filter::parse_plain(&filter, scope)? })
    }

    /// An array of the element; none if there is none.
    pub(super) fn of(
        &self,
        document: &RawDocument,
        field: &str,
        variables: &Variables,
    ) -> Result<Option<RawArrayBuf>, Error> {
        let invalid = |_| Error::new(Code::INVALID_BSON, "expected a readable document");
        let Some(RawBsonRef::Array(array)) = document.get(field).map_err(invalid)? else {
            return Ok(None);
        };
        let position = self.filter.find_match(document, variables)?.and_then(|met| met.position);
        let Some(position) = position else { return Ok(None) };
        let element = array.get(position).map_err(invalid)?;
        Ok(element.map(|element| std::iter::once(element).collect()))
    }
}
