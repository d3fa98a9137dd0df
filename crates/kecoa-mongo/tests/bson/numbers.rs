//! Numbers of all types: their order, and arithmetic between them.

use std::cmp::Ordering;

use kecoa_mongo::bson::decimal128::Decimal;
use kecoa_mongo::bson::key::Key;
use kecoa_mongo::bson::number::{IntegerOverflow, Number};
use proptest::prelude::*;

fn number(kind: &str, text: &str) -> Number {
    match kind {
        "i" => Number::Int32(text.parse().unwrap()),
        "l" => Number::Int64(text.parse().unwrap()),
        "d" => Number::Double(text.parse().unwrap()),
        "n" => Number::Decimal(Decimal::parse_exact(text).unwrap()),
        other => panic!("{other}"),
    }
}

fn key(number: Number) -> Key {
    Key::of(number.to_bson().as_raw_bson_ref())
}

#[test]
fn pairs() {
    let mut count = 0;
    for line in include_str!("number_pairs.txt").lines().filter(|line| !line.starts_with('#')) {
        let row: Vec<_> = line.split(' ').collect();
        let [left_kind, left, sign, right_kind, right] = row[..] else { panic!("{line}") };
        let (left, right) = (number(left_kind, left), number(right_kind, right));
        let expected = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            _ => Ordering::Greater,
        };
        assert_eq!(left.cmp(&right), expected, "{line}");
        assert_eq!(right.cmp(&left), expected.reverse(), "{line}");
        assert_eq!(key(left).cmp(&key(right)), expected, "{line}");
        count += 1;
    }
    assert!(count > 400, "{count}");
}

/// The type as well as the value, as text.
fn shown(number: Number) -> String {
    match number {
        Number::Int32(value) => format!("i {value}"),
        Number::Int64(value) => format!("l {value}"),
        Number::Double(value) => format!("d {value:?}"),
        Number::Decimal(value) => format!("n {value}"),
    }
}

#[test]
fn types_are_promoted() {
    let cases = [
        ("i 1", "+", "i 2", "i 3"),
        ("i 2147483647", "+", "i 1", "l 2147483648"),
        ("i -2147483648", "-", "i 1", "l -2147483649"),
        ("i 65536", "*", "i 65536", "l 4294967296"),
        ("i -2147483648", "*", "i -1", "l 2147483648"),
        ("i 1", "+", "l 2", "l 3"),
        ("l 1", "-", "i 2", "l -1"),
        ("l 1", "+", "l 1", "l 2"),
        ("l 3000000000", "*", "i 3", "l 9000000000"),
        ("i 1", "+", "d 0.5", "d 1.5"),
        ("d 0.1", "+", "d 0.2", "d 0.30000000000000004"),
        ("l 9007199254740993", "+", "d 0", "d 9007199254740992.0"),
        ("d 1e308", "*", "i 10", "d inf"),
        ("d 0", "*", "i -1", "d -0.0"),
        ("d inf", "-", "d inf", "d NaN"),
        ("l 9223372036854775807", "+", "d 1", "d 9.223372036854775807e18"),
        ("i 1", "+", "n 2.50", "n 3.50"),
        ("l 9223372036854775807", "+", "n 1", "n 9223372036854775808"),
        ("l -9223372036854775808", "-", "n 1", "n -9223372036854775809"),
        ("d 0.1", "+", "n 0.2", "n 0.300000000000000"),
        ("d 0.5", "*", "n 2", "n 1.000000000000000"),
        ("n 1.5", "*", "i -2", "n -3.0"),
        ("n NaN", "+", "i 1", "n NaN"),
        ("d nan", "+", "n 1", "n NaN"),
        ("n Infinity", "*", "i 0", "n NaN"),
        ("n Infinity", "-", "d inf", "n NaN"),
    ];
    for (left, sign, right, expected) in cases {
        let of = |text: &str| {
            let (kind, text) = text.split_once(' ').unwrap();
            number(kind, text)
        };
        let (first, second, result) = (of(left), of(right), of(expected));
        let found = match sign {
            "+" => first.checked_add(second),
            "-" => first.checked_sub(second),
            _ => first.checked_mul(second),
        };
        assert_eq!(shown(found.unwrap()), shown(result), "{left} {sign} {right}");
    }
}

#[test]
fn int64_overflows_into_an_error() {
    let (least, most) = (Number::Int64(i64::MIN), Number::Int64(i64::MAX));
    let one = Number::Int32(1);
    assert_eq!(
        most.checked_add(one).unwrap_err(),
        IntegerOverflow { left: i64::MAX, operation: '+', right: 1 }
    );
    assert_eq!(
        least.checked_sub(one).unwrap_err().to_string(),
        "expected a result within 64 bits, found -9223372036854775808 - 1"
    );
    assert!(most.checked_mul(Number::Int32(2)).is_err());
    assert!(least.checked_mul(Number::Int32(-1)).is_err());
    assert!(least.checked_add(most).is_ok());
}

/// Numbers that are near each other across the types.
pub(crate) fn any_number() -> BoxedStrategy<Number> {
    let around = (prop::sample::select(vec![0_i64, 1, 1 << 31, 1 << 53, i64::MAX - 4]), -4_i64..5);
    let integer = prop_oneof![any::<i64>(), around.prop_map(|(base, more)| base + more)];
    let double = prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        integer.clone().prop_map(|value| value as f64),
        (-1000_i32..1000).prop_map(|value| f64::from(value) / 10.0),
    ];
    let decimal = prop_oneof![
            any::<u128>().prop_map(|bits| {
                Decimal::from_bson(bson::Decimal128::from_bytes(bits.to_le_bytes()))
            }),
            (integer.clone(), -330_i32..310)
                .prop_map(
                    |(digits, power)| Decimal::parse_exact(&format!("{digits}E{power}")).unwrap()
                ),
            (-1000_i32..1000, 0_i32..3)
                .prop_map(
                    |(digits, power)| Decimal::parse_exact(&format!("{digits}E-{power}")).unwrap()
                ),
            double.clone().prop_map(|value| Decimal::parse(&format!("{value}")).unwrap()),
        ];
    prop_oneof![
        any::<i32>().prop_map(Number::Int32),
        (-20_i32..20).prop_map(Number::Int32),
        integer.prop_map(Number::Int64),
        double.prop_map(Number::Double),
        decimal.prop_map(Number::Decimal),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn keys_of_numbers_have_their_order(left in any_number(), right in any_number()) {
        prop_assert_eq!(key(left).cmp(&key(right)), left.cmp(&right));
    }

    #[test]
    fn numbers_have_one_order(a in any_number(), b in any_number(), c in any_number()) {
        let mut sorted = [a, b, c];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
    }

    #[test]
    fn decimals_survive_text_and_bytes(number in any_number()) {
        if let Number::Decimal(value) = number {
            let text = Decimal::parse_exact(&value.to_string()).unwrap();
            let bytes = Decimal::from_bson(value.to_bson());
            prop_assert!(value.is_nan() && text.is_nan() && bytes.is_nan() || text == value && bytes == value);
        }
    }
}
