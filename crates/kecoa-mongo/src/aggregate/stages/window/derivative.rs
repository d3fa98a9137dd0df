//! `$derivative`.

use ::bson::{RawBson, RawBsonRef};

use super::bounds::Bounds;
use super::partition::Partition;
use crate::aggregate::number::{minus, over, times};
use crate::aggregate::specification::type_name;
use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::expression::{Expression, TimeUnit};

/// The rise from the first to the last document of each window, divided by how far they are from one another.
pub(super) fn values(
    partition: &Partition<'_>,
    input: &Expression,
    unit: Option<TimeUnit>,
    bounds: &Bounds,
) -> Result<Vec<RawBson>, Error> {
    let windows = partition.windows(bounds)?;
    let times_of = partition.sort_values()?;
    let heights = partition.values(input)?;
    let at = |values: &[Option<RawBson>], place: usize| values.get(place).cloned().flatten();
    windows
        .into_iter()
        .map(|window| {
            let Some(last) = window.clone().next_back() else { return Ok(RawBson::Null) };
            let (left, right) = (at(&times_of, window.start), at(&times_of, last));
            check_time(left.as_ref(), unit)?;
            check_time(right.as_ref(), unit)?;
            let run = difference(right.as_ref(), left.as_ref())?;
            let (low, high) = (at(&heights, window.start), at(&heights, last));
            let Some(rise) = difference(high.as_ref(), low.as_ref())? else {
                return Err(Error::location(
                    5_624_903,
                    "$derivative input must not be null or missing",
                ));
            };
            let slope = run.and_then(|run| over(rise, run));
            let slope = match (slope, unit) {
                (Some(slope), Some(unit)) => Some(times(slope, Number::Int64(milliseconds(unit)))),
                (slope, _) => slope,
            };
            Ok(slope.map_or(RawBson::Null, Number::to_bson))
        })
        .collect()
}

/// How long a unit is.
pub(super) fn milliseconds(unit: TimeUnit) -> i64 {
    const DAY: i64 = 86_400_000;
    unit.milliseconds().unwrap_or_else(|| unit.days().unwrap_or(1) * DAY)
}

fn check_time(time: Option<&RawBson>, unit: Option<TimeUnit>) -> Result<(), Error> {
    match (unit, time) {
        (Some(_), Some(RawBson::DateTime(_))) => Ok(()),
        (Some(_), _) => Err(Error::location(
            5_624_900,
            "$derivative with 'unit' expects the sortBy field to be a Date",
        )),
        (None, Some(RawBson::DateTime(_))) => Err(Error::location(
            5_624_901,
            "$derivative where the sortBy is a Date requires an 'unit'",
        )),
        (None, time) => match time.map(RawBson::as_raw_bson_ref).and_then(Number::from_bson) {
            Some(_) => Ok(()),
            None => Err(Error::location(
                5_624_902,
                "$derivative (with no 'unit') expects the sortBy field to be numeric",
            )),
        },
    }
}

/// The difference of two numbers, or of two dates in milliseconds; none where one of them is `null` or missing.
pub(super) fn difference(
    left: Option<&RawBson>,
    right: Option<&RawBson>,
) -> Result<Option<Number>, Error> {
    let (left, right) = (left.map(RawBson::as_raw_bson_ref), right.map(RawBson::as_raw_bson_ref));
    let numbers = (left.and_then(Number::from_bson), right.and_then(Number::from_bson));
    if let (Some(left), Some(right)) = numbers {
        return Ok(Some(minus(left, right)));
    }
    match (left, right) {
        (None | Some(RawBsonRef::Null | RawBsonRef::Undefined), _)
        | (_, None | Some(RawBsonRef::Null | RawBsonRef::Undefined)) => Ok(None),
        (Some(RawBsonRef::DateTime(left)), Some(RawBsonRef::DateTime(right))) => {
            let (left, right) = (left.timestamp_millis(), right.timestamp_millis());
            Ok(Some(minus(Number::Int64(left), Number::Int64(right))))
        }
        (Some(left), Some(right)) => Err(Error::new(
            Code::TYPE_MISMATCH,
            format!("can't $subtract {} from {}", type_name(right), type_name(left)),
        )),
    }
}
