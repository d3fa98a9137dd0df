//! Numbers: one order over int32, int64, double and Decimal128, and arithmetic between them.

use std::cmp::Ordering;
use std::ops::{Add as _, Mul as _, Sub as _};

use ::bson::{RawBson, RawBsonRef};
use thiserror::Error;

use super::decimal128::{Decimal, Magnitude};
use super::exact;

/// A number of any of BSON's types. Two are equal when their values are: 1, 1.0 and `NumberDecimal("1.00")` are
/// one number, as are 0 and -0; NaN equals NaN and is below all else.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// int, 32 bits.
    Int32(i32),
    /// long, 64 bits.
    Int64(i64),
    /// double.
    Double(f64),
    /// decimal.
    Decimal(Decimal),
}

/// The result of an operation on integers is outside of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a result within 64 bits, found {left} {operation} {right}")]
pub struct IntegerOverflow {
    /// The operand on the left.
    pub left: i64,
    /// `+`, `-` or `*`.
    pub operation: char,
    /// The operand on the right.
    pub right: i64,
}

impl Number {
    /// `None` if the value is no number.
    #[must_use]
    pub fn from_bson(value: RawBsonRef<'_>) -> Option<Self> {
        Some(match value {
            RawBsonRef::Int32(value) => Self::Int32(value),
            RawBsonRef::Int64(value) => Self::Int64(value),
            RawBsonRef::Double(value) => Self::Double(value),
            RawBsonRef::Decimal128(value) => Self::Decimal(Decimal::from_bson(value)),
            _ => return None,
        })
    }

    /// The value as BSON, of the same type.
    #[must_use]
    pub fn to_bson(self) -> RawBson {
        match self {
            Self::Int32(value) => RawBson::Int32(value),
            Self::Int64(value) => RawBson::Int64(value),
            Self::Double(value) => RawBson::Double(value),
            Self::Decimal(value) => RawBson::Decimal128(value.to_bson()),
        }
    }

    /// The sum, of the wider type: int32 becomes int64 where it overflows, a double counts with 15 digits
    /// beside a decimal.
    ///
    /// # Errors
    ///
    /// [`IntegerOverflow`] where int64 overflows.
    pub fn checked_add(self, other: Self) -> Result<Self, IntegerOverflow> {
        const SUM: Operation = Operation {
            sign: '+',
            integers: i64::checked_add,
            doubles: |left, right| left + right,
            decimals: Decimal::add,
        };
        SUM.of(self, other)
    }

    /// The difference, of the type that [`checked_add`](Self::checked_add) gives.
    ///
    /// # Errors
    ///
    /// [`IntegerOverflow`] where int64 overflows.
    pub fn checked_sub(self, other: Self) -> Result<Self, IntegerOverflow> {
        const DIFFERENCE: Operation = Operation {
            sign: '-',
            integers: i64::checked_sub,
            doubles: |left, right| left - right,
            decimals: Decimal::sub,
        };
        DIFFERENCE.of(self, other)
    }

    /// The product, of the type that [`checked_add`](Self::checked_add) gives.
    ///
    /// # Errors
    ///
    /// [`IntegerOverflow`] where int64 overflows.
    pub fn checked_mul(self, other: Self) -> Result<Self, IntegerOverflow> {
        const PRODUCT: Operation = Operation {
            sign: '*',
            integers: i64::checked_mul,
            doubles: |left, right| left * right,
            decimals: Decimal::mul,
        };
        PRODUCT.of(self, other)
    }

    /// The nearest double.
    #[must_use]
    pub fn lossy_double(self) -> f64 {
        match self {
            Self::Decimal(value) => value.to_double(),
            other => other.to_double().unwrap_or(f64::NAN),
        }
    }

    /// The decimal; of a double, its first 15 digits.
    #[must_use]
    pub fn lossy_decimal(self) -> Decimal {
        self.to_decimal()
    }

    fn integer(self) -> Option<i64> {
        match self {
            Self::Int32(value) => Some(i64::from(value)),
            Self::Int64(value) => Some(value),
            Self::Double(_) | Self::Decimal(_) => None,
        }
    }

    fn to_double(self) -> Option<f64> {
        match self {
            Self::Int32(value) => Some(f64::from(value)),
            Self::Int64(value) => Some(value as f64),
            Self::Double(value) => Some(value),
            Self::Decimal(_) => None,
        }
    }

    /// The double that has this value, where that is seen at once.
    pub(crate) fn exact_double(self) -> Option<f64> {
        const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
        match self {
            Self::Int64(value) if value.unsigned_abs() > EXACT => None,
            _ => self.to_double(),
        }
    }

    fn to_decimal(self) -> Decimal {
        match self {
            Self::Int32(value) => Decimal::from(i64::from(value)),
            Self::Int64(value) => Decimal::from(value),
            Self::Double(value) => Decimal::from(value),
            Self::Decimal(value) => value,
        }
    }

    /// What it is compared by.
    fn parts(self) -> Parts {
        match self {
            Self::Int32(value) => Parts::of_integer(i64::from(value)),
            Self::Int64(value) => Parts::of_integer(value),
            Self::Double(value) if value.is_nan() => Parts::NAN,
            Self::Double(value) => {
                Parts { sign: value.partial_cmp(&0.0), size: Size::Double(value.abs()) }
            }
            Self::Decimal(Decimal { negative, magnitude }) => {
                let sign = if negative { Ordering::Less } else { Ordering::Greater };
                match magnitude {
                    Magnitude::NaN => Parts::NAN,
                    Magnitude::Infinity => {
                        Parts { sign: Some(sign), size: Size::Double(f64::INFINITY) }
                    }
                    Magnitude::Finite { coefficient: 0, .. } => Parts::of_integer(0),
                    Magnitude::Finite { coefficient, exponent } => {
                        Parts { sign: Some(sign), size: Size::Decimal { coefficient, exponent } }
                    }
                }
            }
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Some(left), Some(right)) = (self.integer(), other.integer()) {
            return left.cmp(&right);
        }
        if let (Some(left), Some(right)) = (self.exact_double(), other.exact_double())
            && let Some(order) = left.partial_cmp(&right)
        {
            return order;
        }
        let (left, right) = (self.parts(), other.parts());
        // NaN has no sign, and is below.
        left.sign.cmp(&right.sign).then_with(|| match left.sign {
            Some(Ordering::Greater) => left.size.compare(right.size),
            Some(Ordering::Less) => right.size.compare(left.size),
            Some(Ordering::Equal) | None => Ordering::Equal,
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

struct Operation {
    sign: char,
    integers: fn(i64, i64) -> Option<i64>,
    doubles: fn(f64, f64) -> f64,
    decimals: fn(Decimal, Decimal) -> Decimal,
}

impl Operation {
    fn of(&self, left: Number, right: Number) -> Result<Number, IntegerOverflow> {
        if let (Some(first), Some(second)) = (left.integer(), right.integer()) {
            let result = (self.integers)(first, second).ok_or(IntegerOverflow {
                left: first,
                operation: self.sign,
                right: second,
            })?;
            let both_narrow = matches!((left, right), (Number::Int32(_), Number::Int32(_)));
            return Ok(match i32::try_from(result) {
                Ok(narrow) if both_narrow => Number::Int32(narrow),
                _ => Number::Int64(result),
            });
        }
        Ok(match (left.to_double(), right.to_double()) {
            (Some(first), Some(second)) => Number::Double((self.doubles)(first, second)),
            _ => Number::Decimal((self.decimals)(left.to_decimal(), right.to_decimal())),
        })
    }
}

/// A number as it is compared.
#[derive(Clone, Copy)]
struct Parts {
    /// Beside zero; none for NaN.
    sign: Option<Ordering>,
    size: Size,
}

impl Parts {
    const NAN: Self = Self { sign: None, size: Size::Double(0.0) };

    fn of_integer(value: i64) -> Self {
        let coefficient = u128::from(value.unsigned_abs());
        Self { sign: Some(value.cmp(&0)), size: Size::Decimal { coefficient, exponent: 0 } }
    }
}

/// A positive number.
#[derive(Clone, Copy)]
enum Size {
    Double(f64),
    Decimal { coefficient: u128, exponent: i32 },
}

impl Size {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Double(left), Self::Double(right)) => left.total_cmp(&right),
            (Self::Decimal { coefficient, exponent }, Self::Double(double)) => {
                exact::compare(coefficient, exponent, double)
            }
            (Self::Double(double), Self::Decimal { coefficient, exponent }) => {
                exact::compare(coefficient, exponent, double).reverse()
            }
            (
                Self::Decimal { coefficient: left, exponent: of_left },
                Self::Decimal { coefficient: right, exponent: of_right },
            ) => {
                let ((left, of_left), (right, of_right)) =
                    (exact::normalize(left, of_left), exact::normalize(right, of_right));
                of_left.cmp(&of_right).then(left.cmp(&right))
            }
        }
    }
}

/// A number cut to a whole one, at most as far as 64 bits go; NaN is 0, what is no number is `None`.
#[must_use]
pub fn whole(value: RawBsonRef<'_>) -> Option<i64> {
    match Number::from_bson(value)? {
        Number::Int32(value) => Some(i64::from(value)),
        Number::Int64(value) => Some(value),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "as saturates, and NaN is 0: that is what is asked"
        )]
        Number::Double(value) => Some(value as i64),
        Number::Decimal(value) => Some(whole_of_decimal(value)),
    }
}

fn whole_of_decimal(value: Decimal) -> i64 {
    let limit = if value.negative { i64::MIN } else { i64::MAX };
    let (mut coefficient, mut exponent) = match value.magnitude {
        Magnitude::NaN => return 0,
        Magnitude::Infinity => return limit,
        Magnitude::Finite { coefficient, exponent } => (coefficient, exponent),
    };
    while exponent < 0 && coefficient != 0 {
        coefficient /= 10;
        exponent += 1;
    }
    while exponent > 0 && coefficient != 0 {
        coefficient = match coefficient.checked_mul(10) {
            Some(coefficient) => coefficient,
            None => return limit,
        };
        exponent -= 1;
    }
    let size = i128::try_from(coefficient).unwrap_or(i128::MAX);
    i64::try_from(if value.negative { -size } else { size }).unwrap_or(limit)
}
