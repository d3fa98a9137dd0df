//! Expressions, literals, and the fields that `$addFields` and `$unset` change.

use kecoa_mongo::expression::Scope;
use kecoa_mongo::projection::{Mode, Projection};

use crate::support::*;

const COMPUTED: &[Case] = &[
    ("{a: '$b'}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 3}"),
    ("{a: '$b', _id: 0}", "{_id: 1, a: 2, b: 3}", "{a: 3}"),
    ("{x: '$a', b: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3, x: 2}"),
    ("{b: 1, x: '$a'}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3, x: 2}"),
    ("{y: '$b', x: '$a'}", "{_id: 1, a: 2, b: 3}", "{_id: 1, y: 3, x: 2}"),
    ("{x: 'text'}", "{_id: 1, a: 2}", "{_id: 1, x: 'text'}"),
    ("{x: ''}", "{_id: 1, a: 2}", "{_id: 1, x: ''}"),
    ("{x: null}", "{_id: 1, a: 2}", "{_id: 1, x: null}"),
    ("{x: date(5)}", "{_id: 1, a: 2}", "{_id: 1, x: date(5)}"),
    ("{x: oid(3)}", "{_id: 1, a: 2}", "{_id: 1, x: oid(3)}"),
    ("{x: /a/i}", "{_id: 1, a: 2}", "{_id: 1, x: /a/i}"),
    ("{x: ts(1, 2)}", "{_id: 1, a: 2}", "{_id: 1, x: ts(1, 2)}"),
    ("{x: MinKey}", "{_id: 1, a: 2}", "{_id: 1, x: MinKey}"),
    ("{x: bin(0, '0a')}", "{_id: 1, a: 2}", "{_id: 1, x: bin(0, '0a')}"),
    ("{x: []}", "{_id: 1, a: 2}", "{_id: 1, x: []}"),
    ("{x: ['$a', 1, '$z']}", "{_id: 1, a: 2}", "{_id: 1, x: [2, 1, null]}"),
    ("{x: {$literal: 1}}", "{_id: 1, a: 2}", "{_id: 1, x: 1}"),
    ("{x: {$literal: '$a'}}", "{_id: 1, a: 2}", "{_id: 1, x: '$a'}"),
    ("{x: {$eq: ['$a', 2]}}", "{_id: 1, a: 2}", "{_id: 1, x: true}"),
    ("{x: '$z'}", "{_id: 1, a: 2}", "{_id: 1}"),
    ("{x: '$$REMOVE'}", "{_id: 1, a: 2}", "{_id: 1}"),
    ("{x: '$$ROOT'}", "{_id: 1, a: 2}", "{_id: 1, x: {_id: 1, a: 2}}"),
    ("{_id: '$a'}", "{_id: 1, a: 2}", "{_id: 2}"),
    ("{_id: '$a', b: 1}", "{_id: 1, a: 2, b: 3}", "{b: 3, _id: 2}"),
    ("{'x.y': '$a'}", "{_id: 1, a: 2}", "{_id: 1, x: {y: 2}}"),
    ("{x: {y: '$a', z: 'k'}}", "{_id: 1, a: 2}", "{_id: 1, x: {y: 2, z: 'k'}}"),
    ("{'x.y': '$a'}", "{_id: 1, x: 5, a: 2}", "{_id: 1, x: {y: 2}}"),
    ("{'x.y': '$a'}", "{_id: 1, x: {z: 5}, a: 2}", "{_id: 1, x: {y: 2}}"),
    ("{'x.y': '$a', 'x.z': 1}", "{_id: 1, x: {z: 5, w: 1}, a: 2}", "{_id: 1, x: {z: 5, y: 2}}"),
    (
        "{'x.y': '$a'}",
        "{_id: 1, x: [1, {z: 1}, [2]], a: 2}",
        "{_id: 1, x: [{y: 2}, {y: 2}, [{y: 2}]]}",
    ),
    ("{'x.y': '$z'}", "{_id: 1, a: 2}", "{_id: 1, x: {}}"),
    ("{'x.y': '$a'}", "{_id: 1, x: [], a: 2}", "{_id: 1, x: []}"),
];

const ADDED: &[Case] = &[
    ("{x: '$a'}", "{_id: 1, a: 2}", "{_id: 1, a: 2, x: 2}"),
    ("{x: 1}", "{_id: 1, a: 2}", "{_id: 1, a: 2, x: 1}"),
    ("{x: 0}", "{_id: 1, a: 2}", "{_id: 1, a: 2, x: 0}"),
    ("{x: true}", "{_id: 1, a: 2}", "{_id: 1, a: 2, x: true}"),
    ("{x: false}", "{_id: 1, x: 2}", "{_id: 1, x: false}"),
    ("{a: 5}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 5, b: 3}"),
    ("{_id: 9}", "{_id: 1, a: 2}", "{_id: 9, a: 2}"),
    ("{b: '$a', a: '$b'}", "{a: 1, b: 2}", "{a: 2, b: 1}"),
    ("{a: '$$REMOVE'}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: '$z'}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{'a.b': 1}", "{_id: 1, c: 2}", "{_id: 1, c: 2, a: {b: 1}}"),
    ("{'a.b': 1}", "{a: {b: 0, c: 2}}", "{a: {b: 1, c: 2}}"),
    ("{'a.b': 1}", "{a: {c: 2}}", "{a: {c: 2, b: 1}}"),
    ("{a: {b: 1}}", "{a: {c: 2}}", "{a: {c: 2, b: 1}}"),
    ("{'a.b': 1}", "{a: 5, c: 1}", "{a: {b: 1}, c: 1}"),
    ("{'a.b': 1}", "{a: null}", "{a: {b: 1}}"),
    ("{'a.b': 1}", "{a: [1, {b: 2, c: 3}, [4]]}", "{a: [{b: 1}, {b: 1, c: 3}, [{b: 1}]]}"),
    ("{'a.b': 1}", "{a: []}", "{a: []}"),
    ("{'a.b.c': 1}", "{a: {b: 2}}", "{a: {b: {c: 1}}}"),
    ("{'a.b.c': '$a.b'}", "{a: {b: 2}}", "{a: {b: {c: 2}}}"),
    ("{'a.b': '$z'}", "{a: 1}", "{a: {}}"),
    ("{'a.b': 1, 'a.c': 2}", "{}", "{a: {b: 1, c: 2}}"),
    ("{x: [1, '$a']}", "{a: 2}", "{a: 2, x: [1, 2]}"),
    ("{x: {$literal: {}}}", "{a: 2}", "{a: 2, x: {}}"),
    ("{x: 'k', y: '$x'}", "{a: 2}", "{a: 2, x: 'k'}"),
    ("{a: 1}", "{a: 5, b: 2, a: 6}", "{a: 1, b: 2}"),
    ("{a: {$slice: ['$a', 1]}}", "{a: [1, 2]}", "{a: [1]}"),
];

/// Paths, a document, what is left.
const UNSET: &[(&[&str], &str, &str)] = &[
    (&["a"], "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    (&["a", "b"], "{_id: 1, a: 2, b: 3}", "{_id: 1}"),
    (&["_id"], "{_id: 1, a: 2}", "{a: 2}"),
    (&["a.b"], "{a: {b: 1, c: 2}}", "{a: {c: 2}}"),
    (&["a.b"], "{a: [{b: 1, c: 2}, 3]}", "{a: [{c: 2}, 3]}"),
    (&["z"], "{a: 1}", "{a: 1}"),
    (&["a.b.c", "a.d"], "{a: {b: {c: 1}, d: 2, e: 3}}", "{a: {b: {}, e: 3}}"),
];

#[test]
fn fields_are_computed() {
    check(COMPUTED, &[Mode::Find, Mode::Aggregate]);
}

#[test]
fn fields_are_added() {
    for (specification, text, expected) in ADDED {
        let what = format!("{specification} on {text}");
        let projection = Projection::parse_added(&document(specification), &Scope::new())
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = projection.apply(&document(text), None, &variables()).unwrap();
        assert_same(&found, expected, &what);
    }
}

#[test]
fn fields_are_unset() {
    for (paths, text, expected) in UNSET {
        let projection = Projection::excluding(paths.iter().copied()).unwrap();
        let found = projection.apply(&document(text), None, &variables()).unwrap();
        assert_same(&found, expected, &format!("{paths:?} off {text}"));
    }
}
