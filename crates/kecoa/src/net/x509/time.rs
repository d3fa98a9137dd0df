//! Points in time, as certificates and lists have them.
//!
//! Source: RFC 5280, section 4.1.2.5. `x509-cert`'s own type knows nothing before 1970, from when
//! there are certificates by their `notBefore`.

use x509_cert::der::DateTime;

use super::reading::{Element, GENERALIZED_TIME, Result, UTC_TIME, Unreadable};

/// The calendar repeats itself after 400 years, and so after 2000.
const REPEATS: (u16, i64) = (2_000, 5 * 146_097 * 86_400);

/// An element that is a point in time, in seconds since 1970.
pub(super) fn time(element: Element<'_>) -> Result<i64> {
    seconds(element.tag, element.contents).ok_or(Unreadable)
}

/// Seconds since 1970 of a UTCTime `YYMMDDHHMMSSZ` or a GeneralizedTime `YYYYMMDDHHMMSSZ`.
fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    };
    let (year, rest) = text.split_at_checked(digits)?;
    let year: u16 = year.parse().ok()?;
    let year = match (tag, year) {
        (UTC_TIME, 0..50) => 2_000 + year,
        (UTC_TIME, _) => 1_900 + year,
        _ => year,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let rest = [part(0)?, part(2)?, part(4)?, part(6)?, part(8)?];
    let [month, day, hour, minute, second] = rest;
    if text.len() != digits + 10 {
        return None;
    }
    let (later, earlier) = if year < 1_970 { REPEATS } else { (0, 0) };
    // As OpenSSL: not even a leap second.
    let time = DateTime::new(year + later, month, day, hour, minute, second).ok()?;
    Some(i64::try_from(time.unix_duration().as_secs()).ok()? - earlier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_seconds() {
        let utc = |text: &str| seconds(UTC_TIME, text.as_bytes());
        let general = |text: &str| seconds(GENERALIZED_TIME, text.as_bytes());
        assert_eq!(utc("700101000000Z"), Some(0));
        assert_eq!(utc("240229123456Z"), Some(1_709_210_096));
        assert_eq!(general("20500101000000Z"), Some(2_524_608_000));
        assert_eq!(utc("491231235959Z"), Some(2_524_607_999));
        for wrong in [
            "2402291234Z",
            "240229123456",
            "24022912345xZ",
            "241329123456Z",
            "240230000000Z",
            "230229000000Z",
            "240431000000Z",
            "240101240000Z",
            "240101006000Z",
            "161231235960Z",
        ] {
            assert_eq!(utc(wrong), None, "{wrong}");
        }
        assert_eq!(general("21000229000000Z"), None);
        assert!(general("20000229000000Z").is_some());
    }

    #[test]
    fn counts_back_from_1970() {
        assert_eq!(seconds(UTC_TIME, b"691231235959Z"), Some(-1));
        assert_eq!(seconds(UTC_TIME, b"500101000000Z"), Some(-631_152_000));
        let general = |text: &[u8]| seconds(GENERALIZED_TIME, text);
        assert_eq!(general(b"19500101000000Z"), Some(-631_152_000));
        assert_eq!(general(b"00000101000000Z"), Some(-62_167_219_200));
        assert_eq!(general(b"19000229000000Z"), None);
        assert_eq!(general(b"99991231235959Z"), Some(253_402_300_799));
    }
}
