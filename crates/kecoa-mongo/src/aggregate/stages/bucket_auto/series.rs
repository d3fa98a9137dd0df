//! Preferred numbers: boundaries that people like to read.

use ::bson::RawBson;

use crate::aggregate::number::to_double;
use crate::bson::number::Number;
use crate::error::Error;

/// A series of preferred numbers.
#[derive(Clone, Debug)]
pub(super) enum Series {
    /// These, times each power of ten.
    Decades(Vec<f64>),
    PowersOfTwo,
}

const RENARD_40: [f64; 40] = [
    1.0, 1.06, 1.12, 1.18, 1.25, 1.32, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.12, 2.24, 2.36, 2.5,
    2.65, 2.8, 3.0, 3.15, 3.35, 3.55, 3.75, 4.0, 4.25, 4.5, 4.75, 5.0, 5.3, 5.6, 6.0, 6.3, 6.7,
    7.1, 7.5, 8.0, 8.5, 9.0, 9.5,
];

/// What lies between those of the R40 series, each after the one of its place.
const RENARD_80_BETWEEN: [f64; 40] = [
    1.03, 1.09, 1.15, 1.22, 1.28, 1.36, 1.45, 1.55, 1.65, 1.75, 1.85, 1.95, 2.06, 2.18, 2.3, 2.43,
    2.58, 2.72, 2.9, 3.07, 3.25, 3.45, 3.65, 3.87, 4.12, 4.37, 4.62, 4.87, 5.15, 5.45, 5.8, 6.15,
    6.5, 6.9, 7.3, 7.75, 8.25, 8.75, 9.25, 9.75,
];

const E_24: [f64; 24] = [
    1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6,
    6.2, 6.8, 7.5, 8.2, 9.1,
];

impl Series {
    pub(super) fn parse(name: &str) -> Result<Self, Error> {
        let every = |series: &[f64], step: usize| series.iter().step_by(step).copied().collect();
        Ok(Self::Decades(match name {
            "POWERSOF2" => return Ok(Self::PowersOfTwo),
            "R5" => every(&RENARD_40, 8),
            "R10" => every(&RENARD_40, 4),
            "R20" => every(&RENARD_40, 2),
            "R40" => every(&RENARD_40, 1),
            "R80" => {
                RENARD_40.iter().zip(RENARD_80_BETWEEN).flat_map(|(at, next)| [*at, next]).collect()
            }
            "1-2-5" => vec![1.0, 2.0, 5.0],
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
        let next = match self {
            Self::PowersOfTwo => {
                let exponent = double.log2();
                let power = if up { exponent.floor() + 1.0 } else { exponent.ceil() - 1.0 };
                power.exp2()
            }
            Self::Decades(series) => in_decades(series, double, up),
        };
        let integral = !matches!(number, Number::Double(_) | Number::Decimal(_));
        if integral && matches!(self, Self::PowersOfTwo) && (1.0..1e15).contains(&next) {
            // A whole number within range.
            #[allow(clippy::cast_possible_truncation)]
            let whole = next as i64;
            return i32::try_from(whole).map_or(RawBson::Int64(whole), RawBson::Int32);
        }
        RawBson::Double(next)
    }
}

fn in_decades(series: &[f64], value: f64, up: bool) -> f64 {
    // A whole number within the range of exponents.
    #[allow(clippy::cast_possible_truncation)]
    let decade = value.log10().floor() as i32;
    let scaled = |number: f64, decade: i32| {
        if decade >= 0 { number * 10_f64.powi(decade) } else { number / 10_f64.powi(-decade) }
    };
    let numbers = (decade - 1..=decade + 1)
        .flat_map(|decade| series.iter().map(move |number| scaled(*number, decade)));
    let found = if up {
        numbers.into_iter().find(|number| *number > value)
    } else {
        numbers.into_iter().take_while(|number| *number < value).last()
    };
    found.unwrap_or(value)
}

/// The E series of two decimals.
fn geometric(count: u32) -> Vec<f64> {
    (0..count)
        .map(|place| {
            let exact = 10_f64.powf(f64::from(place) / f64::from(count));
            let rounded = (exact * 100.0).round() / 100.0;
            // The one number of the standard that is not rounded.
            if (rounded - 9.19).abs() < 0.001 { 9.2 } else { rounded }
        })
        .collect()
}
