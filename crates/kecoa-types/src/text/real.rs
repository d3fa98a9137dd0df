//! What `float4` and `float8` share.

/// The special words and the digits of a floating-point number, split as formatting needs them.
pub(crate) enum Shortest {
    /// `NaN`, `Infinity` or `-Infinity`.
    Word(&'static str),
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
            return Self::Word("NaN");
        }
        if wide.is_infinite() {
            return Self::Word(if wide > 0.0 { "Infinity" } else { "-Infinity" });
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
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
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
            Self::Word(word) => return out.extend_from_slice(word.as_bytes()),
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

/// The number as text if it is spelt with digits only; the special words are left to the caller.
#[inline]
pub(super) fn spelling(bytes: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if bytes.iter().all(plain) { std::str::from_utf8(bytes).ok() } else { None }
}
