//! `$linearFill`.

use ::bson::RawBson;

use super::derivative::difference;
use super::partition::Partition;
use crate::aggregate::number::{minus, over, plus, times};
use crate::aggregate::specification::type_name;
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::Expression;

/// A place with a value.
#[derive(Clone, Copy)]
struct Point<'a> {
    at: &'a RawBson,
    value: Number,
}

/// The values; where there is none, what lies on the line between those around.
pub(super) fn interpolated(
    partition: &Partition<'_>,
    input: &Expression,
) -> Result<Vec<RawBson>, Error> {
    let values = partition.values(input)?;
    let places = partition.sort_values()?;
    check_places(&places)?;
    let mut numbers = Vec::with_capacity(values.len());
    for value in &values {
        numbers.push(match value {
            None | Some(RawBson::Null | RawBson::Undefined) => None,
            Some(value) => {
                let value = value.as_raw_bson_ref();
                let number = Number::from_bson(value).ok_or_else(|| {
                    mismatch(format!(
                        "Value to be filled must be numeric or nullish, but found {}",
                        type_name(value)
                    ))
                })?;
                Some(number)
            }
        });
    }
    let points = || places.iter().zip(&numbers).enumerate();
    let known: Vec<(usize, Point<'_>)> = points()
        .filter_map(|(index, (at, value))| {
            Some((index, Point { at: at.as_ref()?, value: (*value)? }))
        })
        .collect();
    let mut behind = 0;
    let mut results = Vec::with_capacity(values.len());
    for (index, (at, value)) in points() {
        while known.get(behind).is_some_and(|(known, _)| *known <= index) {
            behind += 1;
        }
        let before = behind.checked_sub(1).and_then(|before| known.get(before));
        results.push(match (value, before, known.get(behind), at) {
            (Some(value), ..) => value.to_bson(),
            (None, Some((_, before)), Some((_, after)), Some(at)) => {
                between(*before, *after, at)?.map_or(RawBson::Null, Number::to_bson)
            }
            _ => RawBson::Null,
        });
    }
    Ok(results)
}

/// What is sorted by must be numbers, or dates; none twice.
fn check_places(places: &[Option<RawBson>]) -> Result<(), Error> {
    let mut last: Option<(&RawBson, bool)> = None;
    let collator = Collator::default();
    for place in places {
        let is_number = |value: &RawBson| Number::from_bson(value.as_raw_bson_ref()).is_some();
        let value = match place {
            Some(value @ RawBson::DateTime(_)) => value,
            Some(value) if is_number(value) => value,
            other => {
                let found = other.as_ref().map(RawBson::as_raw_bson_ref);
                return Err(mismatch(format!(
                    "Value of the sortBy field must be numeric or a date, but found {}",
                    found.map_or("missing", type_name)
                )));
            }
        };
        if let Some((before, was_number)) = last {
            if collator.equal(before.as_raw_bson_ref(), value.as_raw_bson_ref()) {
                return Err(Error::location(
                    6_050_106,
                    "There can be no repeated values in the sort field",
                ));
            }
            if was_number != is_number(value) {
                return Err(mismatch("Conflicting sort value types"));
            }
        }
        last = Some((value, is_number(value)));
    }
    Ok(())
}

fn mismatch(message: impl Into<String>) -> Error {
    Error::new(Code::TYPE_MISMATCH, message.into())
}

/// The value on the line through two points.
fn between(before: Point<'_>, after: Point<'_>, at: &RawBson) -> Result<Option<Number>, Error> {
    let width = difference(Some(after.at), Some(before.at))?;
    let distance = difference(Some(at), Some(before.at))?;
    let (Some(width), Some(distance)) = (width, distance) else { return Ok(None) };
    let height = minus(after.value, before.value);
    let slope = over(height, width);
    Ok(slope.map(|slope| plus(before.value, times(distance, slope))))
}
