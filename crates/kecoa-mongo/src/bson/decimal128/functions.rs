//! Powers, roots, and what is near to them.

use super::rounding::{Coefficient, round};
use super::{DIGITS, Decimal, MAX_EXPONENT, MIN_EXPONENT, Magnitude};

impl Decimal {
    /// Degrees in radians.
    #[must_use]
    pub fn to_radians(self) -> Self {
        const RADIANS_OF_ONE: u128 = 1_745_329_251_994_329_576_923_690_768_488_613;
        self * Self::of(RADIANS_OF_ONE, -35)
    }

    /// Radians in degrees.
    #[must_use]
    pub fn to_degrees(self) -> Self {
        const DEGREES_OF_ONE: u128 = 5_729_577_951_308_232_087_679_815_481_410_517;
        self * Self::of(DEGREES_OF_ONE, -32)
    }

    const fn of(coefficient: u128, exponent: i32) -> Self {
        Self { negative: false, magnitude: Magnitude::Finite { coefficient, exponent } }
    }

    /// The square root, rounded once. That of a negative number is NaN.
    #[must_use]
    pub fn square_root(self) -> Self {
        let (coefficient, exponent) = match self.magnitude {
            Magnitude::Finite { coefficient, exponent } => (coefficient, exponent),
            Magnitude::Infinity if !self.negative => return self,
            _ => return Self::NAN,
        };
        let ideal = exponent.div_euclid(2).clamp(MIN_EXPONENT, MAX_EXPONENT);
        if coefficient == 0 {
            return Self::zero(self.negative, ideal);
        }
        if self.negative {
            return Self::NAN;
        }
        // As many digits as 35 of the root need, and an even exponent.
        let digits = coefficient.ilog10() + 1;
        let mut scale = 72_u32.saturating_sub(digits);
        if (exponent - scale.cast_signed()) % 2 != 0 {
            scale += 1;
        }
        let mut square = Coefficient::new(coefficient);
        square.multiply_power(10, scale);
        let (root, exact) = integer_root(square);
        let mut root = root;
        let mut power = (exponent - scale.cast_signed()) / 2;
        if exact {
            // An exact root has the exponent that is half of the square's, as far as its digits allow.
            while power < ideal && root % 10 == 0 {
                root /= 10;
                power += 1;
            }
        } else if root % 5 == 0 {
            // What is left only breaks a tie.
            root += 1;
        }
        round(false, Coefficient::new(root), i64::from(power)).value
    }

    /// This to the power of another.
    #[must_use]
    pub fn power(self, exponent: Self) -> Self {
        let whole = match exponent.magnitude {
            Magnitude::Finite { .. } if exponent == exponent.to_integral() => {
                exponent.to_string().parse::<i32>().ok()
            }
            _ => None,
        };
        match whole {
            Some(whole) if whole.unsigned_abs() <= 1 << 16 => {
                let mut result = Self::from(1);
                let mut square = self;
                let mut left = whole.unsigned_abs();
                while left > 0 {
                    if left % 2 == 1 {
                        result = result * square;
                    }
                    left /= 2;
                    if left > 0 {
                        square = square * square;
                    }
                }
                let result = if whole < 0 { Self::from(1) / result } else { result };
                if !result.fills_its_digits() {
                    return result;
                }
                // Every multiplication may have rounded: once, at the end, is nearer.
                let size = Self { negative: false, ..self }.real_power(exponent);
                Self { negative: result.negative, ..size }
            }
            _ => self.real_power(exponent),
        }
    }

    fn fills_its_digits(self) -> bool {
        match self.magnitude {
            Magnitude::Finite { coefficient, .. } => coefficient >= 10_u128.pow(DIGITS - 1),
            _ => false,
        }
    }
}

/// The integer square root, and whether nothing is left.
fn integer_root(square: Coefficient) -> (u128, bool) {
    // The root has 128 bits at most: one bit after the other.
    let mut root: u128 = 0;
    for bit in (0..127).rev() {
        let candidate = root | 1 << bit;
        if Coefficient::product(candidate, candidate) <= square {
            root = candidate;
        }
    }
    (root, Coefficient::product(root, root) == square)
}
