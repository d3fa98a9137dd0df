//! Sums, means and deviations of windows.

use std::ops::Range;

use ::bson::RawBson;

use crate::aggregate::accumulator::slide::Sliding;
use crate::aggregate::number::{Sum, to_double};
use crate::bson::number::Number;
use crate::error::Error;

/// `$sum` and `$avg`.
pub(super) struct Sums<'v> {
    values: &'v [Option<RawBson>],
    sum: Sum,
    count: u64,
    is_mean: bool,
}

/// `$stdDevPop` and `$stdDevSamp`.
pub(super) struct Deviations<'v> {
    values: &'v [Option<RawBson>],
    sample: bool,
    sum: Sum,
    count: u64,
    /// How many are infinite or no numbers: with one of them there is no deviation.
    infinite: u64,
    squares: f64,
}

fn number_at(values: &[Option<RawBson>], place: usize) -> Option<Number> {
    Number::from_bson(values.get(place)?.as_ref()?.as_raw_bson_ref())
}

impl<'v> Sums<'v> {
    pub(super) fn new(values: &'v [Option<RawBson>], is_mean: bool) -> Self {
        Self { values, sum: Sum::default(), count: 0, is_mean }
    }
}

impl Sliding for Sums<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        if let Some(number) = number_at(self.values, place) {
            self.sum.add(number);
            self.count += 1;
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        if let Some(number) = number_at(self.values, place) {
            self.sum.remove(number);
            self.count -= 1;
        }
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        match (self.is_mean, self.count) {
            (false, _) => self.sum.total().to_bson(),
            (true, 0) => RawBson::Null,
            (true, count) => self.sum.mean(count).to_bson(),
        }
    }
}

impl<'v> Deviations<'v> {
    pub(super) fn new(values: &'v [Option<RawBson>], sample: bool) -> Self {
        Self { values, sample, sum: Sum::default(), count: 0, infinite: 0, squares: 0.0 }
    }

    /// By how much the squares grow with a value beside `others` other ones, which are in the sum.
    fn growth(&self, value: f64, others: u64) -> f64 {
        if others == 0 {
            return 0.0;
        }
        let others = others as f64;
        let distance = others * value - to_double(self.sum.total());
        distance * distance / (others * (others + 1.0))
    }
}

impl Sliding for Deviations<'_> {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        let Some(number) = number_at(self.values, place) else { return Ok(()) };
        let value = to_double(number);
        if !value.is_finite() {
            self.infinite += 1;
            return Ok(());
        }
        self.squares += self.growth(value, self.count);
        self.sum.add(number);
        self.count += 1;
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        let Some(number) = number_at(self.values, place) else { return Ok(()) };
        let value = to_double(number);
        if !value.is_finite() {
            self.infinite -= 1;
            return Ok(());
        }
        self.sum.remove(number);
        self.count -= 1;
        // Below two there are no distances: no rounding is kept.
        self.squares = if self.count < 2 {
            0.0
        } else {
            (self.squares - self.growth(value, self.count)).max(0.0)
        };
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        if self.infinite > 0 {
            return RawBson::Double(f64::NAN);
        }
        match if self.sample { self.count.saturating_sub(1) } else { self.count } {
            0 => RawBson::Null,
            divisor => RawBson::Double((self.squares / divisor as f64).sqrt()),
        }
    }
}
