//! Sum, difference and product, rounded once.

use std::ops::{Add, Mul, Sub};

use super::rounding::{Coefficient, round};
use super::{DIGITS, Decimal, Magnitude};

impl Add for Decimal {
    type Output = Self;

    /// The sum. Of zeros with different signs, it is plus zero.
    fn add(self, other: Self) -> Self {
        use Magnitude::{Finite, Infinity, NaN};
        match (self.magnitude, other.magnitude) {
            (NaN, _) | (_, NaN) => Self::NAN,
            (Infinity, Infinity) if self.negative != other.negative => Self::NAN,
            (Infinity, _) => self,
            (_, Infinity) => other,
            (
                Finite { coefficient: left, exponent: of_left },
                Finite { coefficient: right, exponent: of_right },
            ) => {
                let left = Term { negative: self.negative, coefficient: left, exponent: of_left };
                let right =
                    Term { negative: other.negative, coefficient: right, exponent: of_right };
                if of_left >= of_right { sum(left, right) } else { sum(right, left) }
            }
        }
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self { negative: !other.negative, ..other }
    }
}

impl Mul for Decimal {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        use Magnitude::{Finite, Infinity, NaN};
        let negative = self.negative != other.negative;
        match (self.magnitude, other.magnitude) {
            (NaN, _) | (_, NaN) => Self::NAN,
            (Infinity, Finite { coefficient: 0, .. })
            | (Finite { coefficient: 0, .. }, Infinity) => Self::NAN,
            (Infinity, _) | (_, Infinity) => Self::infinity(negative),
            (
                Finite { coefficient: left, exponent: of_left },
                Finite { coefficient: right, exponent: of_right },
            ) => {
                let exponent = i64::from(of_left) + i64::from(of_right);
                round(negative, Coefficient::product(left, right), exponent).value
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Term {
    negative: bool,
    coefficient: u128,
    exponent: i32,
}

/// The sum of two terms, of which `upper` has no lower exponent.
fn sum(upper: Term, lower: Term) -> Decimal {
    // Far enough apart for the lower term to be less than one in the last of these digits.
    const APART: u32 = DIGITS + 3;
    let digits = |term: Term| term.coefficient.checked_ilog10().map_or(0, |log| log + 1);
    let distance = upper.exponent.abs_diff(lower.exponent);
    let mut above = Coefficient::new(upper.coefficient);
    let (scaled, below) = if upper.coefficient == 0 {
        (distance, lower.coefficient)
    } else if lower.coefficient == 0 {
        // The exponent comes down as far as the digits go.
        (distance.min(DIGITS.saturating_sub(digits(upper))), 0)
    } else if digits(upper) + distance >= digits(lower) + APART {
        // All that the lower term does is to break a tie.
        (APART.saturating_sub(digits(upper)), 1)
    } else {
        (distance, lower.coefficient)
    };
    if upper.coefficient != 0 {
        above.multiply_power(10, scaled);
    }
    let below = Coefficient::new(below);
    let exponent = i64::from(upper.exponent) - i64::from(scaled);
    if upper.negative == lower.negative {
        above.add(&below);
        return round(upper.negative, above, exponent).value;
    }
    let (negative, difference) = if above >= below {
        above.subtract(&below);
        (upper.negative, above)
    } else {
        let mut rest = below;
        rest.subtract(&above);
        (lower.negative, rest)
    };
    round(negative && !difference.is_zero(), difference, exponent).value
}
