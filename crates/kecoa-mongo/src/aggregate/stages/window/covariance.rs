//! `$covariancePop` and `$covarianceSamp`.

use std::ops::Range;

use ::bson::{RawBson, RawBsonRef};

use crate::aggregate::accumulator::Sliding;
use crate::aggregate::number::{Sum, minus, over, times, to_double};
use crate::bson::number::Number;
use crate::error::Error;

/// How two numbers vary together, updated pair by pair.
pub(super) struct Covariance {
    pairs: Vec<Option<(Number, Number)>>,
    sample: bool,
    count: u64,
    /// The sums of the first and of the second ones, whose pairs are finite.
    sums: (Sum, Sum),
    products: Sum,
}

impl Covariance {
    pub(super) fn new(values: Vec<Option<RawBson>>, sample: bool) -> Self {
        let pairs = values.into_iter().map(|value| pair(&value?)).collect();
        let sums = (Sum::default(), Sum::default());
        Self { pairs, sample, count: 0, sums, products: Sum::default() }
    }

    fn pair(&self, place: usize) -> Option<(Number, Number)> {
        self.pairs.get(place).copied().flatten()
    }
}

/// An array of two numbers; all else does not count.
fn pair(value: &RawBson) -> Option<(Number, Number)> {
    let RawBsonRef::Array(array) = value.as_raw_bson_ref() else { return None };
    let mut elements = array.into_iter().flatten().map(Number::from_bson);
    match (elements.next()?, elements.next()?, elements.next()) {
        (Some(first), Some(second), None) => Some((first, second)),
        _ => None,
    }
}

/// What a pair that is not finite counts as; none of one that is finite.
fn special((first, second): (Number, Number)) -> Option<Number> {
    let doubles = [to_double(first), to_double(second)];
    if doubles.iter().all(|double| double.is_finite()) {
        return None;
    }
    // NaN beside NaN, or two infinities of different signs.
    let sum = doubles.iter().filter(|double| !double.is_finite()).sum::<f64>();
    let is_decimal = [first, second].iter().any(|number| matches!(number, Number::Decimal(_)));
    Some(if is_decimal { Number::Decimal(sum.into()) } else { Number::Double(sum) })
}

impl Sliding for Covariance {
    fn add(&mut self, place: usize) -> Result<(), Error> {
        let Some(pair) = self.pair(place) else { return Ok(()) };
        if let Some(special) = special(pair) {
            self.products.add(special);
            return Ok(());
        }
        let (first, second) = pair;
        let distance = (self.count > 0).then(|| minus(first, self.sums.0.mean(self.count)));
        self.count += 1;
        self.sums.0.add(first);
        self.sums.1.add(second);
        if let Some(distance) = distance {
            let other = minus(second, self.sums.1.mean(self.count));
            self.products.add(times(distance, other));
        }
        Ok(())
    }

    fn remove(&mut self, place: usize) -> Result<(), Error> {
        let Some(pair) = self.pair(place) else { return Ok(()) };
        if let Some(special) = special(pair) {
            self.products.remove(special);
            return Ok(());
        }
        let (first, second) = pair;
        let other = minus(second, self.sums.1.mean(self.count));
        self.count -= 1;
        self.sums.0.remove(first);
        if self.count == 0 {
            self.sums = (Sum::default(), Sum::default());
            self.products = Sum::default();
            return Ok(());
        }
        let distance = minus(first, self.sums.0.mean(self.count));
        self.products.remove(times(distance, other));
        self.sums.1.remove(second);
        Ok(())
    }

    fn value(&self, _: Range<usize>) -> RawBson {
        if self.count == 1 && !self.sample {
            return RawBson::Double(0.0);
        }
        let divisor = if self.sample { self.count.saturating_sub(1) } else { self.count };
        if divisor == 0 {
            return RawBson::Null;
        }
        let divisor = Number::Double(divisor as f64);
        over(self.products.total(), divisor).map_or(RawBson::Null, Number::to_bson)
    }
}
