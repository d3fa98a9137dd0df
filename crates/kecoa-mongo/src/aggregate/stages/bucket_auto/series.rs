//! Preferred numbers: boundaries that people like to read.

use std::ops::{Div, Mul};

use ::bson::RawBson;

use crate::aggregate::number::to_double;
use crate::bson::decimal128::Decimal;
use crate::bson::number::Number;
use crate::error::Error;

/// A series of preferred numbers.
#[derive(Clone, Debug)]
pub(super) enum Series {
    /// These, times each power of ten; ascending, and the last is less than ten times the first.
    Decades(Vec<u16>),
    PowersOfTwo,
}

const RENARD_40: [u16; 40] = [
    100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280,
    300, 315, 335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850,
    900, 950,
];

/// What the server takes for R80: the numbers that lie between those of R40.
const RENARD_80: [u16; 40] = [
    103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290,
    307, 325, 345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875,
    925, 975,
];

const E_24: [u16; 24] = [
    10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91,
];

impl Series {
    pub(super) fn parse(name: &str) -> Result<Self, Error> {
        let every = |series: &[u16], step: usize| series.iter().step_by(step).copied().collect();
        Ok(Self::Decades(match name {
            "POWERSOF2" => return Ok(Self::PowersOfTwo),
            "R5" => vec![10, 16, 25, 40, 63],
            "R10" => every(&RENARD_40, 4),
            "R20" => every(&RENARD_40, 2),
            "R40" => every(&RENARD_40, 1),
            "R80" => every(&RENARD_80, 1),
            "1-2-5" => vec![10, 20, 50],
            "E6" => every(&E_24, 4),
            "E12" => every(&E_24, 2),
            "E24" => every(&E_24, 1),
            "E48" => geometric(48),
            "E96" => geometric(96),
            "E192" => geometric(192),
            _ => {
                return Err(Error::location(
                    40257,
                    format!("Unknown rounding granularity '{name}'"),
                ));
            }
        }))
    }

    /// The next number of the series above a value.
    pub(super) fn above(&self, value: &RawBson) -> RawBson {
        self.next(value, true)
    }

    /// The next number of the series below a value.
    pub(super) fn below(&self, value: &RawBson) -> RawBson {
        self.next(value, false)
    }

    fn next(&self, value: &RawBson, up: bool) -> RawBson {
        let Some(number) = Number::from_bson(value.as_raw_bson_ref()) else { return value.clone() };
        let double = to_double(number);
        if double <= 0.0 || !double.is_finite() {
            return value.clone();
        }
        match (self, number) {
            (Self::PowersOfTwo, number) => power_of_two(number, up).to_bson(),
            (Self::Decades(series), Number::Decimal(decimal)) => {
                let series: Vec<_> = series.iter().map(|step| i64::from(*step).into()).collect();
                let decade = Decade { first: Decimal::from(1), ten: Decimal::from(10) };
                Number::Decimal(decade.next(&series, decimal, up)).to_bson()
            }
            (Self::Decades(series), _) => {
                let series: Vec<_> = series.iter().map(|step| f64::from(*step)).collect();
                let decade = Decade { first: 1.0, ten: 10.0 };
                Number::Double(decade.next(&series, double, up)).to_bson()
            }
        }
    }
}

/// Whole numbers as long as they fit; halves and less are doubles.
fn power_of_two(number: Number, up: bool) -> Number {
    let double = to_double(number);
    let exponent = double.log2();
    let exponent = if up { exponent.floor() + 1.0 } else { exponent.ceil() - 1.0 };
    // A double has exponents of few digits.
    #[allow(clippy::cast_possible_truncation)]
    let whole = exponent as i64;
    match (number, u32::try_from(whole)) {
        (Number::Decimal(_), _) => Number::Decimal(Decimal::from(2).power(Decimal::from(whole))),
        (_, Ok(exponent)) if exponent < 31 => Number::Int32(1 << exponent),
        (_, Ok(exponent)) if exponent < 63 => Number::Int64(1 << exponent),
        _ => Number::Double(exponent.exp2()),
    }
}

/// Walks through the decades, a step at a time: each number has the rounding of all steps to it.
struct Decade<T> {
    first: T,
    ten: T,
}

impl<T: Copy + Mul<Output = T> + Div<Output = T>> Decade<T> {
    fn next(&self, series: &[T], value: T, up: bool) -> T
    where
        T: Compare,
    {
        let (Some(least), Some(greatest)) = (series.first(), series.last()) else { return value };
        let mut factor = self.first;
        // Upwards a number of the series leads to the one behind it, downwards to the one before.
        let above = |number: T| if up { !value.precedes(number) } else { number.precedes(value) };
        while above(*greatest * factor) {
            factor = factor * self.ten;
        }
        while !above(*least * factor) {
            let last = *least * factor;
            factor = factor / self.ten;
            if above(*greatest * factor) {
                return if up { last } else { *greatest * factor };
            }
        }
        let place = series.partition_point(|number| above(*number * factor));
        let place = if up { Some(place) } else { place.checked_sub(1) };
        place.and_then(|place| series.get(place)).map_or(value, |number| *number * factor)
    }
}

/// An order of numbers that are no NaN.
trait Compare {
    fn precedes(self, other: Self) -> bool;
}

impl Compare for f64 {
    fn precedes(self, other: Self) -> bool {
        self < other
    }
}

impl Compare for Decimal {
    fn precedes(self, other: Self) -> bool {
        Number::Decimal(self) < Number::Decimal(other)
    }
}

/// The E series of three digits.
fn geometric(count: u32) -> Vec<u16> {
    (0..count)
        .map(|place| {
            let exact = 10_f64.powf(f64::from(place) / f64::from(count)) * 100.0;
            // From 100 to 1000.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let rounded = exact.round() as u16;
            // The one number of the standard that is not rounded.
            if rounded == 919 { 920 } else { rounded }
        })
        .collect()
}
