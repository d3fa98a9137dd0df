//! What is computed of a window: the values of a partition.

use ::bson::{RawBson, RawBsonRef};

use super::bounds::Bounds;
use super::covariance::Covariance;
use super::function::Function;
use super::integral::Integral;
use super::partition::Partition;
use super::{derivative, filled};
use crate::aggregate::accumulator::{Accumulator, State, slide};
use crate::aggregate::number::{plus, times};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::{Expression, Variables};
use crate::value::Value;

impl Function {
    /// Check what does not depend on documents.
    pub(super) fn check_start(&self, variables: &Variables) -> Result<(), Error> {
        match self {
            Self::Accumulate(accumulator, _) => accumulator.check_start(variables),
            _ => Ok(()),
        }
    }

    /// The values of a partition's documents, in order.
    pub(super) fn values(&self, partition: &Partition<'_>) -> Result<Vec<RawBson>, Error> {
        match self {
            Self::Accumulate(accumulator, bounds) => accumulate(accumulator, bounds, partition),
            Self::DocumentNumber => Ok((1..=partition.documents.len()).map(number).collect()),
            Self::Rank { dense } => Ok(ranks(partition, *dense)),
            Self::Shift { output, by, default } => shifted(partition, output, *by, default),
            Self::Derivative { input, unit, bounds } => {
                derivative::values(partition, input, *unit, bounds)
            }
            Self::Integral { input, unit, bounds } => {
                let windows = partition.windows(bounds)?;
                let mut state = Integral::new(partition, input, *unit)?;
                slide(&windows, &mut state)
            }
            Self::Covariance { input, sample, bounds } => {
                let windows = partition.windows(bounds)?;
                let mut state = Covariance::new(partition.values(input)?, *sample);
                slide(&windows, &mut state)
            }
            Self::MovingAverage { input, weight } => moving_average(partition, input, *weight),
            Self::Carried(input) => carried(partition, input),
            Self::Interpolated(input) => filled::interpolated(partition, input),
        }
    }
}

fn accumulate(
    accumulator: &Accumulator,
    bounds: &Bounds,
    partition: &Partition<'_>,
) -> Result<Vec<RawBson>, Error> {
    let count = partition.documents.len();
    if *bounds != Bounds::ALL {
        let windows = partition.windows(bounds)?;
        return accumulator.over_windows(&partition.documents, &windows, partition.variables);
    }
    // One result for all.
    let mut state = State::new(accumulator, RawBsonRef::Null, partition.variables)?;
    for document in &partition.documents {
        state.add(accumulator, document, partition.variables)?;
    }
    Ok(vec![state.finish(accumulator); count])
}

fn ranks(partition: &Partition<'_>, dense: bool) -> Vec<RawBson> {
    let (mut rank, mut values) = (0, Vec::with_capacity(partition.keys.len()));
    let mut before = None;
    for (place, key) in partition.keys.iter().enumerate() {
        if before != Some(key) {
            rank = if dense { rank + 1 } else { place + 1 };
        }
        before = Some(key);
        values.push(number(rank));
    }
    values
}

fn shifted(
    partition: &Partition<'_>,
    output: &Expression,
    by: i64,
    default: &RawBson,
) -> Result<Vec<RawBson>, Error> {
    let distance = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
    (0..partition.documents.len())
        .map(|place| {
            let other =
                if by < 0 { place.checked_sub(distance) } else { place.checked_add(distance) };
            let value = match other.and_then(|other| partition.documents.get(other)) {
                Some(document) => {
                    output.evaluate(document, partition.variables)?.map(Value::into_owned)
                }
                None => None,
            };
            Ok(value.unwrap_or_else(|| default.clone()))
        })
        .collect()
}

/// `$expMovingAvg`: computed as decimals, a double where no decimal came.
fn moving_average(
    partition: &Partition<'_>,
    input: &Expression,
    weight: Decimal,
) -> Result<Vec<RawBson>, Error> {
    let rest = Number::Decimal(Decimal::from(1) - weight);
    let weight = Number::Decimal(weight);
    let (mut mean, mut has_decimal): (Option<Number>, bool) = (None, false);
    let mut results = Vec::with_capacity(partition.documents.len());
    for value in partition.values(input)? {
        let found = value.as_ref().map(RawBson::as_raw_bson_ref).and_then(Number::from_bson);
        if let Some(found) = found {
            has_decimal |= matches!(found, Number::Decimal(_));
            let found = Number::Decimal(found.lossy_decimal());
            mean = Some(match mean {
                None => found,
                Some(mean) => plus(times(found, weight), times(mean, rest)),
            });
        }
        results.push(match mean {
            None => RawBson::Null,
            Some(mean) if has_decimal => mean.to_bson(),
            Some(mean) => RawBson::Double(mean.lossy_double()),
        });
    }
    Ok(results)
}

/// `$locf`: the last value that was there.
fn carried(partition: &Partition<'_>, input: &Expression) -> Result<Vec<RawBson>, Error> {
    let mut last = RawBson::Null;
    let mut results = Vec::with_capacity(partition.documents.len());
    for value in partition.values(input)? {
        if let Some(value) = value
            && !matches!(value, RawBson::Null | RawBson::Undefined)
        {
            last = value;
        }
        results.push(last.clone());
    }
    Ok(results)
}

fn number(value: usize) -> RawBson {
    match i32::try_from(value) {
        Ok(value) => RawBson::Int32(value),
        Err(_) => RawBson::Int64(i64::try_from(value).unwrap_or(i64::MAX)),
    }
}
