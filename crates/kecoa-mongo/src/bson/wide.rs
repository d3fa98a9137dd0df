//! Unsigned integers of a fixed size, on the stack: what exact decimal arithmetic needs, and no more.

use std::cmp::Ordering;

/// An integer of 64 times `LIMBS` bits, the least significant limb first. Who uses one knows that what it
/// computes fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide<const LIMBS: usize>([u64; LIMBS]);

impl<const LIMBS: usize> Wide<LIMBS> {
    pub(crate) fn new(value: u128) -> Self {
        let mut limbs = [0; LIMBS];
        let (low, high) = split(value);
        for (limb, part) in limbs.iter_mut().zip([low, high]) {
            *limb = part;
        }
        Self(limbs)
    }

    /// `None` if it is above 128 bits.
    pub(crate) fn to_u128(self) -> Option<u128> {
        let mut limbs = self.0.into_iter().map(u128::from);
        let (low, high) = (limbs.next().unwrap_or(0), limbs.next().unwrap_or(0));
        limbs.all(|limb| limb == 0).then_some(low | high << 64)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.iter().all(|limb| *limb == 0)
    }

    pub(crate) fn multiply(&mut self, factor: u64) {
        let mut carry = 0;
        for limb in &mut self.0 {
            (*limb, carry) = split(u128::from(*limb) * u128::from(factor) + u128::from(carry));
        }
        debug_assert_eq!(carry, 0, "a product that does not fit");
    }

    /// `base` to the power of `exponent`, times this. `base` is at most 10.
    pub(crate) fn multiply_power(&mut self, base: u64, exponent: u32) {
        // 10 to the power of 19 fits into a limb.
        const STEP: u32 = 19;
        let whole = base.pow(STEP);
        for _ in 0..exponent / STEP {
            self.multiply(whole);
        }
        self.multiply(base.pow(exponent % STEP));
    }

    /// Divide, and return the remainder.
    pub(crate) fn divide(&mut self, divisor: u64) -> u64 {
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            let dividend = u128::from(rest) << 64 | u128::from(*limb);
            (*limb, _) = split(dividend / u128::from(divisor));
            (rest, _) = split(dividend % u128::from(divisor));
        }
        rest
    }

    /// Drop the last `count` decimal digits. Returns whether one of them was not zero.
    pub(crate) fn drop_digits(&mut self, count: u32) -> bool {
        const STEP: u32 = 19;
        let mut dropped = false;
        for _ in 0..count / STEP {
            dropped |= self.divide(10_u64.pow(STEP)) != 0;
        }
        self.divide(10_u64.pow(count % STEP)) != 0 || dropped
    }

    pub(crate) fn shift_left(&mut self, bits: u32) {
        let limbs = usize::try_from(bits / 64).unwrap_or(0).min(LIMBS);
        // The limbs at the end are zero, and come to the front.
        self.0.rotate_right(limbs);
        self.multiply(1 << (bits % 64));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (limb, more) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(more);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
        debug_assert!(!carry, "a sum that does not fit");
    }

    /// `other` is not above this.
    pub(crate) fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (limb, less) in self.0.iter_mut().zip(other.0) {
            let (rest, first) = limb.overflowing_sub(less);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, first || second);
        }
        debug_assert!(!borrow, "a difference below zero");
    }

    pub(crate) fn product(left: u128, right: u128) -> Self {
        let (low, high) = split(right);
        let mut upper = Self::new(left);
        upper.multiply(high);
        upper.shift_left(64);
        let mut product = Self::new(left);
        product.multiply(low);
        product.add(&upper);
        product
    }

    /// How many decimal digits it has; zero has none.
    pub(crate) fn digits(&self) -> u32 {
        // 10 to the power of 38 is the highest below 2 to the power of 128.
        let mut rest = *self;
        let mut digits = 0;
        loop {
            match rest.to_u128() {
                Some(value) => return digits + value.checked_ilog10().map_or(0, |log| log + 1),
                None => {
                    rest.drop_digits(19);
                    digits += 19;
                }
            }
        }
    }
}

impl<const LIMBS: usize> Ord for Wide<LIMBS> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl<const LIMBS: usize> PartialOrd for Wide<LIMBS> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lower and the upper half.
fn split(value: u128) -> (u64, u64) {
    let part = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(u64::MAX);
    (part(value), part(value >> 64))
}
