//! Quotient, remainder, and rounding to a power of ten: exact, rounded once.

use std::ops::{Div, Rem};

use super::rounding::{Coefficient, round};
use super::{DIGITS, Decimal, MAX_EXPONENT, MIN_EXPONENT, Magnitude};

/// Which way a decimal is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, and half to the even one.
    HalfEven,
    /// Towards zero.
    Down,
    /// Towards infinity.
    Ceiling,
    /// Towards minus infinity.
    Floor,
}

impl Div for Decimal {
    type Output = Self;

    /// The quotient. By zero it is infinite, and NaN of zero.
    fn div(self, other: Self) -> Self {
        use Magnitude::{Finite, Infinity, NaN};
        let negative = self.negative != other.negative;
        match (self.magnitude, other.magnitude) {
            (NaN, _) | (_, NaN) | (Infinity, Infinity) => Self::NAN,
            (Infinity, _) => Self::infinity(negative),
            (Finite { .. }, Infinity) => Self::zero(negative, MIN_EXPONENT),
            (Finite { coefficient: 0, .. }, Finite { coefficient: 0, .. }) => Self::NAN,
            (_, Finite { coefficient: 0, .. }) => Self::infinity(negative),
            (Finite { coefficient: 0, exponent: left }, Finite { exponent: right, .. }) => {
                Self::zero(negative, (left - right).clamp(MIN_EXPONENT, MAX_EXPONENT))
            }
            (
                Finite { coefficient: left, exponent: of_left },
                Finite { coefficient: right, exponent: of_right },
            ) => quotient(negative, (left, right), of_left - of_right),
        }
    }
}

/// The quotient of two coefficients that are not zero, times ten to the power of `exponent`.
fn quotient(negative: bool, (left, right): (u128, u128), exponent: i32) -> Decimal {
    // Digit by digit; two more than are kept, and whether there is a rest, are enough to round by.
    let (mut digits, mut rest) = (left / right, left % right);
    let mut scale = 0;
    while rest != 0 && digits < 10_u128.pow(DIGITS + 2) {
        rest *= 10;
        digits = digits * 10 + rest / right;
        rest %= right;
        scale += 1;
    }
    if rest != 0 && digits % 5 == 0 {
        // What is left only breaks a tie.
        digits += 1;
    }
    round(negative, Coefficient::new(digits), i64::from(exponent) - scale).value
}

impl Rem for Decimal {
    type Output = Self;

    /// The remainder of the division with an integer as its quotient, rounded towards zero. It has the sign of the
    /// dividend.
    fn rem(self, other: Self) -> Self {
        use Magnitude::{Finite, Infinity, NaN};
        match (self.magnitude, other.magnitude) {
            (NaN, _) | (_, NaN) | (Infinity, _) | (_, Finite { coefficient: 0, .. }) => Self::NAN,
            (Finite { .. }, Infinity) => self,
            (
                Finite { coefficient: left, exponent: of_left },
                Finite { coefficient: right, exponent: of_right },
            ) => {
                let exponent = of_left.min(of_right);
                let distance = of_left.abs_diff(of_right);
                let rest = if of_left >= of_right {
                    scaled_remainder(left, distance, right)
                } else {
                    // A divisor that is scaled beyond the dividend leaves all of it.
                    match 10_u128.checked_pow(distance).and_then(|power| right.checked_mul(power)) {
                        Some(divisor) => left % divisor,
                        None => left,
                    }
                };
                round(self.negative, Coefficient::new(rest), i64::from(exponent)).value
            }
        }
    }
}

/// `value` times ten to the power of `scale`, modulo `divisor`. Both are below 10^34, so that no step overflows.
fn scaled_remainder(value: u128, scale: u32, divisor: u128) -> u128 {
    let mut rest = value % divisor;
    for _ in 0..scale {
        if rest == 0 {
            break;
        }
        rest = rest * 10 % divisor;
    }
    rest
}

impl Decimal {
    /// Zero, with that exponent.
    pub(super) const fn zero(negative: bool, exponent: i32) -> Self {
        Self { negative, magnitude: Magnitude::Finite { coefficient: 0, exponent } }
    }

    /// Round so that the last digit stands for ten to the power of `exponent`. A value whose digits would not fit
    /// gets as many as fit; infinity and NaN stay as they are.
    #[must_use]
    pub fn rescale(self, exponent: i32, rounding: Rounding) -> Self {
        let Magnitude::Finite { coefficient, exponent: from } = self.magnitude else {
            return self;
        };
        let make = |coefficient, exponent| Self {
            negative: self.negative,
            magnitude: Magnitude::Finite { coefficient, exponent },
        };
        if coefficient == 0 {
            return make(0, exponent.clamp(MIN_EXPONENT, MAX_EXPONENT));
        }
        if from >= exponent {
            // With as many zeros as there is room for.
            let mut scaled = coefficient;
            let mut reached = from;
            while reached > exponent && scaled < 10_u128.pow(DIGITS - 1) {
                scaled *= 10;
                reached -= 1;
            }
            return make(scaled, reached);
        }
        let (kept, rest) = match 10_u128.checked_pow(exponent.abs_diff(from)) {
            Some(power) => {
                let (kept, rest) = (coefficient / power, coefficient % power);
                let half = if rest == 0 { None } else { Some(rest.cmp(&(power - rest))) };
                (kept, half)
            }
            None => (0, Some(std::cmp::Ordering::Less)),
        };
        let up = rest.is_some_and(|half| match rounding {
            Rounding::Down => false,
            Rounding::Ceiling => !self.negative,
            Rounding::Floor => self.negative,
            Rounding::HalfEven => half.is_gt() || half.is_eq() && kept % 2 == 1,
        });
        make(kept + u128::from(up), exponent)
    }

    /// The same number with as many digits as there is room for.
    #[must_use]
    pub fn normalize(self) -> Self {
        let filled = self.rescale(MIN_EXPONENT, Rounding::HalfEven);
        Self { negative: filled.negative && !filled.is_zero(), ..filled }
    }

    /// The nearest integer, half to the even one.
    #[must_use]
    pub fn to_integral(self) -> Self {
        match self.magnitude {
            Magnitude::Finite { exponent, .. } if exponent < 0 => {
                self.rescale(0, Rounding::HalfEven)
            }
            _ => self,
        }
    }
}
