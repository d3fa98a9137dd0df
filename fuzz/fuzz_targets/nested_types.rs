//! Ranges, multiranges, composites, hstore, vectors, addresses and bits, in both forms: refused, or
//! the same again after encoding and decoding; never more memory than bytes.
#![no_main]

use kecoa_types::{DecodeError, binary, composite, range, text};
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

fn texts(data: &[u8]) -> Result<Vec<u8>, DecodeError> {
    text::bytea::decode(data)
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 26 {
        0 => round(
            data,
            |data| range::text::decode(data, texts),
            |value, out| {
                range::text::encode(value, out, |bound, out| text::bytea::encode(bound, out));
            },
        ),
        1 => round(
            data,
            |data| range::text::decode_multirange(data, text::int8::decode),
            |value, out| range::text::encode_multirange(value, out, text::int8::encode),
        ),
        2 => round(
            data,
            |data| range::binary::decode(data, binary::int8::decode),
            |value, out| {
                range::binary::encode(value, out, |bound, out| {
                    binary::int8::encode(bound, out);
                    Ok(())
                })
                .expect("a range of integers can be encoded");
            },
        ),
        3 => round(
            data,
            |data| range::binary::decode_multirange(data, binary::bytea::decode),
            |value, out| {
                range::binary::encode_multirange(value, out, |bound, out| {
                    binary::bytea::encode(bound, out);
                    Ok(())
                })
                .expect("a multirange of bytes can be encoded");
            },
        ),
        4 => round(data, composite::decode_text, |value, out| composite::encode_text(value, out)),
        5 => round(data, composite::decode_binary, |value, out| {
            composite::encode_binary(value, out).expect("a composite value can be encoded");
        }),
        6 => round(data, text::hstore::decode, text::hstore::encode),
        7 => round(data, binary::hstore::decode, binary::hstore::encode),
        8 => round(data, text::vector::decode, text::vector::encode),
        9 => round(data, binary::vector::decode, binary::vector::encode),
        10 => round(data, text::halfvec::decode, text::halfvec::encode),
        11 => round(data, binary::halfvec::decode, binary::halfvec::encode),
        12 => round(data, text::sparsevec::decode, text::sparsevec::encode),
        13 => round(data, binary::sparsevec::decode, binary::sparsevec::encode),
        14 => round(data, text::inet::decode, text::inet::encode),
        15 => round(data, binary::inet::decode, binary::inet::encode),
        16 => round(data, text::cidr::decode, text::cidr::encode),
        17 => round(data, binary::cidr::decode, binary::cidr::encode),
        18 => round(data, text::macaddr8::decode, text::macaddr8::encode),
        19 => round(data, text::money::decode, text::money::encode),
        20 => round(data, text::varbit::decode, text::varbit::encode),
        21 => round(data, binary::varbit::decode, binary::varbit::encode),
        22 => round(data, text::tid::decode, text::tid::encode),
        23 => round(data, text::pg_lsn::decode, text::pg_lsn::encode),
        24 => round(data, text::macaddr::decode, text::macaddr::encode),
        _ => {
            for oid in [600, 601, 602, 603, 604, 628, 718] {
                let mut out = Vec::new();
                if binary::geometry::write_text(oid, data, &mut out).is_ok() {
                    assert!(out.len() <= 32 + data.len() * 8);
                }
            }
        }
    }
});
