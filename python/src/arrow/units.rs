//! Numbers that both directions need: epochs, intervals, decimals of up to 256 bits.

/// Arrow counts from 1970-01-01, PostgreSQL from 2000-01-01.
pub(super) const DAYS_1970_TO_2000: i32 = 10_957;
pub(super) const MICROSECONDS_1970_TO_2000: i64 = 946_684_800_000_000;

/// An element of an interval array, as Arrow lays it out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MonthDayNano {
    pub(super) months: i32,
    pub(super) days: i32,
    pub(super) nanoseconds: i64,
}

/// Multiplies by ten and adds a digit; `None` beyond 256 bits.
fn shift_in([low, high]: [u128; 2], digit: u8) -> Option<[u128; 2]> {
    let mask = u128::from(u64::MAX);
    // 64 bits at a time, so that nothing is lost.
    let first = (low & mask) * 10 + u128::from(digit);
    let second = (low >> 64) * 10 + (first >> 64);
    let high = high.checked_mul(10)?.checked_add(second >> 64)?;
    Some([(first & mask) | (second << 64), high])
}

fn negate([low, high]: [u128; 2]) -> [u128; 2] {
    let (low, carry) = (!low).overflowing_add(1);
    [low, (!high).wrapping_add(u128::from(carry))]
}

/// The unscaled value of a decimal in text form, two's complement, least significant half first.
/// `None` when it is no finite number, or has more than `scale` digits behind the point other than
/// zeros, or more than `precision` digits in all.
pub(super) fn digits(text: &[u8], precision: u8, scale: u8) -> Option<[u128; 2]> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut value = [0, 0];
    let mut count = 0_u32;
    let mut behind: Option<u8> = None;
    let mut put = |digit: u8| -> Option<()> {
        value = shift_in(value, digit)?;
        count += u32::from(count > 0 || digit > 0);
        (count <= u32::from(precision)).then_some(())
    };
    for byte in unsigned {
        match (byte, &mut behind) {
            (b'.', None) => behind = Some(0),
            (b'0', Some(places)) if *places == scale => {}
            (b'0'..=b'9', Some(places)) if *places < scale => {
                *places += 1;
                put(byte - b'0')?;
            }
            (b'0'..=b'9', None) => put(byte - b'0')?,
            _ => return None,
        }
    }
    if unsigned.is_empty() {
        return None;
    }
    for _ in behind.unwrap_or(0)..scale {
        put(0)?;
    }
    Some(if negative { negate(value) } else { value })
}

/// A decimal in text form from its unscaled value.
pub(super) fn format_decimal([low, high]: [u128; 2], scale: i32, out: &mut Vec<u8>) {
    let negative = high >> 127 == 1;
    let [mut low, mut high] = if negative { negate([low, high]) } else { [low, high] };
    let mut digits = Vec::with_capacity(78);
    while low != 0 || high != 0 {
        // Long division by ten, 64 bits at a time.
        let mut rest = 0_u128;
        let mut quotients = [0_u128; 4];
        let mask = u128::from(u64::MAX);
        for (quotient, part) in
            quotients.iter_mut().zip([high >> 64, high & mask, low >> 64, low & mask])
        {
            let dividend = (rest << 64) | part;
            *quotient = dividend / 10;
            rest = dividend % 10;
        }
        let [a, b, c, d] = quotients;
        (high, low) = ((a << 64) | b, (c << 64) | d);
        digits.push(b'0' + u8::try_from(rest).unwrap_or(0));
    }
    if negative {
        out.push(b'-');
    }
    let places = usize::try_from(scale).unwrap_or(0);
    while digits.len() <= places {
        digits.push(b'0');
    }
    let (behind, before) = digits.split_at_checked(places).unwrap_or((&[], &digits));
    out.extend(before.iter().rev());
    // A scale below zero stands for zeros in front of the point.
    if before != b"0" {
        out.extend(std::iter::repeat_n(b'0', usize::try_from(scale.saturating_neg()).unwrap_or(0)));
    }
    if !behind.is_empty() {
        out.push(b'.');
        out.extend(behind.iter().rev());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str, precision: u8, scale: u8) -> Option<String> {
        let value = digits(text.as_bytes(), precision, scale)?;
        let mut out = Vec::new();
        format_decimal(value, i32::from(scale), &mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn decimals_go_both_ways() {
        for (text, precision, scale) in [
            ("0", 1, 0),
            ("0.00", 2, 2),
            ("-0.01", 2, 2),
            ("12.34", 4, 2),
            ("-99999999999999999999999999999999999999", 38, 0),
            (
                "9999999999999999999999999999999999999999999999999999999999999999999999.999999",
                76,
                6,
            ),
            (
                "-9999999999999999999999999999999999999999999999999999999999999999999999.999999",
                76,
                6,
            ),
            ("340282366920938463463374607431768211456", 39, 0),
        ] {
            assert_eq!(round(text, precision, scale).as_deref(), Some(text));
        }
        assert_eq!(round("1.5", 4, 3).as_deref(), Some("1.500"));
        assert_eq!(round("1.500", 4, 1).as_deref(), Some("1.5"));
        for (text, precision, scale) in [
            ("NaN", 4, 2),
            ("Infinity", 4, 2),
            ("", 4, 2),
            ("-", 4, 2),
            ("1.25", 4, 1),
            ("123.4", 4, 2),
            ("1e3", 9, 0),
        ] {
            assert_eq!(round(text, precision, scale), None, "{text}");
        }
    }

    #[test]
    fn scales_may_be_below_zero() {
        let mut out = Vec::new();
        format_decimal([123, 0], -2, &mut out);
        out.push(b' ');
        format_decimal([0, 0], -2, &mut out);
        assert_eq!(out, b"12300 0");
    }
}
