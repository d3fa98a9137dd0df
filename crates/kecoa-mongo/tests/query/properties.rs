//! What holds of all filters and documents.

use std::fmt::Write as _;

use kecoa_mongo::expression::Scope;
use kecoa_mongo::query::{Sort, SortMode};
use proptest::prelude::*;

use crate::support::*;

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        (-3..4_i32).prop_map(|number| number.to_string()),
        (-3..4_i32).prop_map(|number| format!("{number}.5")),
        (-3..4_i64).prop_map(|number| format!("{number}L")),
        Just("null".to_owned()),
        Just("NaN".to_owned()),
        Just("true".to_owned()),
        Just("MinKey".to_owned()),
        "[a-c]{0,2}".prop_map(|text| format!("'{text}'")),
    ]
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|values| format!("[{}]", values.join(", "))),
            proptest::collection::vec(("[a-c]", inner), 0..3).prop_map(fields),
        ]
    })
}

fn fields(fields: Vec<(String, String)>) -> String {
    let mut text = String::from("{");
    for (name, value) in fields {
        write!(text, "{name}: {value}, ").unwrap();
    }
    text + "}"
}

fn stored() -> impl Strategy<Value = String> {
    proptest::collection::vec(("[a-c]", value()), 0..4).prop_map(fields)
}

fn path() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["a", "b", "c", "a.b", "a.a", "b.0", "a.0.b", "c.b.a"])
}

fn condition() -> impl Strategy<Value = String> {
    let operator = proptest::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    prop_oneof![
        (operator, value()).prop_map(|(operator, value)| format!("{{{operator}: {value}}}")),
        proptest::collection::vec(value(), 0..3)
            .prop_map(|values| format!("{{$in: [{}]}}", values.join(", "))),
        proptest::collection::vec(value(), 0..3)
            .prop_map(|values| format!("{{$all: [{}]}}", values.join(", "))),
        (0..3).prop_map(|size| format!("{{$size: {size}}}")),
        any::<bool>().prop_map(|exists| format!("{{$exists: {exists}}}")),
        value().prop_map(|value| format!("{{$elemMatch: {{$gte: {value}}}}}")),
        value().prop_map(|value| format!("{{$elemMatch: {{a: {value}}}}}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_filter_and_its_negation_part_documents(
        path in path(), condition in condition(), other in condition(), text in stored(),
    ) {
        let one = format!("{{'{path}': {condition}}}");
        let two = format!("{{b: {other}}}");
        let (first, second) = (matches(&one, &text), matches(&two, &text));
        let negated = format!("{{'{path}': {{$not: {condition}}}}}");
        prop_assert_eq!(matches(&negated, &text), !first);
        let filter = |operator: &str| format!("{{{operator}: [{one}, {two}]}}");
        prop_assert_eq!(matches(&filter("$or"), &text), first || second);
        prop_assert_eq!(matches(&filter("$and"), &text), first && second);
        prop_assert_eq!(matches(&filter("$nor"), &text), !(first || second));
    }

    #[test]
    fn a_list_is_all_its_values(
        path in path(), values in proptest::collection::vec(value(), 0..4), text in stored(),
    ) {
        let any = values.iter().any(|value| matches(&format!("{{'{path}': {{$eq: {value}}}}}"), &text));
        let every = values.iter().all(|value| matches(&format!("{{'{path}': {{$eq: {value}}}}}"), &text));
        let list = values.join(", ");
        prop_assert_eq!(matches(&format!("{{'{path}': {{$in: [{list}]}}}}"), &text), any);
        prop_assert_eq!(matches(&format!("{{'{path}': {{$nin: [{list}]}}}}"), &text), !any);
        let all = matches(&format!("{{'{path}': {{$all: [{list}]}}}}"), &text);
        prop_assert_eq!(all, every && !values.is_empty());
    }

    #[test]
    fn a_position_is_that_of_an_element(value in value(), text in stored()) {
        if let Some(Some(at)) = position(&format!("{{a: {{$eq: {value}}}}}"), &text) {
            let exact = format!("{{'a.{at}': {{$eq: {value}}}}}");
            prop_assert!(matches(&exact, &text), "{} on {}", exact, text);
        }
    }

    #[test]
    fn sorts_are_total_orders(
        first in stored(), second in stored(), third in stored(), directions in "(1|-1), b: (1|-1)",
    ) {
        let specification = document(&format!("{{'a.b': {directions}}}"));
        let sort = Sort::parse(&specification, SortMode::Find, &Scope::new()).unwrap();
        let keys: Result<Vec<_>, _> =
            [&first, &second, &third].iter().map(|text| sort.key(&document(text))).collect();
        // Two arrays on the paths have no order, and numbers among names neither.
        let Ok(keys) = keys else { return Ok(()) };
        let by_texts = sort.compare(&document(&first), &document(&second)).unwrap();
        prop_assert_eq!(by_texts, keys[0].cmp(&keys[1]));
        if keys[0] <= keys[1] && keys[1] <= keys[2] {
            prop_assert!(keys[0] <= keys[2]);
        }
    }
}
