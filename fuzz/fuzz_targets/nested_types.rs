//! Ranges, multiranges, composites, hstore, vectors, addresses and bits, in both forms: refused, or
//! the same again after encoding and decoding; never more memory than bytes.
#![no_main]

use kecoa_fuzz::round_trip;
use kecoa_types::{DecodeError, binary, composite, range, text};
use libfuzzer_sys::fuzz_target;

fn texts(data: &[u8]) -> Result<Vec<u8>, DecodeError> {
    text::bytea::decode(data)
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 26 {
        0 => round_trip(
            data,
            |data| range::text::decode(data, texts),
            |value, out| {
                range::text::encode(value, out, |bound, out| text::bytea::encode(bound, out));
            },
        ),
        1 => round_trip(
            data,
            |data| range::text::decode_multirange(data, text::int8::decode),
            |value, out| range::text::encode_multirange(value, out, text::int8::encode),
        ),
        2 => round_trip(
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
        3 => round_trip(
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
        4 => round_trip(data, composite::decode_text, |value, out| {
            composite::encode_text(value, out)
        }),
        5 => round_trip(data, composite::decode_binary, |value, out| {
            composite::encode_binary(value, out).expect("a composite value can be encoded");
        }),
        6 => round_trip(data, text::hstore::decode, text::hstore::encode),
        7 => round_trip(data, binary::hstore::decode, binary::hstore::encode),
        8 => round_trip(data, text::vector::decode, text::vector::encode),
        9 => round_trip(data, binary::vector::decode, binary::vector::encode),
        10 => round_trip(data, text::halfvec::decode, text::halfvec::encode),
        11 => round_trip(data, binary::halfvec::decode, binary::halfvec::encode),
        12 => round_trip(data, text::sparsevec::decode, text::sparsevec::encode),
        13 => round_trip(data, binary::sparsevec::decode, binary::sparsevec::encode),
        14 => round_trip(data, text::inet::decode, text::inet::encode),
        15 => round_trip(data, binary::inet::decode, binary::inet::encode),
        16 => round_trip(data, text::cidr::decode, text::cidr::encode),
        17 => round_trip(data, binary::cidr::decode, binary::cidr::encode),
        18 => round_trip(data, text::macaddr8::decode, text::macaddr8::encode),
        19 => round_trip(data, text::money::decode, text::money::encode),
        20 => round_trip(data, text::varbit::decode, text::varbit::encode),
        21 => round_trip(data, binary::varbit::decode, binary::varbit::encode),
        22 => round_trip(data, text::tid::decode, text::tid::encode),
        23 => round_trip(data, text::pg_lsn::decode, text::pg_lsn::encode),
        24 => round_trip(data, text::macaddr::decode, text::macaddr::encode),
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
