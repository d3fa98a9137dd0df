//! What `float4` and `float8` share.

/// The special values and the digits of a floating-point number, split as formatting needs them.
pub(crate) enum Shortest {
    /// `NaN`, `Infinity` or `-Infinity`.
    Special(&'static str),
    /// Significant digits that identify the number, and the power of ten of the first.
    Digits {
        /// Below zero, or minus zero.
        negative: bool,
        /// ASCII digits, without zeros at the end; `0` for zero.
        digits: Vec<u8>,
        /// Of the first digit: 0 for 1.5, 2 for 150.
        exponent: i32,
    },
}

impl Shortest {
    /// The shortest digits that read back as the number; of two equally near, the even ones.
    ///
    /// `{:e}` alone rounds such ties away from zero, which neither PostgreSQL nor Python does.
    pub(crate) fn of<T>(value: T) -> Self
    where
        T: Into<f64> + Copy + PartialEq + std::fmt::LowerExp + std::str::FromStr,
    {
        let wide: f64 = value.into();
        if wide.is_nan() {
            return Self::Special("NaN");
        }
        if wide.is_infinite() {
            return Self::Special(if wide > 0.0 { "Infinity" } else { "-Infinity" });
        }
        let mut text = format!("{value:e}");
        let places = text.find('e').unwrap_or(0).saturating_sub(2 + usize::from(wide < 0.0));
        // A tie needs more digits than a number of this precision holds exactly.
        if places >= 5 {
            let even = format!("{value:.places$e}");
            if even != text && even.parse().is_ok_and(|again: T| again == value) {
                text = even;
            }
        }
        Self::split(&text)
    }

    /// The fewest digits that are nearer to this number than to any other, as PostgreSQL prints.
    ///
    /// Unlike [`of`](Self::of) it does not count on a reader that takes the even one of two equally
    /// near numbers: `1e+23` lies in the middle, and is `9.999999999999999e+22` here.
    pub(crate) fn strict<T: Real>(value: T) -> Self {
        let shortest = Self::of(value);
        let Self::Digits { digits, exponent, .. } = &shortest else { return shortest };
        let middles = value.middles();
        if !is_any_of(digits, *exponent, &middles) {
            return shortest;
        }
        // 17 digits distinguish any two numbers.
        (digits.len()..17)
            .find_map(|places| {
                let rounded = Self::split(&format!("{value:.places$e}"));
                // Below a power of two numbers are denser: the nearest digits may be too far below
                // where the next ones are near enough above.
                let above = rounded.next_digits();
                [Some(rounded), above].into_iter().flatten().find(|digits| {
                    digits.reads_as(value)
                        && !matches!(digits, Self::Digits { digits, exponent, .. }
                            if is_any_of(digits, *exponent, &middles))
                })
            })
            .unwrap_or(shortest)
    }

    /// Digits one more in the last place.
    fn next_digits(&self) -> Option<Self> {
        let Self::Digits { negative, digits, exponent } = self else { return None };
        let number = super::integer::parse_unsigned(digits)?.checked_add(1)?;
        let mut next = Vec::with_capacity(digits.len() + 1);
        super::integer::push_unsigned(number, &mut next);
        let carried = i32::from(next.len() > digits.len());
        Some(Self::Digits { negative: *negative, digits: next, exponent: exponent + carried })
    }

    /// Whether the digits are read as that number.
    fn reads_as<T: Real>(&self, value: T) -> bool {
        let mut text = Vec::new();
        self.push(0, false, &mut text);
        number_text(&text).and_then(|text| text.parse().ok()) == Some(value)
    }

    /// The parts of `{:e}`, without zeros at the end.
    fn split(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.len() > 1 && digits.last() == Some(&b'0') {
            digits.pop();
        }
        Self::Digits {
            negative: mantissa.starts_with('-'),
            digits,
            exponent: exponent.parse().unwrap_or(0),
        }
    }

    /// Appends it: without exponent where that of the first digit is from -4 to below `limit`.
    ///
    /// `whole` ends a number without a fraction as `.0`, as Python does.
    pub(crate) fn push(&self, limit: i32, whole: bool, out: &mut Vec<u8>) {
        let (negative, digits, exponent) = match self {
            Self::Special(word) => return out.extend_from_slice(word.as_bytes()),
            Self::Digits { negative, digits, exponent } => (*negative, digits, *exponent),
        };
        if negative {
            out.push(b'-');
        }
        if !(-4..limit).contains(&exponent) {
            let (first, rest) = digits.split_at(1.min(digits.len()));
            out.extend_from_slice(first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
            out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
            super::integer::push_padded(u64::from(exponent.unsigned_abs()), 2, out);
            return;
        }
        let Ok(point) = usize::try_from(exponent + 1) else {
            out.extend_from_slice(b"0.");
            let zeros = usize::try_from(-1 - exponent).unwrap_or(0);
            out.extend(std::iter::repeat_n(b'0', zeros));
            return out.extend_from_slice(digits);
        };
        if point == 0 {
            out.extend_from_slice(b"0.");
            return out.extend_from_slice(digits);
        }
        let (before, after) = digits.split_at(point.min(digits.len()));
        out.extend_from_slice(before);
        out.extend(std::iter::repeat_n(b'0', point - before.len()));
        if !after.is_empty() {
            out.push(b'.');
            out.extend_from_slice(after);
        } else if whole {
            out.extend_from_slice(b".0");
        }
    }
}

/// A floating-point type of IEEE 754.
pub(crate) trait Real:
    Into<f64> + Copy + PartialEq + std::fmt::LowerExp + std::str::FromStr
{
    /// What lies in the middle between this number, without its sign, and its two neighbours: each a
    /// factor, which is odd, and a power of two. Zeros, infinities and NaN have none that matter.
    fn middles(self) -> [(u64, i32); 2];
}

macro_rules! real {
    ($($type:ty, $fraction:literal, $bias:literal;)*) => {
        $(
            impl Real for $type {
                fn middles(self) -> [(u64, i32); 2] {
                    let bits = u64::from(self.abs().to_bits());
                    let fraction = bits & ((1 << $fraction) - 1);
                    let biased = i32::try_from(bits >> $fraction).unwrap_or(0);
                    let (factor, power) = match biased {
                        0 => (fraction, 1 - $bias - $fraction),
                        _ => (fraction | 1 << $fraction, biased - $bias - $fraction),
                    };
                    // A power of two is twice as far from the next number as from the one before.
                    let below = match (fraction, biased) {
                        (0, 2..) => (4 * factor - 1, power - 2),
                        _ => ((2 * factor).saturating_sub(1), power - 1),
                    };
                    [below, (2 * factor + 1, power - 1)]
                }
            }
        )*
    };
}

real! {
    f32, 23, 127;
    f64, 52, 1023;
}

/// Whether digits, the first of which counts as many tens as `exponent` says, are exactly one of
/// these odd multiples of a power of two.
fn is_any_of(digits: &[u8], exponent: i32, numbers: &[(u64, i32)]) -> bool {
    let Some(number) = super::integer::parse_unsigned(digits).filter(|number| *number > 0) else {
        return false;
    };
    let places = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let ten = exponent.saturating_sub(places).saturating_add(1);
    let twos = number.trailing_zeros();
    let odd = u128::from(number >> twos);
    // A factor of 54 bits holds no higher power of five, and neither do 17 digits.
    let Some(fives) = 5u128.checked_pow(ten.unsigned_abs()).filter(|_| ten.abs() < 28) else {
        return false;
    };
    let power = ten.saturating_add(i32::try_from(twos).unwrap_or(0));
    numbers.iter().any(|(factor, two)| {
        let factor = u128::from(*factor);
        power == *two && if ten >= 0 { odd * fives == factor } else { odd == factor * fives }
    })
}

/// The number as text if it has digits, signs, a point and an exponent only; the special values are left to the caller.
#[inline]
pub(super) fn number_text(bytes: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if bytes.iter().all(plain) { std::str::from_utf8(bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict<T: Real>(value: T) -> String {
        let mut out = Vec::new();
        Shortest::strict(value).push(15, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_digits_lie_in_the_middle_of_two_numbers() {
        // As `select x::float8` and `select x::float4` print them.
        assert_eq!(strict(1e23f64), "9.999999999999999e+22");
        assert_eq!(strict(-1e23f64), "-9.999999999999999e+22");
        assert_eq!(strict(9_007_199_254_740_994.0f64), "9.007199254740994e+15");
        assert_eq!(strict(5e-324f64), "5e-324");
        assert_eq!(strict(92_700_704.0f32), "92700704");
        assert_eq!(strict(0.0f64), "0");
        assert_eq!(strict(0.1f32), "0.1");
        assert_eq!(strict(f32::MAX), "3.4028235e+38");
    }

    #[test]
    fn the_middle_is_distinguished_from_what_is_near_it() {
        // 2^24 + 1 lies between two numbers of 24 bits.
        let middles = 16_777_216.0f32.middles();
        assert!(is_any_of(b"16777217", 7, &middles));
        assert!(!is_any_of(b"16777216", 7, &middles));
        // 1.5 is 3 * 2^-1.
        assert!(is_any_of(b"15", 0, &[(3, -1)]));
        assert!(!is_any_of(b"15", 1, &[(3, -1)]));
        assert!(!is_any_of(b"0", 0, &[(3, -1)]));
        assert!(!is_any_of(b"15", i32::MIN, &[(3, -1)]));
    }
}
