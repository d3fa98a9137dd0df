//! Which documents around one a window has.

use ::bson::{RawArray, RawBson, RawBsonRef};

use super::sort_by::SortBy;
use crate::aggregate::specification::{fields, integer, items};
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::{Expression, Scope, TimeUnit};

/// The bounds of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bounds {
    /// So many documents from the current one.
    Documents { lower: End<i64>, upper: End<i64> },
    /// Documents whose sort field is so far from the current one's.
    Range { lower: End<Number>, upper: End<Number>, unit: Option<TimeUnit> },
}

/// An end of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End<T> {
    Unbounded,
    Current,
    By(T),
}

impl Bounds {
    /// All documents.
    pub(super) const ALL: Self = Self::Documents { lower: End::Unbounded, upper: End::Unbounded };

    /// Read the argument of `window`.
    pub(super) fn parse(
        window: RawBsonRef<'_>,
        sort: Option<&SortBy>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let RawBsonRef::Document(window) = window else {
            return Err(refused("'window' field must be an object"));
        };
        let found = |name| window.get(name).ok().flatten();
        let (documents, range, unit) = (found("documents"), found("range"), found("unit"));
        let count = fields(window).count();
        match (documents, range, unit) {
            (Some(_), Some(_), _) => {
                Err(refused("Window bounds can specify either 'documents' or 'unit', not both."))
            }
            (_, None, Some(_)) => {
                Err(refused("Window bounds can only specify 'unit' with range-based bounds."))
            }
            (None, None, None) if count > 0 => Err(refused(
                "'window' field can only contain 'documents' as the only argument or 'range' with an optional \
                 'unit' field",
            )),
            (None, None, None) => Ok(Self::ALL),
            (Some(_), None, None) if count > 1 => {
                Err(refused("'window' field that specifies documents cannot have other fields"))
            }
            (Some(bounds), None, None) => Self::by_documents(bounds, sort, scope),
            (None, Some(_), unit) if count > 1 + usize::from(unit.is_some()) => {
                Err(refused("'window' field that specifies range cannot have other fields"))
            }
            (None, Some(bounds), unit) => Self::by_range(bounds, unit, sort, scope),
        }
    }

    fn by_documents(
        bounds: RawBsonRef<'_>,
        sort: Option<&SortBy>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let whole = |value: RawBsonRef<'_>| {
            whole(value).ok_or_else(|| refused("Numeric document-based bounds must be an integer"))
        };
        let (lower, upper) = pair(bounds)?;
        let (lower, upper) = (end(&lower, scope, whole)?, end(&upper, scope, whole)?);
        check_order(lower, upper, 0)?;
        let bounds = Self::Documents { lower, upper };
        if sort.is_none() && bounds != Self::ALL {
            return Err(Error::location(5_339_901, "Document-based bounds require a sortBy"));
        }
        Ok(bounds)
    }

    fn by_range(
        bounds: RawBsonRef<'_>,
        unit: Option<RawBsonRef<'_>>,
        sort: Option<&SortBy>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let (lower, upper) = pair(bounds)?;
        let has_unit = unit.is_some();
        let number = |value: RawBsonRef<'_>| {
            if has_unit && whole(value).is_none() {
                return Err(refused("With 'unit', range-based bounds must be an integer"));
            }
            Number::from_bson(value)
                .ok_or_else(|| refused("Range-based bounds expression must be a number"))
        };
        let name = match unit {
            None => None,
            Some(RawBsonRef::String(name)) => Some(name),
            Some(_) => return Err(refused("'unit' must be a string")),
        };
        let (lower, upper) = (end(&lower, scope, number)?, end(&upper, scope, number)?);
        check_order(lower, upper, Number::Int32(0))?;
        let unit = name.map(time_unit).transpose()?;
        match sort {
            Some(sort) if sort.count() == 1 => {
                if sort.single().is_none() {
                    return Err(Error::location(
                        8_947_400,
                        "Range-based bounds require a non-expression sortBy",
                    ));
                }
                if !sort.is_ascending() {
                    return Err(Error::location(
                        8_947_401,
                        "Range-based bounds require an ascending sortBy",
                    ));
                }
            }
            _ => {
                return Err(Error::location(
                    5_339_902,
                    "Range-based bounds require sortBy a single field",
                ));
            }
        }
        Ok(Self::Range { lower, upper, unit })
    }
}

/// A unit of time by its name.
pub(super) fn time_unit(name: &str) -> Result<TimeUnit, Error> {
    TimeUnit::parse(name).ok_or_else(|| refused(format!("unknown time unit value: {name}")))
}

pub(super) fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::FAILED_TO_PARSE, message.into())
}

/// The whole number of 32 bits that a value is.
pub(super) fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    integer(value).filter(|value| i32::try_from(*value).is_ok())
}

fn pair(bounds: RawBsonRef<'_>) -> Result<(RawBson, RawBson), Error> {
    let two = |array: &RawArray| -> Result<Option<(RawBson, RawBson)>, Error> {
        let mut ends = items(array);
        match (ends.next().transpose()?, ends.next().transpose()?, ends.next()) {
            (Some(lower), Some(upper), None) => Ok(Some((lower.into(), upper.into()))),
            _ => Ok(None),
        }
    };
    let found = match bounds {
        RawBsonRef::Array(array) => two(array)?,
        _ => None,
    };
    found.ok_or_else(|| refused("Window bounds must be a 2-element array"))
}

fn end<T>(
    value: &RawBson,
    scope: &Scope,
    read: impl Fn(RawBsonRef<'_>) -> Result<T, Error>,
) -> Result<End<T>, Error> {
    match value.as_raw_bson_ref() {
        RawBsonRef::String("unbounded") => Ok(End::Unbounded),
        RawBsonRef::String("current") => Ok(End::Current),
        RawBsonRef::String(_) => {
            Err(refused("Window bounds must be 'unbounded', 'current', or a number."))
        }
        other => {
            let expression = Expression::parse(other, scope)?;
            let Some(constant) = expression.as_constant() else {
                return Err(refused("Window bounds expression must be a constant."));
            };
            read(constant.unwrap_or(RawBsonRef::Null)).map(End::By)
        }
    }
}

fn check_order<T: PartialOrd + Copy>(lower: End<T>, upper: End<T>, zero: T) -> Result<(), Error> {
    let distance = |end| match end {
        End::Unbounded => None,
        End::Current => Some(zero),
        End::By(distance) => Some(distance),
    };
    match (distance(lower), distance(upper)) {
        (Some(lower), Some(upper)) if lower > upper => {
            Err(Error::location(5_339_900, "Lower bound must not exceed upper bound"))
        }
        _ => Ok(()),
    }
}
