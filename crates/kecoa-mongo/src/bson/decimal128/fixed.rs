//! Numbers with 256 bits behind the point, for functions whose results are rounded to 34 digits afterwards.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

use super::rounding::{Coefficient, round};
use super::{Decimal, Magnitude};

/// Limbs before and behind the point.
const LIMBS: usize = 6;
const BEHIND: usize = 4;
/// A limb is worth so much more than the one below.
const LIMB: f64 = 18_446_744_073_709_551_616.0;

/// A number below 2^127. The last of its 256 bits behind the point may be wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    negative: bool,
    /// The least significant first.
    limbs: [u64; LIMBS],
}

fn low(value: u128) -> u64 {
    u64::try_from(value & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

impl Fixed {
    pub(super) const ZERO: Self = Self { negative: false, limbs: [0; LIMBS] };

    pub(super) fn integer(value: u128) -> Self {
        let mut limbs = [0; LIMBS];
        let parts = [low(value), low(value >> 64)];
        for (limb, part) in limbs.iter_mut().skip(BEHIND).zip(parts) {
            *limb = part;
        }
        Self { negative: false, limbs }
    }

    /// A double between -2^64 and 2^64.
    pub(super) fn double(value: f64) -> Self {
        let mut limbs = [0; LIMBS];
        let mut rest = value.abs();
        for limb in limbs.iter_mut().rev().skip(LIMBS - BEHIND - 1) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the part before the point, which is below 2^64"
            )]
            let whole = rest.trunc() as u64;
            *limb = whole;
            rest = rest.fract() * LIMB;
        }
        Self { negative: value < 0.0, limbs }
    }

    /// A decimal below 10^35; what lies beyond the bits is dropped.
    pub(super) fn decimal(value: Decimal) -> Self {
        let Magnitude::Finite { coefficient, exponent } = value.magnitude else {
            return Self::ZERO;
        };
        let mut fixed = Self::integer(coefficient).scaled(exponent);
        fixed.negative = value.negative;
        fixed
    }

    /// Times ten to the power of `exponent`.
    pub(super) fn scaled(mut self, exponent: i32) -> Self {
        const STEP: u32 = 19;
        let mut left = exponent.unsigned_abs().min(400);
        while left > 0 {
            let step = left.min(STEP);
            let power = 10_u64.pow(step);
            self = if exponent > 0 { self.times(power) } else { self.over(power) };
            left -= step;
        }
        self
    }

    pub(super) fn times(mut self, factor: u64) -> Self {
        let mut carry = 0;
        for limb in &mut self.limbs {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = low(product);
            carry = product >> 64;
        }
        self
    }

    pub(super) fn over(mut self, divisor: u64) -> Self {
        let mut rest = 0;
        for limb in self.limbs.iter_mut().rev() {
            let dividend = rest << 64 | u128::from(*limb);
            *limb = low(dividend / u128::from(divisor));
            rest = dividend % u128::from(divisor);
        }
        self
    }

    pub(super) fn is_zero(self) -> bool {
        self.limbs == [0; LIMBS]
    }

    pub(super) fn is_negative(self) -> bool {
        self.negative && !self.is_zero()
    }

    pub(super) fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    pub(super) fn with_sign(self, negative: bool) -> Self {
        Self { negative, ..self }
    }

    pub(super) fn to_double(self) -> f64 {
        let size = self.limbs.iter().rev().fold(0.0, |sum, limb| sum * LIMB + *limb as f64);
        let value = size / LIMB.powi(4);
        if self.negative { -value } else { value }
    }

    /// The quotient, which must not be huge.
    pub(super) fn divided_by(self, divisor: Self) -> Self {
        if self.is_zero() || divisor.is_zero() {
            return Self::ZERO;
        }
        if divisor.to_double().abs() < 1e-15 && self.to_double().abs() < 1e6 {
            return self.scaled(30).divided_by(divisor.scaled(30));
        }
        let two = Self::integer(2);
        let mut reciprocal = Self::double(1.0 / divisor.to_double());
        // Each step doubles the digits, from those of a double.
        for _ in 0..4 {
            reciprocal = reciprocal * (two - divisor * reciprocal);
        }
        self * reciprocal
    }

    /// The square root of a positive number.
    pub(super) fn square_root(self) -> Self {
        if self.is_zero() {
            return Self::ZERO;
        }
        let mut root = Self::double(self.to_double().sqrt());
        for _ in 0..4 {
            root = (root + self.divided_by(root)).over(2);
        }
        root
    }

    /// Rounded to 34 digits, times ten to the power of `exponent`.
    pub(super) fn to_decimal(self, exponent: i32) -> Decimal {
        const DIGITS: i32 = 36;
        let size = self.abs().to_double();
        if size == 0.0 {
            return Decimal::zero(false, 0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
        let places = DIGITS - size.log10().floor() as i32;
        let scaled = self.scaled(places);
        let [behind @ .., first, second] = scaled.limbs;
        let mut whole = u128::from(second) << 64 | u128::from(first);
        if whole % 5 == 0 && behind.iter().any(|limb| *limb != 0) {
            // What is left only breaks a tie.
            whole += 1;
        }
        round(self.negative, Coefficient::new(whole), i64::from(exponent - places)).value
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        self.limbs.iter().rev().cmp(other.limbs.iter().rev())
    }

    fn add_size(mut self, other: Self) -> Self {
        let mut carry = 0;
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            let sum = u128::from(*limb) + u128::from(more) + carry;
            *limb = low(sum);
            carry = sum >> 64;
        }
        self
    }

    /// `other` is not above this in size.
    fn subtract_size(mut self, other: Self) -> Self {
        let mut borrow = false;
        for (limb, less) in self.limbs.iter_mut().zip(other.limbs) {
            let (rest, first) = limb.overflowing_sub(less);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, first || second);
        }
        self
    }
}

impl Neg for Fixed {
    type Output = Self;

    fn neg(self) -> Self {
        Self { negative: !self.negative, ..self }
    }
}

impl Add for Fixed {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.negative == other.negative {
            return self.add_size(other);
        }
        match self.compare_size(&other) {
            Ordering::Less => other.subtract_size(self),
            _ => self.subtract_size(other),
        }
    }
}

impl Sub for Fixed {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Fixed {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut product = [0_u64; LIMBS * 2];
        for (at, left) in self.limbs.iter().enumerate() {
            let mut carry = 0;
            let places = product.iter_mut().skip(at);
            let factors = other.limbs.iter().copied().chain([0; LIMBS]);
            for (limb, right) in places.zip(factors) {
                let sum = u128::from(*left) * u128::from(right) + u128::from(*limb) + carry;
                *limb = low(sum);
                carry = sum >> 64;
            }
        }
        let mut limbs = [0; LIMBS];
        for (limb, part) in limbs.iter_mut().zip(product.iter().skip(BEHIND)) {
            *limb = *part;
        }
        Self { negative: self.negative != other.negative, limbs }
    }
}
