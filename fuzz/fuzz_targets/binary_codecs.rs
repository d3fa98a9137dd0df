//! The binary form of every type: refused, or the same again after encoding and decoding.
#![no_main]

use kecoa_fuzz::round_trip;
use kecoa_types::{array, binary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 21 {
        0 => round_trip(data, binary::bool::decode, binary::bool::encode),
        1 => {
            round_trip(data, binary::bytea::decode, |value, out| binary::bytea::encode(value, out))
        }
        2 => round_trip(data, binary::char::decode, binary::char::encode),
        3 => round_trip(data, binary::date::decode, binary::date::encode),
        4 => round_trip(data, binary::float4::decode, binary::float4::encode),
        5 => round_trip(data, binary::float8::decode, binary::float8::encode),
        6 => round_trip(data, binary::int2::decode, binary::int2::encode),
        7 => round_trip(data, binary::int4::decode, binary::int4::encode),
        8 => round_trip(data, binary::int8::decode, binary::int8::encode),
        9 => round_trip(data, binary::interval::decode, binary::interval::encode),
        10 => round_trip(data, binary::json::decode, binary::json::encode),
        11 => round_trip(data, binary::jsonb::decode, binary::jsonb::encode),
        12 => round_trip(data, binary::numeric::decode, binary::numeric::encode),
        13 => round_trip(data, binary::oid::decode, binary::oid::encode),
        14 => round_trip(data, binary::time::decode, binary::time::encode),
        15 => round_trip(data, binary::timestamp::decode, binary::timestamp::encode),
        16 => round_trip(data, binary::timestamptz::decode, binary::timestamptz::encode),
        17 => round_trip(data, binary::timetz::decode, binary::timetz::encode),
        18 => round_trip(data, binary::uuid::decode, binary::uuid::encode),
        19 => round_trip(
            data,
            |data| array::binary::decode(data, |_, element| binary::int8::decode(element)),
            |value, out| {
                array::binary::encode(value, 20, out, |element, out| {
                    binary::int8::encode(element, out);
                    Ok(())
                })
                .expect("an array of integers can be encoded");
            },
        ),
        _ => round_trip(
            data,
            |data| array::binary::decode(data, |_, element| binary::bytea::decode(element)),
            |value, out| {
                array::binary::encode(value, 17, out, |element, out| {
                    binary::bytea::encode(element, out);
                    Ok(())
                })
                .expect("an array of bytea can be encoded");
            },
        ),
    }
});
