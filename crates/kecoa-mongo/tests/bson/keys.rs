//! Keys: their bytes, which are on disk, and their order.

use kecoa_mongo::bson::compare::compare;
use kecoa_mongo::bson::key::{Direction, FORMAT_VERSION, Key, KeyBuilder, MAX_WHOLE};
use proptest::prelude::*;

use crate::numbers::any_number;
use crate::support::*;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(fields: &[(Option<&Value>, Direction)]) -> Key {
    let mut builder = KeyBuilder::default();
    for (value, direction) in fields {
        builder.push(value.map(Value::get), *direction);
    }
    builder.finish()
}

/// A change of any of these makes what is on disk unreadable: it needs a new [`FORMAT_VERSION`].
#[test]
fn bytes_of_keys() {
    assert_eq!(FORMAT_VERSION, 1);
    let cases: Vec<(Value, &str)> = vec![
        (min_key(), "08"),
        (undefined(), "10"),
        (null(), "18"),
        (max_key(), "88"),
        (int(0), "20800000000000000000"),
        (int(1), "20bff000000000000000"),
        (int(-1), "20400fffffffffffffff"),
        (long(1), "20bff000000000000000"),
        (double(1.0), "20bff000000000000000"),
        (decimal("1.00"), "20bff000000000000000"),
        (double(-0.0), "20800000000000000000"),
        (double(f64::NAN), "20000000000000000000"),
        (decimal("NaN"), "20000000000000000000"),
        (double(f64::INFINITY), "20fff000000000000000"),
        (decimal("-Infinity"), "20000fffffffffffffff"),
        (double(0.1), "20bfb999999999999a00"),
        (decimal("0.1"), "20bfb9999999999999011b3600314dc6448d9338c15b0a00000000"),
        (decimal("-0.1"), "204046666666666666fee4c9ffceb239bb726cc73ea4f5ffffffff"),
        (long((1 << 53) + 1), "20c340000000000000011b4601bc16d674ec800de0b6b3a7640000"),
        (long(i64::MAX), "20c3dfffffffffffff011b4901c6bf52633ffffffc72815b398000"),
        (long(i64::MIN), "203c1fffffffffffffff"),
        (
            decimal("9.999999999999999999999999999999999E+6144"),
            "20ffefffffffffffff01333701ed09bead87c0378d8e63ffffffff",
        ),
        (decimal("1E-6176"), "20800000000000000001031700314dc6448d9338c15b0a00000000"),
        (decimal("-1E-6176"), "207ffffffffffffffffefce8ffceb239bb726cc73ea4f5ffffffff"),
        (string(""), "280001"),
        (string("ab"), "2861620001"),
        (string("a\0b"), "286100ff620001"),
        (symbol("ab"), "2861620001"),
        (string("é"), "28c3a90001"),
        (object(&[]), "3000"),
        (object(&[("a", int(1)), ("b", string("x"))]), "30206100bff00000000000000028620078000100"),
        (object(&[("a", object(&[("", null())]))]), "3030610018000000"),
        (array(&[]), "3800"),
        (array(&[int(1), null(), array(&[boolean(true)])]), "3820bff000000000000000183850010000"),
        (binary(0, &[1, 0, 2]), "400000000300010002"),
        (binary(2, &[1]), "40000000050201"),
        (object_id([7; 12]), "48070707070707070707070707"),
        (boolean(false), "5000"),
        (boolean(true), "5001"),
        (date(0), "588000000000000000"),
        (date(-1), "587fffffffffffffff"),
        (date(1_700_000_000_000), "588000018bcfe56800"),
        (timestamp(1, 2), "600000000100000002"),
        (regex("a", "i"), "68610001690001"),
        (pointer("d.c", [9; 12]), "7000000004642e6300090909090909090909090909"),
        (code("f"), "78660001"),
        (code_with_scope("f", &[("x", int(1))]), "80660001207800bff00000000000000000"),
    ];
    for (value, expected) in &cases {
        assert_eq!(hexadecimal(Key::of(value.get()).as_bytes()), *expected, "{value:?}");
    }
}

#[test]
fn bytes_of_several_fields() {
    use Direction::{Ascending, Descending};
    let (one, text) = (int(1), string("a"));
    let cases = [
        (key(&[]), ""),
        (key(&[(None, Ascending)]), "18"),
        (key(&[(None, Descending)]), "e7"),
        (key(&[(Some(&one), Ascending), (Some(&text), Ascending)]), "20bff00000000000000028610001"),
        (
            key(&[(Some(&text), Descending), (Some(&one), Ascending)]),
            "d79efffe20bff000000000000000",
        ),
    ];
    for (key, expected) in cases {
        assert_eq!(hexadecimal(key.as_bytes()), expected);
    }
}

#[test]
fn long_keys_are_cut() {
    // The class, and the end of the text.
    let longest = string(&"x".repeat(MAX_WHOLE - 3));
    assert_eq!(Key::of(longest.get()).as_bytes().len(), MAX_WHOLE);
    assert!(!Key::of(longest.get()).is_cut());
    let longer = Key::of(string(&"x".repeat(MAX_WHOLE - 2)).get());
    assert!(longer.is_cut());
    assert_eq!(longer.as_bytes().len(), MAX_WHOLE + 32);
    assert_eq!(longer.ordered().len(), MAX_WHOLE);
    assert_eq!(
        hexadecimal(&longer.as_bytes()[MAX_WHOLE - 2..]),
        "78008236ae8459fc9a6dd64483ed7adee1f026fb53670f648f6b896ac33c6c729bd9"
    );
    let (one, other) =
        (string(&format!("{}a", "x".repeat(5000))), string(&format!("{}b", "x".repeat(5000))));
    assert_ne!(Key::of(one.get()), Key::of(other.get()));
    assert_eq!(Key::of(one.get()).ordered(), Key::of(other.get()).ordered());
    // Equal numbers of different types, beyond the cut.
    let of = |number: Value| array(&[string(&"x".repeat(5000)), number]);
    assert_eq!(Key::of(of(int(7)).get()), Key::of(of(decimal("7.0")).get()));
    let large = string(&"\0".repeat(10_000_000));
    assert_eq!(Key::of(large.get()).into_bytes().len(), MAX_WHOLE + 32);
}

fn any_scalar() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ab\u{0}\u{1}é]{0,4}", any::<String>()];
    let data =
        (prop::sample::select(vec![0_u8, 1, 2, 4, 0x80]), prop::collection::vec(any::<u8>(), 0..6));
    prop_oneof![
        4 => any_number().prop_map(|number| match number.to_bson() {
            bson::RawBson::Int32(value) => int(value),
            bson::RawBson::Int64(value) => long(value),
            bson::RawBson::Double(value) => double(value),
            bson::RawBson::Decimal128(value) => Value::new(0x13, &value.bytes()),
            other => panic!("{other:?}"),
        }),
        2 => text.prop_map(|value| string(&value)),
        1 => data.prop_map(|(subtype, bytes)| binary(subtype, &bytes)),
        1 => any::<i64>().prop_map(date),
        1 => any::<(u32, u32)>().prop_map(|(seconds, increment)| timestamp(seconds, increment)),
        1 => any::<[u8; 12]>().prop_map(object_id),
        1 => any::<bool>().prop_map(boolean),
        1 => ("[ab]{0,2}", "[im]{0,2}").prop_map(|(pattern, options)| regex(&pattern, &options)),
        1 => ("[ab]{0,3}", any::<[u8; 12]>()).prop_map(|(namespace, id)| pointer(&namespace, id)),
        1 => "[ab\u{0}]{0,2}".prop_map(|value| code(&value)),
        1 => prop::sample::select(vec![min_key(), max_key(), null(), undefined(), symbol("a")]),
    ]
}

fn borrowed(fields: &[(String, Value)]) -> Vec<(&str, Value)> {
    fields.iter().map(|(name, value)| (&**name, value.clone())).collect()
}

fn any_value() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(4, 24, 4, |inner| {
        let fields = prop::collection::vec(("[ab]{0,2}", inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|elements| array(&elements)),
            fields.clone().prop_map(|fields| object(&borrowed(&fields))),
            fields.prop_map(|fields| code_with_scope("f", &borrowed(&fields))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn keys_have_the_order_of_values(left in any_value(), right in any_value()) {
        let expected = compare(left.get(), right.get());
        let keys = (Key::of(left.get()), Key::of(right.get()));
        if keys.0.is_cut() || keys.1.is_cut() {
            prop_assert_eq!(keys.0 == keys.1, expected.is_eq());
        } else {
            prop_assert_eq!(keys.0.cmp(&keys.1), expected);
        }
    }

    #[test]
    fn keys_of_two_fields_have_the_order_of_both(
        left in (any_scalar(), any_scalar()),
        right in (any_scalar(), any_scalar()),
        same in any::<bool>(),
    ) {
        use Direction::{Ascending, Descending};
        let right = if same { (left.0.clone(), right.1) } else { right };
        let of = |pair: &(Value, Value)| key(&[(Some(&pair.0), Descending), (Some(&pair.1), Ascending)]);
        let expected = compare(right.0.get(), left.0.get())
            .then_with(|| compare(left.1.get(), right.1.get()));
        prop_assert_eq!(of(&left).cmp(&of(&right)), expected);
    }

    #[test]
    fn cut_keys_are_equal_when_values_are(
        value in any_value(),
        other in any_value(),
        length in MAX_WHOLE - 40..MAX_WHOLE + 5,
    ) {
        let of = |last: &Value| array(&[string(&"x".repeat(length)), last.clone()]);
        let (first, second) = (of(&value), of(&other));
        let expected = compare(first.get(), second.get());
        let (first, second) = (Key::of(first.get()), Key::of(second.get()));
        prop_assert_eq!(first == second, expected.is_eq());
        let ordered = first.ordered().cmp(second.ordered());
        prop_assert!(ordered.is_eq() || ordered == expected);
    }
}
