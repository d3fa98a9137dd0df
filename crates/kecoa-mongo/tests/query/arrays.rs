//! Arrays, `null` and missing fields: filters beside documents that they match, and others.

use crate::support::*;

struct Case {
    filter: &'static str,
    yes: &'static [&'static str],
    no: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        filter: "{a: 1}",
        yes: &["{a: 1}", "{a: 1L}", "{a: 1.0}", "{a: dec('1.00')}", "{a: [2, 1]}", "{a: [[2], 1]}"],
        no: &["{}", "{a: null}", "{a: '1'}", "{a: [[1]]}", "{a: {a: 1}}", "{b: 1}", "{a: true}"],
    },
    Case {
        filter: "{a: [1, 2]}",
        yes: &["{a: [1, 2]}", "{a: [1.0, 2L]}", "{a: [[1, 2]]}", "{a: [3, [1, 2]]}"],
        no: &["{a: [2, 1]}", "{a: [1]}", "{a: [1, 2, 3]}", "{a: 1}", "{a: [[[1, 2]]]}"],
    },
    Case {
        filter: "{a: []}",
        yes: &["{a: []}", "{a: [[]]}", "{a: [1, []]}"],
        no: &["{a: null}", "{}", "{a: [1]}", "{a: {}}", "{a: [[[]]]}"],
    },
    Case {
        filter: "{a: {}}",
        yes: &["{a: {}}", "{a: [{}]}"],
        no: &["{a: {b: 1}}", "{a: []}", "{}", "{a: null}"],
    },
    Case {
        filter: "{a: {b: 1, c: 2}}",
        yes: &["{a: {b: 1, c: 2}}", "{a: {b: 1.0, c: 2}}", "{a: [{b: 1, c: 2}]}"],
        no: &["{a: {c: 2, b: 1}}", "{a: {b: 1}}", "{a: {b: 1, c: 2, d: 3}}"],
    },
    Case {
        filter: "{a: null}",
        yes: &["{}", "{a: null}", "{a: [null]}", "{a: [1, null]}", "{b: 1}"],
        no: &[
            "{a: 1}",
            "{a: []}",
            "{a: [1]}",
            "{a: {}}",
            "{a: false}",
            "{a: [[null]]}",
            "{a: undefined}",
        ],
    },
    Case {
        filter: "{'a.b': null}",
        yes: &[
            "{}",
            "{a: null}",
            "{a: 1}",
            "{a: {}}",
            "{a: {b: null}}",
            "{a: [{b: 1}, {}]}",
            "{a: [{b: null}]}",
            "{a: [{c: 1}]}",
        ],
        no: &["{a: {b: 1}}", "{a: [{b: 1}]}", "{a: []}", "{a: [1]}", "{a: [{b: []}]}"],
    },
    Case {
        filter: "{'a.b': 1}",
        yes: &["{a: {b: 1}}", "{a: [{b: 1}]}", "{a: [{b: 2}, {b: 1}]}", "{a: [{b: [1]}]}"],
        no: &["{a: 1}", "{a: [[{b: 1}]]}", "{'a.b': 1}", "{}"],
    },
    Case {
        filter: "{'a.0': 1}",
        yes: &["{a: [1, 2]}", "{a: {0: 1}}", "{a: [{0: 1}]}", "{a: [5, {0: 1}]}"],
        no: &["{a: [2, 1]}", "{a: 1}", "{a: []}", "{a: [[1]]}"],
    },
    Case {
        filter: "{'a.0.b': 1}",
        yes: &["{a: [{b: 1}]}", "{a: {0: {b: 1}}}", "{a: [[{b: 1}]]}"],
        no: &["{a: [{b: 2}, {b: 1}]}", "{a: {b: 1}}"],
    },
    Case {
        filter: "{a: {$ne: 1}}",
        yes: &["{}", "{a: 2}", "{a: null}", "{a: []}", "{a: [2]}", "{a: [[1]]}"],
        no: &["{a: 1}", "{a: [1]}", "{a: [2, 1]}"],
    },
    Case {
        filter: "{a: {$ne: null}}",
        yes: &["{a: 1}", "{a: []}", "{a: [1]}"],
        no: &["{}", "{a: null}", "{a: [null, 1]}"],
    },
    Case {
        filter: "{a: {$nin: [1, null]}}",
        yes: &["{a: 2}", "{a: []}", "{a: 'x'}"],
        no: &["{}", "{a: 1}", "{a: [3, 1]}", "{a: null}"],
    },
    Case {
        filter: "{a: {$in: [1, /^x/, null, [5]]}}",
        yes: &[
            "{a: 1}",
            "{a: 'xy'}",
            "{}",
            "{a: null}",
            "{a: ['q', 'xx']}",
            "{a: [5]}",
            "{a: [[5]]}",
            "{a: /^x/}",
        ],
        no: &["{a: 5}", "{a: 'yx'}", "{a: []}", "{a: /^x/i}"],
    },
    Case { filter: "{a: {$in: []}}", yes: &[], no: &["{}", "{a: 1}", "{a: []}", "{a: null}"] },
    Case { filter: "{a: {$nin: []}}", yes: &["{}", "{a: 1}", "{a: []}"], no: &[] },
    Case {
        filter: "{a: {$gt: 3, $lt: 6}}",
        yes: &["{a: 4}", "{a: [2, 7]}", "{a: [5]}"],
        no: &["{a: [2, 3]}", "{a: 7}", "{}", "{a: '4'}", "{a: [[4]]}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$gt: 3, $lt: 6}}}",
        yes: &["{a: [5]}", "{a: [1, 4, 9]}"],
        no: &["{a: 5}", "{a: [2, 7]}", "{a: [[5]]}", "{}", "{a: []}"],
    },
    Case {
        filter: "{a: {$elemMatch: {b: 1, c: 2}}}",
        yes: &["{a: [{b: 1, c: 2}]}", "{a: [{b: 1}, {b: [1], c: 2}]}"],
        no: &["{a: [{b: 1}, {c: 2}]}", "{a: {b: 1, c: 2}}", "{a: []}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$elemMatch: {$gt: 5}}}}",
        yes: &["{a: [[6]]}", "{a: [1, [2, 9]]}"],
        no: &["{a: [6]}", "{a: [[[6]]]}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$not: {$gt: 5}}}}",
        yes: &["{a: [6, 5]}", "{a: ['x']}", "{a: [null]}"],
        no: &["{a: [6]}", "{a: []}", "{a: 5}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$ne: 5}}}",
        yes: &["{a: [5, 6]}"],
        no: &["{a: [5]}", "{a: []}", "{a: 6}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$or: [{b: 1}, {c: 1}]}}}",
        yes: &["{a: [{c: 1}]}", "{a: [{b: 1}]}"],
        no: &["{a: [{b: 2, c: 2}]}", "{a: [1]}"],
    },
    Case {
        filter: "{a: {$elemMatch: {'0': 1}}}",
        yes: &["{a: [[1]]}", "{a: [{0: 1}]}"],
        no: &["{a: [1]}", "{a: [[2, 1]]}"],
    },
    Case {
        filter: "{a: {$elemMatch: {}}}",
        yes: &["{a: [{}]}", "{a: [[]]}", "{a: [{b: 1}]}"],
        no: &["{a: [1]}", "{a: {}}", "{a: []}"],
    },
    Case {
        filter: "{a: {$elemMatch: {$in: [1, 2]}}}",
        yes: &["{a: [1]}", "{a: [5, 2]}"],
        no: &["{a: 1}", "{a: [[1]]}"],
    },
    Case {
        filter: "{a: {$all: [1, 2]}}",
        yes: &["{a: [1, 2]}", "{a: [3, 2, 1]}"],
        no: &["{a: 1}", "{a: [1]}", "{}", "{a: [[1, 2]]}"],
    },
    Case { filter: "{a: {$all: [1]}}", yes: &["{a: 1}", "{a: [1]}"], no: &["{a: 2}", "{}"] },
    Case { filter: "{a: {$all: [[1]]}}", yes: &["{a: [1]}", "{a: [[1]]}"], no: &["{a: 1}"] },
    Case { filter: "{a: {$all: []}}", yes: &[], no: &["{a: []}", "{}", "{a: 1}"] },
    Case { filter: "{a: {$all: [null]}}", yes: &["{}", "{a: null}"], no: &["{a: 1}"] },
    Case {
        filter: "{a: {$all: [{$elemMatch: {b: 1}}, {$elemMatch: {c: 2}}]}}",
        yes: &["{a: [{b: 1}, {c: 2}]}", "{a: [{b: 1, c: 2}]}"],
        no: &["{a: [{b: 1}]}", "{a: {b: 1, c: 2}}"],
    },
    Case {
        filter: "{a: {$all: [/^x/, /y$/]}}",
        yes: &["{a: 'xy'}", "{a: ['x', 'y']}"],
        no: &["{a: 'x'}", "{}"],
    },
    Case {
        filter: "{a: {$size: 2}}",
        yes: &["{a: [1, 2]}", "{a: [[], []]}"],
        no: &["{a: [1]}", "{a: []}", "{a: 2}", "{}", "{a: [[1, 2]]}", "{a: {a: 1, b: 2}}"],
    },
    Case { filter: "{a: {$size: 0}}", yes: &["{a: []}"], no: &["{}", "{a: [[]]}", "{a: null}"] },
    Case {
        filter: "{'a.b': {$size: 1}}",
        yes: &["{a: {b: [1]}}", "{a: [{b: [1]}]}", "{a: [{b: 1}, {b: [5]}]}"],
        no: &["{a: [{b: 1}]}", "{a: {b: [[1], [2]]}}"],
    },
    Case {
        filter: "{'a.0': {$size: 1}}",
        yes: &["{a: [[7]]}"],
        no: &["{a: [7]}", "{a: [[1, 2], [1]]}"],
    },
    Case {
        filter: "{a: {$exists: true}}",
        yes: &["{a: 1}", "{a: null}", "{a: []}", "{a: undefined}"],
        no: &["{}", "{b: {a: 1}}"],
    },
    Case {
        filter: "{'a.b': {$exists: true}}",
        yes: &["{a: {b: null}}", "{a: [{c: 1}, {b: 1}]}"],
        no: &["{a: []}", "{a: [{}]}", "{a: 1}", "{}"],
    },
    Case {
        filter: "{'a.b': {$exists: false}}",
        yes: &["{a: []}", "{a: [{}]}", "{a: 1}", "{}"],
        no: &["{a: {b: null}}", "{a: [{c: 1}, {b: 1}]}"],
    },
    Case {
        filter: "{a: {$not: {$gt: 5}}}",
        yes: &["{}", "{a: 5}", "{a: 'x'}", "{a: []}"],
        no: &["{a: 6}", "{a: [1, 6]}"],
    },
    Case {
        filter: "{a: {$not: /^x/}}",
        yes: &["{}", "{a: 'y'}", "{a: 1}"],
        no: &["{a: 'x'}", "{a: ['y', 'xx']}"],
    },
    Case {
        filter: "{a: {$not: {$gt: 5, $lt: 9}}}",
        yes: &["{a: 5}", "{a: 9}", "{}"],
        no: &["{a: 6}", "{a: [1, 20]}"],
    },
    Case {
        filter: "{a: {$not: {$size: 1}}}",
        yes: &["{}", "{a: []}", "{a: 1}"],
        no: &["{a: [1]}"],
    },
    Case {
        filter: "{a: {$not: {$elemMatch: {$gt: 5}}}}",
        yes: &["{a: [1]}", "{a: 6}"],
        no: &["{a: [6]}"],
    },
    Case {
        filter: "{$nor: [{a: 1}, {b: 1}]}",
        yes: &["{}", "{a: 2}"],
        no: &["{a: 1}", "{b: [1]}"],
    },
    Case {
        filter: "{$or: [{a: 1}, {b: 1}]}",
        yes: &["{a: 1}", "{b: 1}"],
        no: &["{}", "{a: 2, b: 2}"],
    },
    Case { filter: "{$and: [{a: 1}, {a: 2}]}", yes: &["{a: [1, 2]}"], no: &["{a: 1}", "{}"] },
    Case { filter: "{$and: [{}]}", yes: &["{}", "{a: 1}"], no: &[] },
    Case { filter: "{$nor: [{}]}", yes: &[], no: &["{}", "{a: 1}"] },
    Case {
        filter: "{a: {$gt: MinKey}}",
        yes: &["{}", "{a: 1}", "{a: MaxKey}"],
        no: &["{a: MinKey}"],
    },
    Case {
        filter: "{a: {$lt: MaxKey}}",
        yes: &["{}", "{a: 1}", "{a: MinKey}"],
        no: &["{a: MaxKey}"],
    },
    Case { filter: "{a: {$lt: MinKey}}", yes: &[], no: &["{}", "{a: 1}", "{a: MinKey}"] },
    Case {
        filter: "{a: {$gte: null}}",
        yes: &["{}", "{a: null}", "{a: [null]}"],
        no: &["{a: 1}", "{a: []}"],
    },
    Case { filter: "{a: {$gt: null}}", yes: &[], no: &["{}", "{a: null}", "{a: 1}"] },
    Case {
        filter: "{a: {$lt: 5}}",
        yes: &["{a: -Infinity}", "{a: dec('-1E+6144')}"],
        no: &["{a: NaN}", "{a: dec('NaN')}", "{a: null}"],
    },
    Case { filter: "{a: NaN}", yes: &["{a: NaN}", "{a: dec('NaN')}"], no: &["{a: 0}"] },
    Case { filter: "{a: {$gte: NaN}}", yes: &["{a: NaN}"], no: &["{a: 1}"] },
    Case { filter: "{a: {$gt: NaN}}", yes: &[], no: &["{a: NaN}", "{a: 1}"] },
    Case { filter: "{a: {$in: [NaN]}}", yes: &["{a: dec('NaN')}"], no: &["{a: 0}", "{}"] },
    Case {
        filter: "{a: 9007199254740993L}",
        yes: &["{a: dec('9007199254740993')}"],
        no: &["{a: 9007199254740992.0}"],
    },
    Case {
        filter: "{a: {$gt: [1]}}",
        yes: &["{a: [2]}", "{a: [1, 0]}", "{a: [[2]]}"],
        no: &["{a: 2}", "{a: [0, 9]}", "{a: [1]}"],
    },
    Case {
        filter: "{a: {$gt: {b: 1}}}",
        yes: &["{a: {b: 2}}", "{a: {c: 1}}", "{a: {b: 1, c: 0}}"],
        no: &["{a: {b: 1}}", "{a: 5}", "{a: {}}"],
    },
    Case { filter: "{a: {$gt: false}}", yes: &["{a: true}"], no: &["{a: false}", "{a: 1}"] },
    Case {
        filter: "{a: {$gt: date(5)}}",
        yes: &["{a: date(6)}"],
        no: &["{a: ts(9, 9)}", "{a: 6}"],
    },
    Case {
        filter: "{a: 'x'}",
        yes: &["{a: 'x'}", "{a: sym('x')}"],
        no: &["{a: code('x')}", "{a: 'X'}"],
    },
    Case {
        filter: "{a: /x/}",
        yes: &["{a: 'axb'}", "{a: /x/}", "{a: sym('x')}", "{a: ['q', 'x']}"],
        no: &["{a: 'X'}", "{a: /x/i}", "{a: code('x')}", "{}"],
    },
    Case { filter: "{a: {$eq: /x/}}", yes: &["{a: /x/}"], no: &["{a: 'x'}", "{a: /x/i}"] },
    Case {
        filter: "{a: {$ref: 'c', $id: 1}}",
        yes: &["{a: {$ref: 'c', $id: 1}}"],
        no: &["{a: {$ref: 'c', $id: 2}}", "{}"],
    },
    Case {
        filter: "{'a.$id': 1}",
        yes: &["{a: {$ref: 'c', $id: 1}}", "{a: [{$id: 1}]}"],
        no: &["{a: {$id: 2}}"],
    },
    Case {
        filter: "{a: {$in: [{$ref: 'c', $id: 1}]}}",
        yes: &["{a: {$ref: 'c', $id: 1}}"],
        no: &["{}"],
    },
    Case { filter: "{a: {b: 1, $gt: 2}}", yes: &["{a: {b: 1, $gt: 2}}"], no: &["{a: {b: 1}}"] },
    Case { filter: "{a: {$gt: 1}, $comment: 5}", yes: &["{a: 2}"], no: &["{a: 1}"] },
    Case { filter: "{a: {$exists: 0}}", yes: &["{}"], no: &["{a: 1}"] },
    Case { filter: "{a: {$exists: 'no'}}", yes: &["{a: 1}"], no: &["{}"] },
    Case { filter: "{$alwaysTrue: 1}", yes: &["{}"], no: &[] },
    Case { filter: "{$alwaysFalse: 1}", yes: &[], no: &["{}"] },
    Case { filter: "{$sampleRate: 1.0}", yes: &["{}"], no: &[] },
    Case { filter: "{$sampleRate: 0}", yes: &[], no: &["{}"] },
    Case { filter: "{$expr: {$eq: ['$a', 1]}}", yes: &["{a: 1}"], no: &["{a: [1]}", "{}"] },
    Case { filter: "{'': 1}", yes: &["{'': 1}"], no: &["{}"] },
    Case { filter: "{'a.': 1}", yes: &["{a: {'': 1}}"], no: &["{a: 1}"] },
];

#[test]
fn tables() {
    let mut count = 0;
    for case in CASES {
        for (documents, expected) in [(case.yes, true), (case.no, false)] {
            for text in documents {
                assert_eq!(matches(case.filter, text), expected, "{} on {text}", case.filter);
                // The negation says the opposite, always.
                let negated = format!("{{$nor: [{}]}}", case.filter);
                assert_eq!(matches(&negated, text), !expected, "{negated} on {text}");
                count += 2;
            }
        }
    }
    assert!(count > 700, "{count}");
}

#[test]
fn positions() {
    for (filter, text, expected) in [
        ("{a: 2}", "{a: [1, 2, 2]}", Some(Some(1))),
        ("{a: 2}", "{a: 2}", Some(None)),
        ("{a: 2}", "{a: [1]}", None),
        ("{a: [1, 2]}", "{a: [1, 2]}", Some(None)),
        ("{a: {$gt: 1}}", "{a: [0, 1, 5]}", Some(Some(2))),
        ("{a: {$elemMatch: {$gt: 1}}}", "{a: [0, 5]}", Some(Some(1))),
        ("{a: {$elemMatch: {b: 2}}}", "{a: [{b: 1}, {b: 2}]}", Some(Some(1))),
        ("{'a.b': 2}", "{a: [{b: 1}, {b: [7, 2]}]}", Some(Some(1))),
        ("{'a.b': {$elemMatch: {$gt: 5}}}", "{a: [{b: [1]}, {b: [1, 6]}]}", Some(Some(1))),
        ("{'a.0': 1}", "{a: [1]}", Some(None)),
        ("{a: {$ne: 9}}", "{a: [1, 2]}", Some(None)),
        ("{a: {$size: 2}}", "{a: [1, 2]}", Some(None)),
        ("{a: 1, b: 2}", "{a: [1], b: [1, 2]}", Some(Some(1))),
        ("{a: {$in: [3, 2]}}", "{a: [1, 2, 3]}", Some(Some(1))),
        ("{a: /x/}", "{a: ['a', 'x']}", Some(Some(1))),
        ("{$or: [{a: 3}, {a: 2}]}", "{a: [1, 2]}", Some(Some(1))),
        ("{$or: [{a: 1, b: 5}, {b: 6}]}", "{a: [0, 1], b: 6}", Some(None)),
        ("{$or: [{a: 1}, {b: 5}]}", "{a: [0, 1], b: [5]}", Some(None)),
        ("{$or: [{a: 1}, {a: {$gt: 5}}]}", "{a: [0, 1]}", Some(None)),
        ("{$or: [{a: 3}, {a: {$in: [2, 1]}}]}", "{a: [0, 1, 2, 3]}", Some(Some(1))),
        ("{$or: [{a: 'y'}, {a: /x/}]}", "{a: ['a', 'x', 'y']}", Some(Some(1))),
        ("{$or: [{a: {$gt: 1}}]}", "{a: [0, 5]}", Some(Some(1))),
        ("{$or: [{a: 1, b: 2}]}", "{a: [0, 1], b: 2}", Some(Some(1))),
        ("{$nor: [{a: 7}]}", "{a: [0, 1]}", Some(None)),
        ("{a: {$not: {$elemMatch: {$eq: 7}}}}", "{a: [0, 1]}", Some(None)),
        ("{$and: [{a: 3}, {a: 1}]}", "{a: [1, 2, 3]}", Some(Some(0))),
        ("{a: {$elemMatch: {$elemMatch: {$eq: 3}}}}", "{a: [[1], [3]]}", Some(Some(1))),
        ("{a: {$all: [2, 1]}}", "{a: [1, 2]}", Some(Some(0))),
        ("{x: 1, a: 2}", "{x: 1, a: [1, 2]}", Some(Some(1))),
    ] {
        assert_eq!(position(filter, text), expected, "{filter} on {text}");
    }
}

#[test]
fn elements() {
    for (filter, element, expected) in [
        ("{$gt: 5}", "6", true),
        ("{$gt: 5}", "5", false),
        ("{$gt: 5}", "[6]", false),
        ("{b: 1}", "{b: 1}", true),
        ("{b: 1}", "{b: [1]}", true),
        ("{b: 1}", "1", false),
        ("{$or: [{b: 1}, {c: 1}]}", "{c: 1}", true),
        ("{$in: [1, 2]}", "2", true),
        ("{$ne: 2}", "2", false),
        ("{$gt: 0, $not: {$gt: 5}}", "1", true),
        ("{$regex: '^x'}", "'xy'", true),
        ("{$exists: true}", "null", true),
        ("{}", "{a: 1}", true),
        ("{}", "1", false),
    ] {
        assert_eq!(element_matches(filter, element), expected, "{filter} on {element}");
    }
}
