//! The binary form of every type: refused, or the same again after encoding and decoding.
#![no_main]

use kecoa_types::{DecodeError, array, binary};
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
    match kind % 21 {
        0 => round(data, binary::bool::decode, binary::bool::encode),
        1 => round(data, binary::bytea::decode, |value, out| binary::bytea::encode(value, out)),
        2 => round(data, binary::char::decode, binary::char::encode),
        3 => round(data, binary::date::decode, binary::date::encode),
        4 => round(data, binary::float4::decode, binary::float4::encode),
        5 => round(data, binary::float8::decode, binary::float8::encode),
        6 => round(data, binary::int2::decode, binary::int2::encode),
        7 => round(data, binary::int4::decode, binary::int4::encode),
        8 => round(data, binary::int8::decode, binary::int8::encode),
        9 => round(data, binary::interval::decode, binary::interval::encode),
        10 => round(data, binary::json::decode, binary::json::encode),
        11 => round(data, binary::jsonb::decode, binary::jsonb::encode),
        12 => round(data, binary::numeric::decode, binary::numeric::encode),
        13 => round(data, binary::oid::decode, binary::oid::encode),
        14 => round(data, binary::time::decode, binary::time::encode),
        15 => round(data, binary::timestamp::decode, binary::timestamp::encode),
        16 => round(data, binary::timestamptz::decode, binary::timestamptz::encode),
        17 => round(data, binary::timetz::decode, binary::timetz::encode),
        18 => round(data, binary::uuid::decode, binary::uuid::encode),
        19 => round(
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
        _ => round(
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
