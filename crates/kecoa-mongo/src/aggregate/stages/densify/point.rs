//! Values that are densified: numbers, or dates.

use std::cmp::Ordering;

use ::bson::{DateTime, RawBson, RawBsonRef};

use super::steps::Steps;
use crate::aggregate::number::{minus, plus};
use crate::bson::number::Number;
use crate::error::Error;
use crate::expression::date_plus;

/// A value that is densified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Point {
    Number(Number),
    Date(DateTime),
}

impl Point {
    /// The value of a document.
    pub(super) fn of(value: RawBsonRef<'_>, steps: &Steps) -> Result<Self, Error> {
        let wrong = |text: &str| Err(Error::location(6_053_600, text));
        match (Number::from_bson(value), value, steps.unit) {
            (Some(number), _, None) => Ok(Self::Number(number)),
            (None, RawBsonRef::DateTime(date), Some(_)) => Ok(Self::Date(date)),
            (Some(_), ..) => {
                wrong("Encountered numeric densify value in collection when step has a date unit.")
            }
            (None, RawBsonRef::DateTime(_), None) => wrong(
                "Encountered date densify value in collection when step does not have a date unit.",
            ),
            (None, ..) => {
                Err(Error::location(5_733_201, "Densify field type must be numeric or a date"))
            }
        }
    }

    pub(super) fn to_bson(self) -> RawBson {
        match self {
            Self::Number(number) => number.to_bson(),
            Self::Date(date) => RawBson::DateTime(date),
        }
    }

    /// A step later.
    pub(super) fn plus(self, steps: &Steps) -> Result<Self, Error> {
        match self {
            Self::Number(number) => Ok(Self::Number(plus(number, steps.step))),
            Self::Date(date) => moved(date, steps, Some(steps.whole)),
        }
    }

    /// A step earlier.
    pub(super) fn minus(self, steps: &Steps) -> Result<Self, Error> {
        match self {
            Self::Number(number) => Ok(Self::Number(minus(number, steps.step))),
            Self::Date(date) => moved(date, steps, steps.whole.checked_neg()),
        }
    }

    /// Numbers are below dates.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(&right),
            (Self::Date(left), Self::Date(right)) => left.cmp(&right),
            (Self::Number(_), Self::Date(_)) => Ordering::Less,
            (Self::Date(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

fn moved(date: DateTime, steps: &Steps, amount: Option<i64>) -> Result<Point, Error> {
    match steps.unit.zip(amount) {
        Some((unit, amount)) => date_plus(date, unit, amount).map(Point::Date),
        None => Err(Error::location(5_166_406, "a step of $densify leads to no date")),
    }
}
