//! Reading intervals: one reader for the styles made of units and times, one for ISO 8601.

use crate::civil::Interval;
use crate::text::integer::parse_unsigned;

/// Sums of parts, wide enough that no sum of printed parts overflows before the last check.
#[derive(Default)]
struct Sum {
    months: i128,
    days: i128,
    microseconds: i128,
}

impl Sum {
    fn negate(self) -> Self {
        Self { months: -self.months, days: -self.days, microseconds: -self.microseconds }
    }

    fn finish(self) -> Option<Interval> {
        Some(Interval {
            months: i32::try_from(self.months).ok()?,
            days: i32::try_from(self.days).ok()?,
            microseconds: i64::try_from(self.microseconds).ok()?,
        })
    }
}

/// Splits a sign off; `None` where there is none.
fn sign(bytes: &[u8]) -> (Option<bool>, &[u8]) {
    match bytes {
        [b'-', rest @ ..] => (Some(true), rest),
        [b'+', rest @ ..] => (Some(false), rest),
        _ => (None, bytes),
    }
}

fn signed(negative: bool, magnitude: i128) -> i128 {
    if negative { -magnitude } else { magnitude }
}

pub(super) fn any_style(bytes: &[u8]) -> Option<Interval> {
    match bytes {
        b"infinity" => Some(Interval::INFINITY),
        b"-infinity" => Some(Interval::NEG_INFINITY),
        [b'P', rest @ ..] => iso_8601(rest),
        [b'@', b' ', rest @ ..] => units_and_time(rest),
        _ => units_and_time(bytes),
    }
}

/// `postgres`, `postgres_verbose` after its `@`, and `sql_standard`.
fn units_and_time(bytes: &[u8]) -> Option<Interval> {
    let mut sum = Sum::default();
    let mut tokens = bytes.split(|byte| *byte == b' ').peekable();
    // In sql_standard a leading minus holds for all parts, unless they bring signs of their own.
    let leading_minus = bytes.first() == Some(&b'-');
    let mut first = true;
    while let Some(token) = tokens.next() {
        let (sign, digits) = sign(token);
        if memchr::memchr(b':', digits).is_some() {
            sum.microseconds += signed(sign.unwrap_or(false), clock(digits)?);
            return if tokens.next().is_none() { sum.finish() } else { None };
        }
        if let Some(hyphen) = memchr::memchr(b'-', digits) {
            let (years, months) = (digits.get(..hyphen)?, digits.get(hyphen + 1..)?);
            let months =
                i128::from(parse_unsigned(years)?) * 12 + i128::from(parse_unsigned(months)?);
            sum.months += signed(sign.unwrap_or(false), months);
            first = false;
            continue;
        }
        let negative = sign.unwrap_or(false);
        match tokens.peek() {
            // The zero of sql_standard and of postgres_verbose.
            None if first && digits == b"0" => return sum.finish(),
            None => return None,
            // Days before a time, in sql_standard.
            Some(next) if memchr::memchr(b':', next).is_some() => {
                sum.days += signed(negative, i128::from(parse_unsigned(digits)?));
                let next = tokens.next()?;
                let (own, rest) = self::sign(next);
                let negative = own.unwrap_or(leading_minus);
                sum.microseconds += signed(negative, clock(rest)?);
                return if tokens.next().is_none() { sum.finish() } else { None };
            }
            Some(_) => {}
        }
        field(&mut sum, negative, digits, tokens.next()?)?;
        first = false;
        if tokens.next_if(|token| *token == b"ago").is_some() {
            return if tokens.next().is_none() { sum.negate().finish() } else { None };
        }
    }
    if first { None } else { sum.finish() }
}

/// A number and its unit.
fn field(sum: &mut Sum, negative: bool, digits: &[u8], unit: &[u8]) -> Option<()> {
    let microseconds = match unit {
        b"sec" | b"secs" => {
            sum.microseconds += signed(negative, seconds(digits)?);
            return Some(());
        }
        b"hour" | b"hours" => 3_600_000_000,
        b"min" | b"mins" => 60_000_000,
        _ => 0,
    };
    let number = signed(negative, i128::from(parse_unsigned(digits)?));
    match unit {
        b"year" | b"years" => sum.months += number * 12,
        b"mon" | b"mons" => sum.months += number,
        b"day" | b"days" => sum.days += number,
        _ if microseconds != 0 => sum.microseconds += number * microseconds,
        _ => return None,
    }
    Some(())
}

/// `H:MM:SS[.f]`, as microseconds; any number of hours.
fn clock(bytes: &[u8]) -> Option<i128> {
    let mut parts = bytes.splitn(3, |byte| *byte == b':');
    let hours = i128::from(parse_unsigned(parts.next()?)?);
    let minutes = i128::from(parse_unsigned(parts.next()?).filter(|minutes| *minutes < 60)?);
    let seconds = seconds(parts.next()?).filter(|seconds| *seconds < 60_000_000)?;
    Some((hours * 60 + minutes) * 60_000_000 + seconds)
}

/// `S[.f]` with up to six digits of fraction, as microseconds.
fn seconds(bytes: &[u8]) -> Option<i128> {
    let point = memchr::memchr(b'.', bytes);
    let whole = bytes.get(..point.unwrap_or(bytes.len()))?;
    let mut microseconds = i128::from(parse_unsigned(whole)?) * 1_000_000;
    if let Some(point) = point {
        let fraction = bytes.get(point + 1..)?;
        let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 6)?;
        microseconds += i128::from(parse_unsigned(fraction)?) * 10i128.pow(6 - places);
    }
    Some(microseconds)
}

/// What follows the `P`: `1Y2M-3DT4H5M6.789S`.
fn iso_8601(bytes: &[u8]) -> Option<Interval> {
    let mut sum = Sum::default();
    let mut rest = bytes;
    let mut in_time = false;
    // Neither `P` nor a `T` at the end says anything.
    if matches!(bytes.last(), None | Some(b'T')) {
        return None;
    }
    while !rest.is_empty() {
        if let ([b'T', after @ ..], false) = (rest, in_time) {
            in_time = true;
            rest = after;
            continue;
        }
        let end = rest.iter().position(u8::is_ascii_alphabetic)?;
        let (number, unit) = rest.split_at_checked(end)?;
        let (unit, after) = unit.split_first()?;
        rest = after;
        let (sign, digits) = sign(number);
        let negative = sign.unwrap_or(false);
        let word: &[u8] = match (in_time, unit) {
            (false, b'Y') => b"year",
            (false, b'M') => b"mon",
            (false, b'D') => b"day",
            (true, b'H') => b"hour",
            (true, b'M') => b"min",
            (true, b'S') => b"sec",
            (false, b'W') => {
                sum.days += signed(negative, i128::from(parse_unsigned(digits)?) * 7);
                continue;
            }
            _ => return None,
        };
        field(&mut sum, negative, digits, word)?;
    }
    sum.finish()
}
