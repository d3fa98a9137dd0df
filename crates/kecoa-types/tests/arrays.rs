//! Arrays: the streaming parser, shapes, bounds, quoting, and hostile headers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::borrow::Cow;

use kecoa_types::array::text::{Event, Parser, decode, encode};
use kecoa_types::array::{self, Array, Dimension};
use kecoa_types::{binary, oid, text};

fn events(bytes: &str) -> Result<Vec<String>, String> {
    Parser::new(bytes.as_bytes(), b',')
        .map(|event| {
            Ok(match event.map_err(|error| error.to_string())? {
                Event::Open => "{".to_owned(),
                Event::Close => "}".to_owned(),
                Event::Null => "NULL".to_owned(),
                Event::Element(bytes) => format!("<{}>", String::from_utf8_lossy(&bytes)),
            })
        })
        .collect()
}

fn steps(bytes: &str) -> String {
    events(bytes).unwrap().concat()
}

#[test]
fn events_of_good_arrays() {
    assert_eq!(steps("{}"), "{}");
    assert_eq!(steps("{1,-2,NULL}"), "{<1><-2>NULL}");
    assert_eq!(steps("{{1,2},{3,4}}"), "{{<1><2>}{<3><4>}}");
    assert_eq!(steps(r#"{"NULL",null,"","a\"b\\c","{x,y}"}"#), r#"{<NULL>NULL<><a"b\c><{x,y}>}"#);
    assert_eq!(steps(r"{a\,b,N\ULL}"), "{<a,b><NULL>}");
    assert_eq!(steps("[0:1]={7,8}"), "{<7><8>}");
    assert_eq!(steps("[-1:0][2:3]={{7,8},{9,10}}"), "{{<7><8>}{<9><10>}}");
    assert_eq!(steps("{é, x}"), "{<é>< x>}");
}

#[test]
fn elements_are_borrowed_unless_escaped() {
    let borrowed: Vec<bool> = Parser::new(br#"{a,"b","c\"d"}"#, b',')
        .filter_map(|event| match event.unwrap() {
            Event::Element(element) => Some(matches!(element, Cow::Borrowed(_))),
            _ => None,
        })
        .collect();
    assert_eq!(borrowed, [true, true, false]);
}

#[test]
fn other_delimiters() {
    let boxes: Vec<_> = Parser::new(b"{(1,1),(0,0);(3,3),(2,2)}", b';')
        .filter_map(|event| match event.unwrap() {
            Event::Element(element) => Some(element.into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(boxes, [b"(1,1),(0,0)".to_vec(), b"(3,3),(2,2)".to_vec()]);
}

#[test]
fn bad_arrays_are_refused() {
    for bad in [
        "",
        "1",
        "{",
        "}",
        "{1",
        "{1,",
        "{1,}",
        "{,1}",
        "{,}",
        "{1}}",
        "{1}2",
        "{{1}",
        "{1}{2}",
        "{\"a}",
        "{\"a\"b}",
        "{a\"b\"}",
        "{\"a\\",
        "{a\\",
        "{1{2}}",
        "{{1}2}",
        "{{{{{{{1}}}}}}}",
        "[0:1]",
        "[0:1]{1,2}",
        "[x]={1}",
        "[",
        "[1:2",
        "[1:2]=",
        "{1 {2}",
        "{\"a\"\"b\"}",
    ] {
        assert!(events(bad).is_err(), "{bad:?} gave {:?}", events(bad));
    }
    let error = events("{1,").unwrap_err();
    assert_eq!(error, "expected an array as {element,…} with at most 6 dimensions, found \"{1,\"");
}

#[test]
fn a_parser_ends_after_an_error() {
    let mut parser = Parser::new(b"{1}x{2}", b',');
    assert!(parser.by_ref().any(|event| event.is_err()));
    assert_eq!(parser.next(), None);
}

fn ints(bytes: &str) -> Result<Array<i32>, String> {
    decode(bytes.as_bytes(), b',', text::int4::decode).map_err(|error| error.to_string())
}

fn dimensions(array: &Array<i32>) -> Vec<(usize, i32)> {
    array.dimensions().iter().map(|dimension| (dimension.length, dimension.lower_bound)).collect()
}

#[test]
fn shapes() {
    assert_eq!(dimensions(&ints("{}").unwrap()), []);
    assert_eq!(dimensions(&ints("{1,2,3}").unwrap()), [(3, 1)]);
    assert_eq!(dimensions(&ints("{{1,2,3},{4,5,NULL}}").unwrap()), [(2, 1), (3, 1)]);
    assert_eq!(dimensions(&ints("[-2:-1][5:5]={{1},{2}}").unwrap()), [(2, -2), (1, 5)]);
    assert_eq!(dimensions(&ints("{{{{{{1}}}}}}").unwrap()), [(1, 1); 6]);
    assert_eq!(dimensions(&ints("{{},{}}").unwrap()), []);
    for ragged in [
        "{{1,2},{3}}",
        "{1,{2}}",
        "{{1},2}",
        "{{1},{{2}}}",
        "{{},{1}}",
        "{{1},{}}",
        "{{{1}},{2}}",
        "{{},1}",
        "{{},{{}}}",
    ] {
        assert!(ints(ragged).is_err(), "{ragged} gave {:?}", ints(ragged));
    }
    for bounds in [
        "[0:1]={1}",
        "[0:0][0:0]={1}",
        "[1:0]={}",
        "[0:1]={}",
        "[2147483647:2147483647]={1}",
        "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={1}",
        "[-9223372036854775808:9223372036854775807]={1}",
    ] {
        assert!(ints(bounds).is_err(), "{bounds} gave {:?}", ints(bounds));
    }
    assert_eq!(
        ints("{1,x}").unwrap_err(),
        "expected an integer from -2147483648 to 2147483647, found \"x\""
    );
}

#[test]
fn printing_quotes_as_the_server_does() {
    let values = ["a", "", "NULL", "nUll", "a,b", "a b", "{x}", "q\"", "b\\", "tab\t", "x;y", "é"];
    let array =
        Array::from_elements(values.iter().map(|value| Some((*value).to_owned())).collect());
    let mut out = Vec::new();
    encode(&array, b',', &mut out, |value, out| text::text::encode(value, out));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{a,\"\",\"NULL\",\"nUll\",\"a,b\",\"a b\",\"{x}\",\"q\\\"\",\"b\\\\\",\"tab\t\",x;y,é}"
    );
}

#[test]
fn binary_sample() {
    let array = Array::new(vec![Dimension { length: 2, lower_bound: 0 }], vec![Some(7), None]);
    let mut out = Vec::new();
    array::binary::encode(&array.unwrap(), oid::INT4, &mut out, |value, out| {
        binary::int4::encode(value, out);
        Ok(())
    })
    .unwrap();
    let expected = [
        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 7, 0xff,
        0xff, 0xff, 0xff,
    ];
    assert_eq!(out, expected);
}

fn binary_ints(words: &[i32]) -> Result<Array<i32>, String> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    array::binary::decode(&bytes, |_, bytes| binary::int4::decode(bytes))
        .map_err(|error| error.to_string())
}

#[test]
fn hostile_headers_are_refused_before_anything_is_allocated() {
    assert!(binary_ints(&[0, 0, 23]).unwrap().elements().is_empty());
    assert!(binary_ints(&[1, 0, 23, 0, 1]).unwrap().elements().is_empty());
    let error = binary_ints(&[1, 0, 23, i32::MAX - 1, 1]).unwrap_err();
    assert!(error.starts_with("expected a binary array with room for its 2147483646 elements"));
    for bad in [
        &[][..],
        &[0],
        &[0, 0],
        &[-1, 0, 23],
        &[7, 0, 23, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 0],
        &[0, 2, 23],
        &[1, 0, 23, -1, 1],
        &[1, 0, 23, 1, i32::MAX, 4, 0],
        &[2, 0, 23, 65_536, 1, 65_536, 1],
        &[6, 0, 23, i32::MAX, 0, i32::MAX, 0, i32::MAX, 0, i32::MAX, 0, i32::MAX, 0, i32::MAX, 0],
        &[1, 0, 23, 1, 1, 5, 0],
        &[1, 0, 23, 1, 1, -2, 0],
        &[1, 0, 23, 1, 1, 4, 0, 0],
        &[0, 0, 23, 0],
    ] {
        assert!(binary_ints(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn dimensions_must_fit_the_elements() {
    let dimension = |length| Dimension { length, lower_bound: 1 };
    assert!(Array::new(vec![dimension(2), dimension(2)], vec![Some(1); 4]).is_ok());
    assert!(Array::new(vec![dimension(3)], vec![Some(1); 4]).is_err());
    assert!(Array::new(vec![], vec![Some(1)]).is_err());
    assert!(Array::new(vec![dimension(0)], Vec::<Option<i32>>::new()).is_err());
    assert!(Array::new(vec![dimension(1); 7], vec![Some(1)]).is_err());
}
