//! The fields of dates and times as they are written, for readers with rules of their own.
//!
//! The codecs of this crate take what servers print and check it against PostgreSQL's limits.
//! Python's drivers take more: numbers of any width, a leap second, anything after the value. These
//! functions only split the fields off the front of a text; each is a number of one to nine digits,
//! and none is checked against a calendar or a clock. What servers print takes the same path as in
//! the codecs.

use super::datetime;

/// A date as it is written: the year without its era.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateFields {
    /// The year; `BC` after it is left to the reader.
    pub year: i32,
    /// The month.
    pub month: i32,
    /// The day of the month.
    pub day: i32,
}

/// A time of the day as it is written, and the offset from UTC after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeFields {
    /// The hour.
    pub hour: i32,
    /// The minute.
    pub minute: i32,
    /// The second.
    pub second: i32,
    /// The fraction of the second, in microseconds; what is shorter is cut off.
    pub microsecond: i32,
    /// Seconds east of UTC, if an offset is written.
    pub offset: Option<i32>,
}

/// Splits a date, `year-month-day`, off the front: its fields and what follows. `None` if there is
/// none.
#[inline]
#[must_use]
pub fn date(bytes: &[u8]) -> Option<(DateFields, &[u8])> {
    if let Some(datetime::Day { year, month, day, rest }) = datetime::day(bytes)
        && !starts_with_digit(rest)
    {
        return Some((DateFields { year, month: month.into(), day: day.into() }, rest));
    }
    any_date(bytes)
}

/// Splits a time, `hour:minute:second[.fraction][±hours[:minutes[:seconds]]]`, off the front: its
/// fields and what follows. `None` if there is none, or a part of it is no number.
#[inline]
#[must_use]
pub fn time(bytes: &[u8]) -> Option<(TimeFields, &[u8])> {
    let (mut fields, rest) = match datetime::clock(bytes) {
        Some((clock, rest)) if !starts_with_digit(rest) => (
            TimeFields {
                hour: clock.hour.into(),
                minute: clock.minute.into(),
                second: clock.second.into(),
                microsecond: i32::try_from(clock.microsecond).ok()?,
                offset: None,
            },
            rest,
        ),
        _ => any_time(bytes)?,
    };
    if !matches!(rest, [b'+' | b'-', ..]) {
        return Some((fields, rest));
    }
    let (offset, rest) = match datetime::offset(rest) {
        Some((offset, rest)) if !starts_with_digit(rest) && rest.first() != Some(&b':') => {
            (offset, rest)
        }
        _ => any_offset(rest)?,
    };
    fields.offset = Some(offset);
    Some((fields, rest))
}

#[inline]
fn starts_with_digit(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b'0'..=b'9'))
}

#[cold]
fn any_date(bytes: &[u8]) -> Option<(DateFields, &[u8])> {
    let (year, rest) = number(bytes)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?)?;
    Some((DateFields { year, month, day }, rest))
}

#[cold]
fn any_time(bytes: &[u8]) -> Option<(TimeFields, &[u8])> {
    let (hour, rest) = number(bytes)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?)?;
    let (second, rest) = number(rest.strip_prefix(b":")?)?;
    let mut fields = TimeFields { hour, minute, second, microsecond: 0, offset: None };
    let Some(fraction) = rest.strip_prefix(b".") else { return Some((fields, rest)) };
    let (value, rest) = number(fraction)?;
    let places = fraction.len() - rest.len();
    let scale = |exponent: usize| 10i32.pow(u32::try_from(exponent).unwrap_or(0));
    fields.microsecond =
        if places > 6 { value / scale(places - 6) } else { value * scale(6 - places) };
    Some((fields, rest))
}

#[cold]
fn any_offset(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = bytes.split_first()?;
    let (hours, mut rest) = number(rest)?;
    let mut offset = hours.checked_mul(3_600)?;
    for unit in [60, 1] {
        let Some(more) = rest.strip_prefix(b":") else { break };
        let (value, after) = number(more)?;
        offset = offset.checked_add(value.checked_mul(unit)?)?;
        rest = after;
    }
    Some((if *sign == b'-' { -offset } else { offset }, rest))
}

/// A number of one to nine digits and what follows it.
fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let count = bytes.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
    let value = digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_any_width() {
        let fields = |year, month, day| DateFields { year, month, day };
        for (text, expected, rest) in [
            ("2024-02-29 10:00", fields(2024, 2, 29), " 10:00"),
            ("2024-02-29", fields(2024, 2, 29), ""),
            ("12024-2-29 BC", fields(12_024, 2, 29), " BC"),
            ("24-12-1", fields(24, 12, 1), ""),
            ("2024-12-123x", fields(2024, 12, 123), "x"),
            ("123456789-99-99", fields(123_456_789, 99, 99), ""),
        ] {
            assert_eq!(date(text.as_bytes()), Some((expected, rest.as_bytes())), "{text}");
        }
        for text in ["", "infinity", "2024", "2024-02", "2024-02-", "-2024-02-01", "2024/02/01"] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
        // A tenth digit is what follows, and no hyphen.
        assert_eq!(date(b"1234567890-01-01"), None);
    }

    #[test]
    fn times_of_any_width() {
        let fields = |hour, minute, second, microsecond, offset| TimeFields {
            hour,
            minute,
            second,
            microsecond,
            offset,
        };
        for (text, expected, rest) in [
            ("10:11:12.5-03:30:15 BC", fields(10, 11, 12, 500_000, Some(-12_615)), " BC"),
            ("10:11:12", fields(10, 11, 12, 0, None), ""),
            ("23:59:60.000001+00", fields(23, 59, 60, 1, Some(0)), ""),
            ("24:00:00", fields(24, 0, 0, 0, None), ""),
            ("1:2:3.1234567890", fields(1, 2, 3, 123_456, None), "0"),
            ("01:02:03.1234567", fields(1, 2, 3, 123_456, None), ""),
            ("01:02:123", fields(1, 2, 123, 0, None), ""),
            ("01:02:03+5", fields(1, 2, 3, 0, Some(18_000)), ""),
            ("01:02:03+0530", fields(1, 2, 3, 0, Some(1_908_000)), ""),
            ("01:02:03+05:3", fields(1, 2, 3, 0, Some(18_180)), ""),
            ("01:02:03+05:99", fields(1, 2, 3, 0, Some(23_940)), ""),
            ("01:02:03-05:30:15:", fields(1, 2, 3, 0, Some(-19_815)), ":"),
        ] {
            assert_eq!(time(text.as_bytes()), Some((expected, rest.as_bytes())), "{text}");
        }
        for text in ["", "10", "10:11", "10:11:", "10:11:12.", "10:11:12+", "10:11:12+05:"] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
        assert_eq!(time(b"10:11:12+999999999"), None);
    }
}
