//! `range`: bounds and steps.

use ::bson::{RawArray, RawBson, RawBsonRef, RawDocument};

use super::point::Point;
use super::steps::Steps;
use crate::aggregate::specification::{
    fields, integer, is_number, items, missing_field, unknown_field, wrong_type,
};
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::TimeUnit;

const RANGE: &str = "$densify.range";

/// Between which values documents are made.
#[derive(Clone, Debug)]
pub(super) enum Bounds {
    /// Between the first and the last of all documents.
    Full,
    /// Between the first and the last of each partition.
    Partition,
    /// From one up to another one, which is not made itself.
    Explicit(Point, Point),
}

/// `range` as it was written.
pub(super) struct Range<'a> {
    step: RawBsonRef<'a>,
    bounds: RawBsonRef<'a>,
    unit: Option<&'a str>,
}

/// Read the fields of `range`.
pub(super) fn read(document: &RawDocument) -> Result<Range<'_>, Error> {
    let (mut step, mut bounds, mut unit) = (None, None, None);
    for field in fields(document) {
        match field? {
            ("step", value) if is_number(value) => step = Some(value),
            ("step", value) => {
                return Err(wrong_type(RANGE, "step", value, "[int, decimal, double, long]"));
            }
            ("bounds", value) => bounds = Some(value),
            ("unit", RawBsonRef::String(name)) => unit = Some(name),
            ("unit", value) => return Err(wrong_type(RANGE, "unit", value, "string")),
            (other, _) => return Err(unknown_field(RANGE, other)),
        }
    }
    Ok(Range {
        step: step.ok_or_else(|| missing_field(RANGE, "step"))?,
        bounds: bounds.ok_or_else(|| missing_field(RANGE, "bounds"))?,
        unit,
    })
}

impl Range<'_> {
    /// What it means.
    pub(super) fn check(&self) -> Result<(Bounds, Steps), Error> {
        let step = Number::from_bson(self.step).filter(|step| *step > Number::Int32(0));
        let Some(step) = step else {
            return Err(Error::location(
                5_733_401,
                "The step parameter in a range statement must be a strictly positive numeric value",
            ));
        };
        let whole = integer(self.step);
        if self.unit.is_some() && whole.is_none() {
            return Err(Error::location(
                6_586_400,
                "The step parameter in a range statement must be a whole number when densifying a date range",
            ));
        }
        let unit = match self.unit {
            None => None,
            Some(name) => Some(TimeUnit::parse(name).ok_or_else(|| {
                Error::new(Code::FAILED_TO_PARSE, format!("unknown time unit value: {name}"))
            })?),
        };
        let bounds = match self.bounds {
            RawBsonRef::Array(array) => self.explicit(array, unit)?,
            RawBsonRef::String("full") => Bounds::Full,
            RawBsonRef::String("partition") => Bounds::Partition,
            RawBsonRef::String(_) => {
                return Err(Error::location(
                    5_946_802,
                    "Bounds string must either be 'full' or 'partition'",
                ));
            }
            _ => {
                return Err(Error::location(
                    5_733_404,
                    "The bounds in a range statement must be the string 'full', 'partition', or an ascending array \
                     of two numbers or two dates",
                ));
            }
        };
        Ok((bounds, Steps { step, whole: whole.unwrap_or(1), unit }))
    }

    fn explicit(&self, array: &RawArray, unit: Option<TimeUnit>) -> Result<Bounds, Error> {
        let refused = |number, text: &str| Err(Error::location(number, text));
        let ends: Vec<RawBson> =
            items(array).map(|item| item.map(RawBson::from)).collect::<Result<_, _>>()?;
        let [low, high] = ends.as_slice() else {
            return refused(
                5_733_403,
                "A bounding array in a range statement must have exactly two elements",
            );
        };
        let (low, high) = (low.as_raw_bson_ref(), high.as_raw_bson_ref());
        if Collator::default().compare(low, high).is_gt() {
            return refused(
                5_733_402,
                "A bounding array must be an ascending array of either two dates or two numbers",
            );
        }
        match (Number::from_bson(low), Number::from_bson(high), low, high) {
            (Some(_), ..) if unit.is_some() => {
                refused(5_733_409, "Numeric bounds may not have unit parameter")
            }
            (Some(_), None, ..) => refused(
                5_733_406,
                "A bounding array must contain either both dates or both numeric types",
            ),
            (Some(from), Some(to), ..) => {
                let same = |value: RawBsonRef<'_>| value.element_type() == low.element_type();
                if !same(high) || !same(self.step) {
                    return refused(
                        5_876_900,
                        "Upper bound, lower bound, and step must all have the same type",
                    );
                }
                Ok(Bounds::Explicit(Point::Number(from), Point::Number(to)))
            }
            (None, _, RawBsonRef::DateTime(from), RawBsonRef::DateTime(to)) => {
                if unit.is_none() {
                    return refused(5_733_410, "A bounding array of dates must specify a unit");
                }
                Ok(Bounds::Explicit(Point::Date(from), Point::Date(to)))
            }
            (None, _, RawBsonRef::DateTime(_), _) => refused(
                5_733_405,
                "A bounding array must contain either both dates or both numeric types",
            ),
            _ => refused(5_946_800, "Explicit bounds must be numeric or dates"),
        }
    }
}
