//! Exponentials, logarithms and trigonometry: computed with 256 bits behind the point, then rounded.

use std::sync::LazyLock;

use super::fixed::Fixed;
use super::{Decimal, MIN_EXPONENT, Magnitude};

/// The largest power of ten that is exact in the 113 bits of a quadruple.
const EXACT_TENS: i32 = 48;

static LN_10: LazyLock<Fixed> = LazyLock::new(|| {
    // ln 10 = 3 ln 2 + ln 1.25, and ln((1 + t) / (1 - t)) = 2 atanh t.
    (inverse_series(3, false).times(3) + inverse_series(9, false)).times(2)
});

static HALF_PI: LazyLock<Fixed> = LazyLock::new(|| {
    // Machin's formula.
    inverse_series(5, true).times(8) - inverse_series(239, true).times(2)
});

/// atanh(1 / n), or atan(1 / n) where the signs alternate.
fn inverse_series(n: u64, alternating: bool) -> Fixed {
    let mut power = Fixed::integer(1).over(n);
    let mut sum = power;
    let mut divisor = 1;
    let mut negative = false;
    while !power.is_zero() {
        power = power.over(n).over(n);
        divisor += 2;
        negative = alternating && !negative;
        sum = sum + power.over(divisor).with_sign(negative);
    }
    sum
}

/// The nearest integer.
fn nearest(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and callers stay below")]
    let whole = value.round() as i64;
    whole
}

/// A number as its part of a multiple of `unit`, and which multiple.
fn reduce(value: Fixed, unit: Fixed) -> (Fixed, i64) {
    let count = nearest(value.to_double() / unit.to_double());
    (value - unit.times(count.unsigned_abs()).with_sign(count < 0), count)
}

/// e to a power, as a number and a power of ten to multiply it with.
fn exponential(value: Fixed) -> (Fixed, i32) {
    let (rest, tens) = reduce(value, *LN_10);
    let mut term = Fixed::integer(1);
    let mut sum = term;
    for n in 1..100 {
        term = (term * rest).over(n);
        if term.is_zero() {
            break;
        }
        sum = sum + term;
    }
    (sum, i32::try_from(tens).unwrap_or(0))
}

/// The natural logarithm of a positive number that is neither tiny nor huge.
fn logarithm(value: Fixed) -> Fixed {
    let near = Fixed::double(value.to_double().ln());
    let (power, tens) = exponential(-near);
    let ratio = value * power.scaled(tens);
    let one = Fixed::integer(1);
    let part = (ratio - one).divided_by(ratio + one);
    let square = part * part;
    let series = part + (part * square).over(3) + (part * square * square).over(5);
    near + series.times(2)
}

fn sine_and_cosine(value: Fixed) -> (Fixed, Fixed) {
    let (rest, quarters) = reduce(value, *HALF_PI);
    let (mut sine, mut cosine) = (Fixed::ZERO, Fixed::ZERO);
    let mut term = Fixed::integer(1);
    for n in 0..100_u64 {
        let signed = if n % 4 >= 2 { -term } else { term };
        if n % 2 == 0 {
            cosine = cosine + signed;
        } else {
            sine = sine + signed;
        }
        term = (term * rest).over(n + 1);
        if term.is_zero() {
            break;
        }
    }
    match quarters.rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// The angle of a point that is not the origin.
fn angle(y: Fixed, x: Fixed) -> Fixed {
    let near = Fixed::double(y.to_double().atan2(x.to_double()));
    let (sine, cosine) = sine_and_cosine(near);
    // The tangent of what is missing.
    let tangent = (y * cosine - x * sine).divided_by(x * cosine + y * sine);
    let square = tangent * tangent;
    near + tangent - (tangent * square).over(3) + (tangent * square * square).over(5)
}

impl Decimal {
    const ONE: Self =
        Self { negative: false, magnitude: Magnitude::Finite { coefficient: 1, exponent: 0 } };

    /// Through a double: for values so large or small that the bits do not reach.
    fn roughly(self, function: fn(f64) -> f64) -> Self {
        Self::from(function(self.to_double()))
    }

    /// Whether the size lies within these powers of ten.
    fn within(self, least: f64, most: f64) -> bool {
        let size = self.to_double().abs();
        size >= least && size < most
    }

    pub(super) fn is_zero(self) -> bool {
        matches!(self.magnitude, Magnitude::Finite { coefficient: 0, .. })
    }

    /// A function whose value is near to its argument where that is tiny.
    fn odd(self, function: fn(Fixed) -> Fixed, rough: fn(f64) -> f64) -> Self {
        if self.is_zero() || self.within(0.0, 1e-20) {
            self
        } else if self.within(0.0, 1e15) {
            function(Fixed::decimal(self)).to_decimal(0)
        } else {
            self.roughly(rough)
        }
    }

    /// e to the power of this.
    #[must_use]
    pub fn exponential(self) -> Self {
        if self.is_zero() {
            return Self::ONE;
        }
        if !self.within(0.0, 14_300.0) {
            return match (self.magnitude, self.negative) {
                (Magnitude::NaN, _) => Self::NAN,
                (_, true) => Self::zero(false, MIN_EXPONENT),
                (_, false) => Self::infinity(false),
            };
        }
        let (value, tens) = exponential(Fixed::decimal(self));
        value.to_decimal(tens)
    }

    /// A number between 0.3 and 3.2, and the power of ten to multiply it with.
    fn near_one(self) -> Option<(Fixed, i32)> {
        let Magnitude::Finite { coefficient, exponent } = self.magnitude else { return None };
        if coefficient == 0 || self.negative {
            return None;
        }
        let digits = i32::try_from(coefficient.ilog10()).unwrap_or(0);
        let value = Fixed::integer(coefficient).scaled(-digits);
        Some(if value.to_double() > 3.16 {
            (value.over(10), exponent + digits + 1)
        } else {
            (value, exponent + digits)
        })
    }

    fn real_logarithm(self) -> Option<Fixed> {
        let (value, tens) = self.near_one()?;
        let of_tens = LN_10.times(u64::from(tens.unsigned_abs())).with_sign(tens < 0);
        Some(logarithm(value) + of_tens)
    }

    /// The logarithm of zero, of a negative number, of infinity and of NaN.
    fn logarithm_at_the_ends(self) -> Self {
        match self.magnitude {
            Magnitude::Finite { coefficient: 0, .. } => Self::infinity(true),
            Magnitude::Infinity if !self.negative => self,
            _ => Self::NAN,
        }
    }

    /// The natural logarithm.
    #[must_use]
    pub fn logarithm(self) -> Self {
        self.real_logarithm()
            .map_or_else(|| self.logarithm_at_the_ends(), |value| value.to_decimal(0))
    }

    /// The logarithm to base 10.
    #[must_use]
    pub fn logarithm_to_base_ten(self) -> Self {
        let Some((value, tens)) = self.near_one() else { return self.logarithm_at_the_ends() };
        let whole = Fixed::integer(u128::from(tens.unsigned_abs())).with_sign(tens < 0);
        if value.to_double() == 1.0 && (value - Fixed::integer(1)).is_zero() {
            let whole = Self::from(i64::from(tens));
            // Such a power is no binary fraction: its logarithm comes out with every digit.
            return if (0..=EXACT_TENS).contains(&tens) { whole } else { whole.normalize() };
        }
        (logarithm(value).divided_by(*LN_10) + whole).to_decimal(0)
    }

    /// This to the power of a number that is no integer, or a large one.
    pub(super) fn real_power(self, exponent: Self) -> Self {
        let rough = || Self::from(self.to_double().powf(exponent.to_double()));
        let (Some(logarithm), true) = (self.real_logarithm(), exponent.within(0.0, 1e15)) else {
            return rough();
        };
        let power = logarithm.to_double() * exponent.to_double();
        if power.abs() > 14_300.0 {
            return if power < 0.0 {
                Self::zero(false, MIN_EXPONENT)
            } else {
                Self::infinity(false)
            };
        }
        let (value, tens) = exponential(logarithm * Fixed::decimal(exponent));
        value.to_decimal(tens)
    }

    /// The sine of radians.
    #[must_use]
    pub fn sin(self) -> Self {
        self.odd(|value| sine_and_cosine(value).0, f64::sin)
    }

    /// The cosine of radians.
    #[must_use]
    pub fn cos(self) -> Self {
        if self.is_zero() {
            Self::ONE
        } else if self.within(0.0, 1e15) {
            sine_and_cosine(Fixed::decimal(self)).1.to_decimal(0)
        } else {
            self.roughly(f64::cos)
        }
    }

    /// The tangent of radians.
    #[must_use]
    pub fn tan(self) -> Self {
        let tangent = |value| {
            let (sine, cosine) = sine_and_cosine(value);
            sine.divided_by(cosine)
        };
        self.odd(tangent, f64::tan)
    }

    /// The inverse of the sine, in radians.
    #[must_use]
    pub fn asin(self) -> Self {
        self.odd(|value| angle(value, (Fixed::integer(1) - value * value).square_root()), f64::asin)
    }

    /// The inverse of the cosine, in radians.
    #[must_use]
    pub fn acos(self) -> Self {
        if !self.within(0.0, 1.5) {
            return self.roughly(f64::acos);
        }
        let value = Fixed::decimal(self);
        angle((Fixed::integer(1) - value * value).square_root(), value).to_decimal(0)
    }

    /// The inverse of the tangent, in radians.
    #[must_use]
    pub fn atan(self) -> Self {
        if self.magnitude == Magnitude::Infinity {
            return HALF_PI.with_sign(self.negative).to_decimal(0);
        }
        self.odd(|value| angle(value, Fixed::integer(1)), f64::atan)
    }

    /// The angle of the point whose ordinate this is, in radians.
    #[must_use]
    pub fn atan2(self, abscissa: Self) -> Self {
        let near = |value: Self| value.within(1e-15, 1e15) || value.is_zero();
        if near(self) && near(abscissa) && (abscissa.negative || !self.is_zero()) {
            let angle = if self.is_zero() {
                HALF_PI.times(2)
            } else {
                angle(Fixed::decimal(self).abs(), Fixed::decimal(abscissa))
            };
            return angle.with_sign(self.negative).to_decimal(0);
        }
        if self.is_zero() && !abscissa.negative && !abscissa.is_nan() {
            return Self::zero(self.negative, 0);
        }
        Self::from(self.to_double().atan2(abscissa.to_double()))
    }

    /// Half of the sum and of the difference of e to the power of a number and of its negative.
    fn hyperbolic(value: Fixed) -> (Fixed, Fixed) {
        let power = |value| {
            let (value, tens) = exponential(value);
            value.scaled(tens)
        };
        let (up, down) = (power(value), power(-value));
        ((up - down).over(2), (up + down).over(2))
    }

    /// The size beyond which the smaller of the two exponentials is lost.
    const FAR: f64 = 45.0;

    /// Half of e to the power of the size of this.
    fn half_exponential(self) -> Self {
        if !self.within(0.0, 14_300.0) {
            return if self.is_nan() { self } else { Self::infinity(false) };
        }
        let (value, tens) = exponential(Fixed::decimal(self).abs());
        value.over(2).to_decimal(tens)
    }

    /// The hyperbolic sine.
    #[must_use]
    pub fn sinh(self) -> Self {
        if self.within(0.0, Self::FAR) {
            return self.odd(|value| Self::hyperbolic(value).0, f64::sinh);
        }
        Self { negative: self.negative, ..self.half_exponential() }
    }

    /// The hyperbolic cosine.
    #[must_use]
    pub fn cosh(self) -> Self {
        if self.is_zero() {
            Self::ONE
        } else if self.within(0.0, Self::FAR) {
            Self::hyperbolic(Fixed::decimal(self)).1.to_decimal(0)
        } else {
            self.half_exponential()
        }
    }

    /// The hyperbolic tangent.
    #[must_use]
    pub fn tanh(self) -> Self {
        if self.is_nan() {
            return self;
        }
        if !self.within(0.0, Self::FAR) {
            return Self { negative: self.negative, ..Self::ONE };
        }
        let tangent = |value| {
            let (sine, cosine) = Self::hyperbolic(value);
            sine.divided_by(cosine)
        };
        self.odd(tangent, f64::tanh)
    }

    /// The inverse of the hyperbolic sine.
    #[must_use]
    pub fn asinh(self) -> Self {
        let inverse = |value: Fixed| {
            let size = value.abs();
            let root = (size * size + Fixed::integer(1)).square_root();
            logarithm(size + root).with_sign(value.is_negative())
        };
        self.odd(inverse, f64::asinh)
    }

    /// The inverse of the hyperbolic cosine.
    #[must_use]
    pub fn acosh(self) -> Self {
        if self.negative || !self.within(1.0, 1e15) {
            return self.roughly(f64::acosh);
        }
        let value = Fixed::decimal(self);
        let root = (value * value - Fixed::integer(1)).square_root();
        logarithm(value + root).to_decimal(0)
    }

    /// The inverse of the hyperbolic tangent.
    #[must_use]
    pub fn atanh(self) -> Self {
        // The double of a decimal just below one is one.
        let rest = Fixed::integer(1) - Fixed::decimal(self).abs();
        if !self.within(0.0, 1.5) || rest.is_zero() || rest.is_negative() {
            return self.roughly(f64::atanh);
        }
        let inverse = |value: Fixed| {
            let one = Fixed::integer(1);
            (logarithm(one + value) - logarithm(one - value)).over(2)
        };
        self.odd(inverse, f64::atanh)
    }
}
