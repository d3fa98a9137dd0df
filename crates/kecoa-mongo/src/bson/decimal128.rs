//! Decimal128, taken apart: a sign, 34 digits, a power of ten.

mod arithmetic;
mod division;
mod error;
mod fixed;
mod functions;
mod rounding;
mod text;
mod transcendental;

pub use division::Rounding;
pub use error::ParseDecimalError;

use ::bson::Decimal128;

/// The digits of a coefficient.
pub const DIGITS: u32 = 34;
/// The least power of ten.
pub const MIN_EXPONENT: i32 = -6176;
/// The greatest power of ten of a coefficient of 34 digits.
pub const MAX_EXPONENT: i32 = 6111;
const MAX_COEFFICIENT: u128 = 10_u128.pow(DIGITS) - 1;

/// A Decimal128. Two that are equal here have the same form; [`Number`](super::number::Number) compares values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Whether there is a minus in front, of a zero too.
    pub negative: bool,
    /// What follows the sign.
    pub magnitude: Magnitude,
}

/// A Decimal128 without its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magnitude {
    /// The coefficient times ten to the power of the exponent.
    Finite {
        /// At most 34 digits.
        coefficient: u128,
        /// From [`MIN_EXPONENT`] to [`MAX_EXPONENT`].
        exponent: i32,
    },
    /// Infinity.
    Infinity,
    /// No number. Its payload is not kept.
    NaN,
}

impl Decimal {
    /// Not a number.
    pub const NAN: Self = Self { negative: false, magnitude: Magnitude::NaN };

    /// Infinity, or minus infinity.
    #[must_use]
    pub const fn infinity(negative: bool) -> Self {
        Self { negative, magnitude: Magnitude::Infinity }
    }

    /// Take a value apart. A coefficient that is above 34 digits counts as zero, as the standard says.
    #[must_use]
    pub fn from_bson(value: Decimal128) -> Self {
        let bits = u128::from_le_bytes(value.bytes());
        let negative = bits >> 127 == 1;
        let magnitude = match bits >> 122 & 0x1f {
            0x1f => Magnitude::NaN,
            0x1e => Magnitude::Infinity,
            // An implied 100 in front of the coefficient makes it too large.
            0x18..=0x1d => Magnitude::Finite { coefficient: 0, exponent: unbias(bits >> 111) },
            _ => {
                let coefficient = bits & ((1 << 113) - 1);
                let coefficient = if coefficient > MAX_COEFFICIENT { 0 } else { coefficient };
                Magnitude::Finite { coefficient, exponent: unbias(bits >> 113) }
            }
        };
        Self { negative, magnitude }
    }

    /// Put a value together.
    #[must_use]
    pub fn to_bson(self) -> Decimal128 {
        let bits = match self.magnitude {
            Magnitude::NaN => 0x1f << 122,
            Magnitude::Infinity => 0x1e << 122,
            Magnitude::Finite { coefficient, exponent } => {
                let biased = u128::try_from(exponent - MIN_EXPONENT).unwrap_or(0);
                biased << 113 | coefficient
            }
        };
        Decimal128::from_bytes((u128::from(self.negative) << 127 | bits).to_le_bytes())
    }

    /// The value of a double, to 34 digits.
    #[must_use]
    pub fn from_double_exactly(value: f64) -> Self {
        if value.is_finite() && value != 0.0 {
            let digits = Self::parse(&format!("{value:.33e}")).unwrap_or(Self::NAN);
            return digits.without_trailing_zeros();
        }
        Self::from(value)
    }

    /// The nearest double; infinite beyond all.
    #[must_use]
    pub fn to_double(self) -> f64 {
        match self.magnitude {
            Magnitude::NaN => f64::NAN,
            // Every finite decimal is a number that Rust reads.
            _ => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The same value with the fewest digits.
    fn without_trailing_zeros(self) -> Self {
        let Magnitude::Finite { mut coefficient, mut exponent } = self.magnitude else {
            return self;
        };
        while coefficient != 0 && coefficient % 10 == 0 && exponent < MAX_EXPONENT {
            coefficient /= 10;
            exponent += 1;
        }
        Self { negative: self.negative, magnitude: Magnitude::Finite { coefficient, exponent } }
    }

    /// Whether it is no number.
    #[must_use]
    pub fn is_nan(self) -> bool {
        self.magnitude == Magnitude::NaN
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let coefficient = u128::from(value.unsigned_abs());
        Self { negative: value < 0, magnitude: Magnitude::Finite { coefficient, exponent: 0 } }
    }
}

impl From<f64> for Decimal {
    /// To 15 digits, zeros at the end included, as MongoDB takes doubles into decimals.
    fn from(value: f64) -> Self {
        if value.is_nan() {
            return Self::NAN;
        }
        if value.is_infinite() {
            return Self::infinity(value.is_sign_negative());
        }
        if value == 0.0 {
            let magnitude = Magnitude::Finite { coefficient: 0, exponent: 0 };
            return Self { negative: value.is_sign_negative(), magnitude };
        }
        Self::parse(&format!("{value:.14e}")).unwrap_or(Self::NAN)
    }
}

/// The 14 bits of an exponent, at the end of `bits`.
fn unbias(bits: u128) -> i32 {
    i32::try_from(bits & 0x3fff).unwrap_or(0) + MIN_EXPONENT
}
