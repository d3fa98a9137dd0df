//! Inclusion and exclusion.

use kecoa_mongo::projection::Mode;

use crate::support::*;

const BOTH: &[Mode] = &[Mode::Find, Mode::Aggregate];

const INCLUSION: &[Case] = &[
    ("{a: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: true}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: 1L}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: 0.5}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: -1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: NaN}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: dec('0.1')}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{a: 1, _id: 0}", "{_id: 1, a: 2, b: 3}", "{a: 2}"),
    ("{_id: 0, a: 1}", "{_id: 1, a: 2, b: 3}", "{a: 2}"),
    ("{_id: false, a: 1}", "{_id: 1, a: 2, b: 3}", "{a: 2}"),
    ("{_id: 1, a: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2}"),
    ("{_id: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1}"),
    ("{_id: true}", "{a: 2, _id: 1, b: 3}", "{_id: 1}"),
    ("{b: 1, a: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, a: 2, b: 3}"),
    ("{b: 1}", "{b: 1, c: 2, _id: 3}", "{b: 1, _id: 3}"),
    ("{x: 1}", "{_id: 1, a: 2}", "{_id: 1}"),
    ("{x: 1}", "{a: 2}", "{}"),
    ("{a: 1}", "{}", "{}"),
    ("{a: 1}", "{a: null}", "{a: null}"),
    ("{a: 1}", "{a: undefined}", "{a: undefined}"),
    ("{a: 1}", "{a: {}}", "{a: {}}"),
    ("{a: 1}", "{a: []}", "{a: []}"),
    ("{a: 1}", "{a: {b: 1, c: [1, {d: 2}]}}", "{a: {b: 1, c: [1, {d: 2}]}}"),
    ("{'a.b': 1}", "{_id: 1, a: {b: 1, c: 2}, d: 1}", "{_id: 1, a: {b: 1}}"),
    ("{a: {b: 1}}", "{_id: 1, a: {b: 1, c: 2}, d: 1}", "{_id: 1, a: {b: 1}}"),
    ("{a: {b: 1, c: 1}}", "{a: {c: 1, d: 2, b: 3}}", "{a: {c: 1, b: 3}}"),
    ("{'a.b': 1, 'a.c': 1}", "{a: {c: 1, d: 2, b: 3}}", "{a: {c: 1, b: 3}}"),
    ("{a: {b: {c: 1}}}", "{a: {b: {c: 1, d: 2}, e: 3}}", "{a: {b: {c: 1}}}"),
    ("{'a.b.c': 1}", "{a: {b: {c: 1, d: 2}, e: 3}}", "{a: {b: {c: 1}}}"),
    ("{a: {'b.c': 1}}", "{a: {b: {c: 1, d: 2}, e: 3}}", "{a: {b: {c: 1}}}"),
    ("{'a.b': 1}", "{a: 5, c: 1}", "{}"),
    ("{'a.b': 1}", "{a: null}", "{}"),
    ("{'a.b': 1}", "{a: 'x'}", "{}"),
    ("{'a.b': 1}", "{a: {}}", "{a: {}}"),
    ("{'a.b': 1}", "{a: {c: 1}}", "{a: {}}"),
    ("{'a.b': 1}", "{a: []}", "{a: []}"),
    ("{'a.b': 1}", "{a: [1, 2]}", "{a: []}"),
    ("{'a.b': 1}", "{a: [{b: 1, c: 2}, {c: 3}, {b: 4}]}", "{a: [{b: 1}, {}, {b: 4}]}"),
    ("{'a.b': 1}", "{a: [{b: 1}, 5, null, 'x', {b: 2}]}", "{a: [{b: 1}, {b: 2}]}"),
    ("{'a.b': 1}", "{a: [[{b: 1, c: 2}], [1], []]}", "{a: [[{b: 1}], [], []]}"),
    ("{'a.b': 1}", "{a: [[[{b: 1, c: 2}, 1]]]}", "{a: [[[{b: 1}]]]}"),
    ("{'a.b.c': 1}", "{a: [{b: [{c: 1, d: 1}, 1]}, {b: 2}]}", "{a: [{b: [{c: 1}]}, {}]}"),
    ("{'a.0': 1}", "{a: [1, 2]}", "{a: []}"),
    ("{'a.0': 1}", "{a: {'0': 1, '1': 2}}", "{a: {'0': 1}}"),
    ("{'a.0': 1}", "{a: [{'0': 5, b: 1}]}", "{a: [{'0': 5}]}"),
    ("{'_id.x': 1}", "{_id: {x: 1, y: 2}, a: 1}", "{_id: {x: 1}}"),
    ("{'_id.x': 1, a: 1}", "{_id: {x: 1, y: 2}, a: 1}", "{_id: {x: 1}, a: 1}"),
    ("{'a._id': 1}", "{_id: 1, a: {_id: 1, b: 2}}", "{_id: 1, a: {_id: 1}}"),
    ("{'a.b': 1}", "{_id: 1, a: {_id: 1, b: 2}}", "{_id: 1, a: {b: 2}}"),
    ("{a: 1}", "{a: 1, a: 2, b: 3}", "{a: 1, a: 2}"),
    (
        "{a1: 1, a2: 1, a3: 1, a4: 1, a5: 1, a6: 1, a7: 1, a8: 1, a9: 1, b: 1}",
        "{z: 0, a1: 1, a9: 9, y: 0, b: 2}",
        "{a1: 1, a9: 9, b: 2}",
    ),
    ("{a: 1}", "{a: MinKey, b: MaxKey}", "{a: MinKey}"),
    ("{a: 1, 'b.c': 1}", "{b: {c: 1, d: 2}, a: 1}", "{b: {c: 1}, a: 1}"),
];

const EXCLUSION: &[Case] = &[
    ("{a: 0}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: false}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: 0L}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: 0.0}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: -0.0}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: dec('0')}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{a: 0, _id: 0}", "{_id: 1, a: 2, b: 3}", "{b: 3}"),
    ("{a: 0, _id: 1}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{_id: 1, a: 0}", "{_id: 1, a: 2, b: 3}", "{_id: 1, b: 3}"),
    ("{_id: 0}", "{_id: 1, a: 2, b: 3}", "{a: 2, b: 3}"),
    ("{_id: false}", "{a: 2, _id: 1, b: 3}", "{a: 2, b: 3}"),
    ("{x: 0}", "{_id: 1, a: 2}", "{_id: 1, a: 2}"),
    ("{'a.b': 0}", "{a: {b: 1, c: 2}, d: 1}", "{a: {c: 2}, d: 1}"),
    ("{a: {b: 0}}", "{a: {b: 1, c: 2}, d: 1}", "{a: {c: 2}, d: 1}"),
    ("{a: {b: false, c: 0}}", "{a: {b: 1, c: 2, e: 3}, d: 1}", "{a: {e: 3}, d: 1}"),
    ("{'a.b': 0}", "{a: {b: 1}}", "{a: {}}"),
    ("{'a.b': 0}", "{a: 5}", "{a: 5}"),
    ("{'a.b': 0}", "{a: null}", "{a: null}"),
    ("{'a.b': 0}", "{a: [1, {b: 1, c: 2}, [{b: 3, d: 4}, 5]]}", "{a: [1, {c: 2}, [{d: 4}, 5]]}"),
    ("{'a.b.c': 0}", "{a: {b: [{c: 1, d: 2}, 3]}}", "{a: {b: [{d: 2}, 3]}}"),
    ("{'a.0': 0}", "{a: [1, 2]}", "{a: [1, 2]}"),
    ("{'_id.x': 0}", "{_id: {x: 1, y: 2}, a: 1}", "{_id: {y: 2}, a: 1}"),
    ("{'a._id': 0}", "{_id: 1, a: {_id: 1, b: 2}}", "{_id: 1, a: {b: 2}}"),
    ("{a: 0}", "{a: 1, b: 3, a: 2}", "{b: 3}"),
    ("{a: 0}", "{}", "{}"),
];

#[test]
fn fields_are_included() {
    check(INCLUSION, BOTH);
}

#[test]
fn fields_are_excluded() {
    check(EXCLUSION, BOTH);
}

#[test]
fn a_value_of_any_type_is_shown_as_it_is() {
    let values = [
        "1",
        "1L",
        "1.5",
        "NaN",
        "Infinity",
        "dec('1.10')",
        "'x'",
        "''",
        "{}",
        "{x: 1}",
        "[]",
        "[1]",
        "bin(0, '00ff')",
        "undefined",
        "oid(1)",
        "true",
        "false",
        "date(5)",
        "null",
        "/x/i",
        "code('x')",
        "sym('x')",
        "ts(1, 2)",
        "MinKey",
        "MaxKey",
        "scoped('x')",
        "ptr('a.b')",
    ];
    for value in values {
        for mode in BOTH {
            let text = format!("{{_id: 1, a: {value}, b: {{c: {value}, d: 1}}}}");
            let tables = [
                ("{a: 1}", format!("{{_id: 1, a: {value}}}")),
                ("{a: 0}", format!("{{_id: 1, b: {{c: {value}, d: 1}}}}")),
                ("{'b.c': 1}", format!("{{_id: 1, b: {{c: {value}}}}}")),
                ("{'b.d': 0}", format!("{{_id: 1, a: {value}, b: {{c: {value}}}}}")),
                ("{_id: 0, b: {d: 1}}", "{b: {d: 1}}".to_owned()),
            ];
            for (specification, expected) in tables {
                let projection = parse(specification, *mode).unwrap();
                let found = projection.apply(&document(&text), None, &variables()).unwrap();
                assert_same(&found, &expected, &format!("{specification} of {text}"));
            }
        }
    }
}

#[test]
fn an_empty_projection_shows_all() {
    let projection = parse("{}", Mode::Find).unwrap();
    assert!(projection.is_empty());
    let found = projection.apply(&document("{_id: 1, a: 2}"), None, &variables()).unwrap();
    assert_same(&found, "{_id: 1, a: 2}", "{}");
    assert!(!parse("{_id: 0}", Mode::Find).unwrap().is_empty());
    assert!(!parse("{_id: 1}", Mode::Find).unwrap().is_empty());
    assert!(!parse("{a: 0}", Mode::Find).unwrap().is_empty());
}
