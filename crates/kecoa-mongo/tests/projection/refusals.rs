//! Specifications that are refused, and the numbers of their errors.

use kecoa_mongo::expression::Scope;
use kecoa_mongo::projection::{Mode, Projection};

use crate::support::*;

const BOTH: &[(&str, i32)] = &[
    ("{a: 1, b: 0}", 31254),
    ("{a: 0, b: 1}", 31253),
    ("{a: true, b: false}", 31254),
    ("{a: {b: 1, c: 0}}", 31254),
    ("{a: {b: 0, c: 1}}", 31253),
    ("{a: 1, '_id.x': 0}", 31254),
    ("{a: 0, '_id.x': 1}", 31253),
    ("{a: '$b', c: 0}", 31254),
    ("{a: 0, c: 'x'}", 31310),
    ("{a: 0, c: null}", 31310),
    ("{a: 0, c: ['$x']}", 31310),
    ("{a: 0, c: {$add: [1, 2]}}", 31252),
    ("{a: 1, a: 1}", 31250),
    ("{'a.b': 1, 'a.b': 1}", 31250),
    ("{'a.b': 1, a: 1}", 31250),
    ("{a: 1, 'a.b': 1}", 31249),
    ("{'a.b': 1, 'a.b.c': 1}", 31249),
    ("{a: {b: 1}, 'a.b': 1}", 31250),
    ("{a: 0, 'a.b': 0}", 31249),
    ("{'a.b': 0, a: 0}", 31250),
    ("{_id: 1, '_id.x': 1}", 31249),
    ("{_id: 1, _id: 1}", 31250),
    ("{_id: 1, _id: 0}", 31250),
    ("{_id: 0, '_id.x': 1}", 31249),
    ("{'_id.x': 1, _id: 0}", 31250),
    // A collision is found before what does not go together.
    ("{a: 1, a: 0}", 31250),
    ("{a: 0, a: 1}", 31250),
    ("{a: 1, 'a.b': 0}", 31249),
    ("{'a.b': 0, a: 1}", 31250),
    ("{a: 0, a: 'x'}", 31250),
    ("{a: 'x', a: 1}", 31250),
    ("{a: 'x', 'a.b': 1}", 31249),
    ("{a: {b: 1, b: 1}}", 31250),
    ("{a: {b: {c: 1}}, 'a.b': 1}", 31250),
    ("{a: {b: 1}, 'a.b.c': 1}", 31249),
    ("{a: {$id: 1}, 'a.$id': 1}", 31250),
    ("{a: {}}", 51270),
    ("{a: {b: {}}}", 51270),
    ("{'': 1}", 40352),
    ("{a: {'': 1}}", 40352),
    ("{'a.': 1}", 40353),
    ("{'.a': 1}", 15998),
    ("{'a..b': 1}", 15998),
    ("{$a: 1}", 16410),
    ("{'a.$b': 1}", 16410),
    ("{$: 1}", 16410),
    ("{'$.a': 1}", 16410),
    ("{a: {$b: 1, $c: 2}}", 16410),
    ("{a: {b: 1, $c: 2}}", 16410),
    ("{a: {$nothing: 1}}", 31325),
    ("{a: {$and: [{$nothing: 1}]}}", 168),
    ("{a: '$'}", 16872),
    ("{a: '$$nothing'}", 17276),
    ("{a: '$a..b'}", 15998),
    ("{a: '$a.'}", 40353),
    ("{'a.$.b': 1}", 31394),
    ("{'$.v.$.foo': 1}", 31394),
];

const FIND: &[(&str, i32)] = &[
    ("{'a.$': 0}", 31395),
    ("{'a.$': false}", 31395),
    ("{'a.$': 'x'}", 31308),
    ("{'a.$': {b: 1}}", 31271),
    ("{'a.$': {$add: [1]}}", 31271),
    ("{'a.$': 1, 'b.$': 1}", 31276),
    ("{b: 0, 'a.$': 1}", 31253),
    ("{'a.$': 1, b: 0}", 31254),
    ("{a: 1, 'a.$': 1}", 31250),
    ("{a: 0, 'a.$': 1}", 31250),
    ("{'a.$': 1, a: 1}", 31250),
    ("{a: 1, 'a.b.$': 1}", 31249),
    ("{'a.b': 1, 'a.b.$': 1}", 31250),
    ("{'a.$': dec('0')}", 31395),
    ("{'a.$': [1]}", 31308),
    ("{'a.$': null}", 31308),
    ("{'a.$': {$slice: 1}}", 31271),
    ("{'a.$': {$elemMatch: {b: 1}}}", 31271),
    ("{'a.$': 1, b: {$elemMatch: {c: 1}}}", 31255),
    ("{b: {$elemMatch: {c: 1}}, 'a.$': 1}", 31256),
    ("{'v.$.foo.$': 1}", 31394),
    ("{'a.$.$': 1}", 31394),
    ("{'v..$': 1}", 40353),
    ("{'.$': 1}", 5_392_900),
    ("{a: {$elemMatch: 1}}", 31274),
    ("{a: {$elemMatch: [1]}}", 31274),
    ("{a: {$elemMatch: null}}", 31274),
    ("{'a.b': {$elemMatch: 1}}", 31274),
    ("{'a.$': 1, b: {$elemMatch: 1}}", 31274),
    ("{'a.$': 1, 'b.c': {$elemMatch: {d: 1}}}", 31255),
    ("{a: {$elemMatch: {$expr: true}}}", 2),
    ("{a: {$elemMatch: {$jsonSchema: {}}}}", 224),
    ("{a: {$elemMatch: {$or: [{$jsonSchema: {}}]}}}", 224),
    ("{a: {$elemMatch: {$where: 'true'}}}", 2),
    ("{a: {$elemMatch: {b: 1, $text: {$search: 'x'}}}}", 2),
    ("{a: {$elemMatch: {b: {$near: [0, 0]}}}}", 5_626_500),
    ("{a: {$elemMatch: {b: {$gt: 1, $near: [0, 0]}}}}", 2),
    ("{'a.b': {$elemMatch: {c: 1}}}", 31275),
    ("{a: {b: {$elemMatch: {c: 1}}}}", 31275),
    ("{a: {$elemMatch: {$nothing: 1}}}", 2),
    ("{a: {$slice: 1}, a: 1}", 31250),
    ("{a: {$slice: 1}, 'a.b': 1}", 31249),
    ("{'a.b': 1, a: {$slice: 1}}", 31250),
    ("{a: {$slice: []}}", 28667),
    ("{a: {$slice: [1]}}", 28667),
    ("{a: {$slice: 'x'}}", 28667),
    ("{a: {$slice: null}}", 28667),
    ("{a: {$slice: true}}", 28667),
    ("{a: {$slice: {}}}", 28667),
    ("{a: {$slice: [1, 2, 3, 4]}}", 28667),
];

const AGGREGATE: &[(&str, i32)] = &[
    ("{}", 51272),
    ("{'a.$': 1}", 31324),
    ("{'a.$': 0}", 31324),
    ("{'v.$.foo.$': 1}", 31324),
    ("{'$.v.$': 1}", 31324),
    ("{'v..$': 1}", 31324),
    ("{a: {$elemMatch: {b: 1}}}", 168),
    ("{a: {$elemMatch: 1}}", 168),
    ("{'a.b': {$elemMatch: {b: 1}}}", 168),
    ("{a: 1, b: {$meta: 'randVal'}, c: 0}", 31254),
];

const ADDED: &[(&str, i32)] = &[
    ("{}", 40177),
    ("{a: {}}", 40180),
    ("{a: {b: {}}}", 40180),
    ("{$a: 1}", 16410),
    ("{'a.$b': 1}", 16410),
    ("{'a.': 1}", 40353),
    ("{'': 1}", 40352),
    ("{'a..b': 1}", 15998),
    ("{a: 1, 'a.b': 2}", 40176),
    ("{'a.b': 2, a: 1}", 40176),
    ("{a: 1, a: 2}", 40176),
    ("{a: {b: 1, $add: [1]}}", 40181),
    ("{a: {$add: [1], $eq: [1]}}", 40181),
    ("{a: {'b.c': 1}}", 40183),
    ("{a: {$nothing: 1}}", 168),
];

fn refused(specification: &str, mode: Mode, number: i32) {
    match parse(specification, mode) {
        Ok(_) => panic!("{mode:?} {specification} was accepted"),
        Err(error) => {
            assert_eq!(error.code().number(), number, "{mode:?} {specification}: {error}");
        }
    }
}

#[test]
fn specifications_are_refused() {
    for (specification, number) in BOTH {
        refused(specification, Mode::Find, *number);
        refused(specification, Mode::Aggregate, *number);
    }
    for (specification, number) in FIND {
        refused(specification, Mode::Find, *number);
    }
    for (specification, number) in AGGREGATE {
        refused(specification, Mode::Aggregate, *number);
    }
}

#[test]
fn added_fields_are_refused() {
    for (specification, number) in ADDED {
        match Projection::parse_added(&document(specification), &Scope::new()) {
            Ok(_) => panic!("{specification} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{specification}: {error}"),
        }
    }
}

#[test]
fn a_projection_may_not_be_too_deep() {
    let mut specification = "1".to_owned();
    for _ in 0..250 {
        specification = format!("{{a: {specification}}}");
    }
    refused(&specification, Mode::Find, 15);
    let path = vec!["a"; 201].join(".");
    refused(&format!("{{'{path}': 1}}"), Mode::Find, 15);
}
