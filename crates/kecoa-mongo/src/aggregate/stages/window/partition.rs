//! The documents of a partition, in order, and their windows.

use std::ops::Range;

use ::bson::{DateTime, RawBson, RawBsonRef, RawDocumentBuf};

use super::bounds::{Bounds, End};
use super::sort_by::SortBy;
use crate::aggregate::specification::type_name;
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::{Expression, TimeUnit, Variables, date_plus};
use crate::query::SortKey;
use crate::value::Value;

/// The documents of a partition, in order.
pub(super) struct Partition<'a> {
    pub(super) documents: Vec<&'a RawDocumentBuf>,
    pub(super) keys: Vec<Option<&'a SortKey>>,
    pub(super) sort: Option<&'a SortBy>,
    pub(super) variables: &'a Variables,
}

impl Partition<'_> {
    /// What an expression gives for each document.
    pub(super) fn values(&self, expression: &Expression) -> Result<Vec<Option<RawBson>>, Error> {
        let value = |document: &&RawDocumentBuf| {
            Ok(expression.evaluate(document, self.variables)?.map(Value::into_owned))
        };
        self.documents.iter().map(value).collect()
    }

    /// What each document is sorted by.
    pub(super) fn sort_values(&self) -> Result<Vec<Option<RawBson>>, Error> {
        match self.sort.and_then(SortBy::single) {
            Some(expression) => self.values(expression),
            None => Ok(vec![None; self.documents.len()]),
        }
    }

    /// The places of each document's window. Neither the first nor the last ones go back.
    pub(super) fn windows(&self, bounds: &Bounds) -> Result<Vec<Range<usize>>, Error> {
        let count = self.documents.len();
        match bounds {
            Bounds::Documents { lower, upper } => {
                Ok((0..count).map(|place| around(place, count, *lower, *upper)).collect())
            }
            Bounds::Range { lower, upper, unit } => {
                let values = self.sort_values()?;
                let values = values.iter().map(|value| Measured::of(value.as_ref(), *unit));
                let values = values.collect::<Result<Vec<_>, Error>>()?;
                by_range(&values, *lower, *upper, *unit)
            }
        }
    }
}

/// The places of a window of `count` documents.
fn around(place: usize, count: usize, lower: End<i64>, upper: End<i64>) -> Range<usize> {
    let at = |offset: i64| {
        let distance = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        if offset < 0 { place.checked_sub(distance) } else { Some(place.saturating_add(distance)) }
    };
    let start = match lower {
        End::Unbounded => 0,
        End::Current => place,
        End::By(offset) => at(offset).unwrap_or(0).min(count),
    };
    let end = match upper {
        End::Unbounded => count,
        End::Current => place + 1,
        End::By(offset) => at(offset).map_or(0, |last| last.saturating_add(1).min(count)),
    };
    start..end.max(start)
}

/// What a document is sorted by, as a range measures it.
#[derive(Clone, Copy)]
enum Measured {
    Number(Number),
    Date(i64),
}

impl Measured {
    fn of(value: Option<&RawBson>, unit: Option<TimeUnit>) -> Result<Self, Error> {
        let value = value.map(RawBson::as_raw_bson_ref);
        let found = || value.map_or("missing", type_name);
        match (unit, value) {
            (Some(_), Some(RawBsonRef::DateTime(date))) => Ok(Self::Date(date.timestamp_millis())),
            (Some(_), _) => Err(Error::location(
                5_429_513,
                format!(
                    "Invalid range: Expected the sortBy field to be a Date, but it was {}",
                    found()
                ),
            )),
            (None, Some(RawBsonRef::DateTime(_))) => Err(Error::location(
                5_429_413,
                "Invalid range: For windows that involve date or time ranges, a unit must be provided.",
            )),
            (None, value) => {
                let number = value.and_then(Number::from_bson);
                number.map(Self::Number).ok_or_else(|| {
                    Error::location(
                        5_429_414,
                        format!(
                            "Invalid range: Expected the sortBy field to be a number, but it was {}",
                            found()
                        ),
                    )
                })
            }
        }
    }

    /// The value so far from this one. Numbers are added as decimals, so that 0.1 and 0.2 are 0.3.
    fn plus(self, distance: Number, unit: Option<TimeUnit>) -> Result<Self, Error> {
        match (self, unit) {
            (Self::Date(date), Some(unit)) => {
                let amount = distance.lossy_double();
                // 32 bits, as was checked.
                #[allow(clippy::cast_possible_truncation)]
                let amount = amount as i64;
                date_plus(DateTime::from_millis(date), unit, amount)
                    .map(|date| Self::Date(date.timestamp_millis()))
            }
            (Self::Number(number), _) => {
                Ok(Self::Number(Number::Decimal(number.lossy_decimal() + distance.lossy_decimal())))
            }
            (other, None) => Ok(other),
        }
    }

    fn is_less(self, other: Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left < right,
            (Self::Date(left), Self::Date(right)) => left < right,
            // Numbers are below dates.
            (Self::Number(_), Self::Date(_)) => true,
            (Self::Date(_), Self::Number(_)) => false,
        }
    }
}

fn by_range(
    values: &[Measured],
    lower: End<Number>,
    upper: End<Number>,
    unit: Option<TimeUnit>,
) -> Result<Vec<Range<usize>>, Error> {
    let count = values.len();
    let (mut first, mut behind) = (0, 0);
    let mut windows = Vec::with_capacity(count);
    for (place, value) in values.iter().enumerate() {
        let start = match lower {
            End::Unbounded => 0,
            End::Current => place,
            End::By(distance) => {
                let least = value.plus(distance, unit)?;
                while values.get(first).is_some_and(|value| value.is_less(least)) {
                    first += 1;
                }
                first
            }
        };
        let end = match upper {
            End::Unbounded => count,
            End::Current => place + 1,
            End::By(distance) => {
                let greatest = value.plus(distance, unit)?;
                while values.get(behind).is_some_and(|value| !greatest.is_less(*value)) {
                    behind += 1;
                }
                behind
            }
        };
        windows.push(start..end.max(start));
    }
    Ok(windows)
}
