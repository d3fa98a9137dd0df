//! Two documents: their keys are in the order of their values, in each direction.
#![no_main]

use std::cmp::Ordering;

use bson::{RawBsonRef, RawDocument};
use kecoa_mongo::bson::compare::compare;
use kecoa_mongo::bson::key::{Direction, Key, KeyBuilder};
use kecoa_mongo::bson::validate::{Limits, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(length) = data.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize) else {
        return;
    };
    let Some((left, right)) = data.split_at_checked(length) else { return };
    let Ok(left) = validate(left, Limits::MESSAGE) else { return };
    // Without a second one, the first two values of the first.
    if let Ok(right) = validate(right, Limits::MESSAGE) {
        check(RawBsonRef::Document(left), RawBsonRef::Document(right));
    }
    check_values(left);
});

fn check_values(document: &RawDocument) {
    let mut values = document.into_iter().map(|element| element.unwrap().1);
    if let (Some(left), Some(right)) = (values.next(), values.next()) {
        check(left, right);
    }
}

fn check(left: RawBsonRef<'_>, right: RawBsonRef<'_>) {
    let expected = compare(left, right);
    assert_eq!(compare(right, left), expected.reverse());
    assert_eq!(compare(left, left), Ordering::Equal);
    let (first, second) = (Key::of(left), Key::of(right));
    assert_eq!(first == second, expected.is_eq());
    let descending = |value| {
        let mut builder = KeyBuilder::default();
        builder.push(Some(value), Direction::Descending);
        builder.finish()
    };
    let ordered = [
        first.ordered().cmp(second.ordered()),
        descending(right).ordered().cmp(descending(left).ordered()),
    ];
    let cut = first.is_cut() || second.is_cut();
    for order in ordered {
        assert!(order == expected || cut && order.is_eq());
    }
}
