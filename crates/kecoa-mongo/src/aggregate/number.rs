//! Sums and quotients as accumulators compute them.

use ::bson::RawBson;

use crate::bson::decimal128::{DIGITS, Decimal, MIN_EXPONENT, Magnitude};
use crate::bson::number::Number;

/// A sum of numbers of all types. Integers count exactly, doubles with the rounding error of each addition kept
/// beside, decimals with 34 digits. Its type is the widest of the numbers that are in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    integers: i128,
    doubles: Compensated,
    decimals: Decimals,
    longs: u64,
    double_count: u64,
}

impl Sum {
    pub(super) fn add(&mut self, number: Number) {
        match number {
            Number::Int32(value) => self.integers += i128::from(value),
            Number::Int64(value) => {
                self.longs += 1;
                self.integers += i128::from(value);
            }
            Number::Double(value) => {
                self.double_count += 1;
                self.doubles.add(value);
            }
            Number::Decimal(value) => self.decimals.add(value),
        }
    }

    /// Take out a number that was added.
    pub(super) fn remove(&mut self, number: Number) {
        match number {
            Number::Int32(value) => self.integers -= i128::from(value),
            Number::Int64(value) => {
                self.longs = self.longs.saturating_sub(1);
                self.integers -= i128::from(value);
            }
            Number::Double(value) => {
                self.double_count = self.double_count.saturating_sub(1);
                self.doubles.remove(value);
                if self.double_count == 0 {
                    // Nothing is left, and no rounding of it.
                    self.doubles = Compensated::default();
                }
            }
            Number::Decimal(value) => self.decimals.remove(value),
        }
    }

    /// The sum, of the widest type that took part; integers beyond 64 bits become a double.
    pub(super) fn total(&self) -> Number {
        if self.decimals.count > 0 {
            return Number::Decimal(self.decimal());
        }
        if self.double_count > 0 {
            return Number::Double(self.double());
        }
        match (i32::try_from(self.integers), i64::try_from(self.integers)) {
            (Ok(narrow), _) if self.longs == 0 => Number::Int32(narrow),
            (_, Ok(wide)) => Number::Int64(wide),
            _ => Number::Double(self.double()),
        }
    }

    /// The sum divided by how many there were.
    pub(super) fn mean(&self, count: u64) -> Number {
        if self.decimals.count > 0 {
            return Number::Decimal(divide(self.decimal(), count));
        }
        Number::Double(self.double() / count as f64)
    }

    fn double(&self) -> f64 {
        let mut sum = self.doubles;
        for part in split(self.integers) {
            sum.add(part);
        }
        sum.total()
    }

    fn decimal(&self) -> Decimal {
        let mut sum = self.decimals.total();
        if self.integers != 0 {
            sum = sum + Decimal::parse(&self.integers.to_string()).unwrap_or(Decimal::NAN);
        }
        if self.double_count > 0 {
            sum = sum + Decimal::from(self.doubles.total());
        }
        sum
    }
}

/// Doubles that add up to an integer.
fn split(value: i128) -> [f64; 3] {
    // What is left after rounding twice fits the third.
    let first = value as f64;
    // A double of an i128 is a whole number within range.
    #[allow(clippy::cast_possible_truncation)]
    let rest = value - first as i128;
    let second = rest as f64;
    #[allow(clippy::cast_possible_truncation)]
    let third = (rest - second as i128) as f64;
    [first, second, third]
}

/// A sum of decimals.
#[derive(Clone, Copy, Debug, Default)]
struct Decimals {
    count: u64,
    sum: Option<Decimal>,
    special: Special,
}

impl Decimals {
    fn add(&mut self, value: Decimal) {
        self.count += 1;
        match value.magnitude {
            Magnitude::Finite { .. } => {
                self.sum = Some(self.sum.map_or(value, |sum| sum + value));
            }
            _ => self.special.add(value.to_double()),
        }
    }

    fn remove(&mut self, value: Decimal) {
        self.count = self.count.saturating_sub(1);
        match value.magnitude {
            Magnitude::Finite { .. } => self.sum = self.sum.map(|sum| sum - value),
            _ => self.special.remove(value.to_double()),
        }
        if self.count == 0 {
            self.sum = None;
        }
    }

    fn total(&self) -> Decimal {
        match self.special.total() {
            Some(special) => Decimal::from(special),
            None => self.sum.unwrap_or(Decimal::from(0_i64)),
        }
    }
}

/// How many infinities and NaNs there are. They are counted: a sum of them could not be undone.
#[derive(Clone, Copy, Debug, Default)]
struct Special {
    nan: u64,
    above: u64,
    below: u64,
}

impl Special {
    fn add(&mut self, value: f64) {
        *self.count(value) += 1;
    }

    fn remove(&mut self, value: f64) {
        let count = self.count(value);
        *count = count.saturating_sub(1);
    }

    fn count(&mut self, value: f64) -> &mut u64 {
        if value.is_nan() {
            &mut self.nan
        } else if value > 0.0 {
            &mut self.above
        } else {
            &mut self.below
        }
    }

    /// Their sum; none if there are none.
    fn total(&self) -> Option<f64> {
        match (self.nan, self.above, self.below) {
            (0, 0, 0) => None,
            (0, _, 0) => Some(f64::INFINITY),
            (0, 0, _) => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }
}

/// A sum of doubles and the error of its rounding.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Compensated {
    sum: f64,
    error: f64,
    special: Special,
}

impl Compensated {
    pub(super) fn add(&mut self, value: f64) {
        if value.is_finite() { self.add_finite(value) } else { self.special.add(value) }
    }

    fn remove(&mut self, value: f64) {
        if value.is_finite() { self.add_finite(-value) } else { self.special.remove(value) }
    }

    fn add_finite(&mut self, value: f64) {
        let sum = self.sum + value;
        let part = sum - self.sum;
        self.error += (self.sum - (sum - part)) + (value - part);
        self.sum = sum;
    }

    pub(super) fn total(self) -> f64 {
        if let Some(special) = self.special.total() {
            return special;
        }
        let total = self.sum + self.error;
        // A sum that went beyond the largest double has no meaningful error.
        if total.is_nan() { self.sum } else { total }
    }
}

/// A decimal divided by a count, rounded half to even.
fn divide(value: Decimal, count: u64) -> Decimal {
    const LIMIT: u128 = 10_u128.pow(DIGITS);
    let Magnitude::Finite { coefficient, mut exponent } = value.magnitude else { return value };
    let divisor = u128::from(count.max(1));
    let mut quotient = coefficient / divisor;
    let mut rest = coefficient % divisor;
    while rest != 0 && quotient < LIMIT / 10 && exponent > MIN_EXPONENT {
        rest *= 10;
        quotient = quotient * 10 + rest / divisor;
        rest %= divisor;
        exponent -= 1;
    }
    let twice = rest * 2;
    if twice > divisor || (twice == divisor && quotient % 2 == 1) {
        quotient += 1;
    }
    if quotient == LIMIT {
        quotient /= 10;
        exponent += 1;
    }
    let magnitude = Magnitude::Finite { coefficient: quotient, exponent };
    Decimal { negative: value.negative, magnitude }
}

/// The sum of two numbers; a double where 64 bits overflow.
pub(super) fn plus(left: Number, right: Number) -> Number {
    left.checked_add(right).unwrap_or_else(|_| Number::Double(to_double(left) + to_double(right)))
}

/// The difference of two numbers; a double where 64 bits overflow.
pub(super) fn minus(left: Number, right: Number) -> Number {
    left.checked_sub(right).unwrap_or_else(|_| Number::Double(to_double(left) - to_double(right)))
}

/// The product of two numbers; a double where 64 bits overflow.
pub(super) fn times(left: Number, right: Number) -> Number {
    left.checked_mul(right).unwrap_or_else(|_| Number::Double(to_double(left) * to_double(right)))
}

/// The quotient of two numbers: a double, or a decimal where one of them is; none by zero.
pub(super) fn over(left: Number, right: Number) -> Option<Number> {
    if to_double(right) == 0.0 {
        return None;
    }
    Some(match (left, right) {
        (Number::Decimal(_), _) | (_, Number::Decimal(_)) => {
            Number::Decimal(left.lossy_decimal() / right.lossy_decimal())
        }
        _ => Number::Double(to_double(left) / to_double(right)),
    })
}

/// The double next to a number.
pub(super) fn to_double(number: Number) -> f64 {
    match number {
        Number::Int32(value) => f64::from(value),
        Number::Int64(value) => value as f64,
        Number::Double(value) => value,
        Number::Decimal(value) => value.to_bson().to_string().parse().unwrap_or(f64::NAN),
    }
}

/// Mean and variance, updated value by value.
#[derive(Clone, Debug, Default)]
pub(super) struct Deviation {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Deviation {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// The deviation of these as the whole population, or as a sample of it; `null` where there are too few.
    pub(super) fn result(&self, sample: bool) -> RawBson {
        let divisor = if sample { self.count.saturating_sub(1) } else { self.count };
        if divisor == 0 {
            return RawBson::Null;
        }
        RawBson::Double((self.squares / divisor as f64).sqrt())
    }
}
