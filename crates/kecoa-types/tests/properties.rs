//! For every type: what is encoded decodes to itself, in both forms, alone and in arrays; and no
//! bytes make a decoder panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::fmt::Debug;

use common::{Codec, arrays, same_array};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn runner() -> TestRunner {
    TestRunner::new(Config { failure_persistence: None, ..Config::default() })
}

fn round_trip<T: Clone + Debug + 'static>(codec: &Codec<T>) {
    let result = runner().run(&codec.values, |value| {
        let text = codec.text(&value);
        let again = (codec.text_decode)(&text).unwrap();
        prop_assert!((codec.same)(&again, &value), "{}: text {again:?}", codec.sql);
        let binary = codec.binary(&value);
        let again = (codec.binary_decode)(&binary).unwrap();
        prop_assert!((codec.same_binary)(&again, &value), "{}: binary {again:?}", codec.sql);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{}: {error}", codec.sql));
}

#[test]
fn values_come_back_as_they_were() {
    for_each_type!(round_trip);
    for_each_created_type!(round_trip);
    for_each_vector!(round_trip);
}

fn array_round_trip<T: Clone + Debug + 'static>(codec: &Codec<T>) {
    let result = runner().run(&arrays(codec.values.clone()), |value| {
        let again = codec.array_from_text(&codec.array_text(&value)).unwrap();
        prop_assert!(same_array(&again, &value, codec.same), "{}: text {again:?}", codec.sql);
        let again = codec.array_from_binary(&codec.array_binary(&value)).unwrap();
        prop_assert!(
            same_array(&again, &value, codec.same_binary),
            "{}: binary {again:?}",
            codec.sql
        );
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{}: {error}", codec.sql));
}

#[test]
fn arrays_come_back_as_they_were() {
    for_each_type!(array_round_trip);
}

/// Bytes at random, and good ones with a few bytes changed, inserted or cut off.
fn garbage(good: Vec<u8>, changes: &[(usize, u8, u8)]) -> Vec<u8> {
    let mut bytes = good;
    for (position, byte, kind) in changes {
        let position = position % (bytes.len() + 1);
        match kind % 4 {
            0 => bytes.truncate(position),
            1 => bytes.insert(position, *byte),
            2 => bytes.insert(position, b"0123456789-+:. {}\",\\eE"[usize::from(*byte) % 22]),
            _ => {
                if let Some(slot) = bytes.get_mut(position) {
                    *slot = *byte;
                }
            }
        }
    }
    bytes
}

fn no_panic<T: Clone + Debug + 'static>(codec: &Codec<T>) {
    let changes = prop::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4);
    let input = (arrays(codec.values.clone()), codec.values.clone(), any::<Vec<u8>>(), changes);
    let result = runner().run(&input, |(array, value, bytes, changes)| {
        for good in [
            bytes,
            codec.text(&value),
            codec.binary(&value),
            codec.array_text(&array),
            codec.array_binary(&array),
        ] {
            let bad = garbage(good, &changes);
            // What is accepted must also be printable, and read back the same.
            if let Ok(value) = (codec.text_decode)(&bad) {
                let again = (codec.text_decode)(&codec.text(&value)).unwrap();
                prop_assert!((codec.same)(&again, &value), "{bad:?}: {value:?}, {again:?}");
            }
            if let Ok(value) = (codec.binary_decode)(&bad) {
                let again = (codec.binary_decode)(&codec.binary(&value)).unwrap();
                prop_assert!((codec.same_binary)(&again, &value), "{bad:?}: {value:?}, {again:?}");
            }
            if let Ok(value) = codec.array_from_text(&bad) {
                let again = codec.array_from_text(&codec.array_text(&value)).unwrap();
                prop_assert!(same_array(&again, &value, codec.same));
            }
            let _ =
                kecoa_types::array::binary::decode(&bad, |_, bytes| (codec.binary_decode)(bytes));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{}: {error}", codec.sql));
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    for_each_type!(no_panic);
    for_each_created_type!(no_panic);
    for_each_vector!(no_panic);
}

proptest! {
    /// Nor a geometric value; what is written is text.
    #[test]
    fn any_bytes_are_written_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        use kecoa_types::{binary::geometry, oid};
        for oid in [oid::POINT, oid::LSEG, oid::PATH, oid::BOX, oid::POLYGON, oid::LINE, oid::CIRCLE] {
            let mut out = Vec::new();
            if geometry::write_text(oid, &bytes, &mut out).is_ok() {
                prop_assert!(out.is_ascii() && !out.is_empty());
            }
        }
    }

    /// Errors stay short, whatever they quote.
    #[test]
    fn errors_are_bounded(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        if let Err(error) = kecoa_types::text::timestamptz::decode(&bytes) {
            prop_assert!(error.to_string().len() < 800);
        }
        if let Err(error) = kecoa_types::binary::numeric::decode(&bytes) {
            prop_assert!(error.to_string().len() < 200);
        }
    }
}
