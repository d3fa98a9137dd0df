//! Exact forms of every type, and what is refused and the text of the errors.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kecoa_types::civil::{
    CivilDate, CivilTimestampTz, Date, Interval, Time, TimeTz, Timestamp, TimestampTz,
};
use kecoa_types::{Json, Numeric, Uuid, binary, text};

/// Text and binary form of a value, both ways.
macro_rules! sample {
    ($module:ident, $value:expr, $text:expr, $binary:expr) => {{
        let value = $value;
        let mut out = Vec::new();
        text::$module::encode(&value, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), $text, "text of {value:?}");
        assert_eq!(text::$module::decode($text.as_bytes()).unwrap(), value, "from {:?}", $text);
        let mut out = Vec::new();
        binary::$module::encode(&value, &mut out);
        assert_eq!(&out[..], &$binary[..], "binary of {value:?}");
        assert_eq!(binary::$module::decode(&$binary[..]).unwrap(), value, "from {:?}", $binary);
    }};
}

/// Texts that are refused.
macro_rules! refused {
    ($module:ident: $($text:expr),* $(,)?) => {
        $(
            let text = $text;
            let bytes: &[u8] = text.as_ref();
            let found = text::$module::decode(bytes);
            assert!(found.is_err(), "{:?} gave {found:?}", String::from_utf8_lossy(bytes));
        )*
    };
}

fn time(hour: u8, minute: u8, second: u8, microsecond: u32) -> Time {
    Time::new(hour, minute, second, microsecond).unwrap()
}

#[test]
fn booleans() {
    sample!(bool, true, "t", [1]);
    sample!(bool, false, "f", [0]);
    assert_eq!(text::bool::decode(b"true"), Ok(true));
    refused!(bool: "", "T", "tru", "1");
    assert!(binary::bool::decode(&[2]).is_err());
}

#[test]
fn integers() {
    sample!(int2, -32768i16, "-32768", [0x80, 0]);
    sample!(int4, 2147483647i32, "2147483647", [0x7f, 0xff, 0xff, 0xff]);
    sample!(int8, i64::MIN, "-9223372036854775808", [0x80, 0, 0, 0, 0, 0, 0, 0]);
    sample!(int8, 0i64, "0", [0; 8]);
    sample!(oid, u32::MAX, "4294967295", [0xff; 4]);
    assert_eq!(text::int8::decode(b"00000000000000000000000042"), Ok(42));
    refused!(int2: "32768", "-32769", "", "-", "+", "1 ", " 1", "1.0", "--1", "0x1", "1_000");
    refused!(int4: "2147483648", "-2147483649");
    refused!(int8: "9223372036854775808", "-9223372036854775809", "99999999999999999999999");
    refused!(oid: "-1", "4294967296", "+1");
    assert!(binary::int4::decode(&[0; 3]).is_err());
    assert!(binary::int4::decode(&[0; 5]).is_err());
}

#[test]
fn floats() {
    sample!(float8, 1.5f64, "1.5", [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
    sample!(float8, -0.0f64, "-0", [0x80, 0, 0, 0, 0, 0, 0, 0]);
    sample!(float8, 1e15f64, "1e+15", 1e15f64.to_be_bytes());
    sample!(float8, 123456789012345.0f64, "123456789012345", 123456789012345f64.to_be_bytes());
    sample!(float8, 0.0001f64, "0.0001", 0.0001f64.to_be_bytes());
    sample!(float8, 1.25e-5f64, "1.25e-05", 1.25e-5f64.to_be_bytes());
    sample!(float8, 5e-324f64, "5e-324", [0, 0, 0, 0, 0, 0, 0, 1]);
    sample!(float8, f64::INFINITY, "Infinity", f64::INFINITY.to_be_bytes());
    sample!(float8, f64::NEG_INFINITY, "-Infinity", f64::NEG_INFINITY.to_be_bytes());
    sample!(float4, 1e6f32, "1e+06", 1e6f32.to_be_bytes());
    sample!(float4, 999999f32, "999999", 999999f32.to_be_bytes());
    // Halfway between two shortest forms: the even one.
    sample!(float4, 208_832.13_f32, "208832.12", 208_832.13_f32.to_be_bytes());
    sample!(float4, 0.1f32, "0.1", 0.1f32.to_be_bytes());
    assert!(text::float8::decode(b"NaN").unwrap().is_nan());
    refused!(float8: "", ".", "nan", "inf", "infinity", "1e400", "0x1p3", "1,5", " 1");
    refused!(float4: "1e39");
}

#[test]
fn numerics() {
    let numeric = |text: &str| text.parse::<Numeric>().unwrap();
    sample!(numeric, Numeric::ZERO, "0", [0; 8]);
    sample!(numeric, numeric("0.00"), "0.00", [0, 0, 0, 0, 0, 0, 0, 2]);
    sample!(
        numeric,
        numeric("12345.678"),
        "12345.678",
        [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]
    );
    sample!(
        numeric,
        numeric("-0.00012"),
        "-0.00012",
        [0, 2, 0xff, 0xff, 0x40, 0, 0, 5, 0, 1, 0x07, 0xd0]
    );
    sample!(numeric, numeric("10000"), "10000", [0, 1, 0, 1, 0, 0, 0, 0, 0, 1]);
    sample!(numeric, Numeric::NAN, "NaN", [0, 0, 0, 0, 0xc0, 0, 0, 0]);
    sample!(numeric, Numeric::INFINITY, "Infinity", [0, 0, 0, 0, 0xd0, 0, 0, 0x20]);
    sample!(numeric, Numeric::NEG_INFINITY, "-Infinity", [0, 0, 0, 0, 0xf0, 0, 0, 0x20]);
    for (from, to) in [
        ("+1", "1"),
        ("-0", "0"),
        ("007", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1.25E+1", "12.5"),
        ("1.25e-3", "0.00125"),
        ("0e-3", "0.000"),
        ("0.0e5", "0"),
        ("123456e-2", "1234.56"),
        ("-1e-10", "-0.0000000001"),
    ] {
        assert_eq!(numeric(from).to_string(), to, "from {from}");
    }
    assert_eq!(Numeric::from(i64::MIN).to_string(), "-9223372036854775808");
    assert_eq!(Numeric::from(100_000_000i64), numeric("100000000"));
    assert_eq!(Numeric::from(0i64), Numeric::ZERO);
    refused!(numeric: "", "-", ".", "e5", "1e", "1e+", "nan", "1 ", "1..2", "--1", "1e1e1");
}

#[test]
fn numerics_at_the_limits() {
    let longest = "9".repeat(131_072);
    assert_eq!(longest.parse::<Numeric>().unwrap().to_string(), longest);
    let finest = format!("0.{}1", "0".repeat(16_382));
    assert_eq!(finest.parse::<Numeric>().unwrap().to_string(), finest);
    assert_eq!("1e131071".parse::<Numeric>().unwrap().to_string().len(), 131_072);
    refused!(
        numeric:
        "1e131072",
        "1e-16384",
        "1e999999999999999999999",
        "1e9223372036854775807",
        "1e-9223372036854775808",
        "9".repeat(131_073),
        format!("0.{}", "0".repeat(16_384)),
    );
}

#[test]
fn binary_numerics_are_checked_and_made_normal() {
    let decode = |words: &[u16]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        binary::numeric::decode(&bytes)
    };
    // Zero groups at both ends, and a minus zero.
    assert_eq!(decode(&[3, 2, 0, 0, 0, 7, 0]).unwrap().to_string(), "70000");
    assert_eq!(decode(&[1, 0, 0x4000, 1, 0]).unwrap().to_string(), "0.0");
    // Digits beyond the scale are cut off.
    assert_eq!(decode(&[2, 0, 0, 1, 1, 9_999]).unwrap().to_string(), "1.9");
    assert_eq!(decode(&[1, 0xffff, 0, 0, 9_999]).unwrap().to_string(), "0");
    assert!(decode(&[1, 0, 0, 0, 10_000]).is_err());
    assert!(decode(&[1, 0, 0x1234, 0, 1]).is_err());
    assert!(decode(&[1, 0, 0, 16_384, 1]).is_err());
    assert!(decode(&[2, 0, 0, 0, 1]).is_err());
    assert!(decode(&[0xffff, 0, 0, 0]).is_err());
    assert!(decode(&[2, 0x8000, 0, 9, 0, 1]).is_ok_and(|zero| zero.to_string() == "0.000000000"));
    assert!(binary::numeric::decode(&[0; 9]).is_err());
}

#[test]
fn texts_and_bytes() {
    assert_eq!(text::text::decode("né".as_bytes()), Ok("né"));
    assert_eq!(
        text::varchar::decode(b"a\xff").unwrap_err().to_string(),
        "expected text in UTF-8, found \"a\u{fffd}\""
    );
    sample!(char, b'x', "x", *b"x");
    sample!(char, 0, "", [0]);
    sample!(char, 0xff, "\\377", [0xff]);
    refused!(char: "xy", "\\400", "\\38");
    sample!(bytea, vec![0u8, 0xab, b'\\'], "\\x00ab5c", [0, 0xab, b'\\']);
    sample!(bytea, Vec::<u8>::new(), "\\x", b"");
    assert_eq!(text::bytea::decode(br"\xABcd").unwrap(), [0xab, 0xcd]);
    assert_eq!(text::bytea::decode(br"a\\b\000\377'").unwrap(), b"a\\b\0\xff'");
    assert_eq!(text::bytea::decode(b"").unwrap(), b"");
    refused!(bytea: r"\x0", r"\x0g", r"\", r"\1", r"\400", r"\x 00", r"a\");
}

#[test]
fn dates() {
    let day = |y, m, d| Date::new(y, m, d).unwrap();
    sample!(date, day(2000, 1, 1), "2000-01-01", [0, 0, 0, 0]);
    sample!(date, day(1999, 12, 31), "1999-12-31", [0xff, 0xff, 0xff, 0xff]);
    sample!(date, day(2024, 2, 29), "2024-02-29", 8825i32.to_be_bytes());
    sample!(date, day(1, 1, 1), "0001-01-01", (-730_119i32).to_be_bytes());
    sample!(date, day(0, 2, 29), "0001-02-29 BC", (-730_426i32).to_be_bytes());
    sample!(date, Date::Finite(CivilDate::MIN), "4714-11-24 BC", (-2_451_545i32).to_be_bytes());
    sample!(date, Date::Finite(CivilDate::MAX), "5874897-12-31", 2_145_031_948i32.to_be_bytes());
    sample!(date, Date::Infinity, "infinity", i32::MAX.to_be_bytes());
    sample!(date, Date::NegInfinity, "-infinity", i32::MIN.to_be_bytes());
    assert!(Date::NegInfinity < day(-4713, 11, 24) && day(5_874_897, 12, 31) < Date::Infinity);
    refused!(
        date: "", "2024", "2024-13", "2024-13-01", "2024-00-01", "2024-01-00", "2023-02-29",
        "1900-02-29", "2024-04-31", "0000-01-01", "4714-11-23 BC", "5874898-01-01", "2024-1-01",
        "2024-01-01 AD", "2024-01-01 ", "01/02/2024", "01.02.2024", "01-02-2024", "02024-01-0",
        "99999999-01-01", "-2024-01-01", "+2024-01-01", "2o24-01-01",
    );
    assert!(binary::date::decode(&(-2_451_546i32).to_be_bytes()).is_err());
    assert!(binary::date::decode(&2_145_031_949i32.to_be_bytes()).is_err());
}

#[test]
fn times() {
    sample!(time, time(4, 5, 6, 789_000), "04:05:06.789", 14_706_789_000i64.to_be_bytes());
    sample!(time, Time::MIDNIGHT, "00:00:00", [0; 8]);
    sample!(time, Time::END_OF_DAY, "24:00:00", 86_400_000_000i64.to_be_bytes());
    sample!(time, time(23, 59, 59, 999_999), "23:59:59.999999", 86_399_999_999i64.to_be_bytes());
    refused!(
        time: "", "04:05", "4:05:06", "24:00:00.000001", "24:00:01", "24:01:00", "25:00:00",
        "00:60:00", "00:00:60", "00:00:00.", "00:00:00.1234567", "00:00:00+00", "00-00-00",
    );
    assert!(binary::time::decode(&86_400_000_001i64.to_be_bytes()).is_err());
    assert!(binary::time::decode(&(-1i64).to_be_bytes()).is_err());
    let timetz = |time, offset| TimeTz::new(time, offset).unwrap();
    let bytes = |us: i64, west: i32| [&us.to_be_bytes()[..], &west.to_be_bytes()[..]].concat();
    sample!(
        timetz,
        timetz(time(1, 2, 3, 0), 19_800),
        "01:02:03+05:30",
        bytes(3_723_000_000, -19_800)
    );
    sample!(
        timetz,
        timetz(time(1, 2, 3, 4), -18_000),
        "01:02:03.000004-05",
        bytes(3_723_000_004, 18_000)
    );
    sample!(
        timetz,
        timetz(Time::END_OF_DAY, 21_208),
        "24:00:00+05:53:28",
        bytes(86_400_000_000, -21_208)
    );
    assert_eq!(text::timetz::decode(b"12:00:00+00:00:00"), Ok(timetz(time(12, 0, 0, 0), 0)));
    refused!(timetz: "01:02:03", "01:02:03+", "01:02:03+5", "01:02:03+16", "01:02:03-05:60", "01:02:03+05:", "01:02:03+05:30:00:00", "01:02:03Z");
    assert!(binary::timetz::decode(&bytes(0, i32::MIN)).is_err());
    assert!(binary::timetz::decode(&[0; 11]).is_err());
}

#[test]
fn timestamps() {
    let at = |y, m, d, time| Timestamp::new(y, m, d, time).unwrap();
    sample!(timestamp, at(2000, 1, 1, Time::MIDNIGHT), "2000-01-01 00:00:00", [0; 8]);
    sample!(
        timestamp,
        at(1999, 12, 31, time(23, 59, 59, 999_999)),
        "1999-12-31 23:59:59.999999",
        [0xff; 8]
    );
    sample!(
        timestamp,
        at(-4713, 11, 24, Time::MIDNIGHT),
        "4714-11-24 00:00:00 BC",
        (-211_813_488_000_000_000i64).to_be_bytes()
    );
    sample!(
        timestamp,
        at(294_276, 12, 31, time(23, 59, 59, 999_999)),
        "294276-12-31 23:59:59.999999",
        9_223_371_331_199_999_999i64.to_be_bytes()
    );
    sample!(timestamp, Timestamp::Infinity, "infinity", i64::MAX.to_be_bytes());
    sample!(timestamp, Timestamp::NegInfinity, "-infinity", i64::MIN.to_be_bytes());
    refused!(
        timestamp: "", "2024-01-01", "2024-01-01 ", "2024-01-01 24:00:00", "2024-01-01T00:00:00",
        "2024-01-01 00:00:00+00", "4714-11-23 23:59:59 BC", "294277-01-01 00:00:00",
        "Mon Jan 01 00:00:00 2024", "01/01/2024 00:00:00", "2023-02-29 00:00:00",
    );
    for outside in [-211_813_488_000_000_001i64, 9_223_371_331_200_000_000] {
        assert!(binary::timestamp::decode(&outside.to_be_bytes()).is_err());
    }
}

#[test]
fn timestamps_with_time_zone() {
    let at = |y, m, d, time, offset| TimestampTz::new(y, m, d, time, offset).unwrap();
    sample!(timestamptz, at(2000, 1, 1, Time::MIDNIGHT, 0), "2000-01-01 00:00:00+00", [0; 8]);
    sample!(timestamptz, TimestampTz::Infinity, "infinity", i64::MAX.to_be_bytes());
    let text = |value: &TimestampTz| {
        let mut out = Vec::new();
        text::timestamptz::encode(value, &mut out);
        String::from_utf8(out).unwrap()
    };
    for (value, form) in [
        (at(2024, 2, 29, time(1, 2, 3, 456_000), -12_600), "2024-02-29 01:02:03.456-03:30"),
        (at(1850, 1, 1, Time::MIDNIGHT, 21_208), "1850-01-01 00:00:00+05:53:28"),
        (at(-43, 3, 15, time(12, 0, 0, 0), 2_996), "0044-03-15 12:00:00+00:49:56 BC"),
        // At an offset, what is outside the limits may be inside them at UTC.
        (at(294_277, 1, 1, time(13, 0, 0, 0), 50_400), "294277-01-01 13:00:00+14"),
        (at(-4713, 11, 23, time(23, 0, 0, 0), -3_600), "4714-11-23 23:00:00-01 BC"),
    ] {
        assert_eq!(text(&value), form);
        assert_eq!(text::timestamptz::decode(form.as_bytes()), Ok(value));
    }
    let at_offset = CivilTimestampTz::new(2000, 1, 1, time(5, 30, 0, 0), 19_800).unwrap();
    assert_eq!(at_offset.to_microseconds(), 0);
    let cockroach = text::timestamptz::decode(b"2024-02-29 01:02:03.456-03:30:00").unwrap();
    assert_eq!(text(&cockroach), "2024-02-29 01:02:03.456-03:30");
    refused!(
        timestamptz: "", "2024-01-01 00:00:00", "2024-01-01 00:00:00+16", "2024-01-01 00:00:00 UTC",
        "294276-12-31 23:00:00-02", "4714-11-24 00:00:00+01 BC", "2024-01-01 00:00:00+00 AD",
        "2024-01-01 00:00:00.+00", "2024-02-30 00:00:00+00",
    );
}

#[test]
fn date_styles_other_than_iso_are_refused_by_name() {
    let error = text::timestamptz::decode(b"Thu Feb 29 01:02:03 2024 UTC").unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a timestamp as YYYY-MM-DD HH:MM:SS[.ffffff]±HH[:MM[:SS]][ BC] (DateStyle ISO), \
         found \"Thu Feb 29 01:02:03 2024 UTC\""
    );
    assert_eq!(
        text::date::decode(b"2024-13").unwrap_err().to_string(),
        "expected a date as YYYY-MM-DD[ BC] (DateStyle ISO), found \"2024-13\""
    );
    assert_eq!(
        text::date::decode(b"2023-02-29").unwrap_err().to_string(),
        "expected a day that its month has, found \"2023-02-29\""
    );
}

#[test]
fn intervals() {
    let bytes = |i: Interval| {
        let (us, days) = (i.microseconds.to_be_bytes(), i.days.to_be_bytes());
        [&us[..], &days[..], &i.months.to_be_bytes()[..]].concat()
    };
    let us = 14_706_789_000;
    for (value, form) in [
        (Interval::default(), "00:00:00"),
        (Interval::new(14, -3, us), "1 year 2 mons -3 days +04:05:06.789"),
        (Interval::new(-14, 3, us), "-1 years -2 mons +3 days 04:05:06.789"),
        (Interval::new(0, 0, -100_000), "-00:00:00.1"),
        (Interval::new(0, 1, 0), "1 day"),
        (Interval::new(-1, 0, -us), "-1 mons -04:05:06.789"),
        (Interval::new(0, 0, i64::MIN), "-2562047788:00:54.775808"),
        (Interval::new(i32::MIN, i32::MIN, 0), "-178956970 years -8 mons -2147483648 days"),
        (Interval::INFINITY, "infinity"),
        (Interval::NEG_INFINITY, "-infinity"),
    ] {
        sample!(interval, value, form, bytes(value));
    }
    for (form, value) in [
        ("@ 1 year 2 mons -3 days 4 hours 5 mins 6.789 secs", Interval::new(14, -3, us)),
        ("@ 1 year 2 mons 3 days ago", Interval::new(-14, -3, 0)),
        ("@ 0.1 secs ago", Interval::new(0, 0, -100_000)),
        ("@ 0", Interval::default()),
        ("P1Y2M-3DT4H5M6.789S", Interval::new(14, -3, us)),
        ("PT-0.1S", Interval::new(0, 0, -100_000)),
        ("PT0S", Interval::default()),
        ("P2W", Interval::new(0, 14, 0)),
        ("+1-2 -3 +4:05:06.789", Interval::new(14, -3, us)),
        ("-1-2", Interval::new(-14, 0, 0)),
        ("-3 4:05:06.789", Interval::new(0, -3, -us)),
        ("-4:05:06.789", Interval::new(0, 0, -us)),
        ("0", Interval::default()),
    ] {
        assert_eq!(text::interval::decode(form.as_bytes()), Ok(value), "{form}");
    }
    refused!(
        interval: "", " ", "@", "@ ", "P", "1", "1 year 2", "1 fortnight", "year", "4:05", "4:60:00",
        "00:00:60", "00:00:00.1234567", "1 day 04:05:06 1 day", "PT", "P1", "P1YT1Y", "P1H",
        "2147483648 days", "2562047788:00:54.775808", "178956970 years 8 mons", "1 day ago ago",
        "99999999999999999999 days", "1-2-3", "--1 day",
    );
    assert!(binary::interval::decode(&[0; 15]).is_err());
    assert!(binary::interval::decode(&[0; 17]).is_err());
}

#[test]
fn uuids() {
    let uuid =
        Uuid::from_bytes(*b"\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11");
    let canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    sample!(uuid, uuid, canonical, *uuid.as_bytes());
    assert_eq!(uuid.to_string(), canonical);
    for form in [
        "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
        "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
    ] {
        assert_eq!(form.parse(), Ok(uuid), "{form}");
    }
    for form in [
        "",
        "{}",
        "{a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc999c0b4ef8bb6d6bb9bd380a11}",
        "a0eebc999c0b4ef8bb6d6bb9bd380a1",
        "a0eebc999c0b4ef8bb6d6bb9bd380a111",
        "a-0eebc999c0b4ef8bb6d6bb9bd380a11",
        "-a0eebc999c0b4ef8bb6d6bb9bd380a11",
        "a0eebc99--9c0b4ef8bb6d6bb9bd380a11",
        "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ] {
        assert!(form.parse::<Uuid>().is_err(), "{form}");
    }
}

#[test]
fn json() {
    sample!(json, Json::new("{\"a\": 1}"), "{\"a\": 1}", *b"{\"a\": 1}");
    sample!(jsonb, Json::new("{\"a\": 1}"), "{\"a\": 1}", *b"\x01{\"a\": 1}");
    assert!(binary::jsonb::decode(b"\x02{}").is_err());
    assert!(binary::jsonb::decode(b"").is_err());
    refused!(json: b"\xff");
}
