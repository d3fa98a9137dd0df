//! The text form of every type: refused, or the same again after encoding and decoding.
#![no_main]

use kecoa_fuzz::round_trip;
use kecoa_types::{array, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 22 {
        0 => round_trip(data, text::bool::decode, text::bool::encode),
        1 => round_trip(data, text::bytea::decode, |value, out| text::bytea::encode(value, out)),
        2 => round_trip(data, text::char::decode, text::char::encode),
        3 => round_trip(data, text::date::decode, text::date::encode),
        4 => round_trip(data, text::float4::decode, text::float4::encode),
        5 => round_trip(data, text::float8::decode, text::float8::encode),
        6 => round_trip(data, text::int2::decode, text::int2::encode),
        7 => round_trip(data, text::int4::decode, text::int4::encode),
        8 => round_trip(data, text::int8::decode, text::int8::encode),
        9 => round_trip(data, text::interval::decode, text::interval::encode),
        10 => round_trip(data, text::json::decode, text::json::encode),
        11 => round_trip(data, text::numeric::decode, text::numeric::encode),
        12 => round_trip(data, text::oid::decode, text::oid::encode),
        13 => round_trip(
            data,
            |data| text::text::decode(data).map(str::to_owned),
            |value, out| text::text::encode(value, out),
        ),
        14 => round_trip(data, text::time::decode, text::time::encode),
        15 => round_trip(data, text::timestamp::decode, text::timestamp::encode),
        16 => round_trip(data, text::timestamptz::decode, text::timestamptz::encode),
        17 => round_trip(data, text::timetz::decode, text::timetz::encode),
        18 => round_trip(data, text::uuid::decode, text::uuid::encode),
        19 => round_trip(
            data,
            |data| array::text::decode(data, b',', text::int8::decode),
            |value, out| array::text::encode(value, b',', out, text::int8::encode),
        ),
        20 => round_trip(
            data,
            |data| array::text::decode(data, b',', |e| text::text::decode(e).map(str::to_owned)),
            |value, out| array::text::encode(value, b',', out, |e, out| text::text::encode(e, out)),
        ),
        _ => round_trip(
            data,
            |data| array::text::decode(data, b',', text::numeric::decode),
            |value, out| array::text::encode(value, b',', out, text::numeric::encode),
        ),
    }
});
