//! The text form of every type: refused, or the same again after encoding and decoding.
#![no_main]

use kecoa_types::{DecodeError, array, text};
use libfuzzer_sys::fuzz_target;

/// Decodes, and holds what was decoded to its own encoding.
fn round<T>(
    data: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut Vec<u8>),
) {
    let Ok(value) = decode(data) else { return };
    let mut first = Vec::new();
    encode(&value, &mut first);
    let again = decode(&first).expect("what was encoded can be decoded");
    let mut second = Vec::new();
    encode(&again, &mut second);
    assert_eq!(first, second);
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 22 {
        0 => round(data, text::bool::decode, text::bool::encode),
        1 => round(data, text::bytea::decode, |value, out| text::bytea::encode(value, out)),
        2 => round(data, text::char::decode, text::char::encode),
        3 => round(data, text::date::decode, text::date::encode),
        4 => round(data, text::float4::decode, text::float4::encode),
        5 => round(data, text::float8::decode, text::float8::encode),
        6 => round(data, text::int2::decode, text::int2::encode),
        7 => round(data, text::int4::decode, text::int4::encode),
        8 => round(data, text::int8::decode, text::int8::encode),
        9 => round(data, text::interval::decode, text::interval::encode),
        10 => round(data, text::json::decode, text::json::encode),
        11 => round(data, text::numeric::decode, text::numeric::encode),
        12 => round(data, text::oid::decode, text::oid::encode),
        13 => round(
            data,
            |data| text::text::decode(data).map(str::to_owned),
            |value, out| text::text::encode(value, out),
        ),
        14 => round(data, text::time::decode, text::time::encode),
        15 => round(data, text::timestamp::decode, text::timestamp::encode),
        16 => round(data, text::timestamptz::decode, text::timestamptz::encode),
        17 => round(data, text::timetz::decode, text::timetz::encode),
        18 => round(data, text::uuid::decode, text::uuid::encode),
        19 => round(
            data,
            |data| array::text::decode(data, b',', text::int8::decode),
            |value, out| array::text::encode(value, b',', out, text::int8::encode),
        ),
        20 => round(
            data,
            |data| array::text::decode(data, b',', |e| text::text::decode(e).map(str::to_owned)),
            |value, out| array::text::encode(value, b',', out, |e, out| text::text::encode(e, out)),
        ),
        _ => round(
            data,
            |data| array::text::decode(data, b',', text::numeric::decode),
            |value, out| array::text::encode(value, b',', out, text::numeric::encode),
        ),
    }
});
