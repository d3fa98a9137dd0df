//! `$sum`, `$avg`, `$min`, `$max`, `$stdDevPop`, `$stdDevSamp` of arguments, and the sums that accumulators share.
//!
//! One argument that is an array stands for its elements; among several, an array is a value like others.

use std::cmp::Ordering;

use ::bson::{RawBson, RawBsonRef};

use super::collated::Collated;
use super::context::Outcome;
use super::node::Node;
use super::outcome::{elements, null, present, view};
use super::parser::{Definition, Operator, Parser};
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$avg", definition: Definition::Variadic(average) },
    Operator { name: "$max", definition: Definition::Own(parse_max) },
    Operator { name: "$min", definition: Definition::Own(parse_min) },
    Operator {
        name: "$stdDevPop",
        definition: Definition::Variadic(|values| deviation(values, false)),
    },
    Operator {
        name: "$stdDevSamp",
        definition: Definition::Variadic(|values| deviation(values, true)),
    },
    Operator { name: "$sum", definition: Definition::Variadic(sum) },
];

/// A sum of numbers of all types, without the rounding errors of adding doubles one by one.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    integers: i128,
    /// The sum of the doubles, and what it lacks.
    doubles: (f64, f64),
    decimals: Option<Decimal>,
    double: bool,
    long: bool,
}

impl Sum {
    /// Add a number.
    pub fn add(&mut self, number: Number) {
        match number {
            Number::Int32(value) => self.integers += i128::from(value),
            Number::Int64(value) => {
                self.integers += i128::from(value);
                self.long = true;
            }
            Number::Double(value) => {
                self.add_double(value);
                self.double = true;
            }
            Number::Decimal(value) => {
                self.decimals = Some(match self.decimals {
                    Some(total) => total + value,
                    None => value,
                });
            }
        }
    }

    fn add_double(&mut self, value: f64) {
        let (total, lost) = self.doubles;
        let sum = total + value;
        if !sum.is_finite() {
            self.doubles = (sum, 0.0);
            return;
        }
        // What the addition rounded away (Knuth's two-sum).
        let part = sum - total;
        let error = (total - (sum - part)) + (value - part);
        self.doubles = (sum, lost + error);
    }

    /// The sum: of the widest type of the numbers; an int32 that overflows is an int64, an int64 a double.
    #[must_use]
    pub fn total(&self) -> Number {
        if let Some(decimals) = self.decimals {
            let mut total = decimals + decimal_of(self.integers);
            if self.double {
                total = total + Decimal::from_double_exactly(self.as_double_part());
            }
            return Number::Decimal(total);
        }
        if self.double {
            return Number::Double(self.lossy_double());
        }
        match (i32::try_from(self.integers), i64::try_from(self.integers)) {
            (Ok(narrow), _) if !self.long => Number::Int32(narrow),
            (_, Ok(whole)) => Number::Int64(whole),
            _ => Number::Double(self.integers as f64),
        }
    }

    /// The mean of so many numbers: a double, or a decimal if one of them was.
    #[must_use]
    pub fn mean(&self, count: u64) -> Option<Number> {
        if count == 0 {
            return None;
        }
        Some(match self.total() {
            Number::Decimal(total) => {
                Number::Decimal(total / Decimal::from(i64::try_from(count).unwrap_or(i64::MAX)))
            }
            _ => Number::Double(self.lossy_double() / count as f64),
        })
    }

    fn as_double_part(&self) -> f64 {
        self.doubles.0 + self.doubles.1
    }

    fn lossy_double(&self) -> f64 {
        let mut whole = self.clone();
        // In two parts, each of which a double holds.
        let high = self.integers as f64;
        whole.add_double(high);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the rest of a rounded integer is small"
        )]
        let rest = (self.integers - high as i128) as f64;
        whole.add_double(rest);
        whole.as_double_part()
    }
}

fn decimal_of(value: i128) -> Decimal {
    i64::try_from(value)
        .map_or_else(|_| Decimal::parse(&value.to_string()).unwrap_or(Decimal::NAN), Decimal::from)
}

/// Mean and spread of numbers, one after the other (Welford's method).
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Spread {
    /// Take a number in.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// The standard deviation of all that there is; none of nothing.
    #[must_use]
    pub fn of_population(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.squares / self.count as f64).sqrt())
    }

    /// The standard deviation that a sample lets expect; none of fewer than two.
    #[must_use]
    pub fn of_sample(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

/// Show each argument, or each element of the only one.
fn each(values: &[Option<Value<'_>>], mut show: impl FnMut(RawBsonRef<'_>)) {
    if let [only] = values
        && let Some(RawBsonRef::Array(array)) = view(only)
    {
        return elements(array).for_each(show);
    }
    values.iter().filter_map(view).for_each(&mut show);
}

fn sum(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let mut sum = Sum::default();
    each(&values, |value| {
        if let Some(number) = Number::from_bson(value) {
            sum.add(number);
        }
    });
    present(sum.total().to_bson())
}

fn average(values: Vec<Option<Value<'_>>>) -> Outcome<'_> {
    let (mut sum, mut count) = (Sum::default(), 0);
    each(&values, |value| {
        if let Some(number) = Number::from_bson(value) {
            sum.add(number);
            count += 1;
        }
    });
    sum.mean(count).map_or_else(null, |mean| present(mean.to_bson()))
}

fn deviation(values: Vec<Option<Value<'_>>>, of_sample: bool) -> Outcome<'_> {
    let mut spread = Spread::default();
    each(&values, |value| {
        if let Some(number) = Number::from_bson(value) {
            spread.add(number.lossy_double());
        }
    });
    let result = if of_sample { spread.of_sample() } else { spread.of_population() };
    result.map_or_else(null, present)
}

fn parse_min(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let arguments = parser.positional(argument)?;
    Ok(Collated::node(arguments, parser, |values, comparing| {
        extreme(&values, comparing.collator, Ordering::Less)
    }))
}

fn parse_max(
    _: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let arguments = parser.positional(argument)?;
    Ok(Collated::node(arguments, parser, |values, comparing| {
        extreme(&values, comparing.collator, Ordering::Greater)
    }))
}

/// The least or the greatest value that is not `null`.
fn extreme<'v>(values: &[Option<Value<'v>>], collator: &Collator, wanted: Ordering) -> Outcome<'v> {
    let mut best: Option<RawBson> = None;
    each(values, |value| {
        let better = !matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)
            && best
                .as_ref()
                .is_none_or(|best| collator.compare(value, best.as_raw_bson_ref()) == wanted);
        if better {
            best = Some(value.into());
        }
    });
    best.map_or_else(null, present)
}
