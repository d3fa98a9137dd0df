//! What the property tests and the test against a server share: values of every type.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a module of several test binaries, each of which uses a part of it"
)]

use kecoa_types::array::{self, Array, Dimension};
use kecoa_types::civil::{
    CivilDate, CivilTimestamp, Date, Interval, Time, TimeTz, Timestamp, TimestampTz,
};
use kecoa_types::{DecodeError, Json, Numeric, Uuid, binary, oid, text};
use proptest::prelude::*;

/// A type: its values, its codecs, and how a server names and sends it.
pub struct Codec<T> {
    pub sql: &'static str,
    pub send: &'static str,
    pub oid: u32,
    pub values: BoxedStrategy<T>,
    pub text_encode: fn(&T, &mut Vec<u8>),
    pub text_decode: fn(&[u8]) -> Result<T, DecodeError>,
    pub binary_encode: fn(&T, &mut Vec<u8>),
    pub binary_decode: fn(&[u8]) -> Result<T, DecodeError>,
    /// Equal in the text form.
    pub same: fn(&T, &T) -> bool,
    /// Equal in the binary form, which may keep less.
    pub same_binary: fn(&T, &T) -> bool,
}

impl<T> Codec<T> {
    pub fn text(&self, value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        (self.text_encode)(value, &mut out);
        out
    }

    pub fn binary(&self, value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        (self.binary_encode)(value, &mut out);
        out
    }

    pub fn array_text(&self, value: &Array<T>) -> Vec<u8> {
        let mut out = Vec::new();
        array::text::encode(value, b',', &mut out, self.text_encode);
        out
    }

    pub fn array_binary(&self, value: &Array<T>) -> Vec<u8> {
        let mut out = Vec::new();
        array::binary::encode(value, self.oid, &mut out, |element, out| {
            (self.binary_encode)(element, out);
            Ok(())
        })
        .unwrap();
        out
    }

    pub fn array_from_text(&self, bytes: &[u8]) -> Result<Array<T>, DecodeError> {
        array::text::decode(bytes, b',', self.text_decode)
    }

    pub fn array_from_binary(&self, bytes: &[u8]) -> Result<Array<T>, DecodeError> {
        array::binary::decode(bytes, |oid, bytes| {
            assert_eq!(oid, self.oid);
            (self.binary_decode)(bytes)
        })
    }
}

pub fn same_array<T>(a: &Array<T>, b: &Array<T>, same: fn(&T, &T) -> bool) -> bool {
    a.dimensions() == b.dimensions()
        && a.elements().iter().zip(b.elements()).all(|pair| match pair {
            (Some(a), Some(b)) => same(a, b),
            (None, None) => true,
            _ => false,
        })
}

macro_rules! codec {
    ($name:ident, $type:ty, $module:ident, $sql:literal, $send:literal, $oid:ident, $values:expr) => {
        pub fn $name() -> Codec<$type> {
            Codec {
                sql: $sql,
                send: $send,
                oid: oid::$oid,
                values: $values,
                text_encode: |value, out| text::$module::encode(value, out),
                text_decode: |bytes| text::$module::decode(bytes).map(Into::into),
                binary_encode: |value, out| binary::$module::encode(value, out),
                binary_decode: |bytes| binary::$module::decode(bytes).map(Into::into),
                same: PartialEq::eq,
                same_binary: PartialEq::eq,
            }
        }
    };
}

pub mod rare_types;

codec!(bools, bool, bool, "bool", "boolsend", BOOL, any::<bool>().boxed());
codec!(int2s, i16, int2, "int2", "int2send", INT2, any::<i16>().boxed());
codec!(int4s, i32, int4, "int4", "int4send", INT4, any::<i32>().boxed());
codec!(int8s, i64, int8, "int8", "int8send", INT8, int8_values());
codec!(oids, u32, oid, "oid", "oidsend", OID, any::<u32>().boxed());
codec!(texts, String, text, "text", "textsend", TEXT, text_values());
codec!(varchars, String, varchar, "varchar", "varcharsend", VARCHAR, text_values());
codec!(names, String, name, "name", "namesend", NAME, matching("[a-zA-Z '\"{},\\\\]{0,15}"));
codec!(chars, u8, char, "\"char\"", "charsend", CHAR, any::<u8>().boxed());
codec!(byteas, Vec<u8>, bytea, "bytea", "byteasend", BYTEA, any::<Vec<u8>>().boxed());
codec!(numerics, Numeric, numeric, "numeric", "numeric_send", NUMERIC, numeric_values());
codec!(dates, Date, date, "date", "date_send", DATE, date_values());
codec!(times, Time, time, "time", "time_send", TIME, time_values());
codec!(timetzs, TimeTz, timetz, "timetz", "timetz_send", TIMETZ, timetz_values());
codec!(
    timestamps,
    Timestamp,
    timestamp,
    "timestamp",
    "timestamp_send",
    TIMESTAMP,
    timestamp_values()
);
codec!(intervals, Interval, interval, "interval", "interval_send", INTERVAL, interval_values());
codec!(
    uuids,
    Uuid,
    uuid,
    "uuid",
    "uuid_send",
    UUID,
    any::<[u8; 16]>().prop_map(Uuid::from_bytes).boxed()
);
codec!(jsons, Json, json, "json", "json_send", JSON, json_values());
codec!(jsonbs, Json, jsonb, "jsonb", "jsonb_send", JSONB, json_values());
codec!(
    exact_timestamptzs,
    TimestampTz,
    timestamptz,
    "timestamptz",
    "timestamptz_send",
    TIMESTAMPTZ,
    timestamptz_values()
);
codec!(exact_float4s, f32, float4, "float4", "float4send", FLOAT4, float4_values());
codec!(exact_float8s, f64, float8, "float8", "float8send", FLOAT8, float8_values());

pub fn timestamptzs() -> Codec<TimestampTz> {
    Codec { same_binary: |a, b| instant(a) == instant(b), ..exact_timestamptzs() }
}

pub fn float4s() -> Codec<f32> {
    let same = |a: &f32, b: &f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    Codec { same, same_binary: same, ..exact_float4s() }
}

pub fn float8s() -> Codec<f64> {
    let same = |a: &f64, b: &f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    Codec { same, same_binary: same, ..exact_float8s() }
}

/// Calls a function for every type that a server has without any extension, and that has arrays.
#[macro_export]
macro_rules! for_each_type {
    ($call:ident $(, $argument:expr)*) => {
        $crate::for_each_usual_type!($call $(, $argument)*);
        $crate::for_each_rare_type!($call $(, $argument)*);
    };
}

/// Calls a function for the types that every driver knows.
#[macro_export]
macro_rules! for_each_usual_type {
    ($call:ident $(, $argument:expr)*) => {
        $call(&$crate::common::bools() $(, $argument)*);
        $call(&$crate::common::int2s() $(, $argument)*);
        $call(&$crate::common::int4s() $(, $argument)*);
        $call(&$crate::common::int8s() $(, $argument)*);
        $call(&$crate::common::oids() $(, $argument)*);
        $call(&$crate::common::float4s() $(, $argument)*);
        $call(&$crate::common::float8s() $(, $argument)*);
        $call(&$crate::common::numerics() $(, $argument)*);
        $call(&$crate::common::texts() $(, $argument)*);
        $call(&$crate::common::varchars() $(, $argument)*);
        $call(&$crate::common::names() $(, $argument)*);
        $call(&$crate::common::chars() $(, $argument)*);
        $call(&$crate::common::byteas() $(, $argument)*);
        $call(&$crate::common::dates() $(, $argument)*);
        $call(&$crate::common::times() $(, $argument)*);
        $call(&$crate::common::timetzs() $(, $argument)*);
        $call(&$crate::common::timestamps() $(, $argument)*);
        $call(&$crate::common::timestamptzs() $(, $argument)*);
        $call(&$crate::common::intervals() $(, $argument)*);
        $call(&$crate::common::uuids() $(, $argument)*);
        $call(&$crate::common::jsons() $(, $argument)*);
        $call(&$crate::common::jsonbs() $(, $argument)*);
    };
}

/// Calls a function for the types that few drivers know.
#[macro_export]
macro_rules! for_each_rare_type {
    ($call:ident $(, $argument:expr)*) => {
        $call(&$crate::common::rare_types::bpchars() $(, $argument)*);
        $call(&$crate::common::rare_types::inets() $(, $argument)*);
        $call(&$crate::common::rare_types::cidrs() $(, $argument)*);
        $call(&$crate::common::rare_types::macaddrs() $(, $argument)*);
        $call(&$crate::common::rare_types::macaddr8s() $(, $argument)*);
        $call(&$crate::common::rare_types::bits() $(, $argument)*);
        $call(&$crate::common::rare_types::varbits() $(, $argument)*);
        $call(&$crate::common::rare_types::moneys() $(, $argument)*);
        $call(&$crate::common::rare_types::lsns() $(, $argument)*);
        $call(&$crate::common::rare_types::xid8s() $(, $argument)*);
        $call(&$crate::common::rare_types::tids() $(, $argument)*);
        $call(&$crate::common::rare_types::int8_ranges() $(, $argument)*);
        $call(&$crate::common::rare_types::num_ranges() $(, $argument)*);
        $call(&$crate::common::rare_types::date_ranges() $(, $argument)*);
        $call(&$crate::common::rare_types::ts_ranges() $(, $argument)*);
        $call(&$crate::common::rare_types::int8_multiranges() $(, $argument)*);
        $call(&$crate::common::rare_types::num_multiranges() $(, $argument)*);
        $call(&$crate::common::rare_types::date_multiranges() $(, $argument)*);
        $call(&$crate::common::rare_types::ts_multiranges() $(, $argument)*);
    };
}

/// Calls a function for every type whose oid is another one in each database.
#[macro_export]
macro_rules! for_each_created_type {
    ($call:ident $(, $argument:expr)*) => {
        $call(&$crate::common::rare_types::hstores() $(, $argument)*);
        $call(&$crate::common::rare_types::pairs() $(, $argument)*);
        $call(&$crate::common::rare_types::moods() $(, $argument)*);
    };
}

/// Calls a function for the types of extensions that a test server seldom has.
#[macro_export]
macro_rules! for_each_vector {
    ($call:ident $(, $argument:expr)*) => {
        $call(&$crate::common::rare_types::vectors() $(, $argument)*);
        $call(&$crate::common::rare_types::half_vectors() $(, $argument)*);
        $call(&$crate::common::rare_types::sparse_vectors() $(, $argument)*);
    };
}

fn instant(value: &TimestampTz) -> i64 {
    match value {
        TimestampTz::NegInfinity => i64::MIN,
        TimestampTz::Infinity => i64::MAX,
        TimestampTz::Finite(parts) => parts.to_microseconds(),
    }
}

fn int8_values() -> BoxedStrategy<i64> {
    prop_oneof![8 => any::<i64>(), 4 => -1000i64..1000, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
        .boxed()
}

/// Strings that a pattern matches: as the pattern itself would be, but parsed once.
fn matching(pattern: &str) -> BoxedStrategy<String> {
    prop::string::string_regex(pattern).unwrap().boxed()
}

pub fn text_values() -> BoxedStrategy<String> {
    prop_oneof![
        4 => matching("[^\0]{0,20}"),
        4 => matching("[a-z'\"\\\\{},; \t\n]{0,12}"),
        1 => Just("NULL".to_owned()),
        1 => Just("null".to_owned()),
        1 => Just(String::new()),
    ]
    .boxed()
}

fn json_values() -> BoxedStrategy<Json> {
    prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        matching("[a-z '{},]{0,9}")
            .prop_map(|text| format!("{{\"a\": \"{text}\", \"b\": [1, null]}}")),
        Just("null".to_owned()),
    ]
    .prop_map(Json::new)
    .boxed()
}

pub fn float4_values() -> BoxedStrategy<f32> {
    prop_oneof![
        any::<u32>().prop_map(f32::from_bits).prop_map(|n| if n.is_nan() { f32::NAN } else { n }),
        (-1_000_000i32..1_000_000, 0i32..8).prop_map(|(n, e)| n as f32 / 10f32.powi(e)),
        // Whole numbers beyond 2^24, many of whose shortest digits lie between two numbers.
        any::<u64>().prop_map(|n| n as f32),
        any::<u32>().prop_map(|n| n as f32),
        (-149i32..128).prop_map(|power| 2f32.powi(power)),
        (1i32..10, -45i32..39).prop_map(|(n, e)| format!("{n}e{e}").parse().unwrap()),
        Just(-0.0),
        Just(f32::MAX),
        Just(f32::MIN_POSITIVE),
        Just(f32::INFINITY),
    ]
    .boxed()
}

fn float8_values() -> BoxedStrategy<f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits).prop_map(|n| if n.is_nan() { f64::NAN } else { n }),
        (any::<i32>(), -20i32..20).prop_map(|(n, e)| f64::from(n) * 10f64.powi(e)),
        any::<u64>().prop_map(|n| n as f64),
        any::<u128>().prop_map(|n| n as f64),
        (-1074i32..1024).prop_map(|power| 2f64.powi(power)),
        (1i32..10, -324i32..309).prop_map(|(n, e)| format!("{n}e{e}").parse().unwrap()),
        (-1_000_000i32..1_000_000, 0i32..8).prop_map(|(n, e)| f64::from(n) / 10f64.powi(e)),
        Just(-0.0),
        Just(f64::MAX),
        Just(5e-324),
        Just(f64::NEG_INFINITY),
    ]
    .boxed()
}

fn numeric_values() -> BoxedStrategy<Numeric> {
    let parts = |weight: std::ops::Range<i16>, scale: std::ops::Range<u16>| {
        (any::<bool>(), weight, scale, prop::collection::vec(0u16..10_000, 0..8)).prop_map(
            |(negative, weight, scale, digits)| {
                Numeric::from_parts(negative, weight, scale, digits).unwrap()
            },
        )
    };
    prop_oneof![
        12 => parts(-6..6, 0..30),
        4 => any::<i64>().prop_map(Numeric::from),
        1 => parts(-300..300, 0..2000),
        1 => Just(Numeric::NAN),
        1 => Just(Numeric::INFINITY),
        1 => Just(Numeric::NEG_INFINITY),
    ]
    .boxed()
}

pub fn days() -> BoxedStrategy<CivilDate> {
    let all = CivilDate::MIN.to_days()..=CivilDate::MAX.to_days();
    prop_oneof![4 => -50_000i32..50_000, 1 => all, 1 => -760_000i32..-700_000]
        .prop_map(|days| CivilDate::from_days(days).unwrap())
        .boxed()
}

fn date_values() -> BoxedStrategy<Date> {
    prop_oneof![
        12 => days().prop_map(Date::Finite),
        1 => Just(Date::Infinity),
        1 => Just(Date::NegInfinity),
        1 => Just(Date::Finite(CivilDate::MIN)),
        1 => Just(Date::Finite(CivilDate::MAX)),
    ]
    .boxed()
}

fn microseconds_of_day() -> BoxedStrategy<i64> {
    prop_oneof![0i64..86_400_000_000, (0i64..86_400).prop_map(|s| s * 1_000_000), Just(0)].boxed()
}

fn time_values() -> BoxedStrategy<Time> {
    prop_oneof![
        12 => microseconds_of_day().prop_map(|us| Time::from_microseconds(us).unwrap()),
        1 => Just(Time::END_OF_DAY),
    ]
    .boxed()
}

fn offsets() -> BoxedStrategy<i32> {
    prop_oneof![-57_599i32..57_600, (-15i32..16).prop_map(|h| h * 3_600), Just(0), Just(19_800)]
        .boxed()
}

fn timetz_values() -> BoxedStrategy<TimeTz> {
    (time_values(), offsets()).prop_map(|(time, offset)| TimeTz::new(time, offset).unwrap()).boxed()
}

const MIN: i64 = -211_813_488_000_000_000;
const MAX: i64 = 9_223_371_331_199_999_999;

pub fn microseconds() -> BoxedStrategy<i64> {
    prop_oneof![
        6 => -1_000_000_000_000_000i64..1_000_000_000_000_000,
        2 => (-100_000_000_000i64..1_000_000_000).prop_map(|seconds| seconds * 1_000_000),
        2 => MIN..=MAX,
        1 => Just(MIN),
        1 => Just(MAX),
    ]
    .boxed()
}

fn timestamp_values() -> BoxedStrategy<Timestamp> {
    prop_oneof![
        12 => microseconds()
            .prop_map(|us| Timestamp::Finite(CivilTimestamp::from_microseconds(us).unwrap())),
        1 => Just(Timestamp::Infinity),
        1 => Just(Timestamp::NegInfinity),
    ]
    .boxed()
}

fn timestamptz_values() -> BoxedStrategy<TimestampTz> {
    let finite =
        (microseconds(), offsets()).prop_filter_map("outside the limits", |(us, offset)| {
            let local = us.checked_add(i64::from(offset) * 1_000_000)?;
            let parts = CivilTimestamp::from_microseconds(local).ok()?;
            let (year, month, day) = (parts.year(), parts.month(), parts.day());
            TimestampTz::new(year, month, day, parts.time(), offset).ok()
        });
    prop_oneof![
        12 => finite,
        1 => Just(TimestampTz::Infinity),
        1 => Just(TimestampTz::NegInfinity),
    ]
    .boxed()
}

fn interval_values() -> BoxedStrategy<Interval> {
    let small = (-30i32..30, -40i32..40, -100_000_000_000i64..100_000_000_000);
    let sparse = (
        prop_oneof![Just(0), -30i32..30],
        prop_oneof![Just(0), -40i32..40],
        prop_oneof![
            Just(0),
            (-100_000i64..100_000).prop_map(|seconds| seconds * 1_000_000),
            -2_000_000i64..2_000_000
        ],
    );
    let any = (any::<i32>(), any::<i32>(), any::<i64>());
    prop_oneof![
        4 => small.prop_map(|(months, days, us)| Interval::new(months, days, us)),
        6 => sparse.prop_map(|(months, days, us)| Interval::new(months, days, us)),
        2 => any.prop_map(|(months, days, us)| Interval::new(months, days, us)),
        1 => Just(Interval::INFINITY),
        1 => Just(Interval::NEG_INFINITY),
    ]
    .boxed()
}

/// Arrays of up to three dimensions with any lower bounds and NULLs.
pub fn arrays<T: Clone + std::fmt::Debug + 'static>(
    values: BoxedStrategy<T>,
) -> BoxedStrategy<Array<T>> {
    let bound = prop_oneof![3 => Just(1), 1 => -3i32..4];
    prop::collection::vec((1usize..4, bound), 0..4)
        .prop_flat_map(move |extents| {
            let count = if extents.is_empty() { 0 } else { extents.iter().map(|e| e.0).product() };
            let element = prop::option::weighted(0.85, values.clone());
            (Just(extents), prop::collection::vec(element, count))
        })
        .prop_map(|(extents, elements)| {
            let dimensions = extents
                .into_iter()
                .map(|(length, lower_bound)| Dimension { length, lower_bound })
                .collect();
            Array::new(dimensions, elements).unwrap()
        })
        .boxed()
}
