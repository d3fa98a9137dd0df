//! `$slice`, `$elemMatch` and `a.$`: of `find` alone.

use kecoa_mongo::projection::Mode;

use crate::support::*;

const SLICES: &[Case] = &[
    ("{a: {$slice: 2}}", "{_id: 1, a: [1, 2, 3], b: 4}", "{_id: 1, a: [1, 2], b: 4}"),
    ("{a: {$slice: 2L}}", "{a: [1, 2, 3]}", "{a: [1, 2]}"),
    ("{a: {$slice: 2.9}}", "{a: [1, 2, 3]}", "{a: [1, 2]}"),
    ("{a: {$slice: dec('2')}}", "{a: [1, 2, 3]}", "{a: [1, 2]}"),
    ("{a: {$slice: -2}}", "{a: [1, 2, 3]}", "{a: [2, 3]}"),
    ("{a: {$slice: 0}}", "{a: [1, 2, 3]}", "{a: []}"),
    ("{a: {$slice: 10}}", "{a: [1, 2, 3]}", "{a: [1, 2, 3]}"),
    ("{a: {$slice: -10}}", "{a: [1, 2, 3]}", "{a: [1, 2, 3]}"),
    ("{a: {$slice: -9223372036854775808L}}", "{a: [1, 2, 3]}", "{a: [1, 2, 3]}"),
    ("{a: {$slice: 9223372036854775807L}}", "{a: [1, 2, 3]}", "{a: [1, 2, 3]}"),
    ("{a: {$slice: [1, 1]}}", "{a: [1, 2, 3]}", "{a: [2]}"),
    ("{a: {$slice: [1, 5]}}", "{a: [1, 2, 3]}", "{a: [2, 3]}"),
    ("{a: {$slice: [5, 5]}}", "{a: [1, 2, 3]}", "{a: []}"),
    ("{a: {$slice: [-2, 1]}}", "{a: [1, 2, 3]}", "{a: [2]}"),
    ("{a: {$slice: [-9, 2]}}", "{a: [1, 2, 3]}", "{a: [1, 2]}"),
    ("{a: {$slice: [0, 1]}}", "{a: [1, 2, 3]}", "{a: [1]}"),
    ("{a: {$slice: 1}}", "{a: 5}", "{a: 5}"),
    ("{a: {$slice: 1}}", "{b: 5}", "{b: 5}"),
    ("{a: {$slice: 1}}", "{a: {b: [1, 2]}}", "{a: {b: [1, 2]}}"),
    ("{'a.b': {$slice: 1}}", "{a: {b: [1, 2], c: 3}}", "{a: {b: [1], c: 3}}"),
    ("{a: {b: {$slice: 1}}}", "{a: {b: [1, 2], c: 3}}", "{a: {b: [1], c: 3}}"),
    ("{'a.b': {$slice: 1}}", "{a: [{b: [1, 2]}, 3, {b: 4}]}", "{a: [{b: [1]}, 3, {b: 4}]}"),
    // It reaches one array deep.
    (
        "{'a.b': {$slice: [1, 1]}}",
        "{a: [[{b: [1, 2]}], {b: [1, 2]}]}",
        "{a: [[{b: [1, 2]}], {b: [2]}]}",
    ),
    (
        "{'a.b': {$slice: 1}, c: 1}",
        "{a: [[{b: [1, 2], d: 1}]], c: 1}",
        "{a: [[{b: [1, 2]}]], c: 1}",
    ),
    ("{'a.b.c': {$slice: 1}}", "{a: [{b: [{c: [1, 2]}]}]}", "{a: [{b: [{c: [1]}]}]}"),
    ("{'a.b.c': {$slice: 1}}", "{a: [{b: [[{c: [1, 2]}]]}]}", "{a: [{b: [[{c: [1, 2]}]]}]}"),
    ("{'a.b.c': {$slice: 1}}", "{a: [[{b: {c: [1, 2]}}]]}", "{a: [[{b: {c: [1, 2]}}]]}"),
    ("{a: {$slice: 1}}", "{a: [[1, 2], [3]]}", "{a: [[1, 2]]}"),
    // With `$elemMatch` the other fields stay, unless `_id` is asked for.
    (
        "{a: {$slice: 1}, b: {$elemMatch: {$gt: 1}}}",
        "{_id: 1, a: [1, 2], b: [1, 2], c: 3}",
        "{_id: 1, a: [1], c: 3, b: [2]}",
    ),
    (
        "{_id: 1, a: {$slice: 1}, b: {$elemMatch: {$gt: 1}}}",
        "{_id: 1, a: [1, 2], b: [1, 2], c: 3}",
        "{_id: 1, a: [1], b: [2]}",
    ),
    ("{a: {$slice: 1}, b: 1}", "{_id: 1, a: [1, 2], b: 3, c: 4}", "{_id: 1, a: [1], b: 3}"),
    ("{b: 1, a: {$slice: 1}}", "{_id: 1, a: [1, 2], b: 3, c: 4}", "{_id: 1, a: [1], b: 3}"),
    ("{b: 0, a: {$slice: 1}}", "{_id: 1, a: [1, 2], b: 3, c: 4}", "{_id: 1, a: [1], c: 4}"),
    ("{a: {$slice: 1}, b: 0}", "{_id: 1, a: [1, 2], b: 3, c: 4}", "{_id: 1, a: [1], c: 4}"),
    ("{_id: 0, a: {$slice: 1}}", "{_id: 1, a: [1, 2], c: 4}", "{a: [1], c: 4}"),
    ("{_id: 1, a: {$slice: 1}}", "{_id: 1, a: [1, 2], c: 4}", "{_id: 1, a: [1]}"),
    ("{x: {$slice: ['$a', 1]}}", "{_id: 1, a: [1, 2]}", "{_id: 1, x: [1]}"),
    ("{x: {$slice: ['$a', 1, 1]}}", "{_id: 1, a: [1, 2]}", "{_id: 1, x: [2]}"),
];

const ELEMENTS: &[Case] = &[
    (
        "{a: {$elemMatch: {b: 2}}}",
        "{_id: 1, a: [{b: 1}, {b: 2, c: 3}], d: 1}",
        "{_id: 1, a: [{b: 2, c: 3}]}",
    ),
    ("{a: {$elemMatch: {$gt: 1}}}", "{_id: 1, a: [1, 2, 3]}", "{_id: 1, a: [2]}"),
    ("{a: {$elemMatch: {$gt: 1, $lt: 3}}}", "{a: [1, 2, 3]}", "{a: [2]}"),
    ("{a: {$elemMatch: {$gt: 9}}}", "{_id: 1, a: [1, 2, 3]}", "{_id: 1}"),
    ("{a: {$elemMatch: {b: 1}}}", "{_id: 1, a: {b: 1}}", "{_id: 1}"),
    ("{a: {$elemMatch: {b: 1}}}", "{_id: 1, a: 1}", "{_id: 1}"),
    ("{a: {$elemMatch: {b: 1}}}", "{_id: 1}", "{_id: 1}"),
    ("{a: {$elemMatch: {b: 1}}}", "{_id: 1, a: []}", "{_id: 1}"),
    (
        "{a: {$elemMatch: {b: 1}}, c: 1}",
        "{_id: 1, a: [{b: 1}], c: 2, d: 3}",
        "{_id: 1, c: 2, a: [{b: 1}]}",
    ),
    (
        "{c: 1, a: {$elemMatch: {b: 1}}}",
        "{_id: 1, a: [{b: 1}], c: 2, d: 3}",
        "{_id: 1, c: 2, a: [{b: 1}]}",
    ),
    ("{_id: 0, a: {$elemMatch: {b: 1}}}", "{_id: 1, a: [{b: 1}], c: 2}", "{a: [{b: 1}]}"),
    (
        "{c: 0, a: {$elemMatch: {b: 1}}}",
        "{_id: 1, a: [{b: 1}], c: 2, d: 3}",
        "{_id: 1, d: 3, a: [{b: 1}]}",
    ),
    (
        "{a: {$elemMatch: {b: 1, c: 2}}}",
        "{a: [{b: 1}, {c: 2}, {b: 1, c: 2}]}",
        "{a: [{b: 1, c: 2}]}",
    ),
];

/// A filter, a projection, a document, what is shown.
const POSITIONS: &[(&str, &str, &str, &str)] = &[
    ("{a: 2}", "{'a.$': 1}", "{_id: 1, a: [1, 2, 3], b: 4}", "{_id: 1, a: [2]}"),
    ("{a: {$gt: 1}}", "{'a.$': true}", "{_id: 1, a: [1, 2, 3]}", "{_id: 1, a: [2]}"),
    (
        "{a: {$gt: 1}}",
        "{'a.$': 1, b: 1}",
        "{_id: 1, a: [1, 2], b: 4, c: 5}",
        "{_id: 1, a: [2], b: 4}",
    ),
    ("{'a.b': 2}", "{'a.$': 1}", "{a: [{b: 1}, {b: 2, c: 3}]}", "{a: [{b: 2, c: 3}]}"),
    ("{a: {$elemMatch: {b: 2}}}", "{'a.$': 1}", "{a: [{b: 1}, {b: 2}]}", "{a: [{b: 2}]}"),
    ("{'a.b': 2}", "{'a.b.$': 1}", "{a: {b: [1, 2], c: 1}}", "{a: {b: [2]}}"),
    ("{a: 2}", "{_id: 0, 'a.$': 1}", "{_id: 1, a: [1, 2, 3]}", "{a: [2]}"),
    ("{a: 1}", "{'a.$': 1}", "{_id: 1, a: 1}", "{_id: 1, a: 1}"),
    ("{a: 1}", "{'b.$': 1}", "{_id: 1, a: 1, b: 5}", "{_id: 1, b: 5}"),
    ("{a: {$in: [2, 3]}}", "{'a.$': 1}", "{a: [1, 2, 3]}", "{a: [2]}"),
];

#[test]
fn arrays_are_sliced() {
    check(SLICES, &[Mode::Find]);
}

#[test]
fn the_first_element_that_matches_is_shown() {
    check(ELEMENTS, &[Mode::Find]);
}

#[test]
fn the_element_that_the_filter_met_is_shown() {
    for (filter, specification, text, expected) in POSITIONS {
        let what = format!("{filter} {specification} of {text}");
        let found = find(filter, specification, text)
            .unwrap_or_else(|error| panic!("{what}: {error}"))
            .unwrap_or_else(|| panic!("{what}: no match"));
        assert_same(&found, expected, &what);
    }
}

#[test]
fn a_positional_projection_needs_a_position() {
    let refused = find("{b: 1}", "{'a.$': 1}", "{a: [1, 2], b: 1}").unwrap_err();
    assert_eq!(refused.code().number(), 51246);
    let projection = parse("{'a.$': 1}", Mode::Find).unwrap();
    assert!(projection.needs_position());
    assert_eq!(projection.positional_path(), Some("a"));
    let refused = projection.apply(&document("{a: [1]}"), Some(4), &variables()).unwrap_err();
    assert_eq!(refused.code().number(), 51247);
    assert!(!parse("{a: 1}", Mode::Find).unwrap().needs_position());
}
