//! Intervals in text form, taken apart as psycopg2 does.

/// Days, seconds and microseconds, not yet normalised.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) days: i64,
    pub(super) seconds: i64,
    pub(super) micros: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum IntervalError {
    TooBig,
    Iso8601,
    Malformed,
}

/// A component that psycopg2 still takes.
fn component(data: &[u8]) -> Result<(i64, &[u8]), IntervalError> {
    let count = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return Err(IntervalError::Malformed);
    }
    let (number, rest) = data.split_at_checked(count).ok_or(IntervalError::Malformed)?;
    let value = number
        .iter()
        .fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if value > i64::from(i32::MAX) { Err(IntervalError::TooBig) } else { Ok((value, rest)) }
}

/// `intervalstyle = postgres`: `[n years] [n mons] [n days] [[-]HH:MM:SS[.ffffff]]`; a year is 365
/// days and a month 30, as in psycopg2.
pub(super) fn parse_interval(data: &[u8]) -> Result<Interval, IntervalError> {
    if data.first() == Some(&b'P') || data.starts_with(b"-P") {
        return Err(IntervalError::Iso8601);
    }
    let mut interval = Interval::default();
    let mut rest = data.trim_ascii();
    // `@ 5 mins` is no time in months, which psycopg2 takes it for: it is the verbose style's.
    if rest.is_empty() || rest.starts_with(b"@") {
        return Err(IntervalError::Malformed);
    }
    while !rest.is_empty() {
        let (sign, unsigned) = match rest {
            [b'-', tail @ ..] => (-1, tail),
            [b'+', tail @ ..] => (1, tail),
            _ => (1, rest),
        };
        let (value, after) = component(unsigned)?;
        if let [b':', after @ ..] = after {
            let (minutes, after) = component(after)?;
            let (mut seconds, mut tail) = (0, after);
            if let [b':', after @ ..] = after {
                (seconds, tail) = component(after)?;
            }
            if let [b'.', fraction @ ..] = tail {
                // More digits than psycopg2 takes are an error there too.
                let (_, after) = component(fraction)?;
                let count = fraction.len() - after.len();
                let mut micros = 0;
                for index in 0..6 {
                    let digit = fraction.get(index).filter(|_| index < count).unwrap_or(&b'0');
                    micros = micros * 10 + i64::from(digit - b'0');
                }
                interval.micros = sign * micros;
                tail = fraction.get(count..).unwrap_or_default();
            }
            interval.seconds = sign * (value * 3600 + minutes * 60 + seconds);
            rest = tail.trim_ascii_start();
            continue;
        }
        let after = after.trim_ascii_start();
        let word = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let days = match after.first() {
            Some(b'y') => 365,
            Some(b'm') => 30,
            Some(b'd') => 1,
            _ => return Err(IntervalError::Malformed),
        };
        interval.days += sign * value * days;
        rest = after.get(word..).unwrap_or_default().trim_ascii_start();
    }
    Ok(interval)
}

/// `intervalstyle = sql_standard` or `postgres_verbose`.
pub(super) fn other_style(data: &[u8]) -> Option<Interval> {
    let read = kecoa_types::text::interval::decode(data).ok()?;
    Some(Interval {
        days: i64::from(read.months / 12) * 365
            + i64::from(read.months % 12) * 30
            + i64::from(read.days),
        seconds: read.microseconds / 1_000_000,
        micros: read.microseconds % 1_000_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_intervals() {
        let parse = |text: &str| parse_interval(text.as_bytes());
        let interval = |days, seconds, micros| Ok(Interval { days, seconds, micros });
        assert_eq!(parse("1 year 2 mons 3 days 04:05:06.789"), interval(428, 14706, 789_000));
        assert_eq!(parse("-1 years -2 mons +3 days -04:05:06.1"), interval(-422, -14706, -100_000));
        assert_eq!(parse("00:00:00"), interval(0, 0, 0));
        assert_eq!(parse("1 mon"), interval(30, 0, 0));
        assert_eq!(parse("99999999999 days"), Err(IntervalError::TooBig));
        assert_eq!(parse("00:00:00.100000000000000000"), Err(IntervalError::TooBig));
        assert_eq!(parse("P1Y"), Err(IntervalError::Iso8601));
        assert_eq!(parse("soon"), Err(IntervalError::Malformed));
        assert_eq!(parse(""), Err(IntervalError::Malformed));
    }
}
