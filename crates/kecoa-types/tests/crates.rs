//! Types of other crates: what is sent comes back, in both forms, and what cannot be held is an error.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fmt::Debug;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use jiff::{Span, ToSpan as _};
use kecoa_types::{EncodeError, FromSql, IsNull, Json, Numeric, StaticOid, ToSql, Uuid, oid};
use proptest::prelude::*;
use rust_decimal::Decimal;
use time::macros::{date, datetime, time, utc_datetime};

fn sent(value: &dyn ToSql) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    assert_eq!(value.encode_binary(&mut out)?, IsNull::No);
    Ok(out)
}

/// Sends a value as a type, reads that type's text, which is `shown`, and reads the value from both forms.
fn both_ways<T, O>(value: T, shown: &str)
where
    T: ToSql + FromSql + StaticOid + PartialEq + Debug,
    O: FromSql + StaticOid + PartialEq + Debug,
{
    assert_eq!((T::OID, value.type_oid()), (O::OID, O::OID));
    let bytes = sent(&value).unwrap();
    let ours = O::decode_text(O::OID, shown.as_bytes()).unwrap();
    assert_eq!(O::decode_binary(O::OID, &bytes), Ok(ours), "{shown}");
    assert_eq!(T::decode_text(O::OID, shown.as_bytes()).as_ref(), Ok(&value));
    assert_eq!(T::decode_binary(O::OID, &bytes), Ok(value));
}

fn refused<T: FromSql + Debug>(oid: u32, text: &str, expected: &str) {
    let error = T::decode_text(oid, text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains(expected), "{text}: {error}");
}

const UUID: &str = "6f9619ff-8b86-d011-b42d-00c04fc964ff";

#[test]
fn uuids() {
    let theirs: uuid::Uuid = UUID.parse().unwrap();
    both_ways::<_, Uuid>(theirs, UUID);
    assert_eq!(uuid::Uuid::from(Uuid::from(theirs)), theirs);
    assert_eq!(format!("{:?}", Uuid::from(theirs)), UUID);
    assert_eq!(<Vec<uuid::Uuid> as StaticOid>::OID, oid::UUID_ARRAY);
    let array = vec![Some(theirs), None];
    let bytes = sent(&array).unwrap();
    assert_eq!(Vec::<Option<uuid::Uuid>>::decode_binary(oid::UUID_ARRAY, &bytes), Ok(array));
}

#[test]
fn json() {
    let text = r#"{"a":[1,2.5,"x",null]}"#;
    let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
    both_ways::<_, Json>(theirs.clone(), text);
    assert_eq!(serde_json::Value::decode_text(oid::JSON, text.as_bytes()), Ok(theirs));
    refused::<serde_json::Value>(oid::JSONB, "{", "expected JSON");
}

#[test]
fn decimals() {
    for shown in ["0", "-1.50", "79228162514264337593543950335", "0.0000000000000000000000000001"] {
        both_ways::<Decimal, Numeric>(Decimal::from_str_exact(shown).unwrap(), shown);
    }
    for shown in
        ["NaN", "Infinity", "79228162514264337593543950336", "0.00000000000000000000000000001"]
    {
        refused::<Decimal>(oid::NUMERIC, shown, "read the column as Numeric");
    }
}

#[test]
fn days() {
    for (year, shown) in [(2024, "2024-02-29"), (1, "0001-02-03"), (-43, "0044-03-15 BC")] {
        let (month, day) = if year == 2024 {
            (2, 29)
        } else if year == 1 {
            (2, 3)
        } else {
            (3, 15)
        };
        let chrono = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        both_ways::<_, kecoa_types::Date>(chrono, shown);
        let [month, day] = [month, day].map(|part| i8::try_from(part).unwrap());
        let jiff = jiff::civil::Date::new(i16::try_from(year).unwrap(), month, day).unwrap();
        both_ways::<_, kecoa_types::Date>(jiff, shown);
    }
    both_ways::<_, kecoa_types::Date>(date!(2024 - 02 - 29), "2024-02-29");
    for infinite in ["infinity", "-infinity"] {
        refused::<NaiveDate>(oid::DATE, infinite, "read the column as Date");
        refused::<jiff::civil::Date>(oid::DATE, infinite, "read the column as Date");
        refused::<time::Date>(oid::DATE, infinite, "read the column as Date");
    }
    refused::<NaiveDate>(oid::DATE, "300000-01-01", "found one of the year 300000");
    refused::<jiff::civil::Date>(oid::DATE, "10000-01-01", "found one of the year 10000");
    refused::<time::Date>(oid::DATE, "10000-01-01", "found one of the year 10000");
    assert!(matches!(sent(&NaiveDate::MIN), Err(EncodeError::Range(_))));
    assert!(matches!(sent(&jiff::civil::Date::MIN), Err(EncodeError::Range(_))));
}

#[test]
fn times() {
    let shown = "23:59:59.123456";
    both_ways::<_, kecoa_types::Time>(
        NaiveTime::from_hms_micro_opt(23, 59, 59, 123_456).unwrap(),
        shown,
    );
    both_ways::<_, kecoa_types::Time>(jiff::civil::time(23, 59, 59, 123_456_000), shown);
    both_ways::<_, kecoa_types::Time>(time!(23:59:59.123456), shown);
    refused::<NaiveTime>(oid::TIME, "24:00:00", "read the column as Time");
    refused::<jiff::civil::Time>(oid::TIME, "24:00:00", "read the column as Time");
    refused::<time::Time>(oid::TIME, "24:00:00", "read the column as Time");
    let leap = NaiveTime::from_hms_milli_opt(23, 59, 59, 1_000).unwrap();
    assert_eq!(sent(&leap), sent(&kecoa_types::Time::new(24, 0, 0, 0).unwrap()));
    assert!(sent(&NaiveTime::from_hms_milli_opt(23, 59, 59, 1_001).unwrap()).is_err());
}

#[test]
fn timestamps() {
    let shown = "1969-12-31 23:59:59.999999";
    let chrono: NaiveDateTime = "1969-12-31T23:59:59.999999".parse().unwrap();
    both_ways::<_, kecoa_types::Timestamp>(chrono, shown);
    let jiff: jiff::civil::DateTime = "1969-12-31T23:59:59.999999".parse().unwrap();
    both_ways::<_, kecoa_types::Timestamp>(jiff, shown);
    both_ways::<_, kecoa_types::Timestamp>(datetime!(1969-12-31 23:59:59.999999), shown);
    let zoned = "1969-12-31 23:59:59.999999+00";
    both_ways::<_, kecoa_types::TimestampTz>(chrono.and_utc(), zoned);
    both_ways::<DateTime<FixedOffset>, kecoa_types::TimestampTz>(chrono.and_utc().into(), zoned);
    both_ways::<jiff::Timestamp, kecoa_types::TimestampTz>(
        "1969-12-31T23:59:59.999999Z".parse().unwrap(),
        zoned,
    );
    both_ways::<_, kecoa_types::TimestampTz>(datetime!(1969-12-31 23:59:59.999999 UTC), zoned);
    both_ways::<_, kecoa_types::TimestampTz>(utc_datetime!(1969-12-31 23:59:59.999999), zoned);
    let local = chrono.and_utc().with_timezone(&chrono::Local);
    assert_eq!(sent(&local), sent(&chrono.and_utc()));
    let jiff = jiff::Timestamp::from_microsecond(-1).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    assert_eq!(sent(&jiff), sent(&chrono.and_utc()));
}

#[test]
fn offsets_of_the_text_form_are_kept() {
    let text = b"2024-01-02 03:04:05+05:30";
    let chrono = DateTime::<FixedOffset>::decode_text(oid::TIMESTAMPTZ, text).unwrap();
    assert_eq!(chrono.to_rfc3339(), "2024-01-02T03:04:05+05:30");
    let time = time::OffsetDateTime::decode_text(oid::TIMESTAMPTZ, text).unwrap();
    assert_eq!(time, datetime!(2024-01-02 03:04:05 +05:30));
    assert_eq!(time.offset().whole_minutes(), 330);
    assert_eq!(DateTime::<Utc>::decode_text(oid::TIMESTAMPTZ, text).unwrap(), chrono);
}

#[test]
fn timestamps_beyond_what_they_hold() {
    for (oid, suffix) in [(oid::TIMESTAMP, ""), (oid::TIMESTAMPTZ, "+00")] {
        let later = format!("270000-01-01 00:00:00{suffix}");
        for text in ["infinity", "-infinity", &later] {
            if oid == oid::TIMESTAMP {
                refused::<NaiveDateTime>(oid, text, "that chrono holds");
                refused::<jiff::civil::DateTime>(oid, text, "-9999 to 9999");
                refused::<time::PrimitiveDateTime>(oid, text, "-9999 to 9999");
            } else {
                refused::<DateTime<Utc>>(oid, text, "that chrono holds");
                refused::<DateTime<FixedOffset>>(oid, text, "that chrono holds");
                refused::<jiff::Timestamp>(oid, text, "-9999 to 9999");
                refused::<time::OffsetDateTime>(oid, text, "-9999 to 9999");
                refused::<time::UtcDateTime>(oid, text, "-9999 to 9999");
            }
        }
    }
    for found in [
        sent(&NaiveDateTime::MIN),
        sent(&DateTime::<Utc>::MIN_UTC),
        sent(&jiff::civil::DateTime::MIN),
        sent(&jiff::Timestamp::MIN),
        sent(&datetime!(-9999-01-01 0:00)),
        sent(&datetime!(-9999-01-01 0:00 UTC)),
    ] {
        assert!(found.is_err());
    }
}

#[test]
fn what_is_finer_than_a_microsecond_is_cut_off() {
    let before =
        kecoa_types::Timestamp::decode_text(oid::TIMESTAMP, b"1969-12-31 23:59:59.123456").unwrap();
    let before = sent(&before);
    let chrono: NaiveDateTime = "1969-12-31T23:59:59.123456789".parse().unwrap();
    assert_eq!(sent(&chrono), before);
    assert_eq!(sent(&chrono.and_utc()), before);
    assert_eq!(sent(&datetime!(1969-12-31 23:59:59.123456789)), before);
    let jiff: jiff::civil::DateTime = "1969-12-31T23:59:59.123456789".parse().unwrap();
    assert_eq!(sent(&jiff), before);
    let jiff: jiff::Timestamp = "1969-12-31T23:59:59.123456789Z".parse().unwrap();
    assert_eq!(sent(&jiff), before);
}

#[test]
fn spans() {
    let span = 1
        .year()
        .months(2)
        .weeks(1)
        .days(3)
        .hours(4)
        .minutes(5)
        .seconds(6)
        .milliseconds(7)
        .microseconds(8);
    let bytes = sent(&span).unwrap();
    let ours = kecoa_types::Interval::new(14, 10, 14_706_007_008);
    assert_eq!(kecoa_types::Interval::decode_binary(oid::INTERVAL, &bytes), Ok(ours));
    let back = Span::decode_binary(oid::INTERVAL, &bytes).unwrap();
    assert_eq!(back.fieldwise(), 14.months().days(10).microseconds(14_706_007_008_i64).fieldwise());
    assert_eq!(
        sent(&-span).unwrap(),
        sent(&kecoa_types::Interval::new(-14, -10, -14_706_007_008)).unwrap()
    );
    refused::<Span>(oid::INTERVAL, "infinity", "read the column as Interval");
    // jiff's have one sign.
    refused::<Span>(oid::INTERVAL, "1 mon -3 days", "read the column as Interval");
}

proptest! {
    #[test]
    fn any_instant(microseconds in -210_000_000_000_000_000_i64..250_000_000_000_000_000) {
        let ours = kecoa_types::civil::CivilTimestampTz::from_microseconds(microseconds).unwrap();
        let bytes = sent(&ours).unwrap();
        let chrono = DateTime::<Utc>::decode_binary(oid::TIMESTAMPTZ, &bytes).unwrap();
        prop_assert_eq!(sent(&chrono).unwrap(), &bytes[..]);
        prop_assert_eq!(chrono.timestamp_micros(), microseconds + 946_684_800_000_000);
        let naive = NaiveDateTime::decode_binary(oid::TIMESTAMP, &bytes).unwrap();
        prop_assert_eq!(naive.and_utc(), chrono);
        if let Ok(jiff) = jiff::Timestamp::decode_binary(oid::TIMESTAMPTZ, &bytes) {
            prop_assert_eq!(jiff.as_microsecond(), chrono.timestamp_micros());
            prop_assert_eq!(sent(&jiff).unwrap(), &bytes[..]);
        }
        if let Ok(time) = time::UtcDateTime::decode_binary(oid::TIMESTAMPTZ, &bytes) {
            prop_assert_eq!(time.unix_timestamp_nanos(), i128::from(chrono.timestamp_micros()) * 1_000);
            prop_assert_eq!(sent(&time).unwrap(), &bytes[..]);
        }
    }

    #[test]
    fn any_decimal(mantissa in -(1_i128 << 96) + 1..1_i128 << 96, scale in 0_u32..=28) {
        let theirs = Decimal::from_i128_with_scale(mantissa, scale);
        let bytes = sent(&theirs).unwrap();
        let back = Decimal::decode_binary(oid::NUMERIC, &bytes).unwrap();
        prop_assert_eq!((back, back.scale()), (theirs, scale));
    }

    #[test]
    fn any_span(months in 0..100_000_i64, days in 0..2_000_000_i64, nanoseconds: i32) {
        let span = Span::new().months(months).days(days).nanoseconds(i64::from(nanoseconds).abs());
        let back = Span::decode_binary(oid::INTERVAL, &sent(&span).unwrap()).unwrap();
        prop_assert_eq!(back.get_months(), i32::try_from(months).unwrap());
        prop_assert_eq!(back.get_microseconds(), i64::from(nanoseconds).abs() / 1_000);
    }
}
