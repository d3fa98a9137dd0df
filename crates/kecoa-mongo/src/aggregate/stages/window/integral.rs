//! `$integral`.

use std::ops::Range;

use ::bson::RawBson;

use super::derivative::milliseconds;
use super::partition::Partition;
use crate::aggregate::accumulator::Sliding;
use crate::aggregate::number::{Sum, minus, over, plus, times, to_double};
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::{Expression, TimeUnit};

/// The area below the points of a window, by trapezoids.
pub(super) struct Integral {
    unit: Option<TimeUnit>,
    /// Of each document, the sort field and the value.
    points: Vec<(Option<RawBson>, Option<RawBson>)>,
    /// The places that are in.
    window: Range<usize>,
    area: Sum,
    not_numbers: usize,
}

impl Integral {
    pub(super) fn new(
        partition: &Partition<'_>,
        input: &Expression,
        unit: Option<TimeUnit>,
    ) -> Result<Self, Error> {
        let points = partition.sort_values()?.into_iter().zip(partition.values(input)?);
        Ok(Self {
            unit,
            points: points.collect(),
            window: 0..0,
            area: Sum::default(),
            not_numbers: 0,
        })
    }

    /// Where a document is, and how high.
    fn point(&self, place: usize) -> Result<(Number, Number), Error> {
        let wrong = || {
            Error::location(
                5_423_900,
                "The input value of $integral window function must be a vector of 2 value, the first value must be \
                 numeric or date type and the second must be numeric.",
            )
        };
        let Some((Some(time), Some(height))) = self.points.get(place) else { return Err(wrong()) };
        let height = Number::from_bson(height.as_raw_bson_ref()).ok_or_else(wrong)?;
        match (time, Number::from_bson(time.as_raw_bson_ref()), self.unit) {
            (RawBson::DateTime(date), _, Some(_)) => {
                Ok((Number::Int64(date.timestamp_millis()), height))
            }
            (RawBson::DateTime(_), _, None) => Err(Error::location(
                5_423_902,
                "$integral (with no 'unit') expects the sortBy field to be numeric",
            )),
            (_, Some(_), Some(_)) => Err(Error::location(
                5_423_901,
                "$integral with 'unit' expects the sortBy field to be a Date",
            )),
            (_, Some(number), None) => Ok((number, height)),
            (_, None, _) => Err(wrong()),
        }
    }

    /// The area between a document and the one before.
    fn trapezoid(&self, place: usize) -> Result<Number, Error> {
        let Some(before) = place.checked_sub(1) else { return Ok(Number::Int32(0)) };
        let ((from, low), (to, high)) = (self.point(before)?, self.point(place)?);
        if [from, low, to, high].into_iter().any(is_nan) {
            return Ok(Number::Int32(0));
        }
        let doubled = times(plus(high, low), minus(to, from));
        Ok(over(doubled, Number::Double(2.0)).unwrap_or(doubled))
    }

    fn has_nan(&self, place: usize) -> Result<bool, Error> {
        let (time, height) = self.point(place)?;
        Ok(is_nan(time) || is_nan(height))
    }
}

fn is_nan(number: Number) -> bool {
    to_double(number).is_nan()
}

impl Sliding for Integral {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        self.not_numbers += usize::from(self.has_nan(place)?);
        if self.window.is_empty() {
            self.window = place..place + 1;
        } else {
            self.area.add(self.trapezoid(place)?);
            self.window.end = place + 1;
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        self.not_numbers -= usize::from(self.has_nan(place)?);
        self.window.start = place + 1;
        if !self.window.is_empty() {
            self.area.remove(self.trapezoid(place + 1)?);
        }
        Ok(())
    }

    fn value(&self, window: Range<usize>) -> RawBson {
        if window.is_empty() {
            return RawBson::Null;
        }
        if self.not_numbers > 0 {
            return RawBson::Double(f64::NAN);
        }
        let area = self.area.total();
        match self.unit {
            None => area.to_bson(),
            Some(unit) => {
                over(area, Number::Int64(milliseconds(unit))).map_or(RawBson::Null, Number::to_bson)
            }
        }
    }
}
