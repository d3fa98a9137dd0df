//! `real` to float: the number that its text form reads as, not the nearest double.

/// Powers of ten by which a float of 24 bits can be multiplied without rounding: 5^12 has 28 bits.
const POWERS: [f64; 12] = [1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12];
/// Whole numbers up to here are their own shortest digits.
const EXACT: f64 = 16_777_216.0;

/// The shortest decimal that reads back as this `real`, as a double.
#[inline]
pub(super) fn widen(value: f32) -> f64 {
    let wide = f64::from(value);
    // NaN is in no range.
    if !(1e-3..=EXACT).contains(&wide.abs()) {
        return by_text(value);
    }
    if wide.fract() == 0.0 {
        return wide;
    }
    // Below a power of two numbers are denser, and the shortest digits need not be the nearest.
    if value.to_bits() & 0x007f_ffff == 0 {
        return by_text(value);
    }
    for power in POWERS {
        // The product is exact and below 2^53, so that the quotient is what the digits read as.
        let scaled = (wide * power).round_ties_even();
        let read = scaled / power;
        if narrow(read) == value {
            return read;
        }
    }
    by_text(value)
}

/// The nearest `real`.
#[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn by_text(value: f32) -> f64 {
    let wide = f64::from(value);
    if wide == 0.0 || !wide.is_finite() {
        return wide;
    }
    let mut text = Vec::with_capacity(24);
    kecoa_types::text::float4::encode(&value, &mut text);
    let read = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).unwrap_or(wide);
    if wide.abs() > EXACT && is_halfway(read, value) { with_more_digits(value) } else { read }
}

/// Whether a number lies in the middle between this `real` and another one. Few digits can say such
/// a number when it is whole; that it is read as the even one is not what PostgreSQL relies on.
fn is_halfway(read: f64, value: f32) -> bool {
    let middle = |other: f32| f64::midpoint(f64::from(value), f64::from(other));
    read == middle(value.next_up()) || read == middle(value.next_down())
}

/// The fewest digits that are nearer to this `real` than to any other.
fn with_more_digits(value: f32) -> f64 {
    let wide = f64::from(value);
    (0..9)
        .filter_map(|places| format!("{value:.places$e}").parse::<f64>().ok())
        .find(|read| narrow(*read) == value && !is_halfway(*read, value))
        .unwrap_or(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_the_shortest_digits() {
        for (value, expected) in [
            (0.1f32, 0.1),
            (1.5, 1.5),
            (-3.25, -3.25),
            (0.3, 0.3),
            (1e-7, 1e-7),
            (16_777_216.0, 16_777_216.0),
            (16_777_218.0, 16_777_218.0),
            // 92_700_700 is as near to 92_700_696.
            (92_700_704.0, 92_700_704.0),
            (3.402_823_5e38, 3.402_823_5e38),
            (1e-45, 1e-45),
            (123_456.79, 123_456.79),
            (0.0, 0.0),
        ] {
            assert_eq!(widen(value).to_bits(), f64::to_bits(expected), "{value}");
        }
        assert_eq!(widen(-0.0).to_bits(), (-0.0f64).to_bits());
        assert!(widen(f32::NAN).is_nan());
        assert_eq!(widen(f32::NEG_INFINITY), f64::NEG_INFINITY);
    }

    #[test]
    fn both_ways_agree() {
        // A stride that is odd and prime to everything near visits all exponents.
        for bits in (0..=u32::MAX).step_by(104_729) {
            let value = f32::from_bits(bits);
            if !value.is_nan() {
                assert_eq!(widen(value).to_bits(), by_text(value).to_bits(), "{value:e}");
            }
        }
        for whole in 0..2_000u16 {
            for part in 0..100u8 {
                let value = f32::from(whole) + f32::from(part) / 100.0;
                assert_eq!(widen(value).to_bits(), by_text(value).to_bits(), "{value:e}");
            }
        }
    }
}
