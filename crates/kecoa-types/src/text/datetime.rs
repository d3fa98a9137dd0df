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

/// Eight bytes in a layout such as `0000-00-`: the values of the digits where it has `0`, and zeros
/// where the bytes are its own. `None` if they are not in that layout.
#[inline]
fn in_layout(ascii: [u8; 8], layout: [u8; 8]) -> Option<[u8; 8]> {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // What takes a byte past 0x7f if it is above 9 where a digit stands, and above 0 elsewhere.
    let excess = layout.map(|byte| if byte == b'0' { 0x7f - 9 } else { 0x7f });
    let values = u64::from_le_bytes(ascii) ^ u64::from_le_bytes(layout);
    let sums = values.wrapping_add(u64::from_le_bytes(excess));
    if (sums | values) & HIGH_BITS == 0 { Some(values.to_le_bytes()) } else { None }
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
    if let Some((front, [d1, d2, rest @ ..])) = bytes.split_first_chunk::<8>()
        && let Some([y1, y2, y3, y4, _, m1, m2, _]) = in_layout(*front, *b"0000-00-")
        && let Some([d1, d2]) = digits([*d1, *d2])
    {
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

/// A time of the day as printed, its parts not yet checked.
pub(super) struct Clock {
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    pub(super) microsecond: u32,
}

/// `HH:MM:SS[.f]` with one to six digits of fraction.
#[inline]
pub(super) fn clock(bytes: &[u8]) -> Option<(Clock, &[u8])> {
    let (front, rest) = bytes.split_first_chunk::<8>()?;
    let [h1, h2, _, m1, m2, _, s1, s2] = in_layout(*front, *b"00:00:00")?;
    let (microsecond, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        _ => (0, rest),
    };
    let (hour, minute, second) = (pair(h1, h2), pair(m1, m2), pair(s1, s2));
    Some((Clock { hour, minute, second, microsecond }, rest))
}

/// As [`clock`], checked.
#[inline]
pub(super) fn time(bytes: &[u8]) -> Option<(Result<Time, RangeError>, &[u8])> {
    let (Clock { hour, minute, second, microsecond }, rest) = clock(bytes)?;
    Some((Time::new(hour, minute, second, microsecond), rest))
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
