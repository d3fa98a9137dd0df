//! `numeric`: decimal numbers of arbitrary precision.

use crate::RangeError;

/// The greatest scale the server takes, digits after the decimal point.
pub const MAX_SCALE: u16 = 16_383;

/// A value of type `numeric`, exactly as the server keeps it: groups of four decimal digits.
///
/// Values are kept normal (no zero groups at either end, no negative zero), so that equal values of
/// equal scale are `==`. The scale is part of the value: `1.0` and `1.00` differ here, though the
/// server compares them equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Numeric(Repr);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr {
    NaN,
    Infinity,
    NegInfinity,
    Finite { negative: bool, weight: i16, scale: u16, digits: Vec<u16> },
}

/// The parts of a finite [`Numeric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Below zero.
    pub negative: bool,
    /// The power of 10,000 of the first group; groups from -1 down stand after the decimal point.
    pub weight: i16,
    /// Decimal digits shown after the decimal point.
    pub scale: u16,
    /// Groups of four digits, 0 to 9,999, the most significant first; empty for zero.
    pub digits: &'a [u16],
}

impl Numeric {
    /// Not a number; PostgreSQL orders it after every other value.
    pub const NAN: Self = Self(Repr::NaN);
    /// `Infinity` (PostgreSQL 14 and newer).
    pub const INFINITY: Self = Self(Repr::Infinity);
    /// `-Infinity` (PostgreSQL 14 and newer).
    pub const NEG_INFINITY: Self = Self(Repr::NegInfinity);
    /// 0
    pub const ZERO: Self =
        Self(Repr::Finite { negative: false, weight: 0, scale: 0, digits: Vec::new() });

    /// A finite number from its parts: groups of base 10,000, the first at the power `weight`.
    ///
    /// Zero groups at either end are dropped, and digits beyond `scale` are cut off, as the server
    /// does on receipt.
    ///
    /// # Errors
    /// A group is above 9,999, or the scale above 16,383.
    pub fn from_parts(
        negative: bool,
        weight: i16,
        scale: u16,
        mut digits: Vec<u16>,
    ) -> Result<Self, RangeError> {
        if let Some(bad) = digits.iter().find(|digit| **digit > 9_999) {
            return Err(RangeError::new("a numeric digit from 0 to 9999", *bad));
        }
        if scale > MAX_SCALE {
            return Err(RangeError::new("a numeric scale from 0 to 16383", scale));
        }
        cut(&mut digits, weight, scale);
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        if zeros == digits.len() {
            return Ok(Self(Repr::Finite {
                negative: false,
                weight: 0,
                scale,
                digits: Vec::new(),
            }));
        }
        digits.drain(..zeros);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let weight = i16::try_from(zeros)
            .ok()
            .and_then(|zeros| weight.checked_sub(zeros))
            .ok_or(RangeError::new("a numeric weight above -32769", weight))?;
        Ok(Self(Repr::Finite { negative, weight, scale, digits }))
    }

    /// The parts, unless it is NaN or infinite.
    #[must_use]
    pub fn parts(&self) -> Option<Parts<'_>> {
        match &self.0 {
            Repr::Finite { negative, weight, scale, digits } => {
                Some(Parts { negative: *negative, weight: *weight, scale: *scale, digits })
            }
            _ => None,
        }
    }

    /// Neither NaN nor infinite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        matches!(self.0, Repr::Finite { .. })
    }

    /// Not a number.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        self.0 == Repr::NaN
    }
}

/// Drops decimal digits beyond the scale.
fn cut(digits: &mut Vec<u16>, weight: i16, scale: u16) {
    // Decimal places up to and with the end of the last group.
    let kept = (i64::from(weight) + 1) * 4 + i64::from(scale);
    let Ok(kept) = usize::try_from(kept) else { return digits.clear() };
    digits.truncate(kept.div_ceil(4));
    if let (Some(last), true) = (digits.get_mut(kept / 4), kept % 4 != 0) {
        let unit = [1_000, 100, 10].get(kept % 4 - 1).copied().unwrap_or(1);
        *last -= *last % unit;
    }
}

impl Default for Numeric {
    fn default() -> Self {
        Self::ZERO
    }
}

impl From<i64> for Numeric {
    fn from(value: i64) -> Self {
        let mut digits = Vec::with_capacity(5);
        let mut rest = value.unsigned_abs();
        while rest != 0 {
            digits.push(u16::try_from(rest % 10_000).unwrap_or(0));
            rest /= 10_000;
        }
        digits.reverse();
        let weight = i16::try_from(digits.len()).unwrap_or(0).max(1) - 1;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self(Repr::Finite { negative: value < 0, weight, scale: 0, digits })
    }
}

impl From<i32> for Numeric {
    fn from(value: i32) -> Self {
        Self::from(i64::from(value))
    }
}
