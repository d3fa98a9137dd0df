//! What a path leads to, in order.

use std::ops::ControlFlow;

use kecoa_mongo::bson::path::{Found, Path};

use crate::support::*;

/// All that a path leads to: the value, `@` and the positions, `*` for a whole array.
fn found(path: &str, document: &bson::RawDocument) -> Vec<String> {
    let mut all = Vec::new();
    let mut visit = |found: Found<'_, '_>| -> ControlFlow<()> {
        let mut text = match found.value {
            None => "missing".to_owned(),
            Some(bson::RawBsonRef::Int32(value)) => value.to_string(),
            Some(bson::RawBsonRef::Array(value)) => format!("array{}", value.into_iter().count()),
            Some(bson::RawBsonRef::Document(value)) => format!("object{}", value.iter().count()),
            Some(bson::RawBsonRef::Null) => "null".to_owned(),
            Some(other) => format!("{other:?}"),
        };
        if found.whole_array {
            text.push('*');
        }
        let mut position = found.positions;
        while let Some(here) = position {
            text += &format!("@{}", here.index);
            position = here.outer;
        }
        all.push(text);
        ControlFlow::Continue(())
    };
    assert!(Path::parse(path).unwrap().visit(document, &mut visit).is_continue());
    all
}

#[test]
fn paths() {
    let list = |values: &[i32]| array(&values.iter().copied().map(int).collect::<Vec<_>>());
    let one = |name: &'static str, value: Value| object(&[(name, value)]);
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("a", int(1), &["1"]),
        ("b", int(1), &["missing"]),
        ("a", null(), &["null"]),
        ("a.b", int(1), &["missing"]),
        ("a.b", null(), &["missing"]),
        ("a.b", one("b", int(1)), &["1"]),
        ("a.b.c", one("b", one("c", int(1))), &["1"]),
        ("a.b.c", one("b", int(1)), &["missing"]),
        ("a.0", one("0", int(1)), &["1"]),
        // An array at the end.
        ("a", list(&[]), &["array0*"]),
        ("a", list(&[4, 5]), &["4@0", "5@1", "array2*"]),
        ("a", array(&[list(&[1]), int(2)]), &["array1@0", "2@1", "array2*"]),
        ("a.b", one("b", list(&[4])), &["4@0", "array1*"]),
        // An array on the way.
        ("a.b", list(&[]), &[]),
        ("a.b", list(&[1, 2]), &[]),
        ("a.b", array(&[one("b", int(1)), one("b", int(2))]), &["1@0", "2@1"]),
        ("a.b", array(&[one("b", int(1)), one("c", int(2)), int(3)]), &["1@0", "missing@1"]),
        ("a.b", array(&[int(0), one("b", list(&[7, 8]))]), &["7@0@1", "8@1@1", "array2*@1"]),
        ("a.b", array(&[array(&[one("b", int(1))])]), &[]),
        ("a.b.c", array(&[one("b", one("c", int(1)))]), &["1@0"]),
        (
            "a.b.c",
            array(&[one("b", array(&[one("c", int(1)), one("c", int(2))])), one("b", int(0))]),
            &["1@0@0", "2@1@0", "missing@1"],
        ),
        // A number.
        ("a.0", list(&[4, 5]), &["4"]),
        ("a.1", list(&[4, 5]), &["5"]),
        ("a.2", list(&[4, 5]), &[]),
        ("a.01", list(&[4, 5]), &[]),
        ("a.-1", list(&[4, 5]), &[]),
        ("a.99999999999999999999999", list(&[4, 5]), &[]),
        ("a.1", array(&[int(5), list(&[2, 4])]), &["array2"]),
        ("a.1", array(&[int(5), one("1", int(4))]), &["4@1", "object1"]),
        ("a.0.b", array(&[one("b", int(1))]), &["missing@0", "1"]),
        ("a.0.b", array(&[one("b", list(&[1, 2]))]), &["missing@0", "1@0", "2@1", "array2*"]),
        ("a.0.b", array(&[one("0", one("b", int(3)))]), &["3@0", "missing"]),
        ("a.1.b", array(&[one("b", int(1)), one("b", int(2))]), &["missing@0", "missing@1", "2"]),
        ("a.0.b", array(&[int(1)]), &[]),
        ("a.0.b", array(&[array(&[one("b", int(1))])]), &["1@0"]),
        ("a.0.0", array(&[list(&[6, 7])]), &["6"]),
        ("a.0.1", array(&[list(&[6, 7])]), &["7"]),
        ("a.0.0.b", array(&[array(&[one("b", int(1))])]), &["missing@0", "1"]),
        ("a.b.1", array(&[one("b", list(&[6, 7]))]), &["7@0"]),
        // Empty names.
        ("a.", one("", int(1)), &["1"]),
        ("", int(1), &["missing"]),
        ("a..b", one("", one("b", int(1))), &["1"]),
    ];
    for (path, value, expected) in &cases {
        let document = document(&[("x", int(9)), ("a", value.clone()), ("a", int(99))]);
        assert_eq!(found(path, &document), *expected, "{path} on {value:?}");
    }
    assert!(cases.len() >= 40);
}

#[test]
fn breaks_off_at_the_first_that_will_do() {
    let document = document(&[("a", array(&[int(1), int(2), int(3)]))]);
    let path = Path::parse("a").unwrap();
    let mut seen = 0;
    let is_two = |found: Found<'_, '_>| {
        seen += 1;
        found.value.and_then(bson::RawBsonRef::as_i32) == Some(2)
    };
    assert!(path.any(&document, is_two));
    assert_eq!(seen, 2);
    assert!(!path.any(&document, |found| found.value.is_none()));
}

#[test]
fn the_outermost_position_is_that_of_the_first_array() {
    let inner = array(&[int(7), int(8)]);
    let document = document(&[("a", array(&[int(0), object(&[("b", inner)])]))]);
    let mut positions = Vec::new();
    Path::parse("a.b").unwrap().any(&document, |found| {
        positions.push(found.outermost_position());
        false
    });
    assert_eq!(positions, [Some(1), Some(1), Some(1)]);
}

#[test]
fn long_paths_are_refused() {
    let of = |count: usize| vec!["a"; count].join(".");
    assert_eq!(Path::parse(&of(200)).unwrap().components().len(), 200);
    assert_eq!(Path::parse(&of(201)).unwrap_err().found, 201);
    let document = document(&[("a", nested(500, int(1)))]);
    assert_eq!(found(&of(200), &document), ["object1"]);
}
