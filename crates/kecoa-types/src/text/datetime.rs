//! The pieces dates and times are made of. Each reads from the front and returns what is left.

use super::integer::push_padded;
use crate::RangeError;
use crate::civil::Time;

/// The values of ASCII digits; `None` unless all are digits.
///
/// One test for all of them: these run for every value of a result.
#[inline]
fn digits<const N: usize>(ascii: [u8; N]) -> Option<[u8; N]> {
    let values = ascii.map(|byte| byte.wrapping_sub(b'0'));
    if values.iter().fold(false, |bad, value| bad | (*value > 9)) { None } else { Some(values) }
}

/// The number two digit values make.
#[inline]
fn pair(tens: u8, units: u8) -> u8 {
    tens * 10 + units
}

/// A date as printed: the year is not yet shifted by the era.
pub(super) struct Day<'a> {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) rest: &'a [u8],
}

/// `YYYY-MM-DD`, with 4 to 7 digits of year.
#[inline]
pub(super) fn day(bytes: &[u8]) -> Option<Day<'_>> {
    if let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] = bytes {
        let [y1, y2, y3, y4, m1, m2, d1, d2] = digits([*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2])?;
        let year = i32::from(pair(y1, y2)) * 100 + i32::from(pair(y3, y4));
        return Some(Day { year, month: pair(m1, m2), day: pair(d1, d2), rest });
    }
    long_year(bytes)
}

#[cold]
fn long_year(bytes: &[u8]) -> Option<Day<'_>> {
    let end = memchr::memchr(b'-', bytes.get(..8).unwrap_or(bytes))?;
    let (year, rest) = bytes.split_at_checked(end)?;
    let [b'-', m1, m2, b'-', d1, d2, rest @ ..] = rest else { return None };
    if year.len() < 5 {
        return None;
    }
    let year = i32::try_from(super::integer::parse_unsigned(year)?).ok()?;
    let [m1, m2, d1, d2] = digits([*m1, *m2, *d1, *d2])?;
    Some(Day { year, month: pair(m1, m2), day: pair(d1, d2), rest })
}

/// `HH:MM:SS[.f]` with one to six digits of fraction.
#[inline]
pub(super) fn time(bytes: &[u8]) -> Option<(Result<Time, RangeError>, &[u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = bytes else { return None };
    let [h1, h2, m1, m2, s1, s2] = digits([*h1, *h2, *m1, *m2, *s1, *s2])?;
    let (microsecond, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    Some((Time::new(pair(h1, h2), pair(m1, m2), pair(s1, s2), microsecond), rest))
}

/// Up to six digits, as microseconds.
#[inline]
fn fraction(bytes: &[u8]) -> Option<(u32, &[u8])> {
    if let [a, b, c, d, e, f, rest @ ..] = bytes
        && let Some([a, b, c, d, e, f]) = digits([*a, *b, *c, *d, *e, *f])
    {
        let [high, middle, low] = [pair(a, b), pair(c, d), pair(e, f)].map(u32::from);
        return Some((high * 10_000 + middle * 100 + low, rest));
    }
    let mut value = 0;
    let mut unit = 100_000;
    let mut rest = bytes;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        if unit == 0 {
            return None;
        }
        value += u32::from(digit - b'0') * unit;
        unit /= 10;
        rest = after;
    }
    if unit == 100_000 { None } else { Some((value, rest)) }
}

/// `±HH[:MM[:SS]]`, as seconds east of UTC.
#[inline]
pub(super) fn offset(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (negative, h1, h2, mut rest) = match bytes {
        [b'+', h1, h2, rest @ ..] => (false, h1, h2, rest),
        [b'-', h1, h2, rest @ ..] => (true, h1, h2, rest),
        _ => return None,
    };
    let [h1, h2] = digits([*h1, *h2])?;
    let mut seconds = i32::from(pair(h1, h2)) * 3_600;
    for unit in [60, 1] {
        let [b':', a, b, after @ ..] = rest else { break };
        let [a, b] = digits([*a, *b])?;
        let part = pair(a, b);
        if part > 59 {
            return None;
        }
        seconds += i32::from(part) * unit;
        rest = after;
    }
    Some((if negative { -seconds } else { seconds }, rest))
}

/// The end of a date: nothing, or ` BC`. Returns the astronomical year.
#[inline]
pub(super) fn era(year: i32, rest: &[u8]) -> Option<i32> {
    match rest {
        // There is no year 0 as printed.
        _ if year == 0 => None,
        [] => Some(year),
        b" BC" => Some(1 - year),
        _ => None,
    }
}

/// Appends `YYYY-MM-DD`; the era goes to the end of the value, by [`push_era`].
pub(super) fn push_day(year: i32, month: u8, day: u8, out: &mut Vec<u8>) {
    let shown = if year > 0 { i64::from(year) } else { 1 - i64::from(year) };
    push_padded(shown.unsigned_abs(), 4, out);
    out.push(b'-');
    push_padded(u64::from(month), 2, out);
    out.push(b'-');
    push_padded(u64::from(day), 2, out);
}

/// Appends ` BC` for years before 1.
pub(super) fn push_era(year: i32, out: &mut Vec<u8>) {
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

/// Appends `HH:MM:SS[.f]`, without zeros at the end of the fraction.
pub(super) fn push_time(time: Time, out: &mut Vec<u8>) {
    push_padded(u64::from(time.hour()), 2, out);
    out.push(b':');
    push_padded(u64::from(time.minute()), 2, out);
    out.push(b':');
    push_padded(u64::from(time.second()), 2, out);
    push_fraction(time.microsecond(), out);
}

/// Appends `.` and the fraction without zeros at its end; nothing for 0.
pub(super) fn push_fraction(microsecond: u32, out: &mut Vec<u8>) {
    if microsecond == 0 {
        return;
    }
    out.push(b'.');
    push_padded(u64::from(microsecond), 6, out);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Appends `±HH[:MM[:SS]]`.
pub(super) fn push_offset(offset: i32, out: &mut Vec<u8>) {
    out.push(if offset < 0 { b'-' } else { b'+' });
    let seconds = u64::from(offset.unsigned_abs());
    push_padded(seconds / 3_600, 2, out);
    if seconds % 3_600 != 0 {
        out.push(b':');
        push_padded(seconds / 60 % 60, 2, out);
    }
    if seconds % 60 != 0 {
        out.push(b':');
        push_padded(seconds % 60, 2, out);
    }
}
