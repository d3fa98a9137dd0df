//! Every type beside every type: one list in order, with groups of equals, all pairs compared.

use std::cmp::Ordering;

use kecoa_mongo::bson::compare::{compare, compare_documents, compare_optional, sort_value};
use kecoa_mongo::bson::key::{Direction, Key, KeyBuilder};

use crate::support::*;

const TWO_TO_53: i64 = 1 << 53;

/// In order; the values of a group are equal.
pub(crate) fn groups() -> Vec<Vec<Value>> {
    let numbers = vec![
        vec![double(f64::NAN), double(-f64::NAN), decimal("NaN")],
        vec![double(f64::NEG_INFINITY), decimal("-Infinity")],
        vec![decimal("-1E+6144")],
        vec![double(f64::MIN)],
        vec![decimal("-9223372036854775808.5")],
        vec![long(i64::MIN), double(-9_223_372_036_854_775_808.0), decimal("-9223372036854775808")],
        vec![long(-TWO_TO_53 - 1), decimal("-9007199254740993")],
        vec![long(-TWO_TO_53), double(-9_007_199_254_740_992.0)],
        vec![int(i32::MIN), long(i32::MIN.into()), double(f64::from(i32::MIN))],
        vec![decimal("-1.5"), double(-1.5), decimal("-1.50")],
        vec![int(-1), long(-1), double(-1.0), decimal("-1"), decimal("-1.000"), decimal("-10E-1")],
        vec![double(-0.1)],
        vec![decimal("-0.1")],
        vec![double(-5e-324)],
        vec![decimal("-1E-6176")],
        vec![
            int(0),
            long(0),
            double(0.0),
            double(-0.0),
            decimal("0"),
            decimal("-0"),
            decimal("0E+6000"),
            decimal("-0E-6176"),
        ],
        vec![decimal("1E-6176")],
        vec![double(5e-324)],
        vec![decimal("0.1"), decimal("0.10")],
        vec![double(0.1)],
        vec![double(0.5), decimal("0.5")],
        vec![int(1), long(1), double(1.0), decimal("1"), decimal("1.00"), decimal("0.1E+1")],
        vec![decimal("1.000000000000000000000000000000001")],
        vec![double(1.000_000_000_000_000_2)],
        vec![int(i32::MAX), long(i32::MAX.into()), double(2_147_483_647.0)],
        vec![long(TWO_TO_53), double(9_007_199_254_740_992.0), decimal("9007199254740992")],
        vec![decimal("9007199254740992.5")],
        vec![long(TWO_TO_53 + 1), decimal("9007199254740993")],
        vec![long(TWO_TO_53 + 2), double(9_007_199_254_740_994.0)],
        vec![long(i64::MAX), decimal("9223372036854775807")],
        vec![double(9_223_372_036_854_775_808.0), decimal("9223372036854775808")],
        vec![double(1e22), decimal("1E+22")],
        vec![decimal("1E+23"), decimal("100000000000000000000000")],
        vec![double(1.000_000_000_000_000_1e23)],
        vec![double(f64::MAX)],
        vec![decimal("9.999999999999999999999999999999999E+6144")],
        vec![double(f64::INFINITY), decimal("Infinity")],
    ];
    let one = || int(1);
    let others = vec![
        vec![string(""), symbol("")],
        vec![string("\0")],
        vec![string("\0\0")],
        vec![string("\0a")],
        vec![string("\u{1}")],
        vec![string("A")],
        vec![string("a"), symbol("a")],
        vec![string("a\0")],
        vec![string("a\0b")],
        vec![string("ab")],
        vec![symbol("b")],
        vec![string("é")],
        vec![string("\u{ffff}")],
        vec![string("😀")],
        vec![object(&[])],
        vec![object(&[("b", min_key())])],
        vec![object(&[("", null())])],
        vec![object(&[("z", null())])],
        vec![
            object(&[("a", one())]),
            object(&[("a", double(1.0))]),
            object(&[("a", decimal("1.0"))]),
        ],
        vec![object(&[("a", one()), ("b", null())])],
        vec![object(&[("a", one()), ("b", one())])],
        vec![object(&[("a", int(2))]), object(&[("a", long(2))])],
        vec![object(&[("a", int(2)), ("a", one())])],
        vec![object(&[("ab", int(0))])],
        vec![object(&[("b", int(0))])],
        vec![object(&[("a", string("x"))]), object(&[("a", symbol("x"))])],
        vec![object(&[("a", object(&[]))])],
        vec![object(&[("a", object(&[("a", one())]))])],
        vec![object(&[("a", array(&[]))])],
        vec![object(&[("a", max_key())])],
        vec![array(&[])],
        vec![array(&[min_key()])],
        vec![array(&[undefined()])],
        vec![array(&[null()])],
        vec![array(&[one()]), array(&[double(1.0)])],
        vec![array(&[one(), null()])],
        vec![array(&[one(), one()]), array(&[one(), decimal("1")])],
        vec![array(&[int(2)])],
        vec![array(&[string("a")])],
        vec![array(&[object(&[])])],
        vec![array(&[array(&[])])],
        vec![array(&[array(&[one()])])],
        vec![array(&[max_key()])],
        vec![binary(0, &[])],
        vec![binary(5, &[])],
        vec![binary(0x80, &[])],
        vec![binary(0, &[0xff])],
        vec![binary(1, &[0])],
        vec![binary(0, &[0, 0])],
        vec![binary(0, &[0, 1])],
        vec![binary(0, &[1, 0])],
        vec![binary(0, &[0, 0, 0, 0])],
        vec![binary(2, &[])],
        vec![binary(3, &[0, 0, 0, 0])],
        vec![object_id([0; 12])],
        vec![object_id([1; 12])],
        vec![object_id([0xff; 12])],
        vec![boolean(false)],
        vec![boolean(true)],
        vec![date(i64::MIN)],
        vec![date(-1)],
        vec![date(0)],
        vec![date(253_402_300_800_000)],
        vec![date(i64::MAX)],
        vec![timestamp(0, 0)],
        vec![timestamp(0, u32::MAX)],
        vec![timestamp(1, 0)],
        vec![timestamp(u32::MAX, 0)],
        vec![regex("", "")],
        vec![regex("", "i")],
        vec![regex("a", "")],
        vec![regex("a", "i")],
        vec![regex("a", "m")],
        vec![regex("ab", "")],
        vec![pointer("z", [0; 12])],
        vec![pointer("z", [1; 12])],
        vec![pointer("aa", [0; 12])],
        vec![pointer("ab", [0; 12])],
        vec![code("")],
        vec![code("a")],
        vec![code("b")],
        vec![code_with_scope("a", &[])],
        vec![code_with_scope("a", &[("x", int(1))]), code_with_scope("a", &[("x", double(1.0))])],
        vec![code_with_scope("b", &[])],
        vec![max_key()],
    ];
    let lowest = vec![vec![min_key()], vec![undefined()], vec![null()]];
    [lowest, numbers, others].concat()
}

/// Each value with the number of its group.
fn ranked() -> Vec<(usize, Value)> {
    let groups = groups().into_iter().enumerate();
    groups.flat_map(|(rank, group)| group.into_iter().map(move |value| (rank, value))).collect()
}

fn descending(value: &Value) -> Key {
    let mut builder = KeyBuilder::default();
    builder.push(Some(value.get()), Direction::Descending);
    builder.finish()
}

#[test]
fn all_pairs() {
    let values = ranked();
    let mut pairs = 0;
    for (left_rank, left) in &values {
        for (right_rank, right) in &values {
            let expected = left_rank.cmp(right_rank);
            assert_eq!(compare(left.get(), right.get()), expected, "{left:?} beside {right:?}");
            let keys = (Key::of(left.get()), Key::of(right.get()));
            assert_eq!(keys.0.cmp(&keys.1), expected, "keys of {left:?} and {right:?}");
            assert_eq!(descending(left).cmp(&descending(right)), expected.reverse());
            pairs += 1;
        }
    }
    assert!(pairs > 20_000, "{pairs}");
}

#[test]
fn all_pairs_within_documents_and_arrays() {
    let values = ranked();
    for (left_rank, left) in &values {
        for (right_rank, right) in &values {
            let expected = left_rank.cmp(right_rank);
            let of =
                |value: &Value| document(&[("x", int(0)), ("a", value.clone()), ("y", int(0))]);
            let (first, second) = (of(left), of(right));
            assert_eq!(compare_documents(&first, &second), expected, "{left:?} beside {right:?}");
            let of = |value: &Value| array(&[value.clone(), int(0)]);
            let (first, second) = (of(left), of(right));
            assert_eq!(compare(first.get(), second.get()), expected);
            assert_eq!(Key::of(first.get()).cmp(&Key::of(second.get())), expected);
        }
    }
}

#[test]
fn a_missing_value_is_undefined_and_sorts_as_null() {
    let (undefined, null, least) = (undefined(), null(), min_key());
    assert_eq!(compare_optional(None, None), Ordering::Equal);
    assert_eq!(compare_optional(None, Some(undefined.get())), Ordering::Equal);
    assert_eq!(compare_optional(None, Some(null.get())), Ordering::Less);
    assert_eq!(compare_optional(Some(least.get()), None), Ordering::Less);
    assert_eq!(compare(sort_value(None), null.get()), Ordering::Equal);
}

#[test]
fn nesting_beyond_the_cap_is_compared_by_bytes() {
    for levels in [199, 200, 201, 1000, 5000] {
        let (low, high) = (nested(levels, int(1)), nested(levels, int(2)));
        assert_eq!(compare(low.get(), high.get()), Ordering::Less, "{levels}");
        assert_eq!(compare(high.get(), high.get()), Ordering::Equal);
        let (low, high) = (Key::of(low.get()), Key::of(high.get()));
        assert_ne!(low, high);
        assert!(low.ordered() <= high.ordered());
    }
    let (int, double) = (int(1), double(1.0));
    let of = |levels, value: &Value| nested(levels, value.clone());
    assert_eq!(compare(of(200, &int).get(), of(200, &double).get()), Ordering::Equal);
    assert_ne!(compare(of(201, &int).get(), of(201, &double).get()), Ordering::Equal);
}
