//! Sorts: orders of documents, refusals, bounded sorting.

use kecoa_mongo::bson::key::Direction;
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::Scope;
use kecoa_mongo::query::{Sort, SortMode, Sorter};

use crate::support::*;

fn sort(specification: &str, mode: SortMode) -> Result<Sort, Error> {
    Sort::parse(&document(specification), mode, &Scope::new())
}

/// Documents in strict order; those in one text, separated by `;`, are equal.
const ORDERS: &[(&str, &[&str])] = &[
    (
        "{a: 1}",
        &[
            "{a: MinKey}; {a: [5, MinKey]}",
            "{a: []}; {a: undefined}; {a: [[1], undefined]}",
            "{a: null}; {}; {a: [null, 5]}; {b: 9}",
            "{a: NaN}; {a: dec('NaN')}",
            "{a: -Infinity}",
            "{a: -1}; {a: [7, -1L]}",
            "{a: 0}; {a: -0.0}; {a: dec('0')}",
            "{a: 1}; {a: 1.0}; {a: 1L}; {a: [1]}; {a: [3, 1, 2]}",
            "{a: 2}; {a: [2, 'x', {}]}",
            "{a: Infinity}",
            "{a: ''}; {a: sym('')}",
            "{a: 'A'}",
            "{a: 'a'}; {a: ['b', 'a']}",
            "{a: {}}",
            "{a: {b: 1}}; {a: [{b: 1}]}",
            "{a: [[]]}",
            "{a: [[1]]}",
            "{a: bin(0, '00')}",
            "{a: oid(1)}",
            "{a: false}",
            "{a: true}",
            "{a: date(-1)}",
            "{a: date(1)}",
            "{a: ts(1, 1)}",
            "{a: /a/}",
            "{a: ptr('x')}",
            "{a: code('x')}",
            "{a: scoped('x')}",
            "{a: MaxKey}",
        ],
    ),
    (
        "{a: -1}",
        &[
            "{a: MaxKey}; {a: [1, MaxKey]}",
            "{a: true}",
            "{a: [[1]]}",
            "{a: 'b'}; {a: ['a', 'b']}",
            "{a: 5}; {a: [1, 5]}; {a: [5, null]}",
            "{a: 1}",
            "{a: null}; {}",
            "{a: []}",
            "{a: MinKey}",
        ],
    ),
    (
        "{a: 1, b: -1}",
        &[
            "{b: 5}; {a: null, b: [5, 1]}",
            "{}",
            "{a: 1, b: 'x'}",
            "{a: 1, b: 2}",
            "{a: 1}",
            "{a: 1, b: []}",
            "{a: 2, b: 9}",
        ],
    ),
    // Both values come from one element.
    (
        "{'a.x': 1, 'a.y': 1}",
        &[
            "{a: [{x: 1, y: 4}]}",
            "{a: [{x: 1, y: 5}, {x: 2, y: 1}]}",
            "{a: {x: 1, y: 6}}",
            "{a: [{x: 2, y: 0}]}",
        ],
    ),
    (
        "{'a.x': -1, 'a.y': 1}",
        &[
            "{a: [{x: 9, y: 2}, {x: 1, y: 1}]}",
            "{a: [{x: 9, y: 3}, {x: 8, y: 1}]}",
            "{a: [{x: 8, y: 0}]}",
        ],
    ),
    (
        "{'a.b': 1}",
        &[
            "{a: {b: []}}",
            "{a: []}; {}; {a: 5}; {a: [1, 2]}; {a: [{b: 3}, 1]}",
            "{a: [{b: 1}]}; {a: {b: [1, 2]}}",
            "{a: {b: 2}}",
        ],
    ),
    (
        "{'a.0': 1}",
        &[
            "{a: [undefined]}",
            "{}; {a: []}; {a: undefined}",
            "{a: [1, 0]}; {a: {0: 1}}",
            "{a: [2]}",
            "{a: [[3, 1], 0]}",
        ],
    ),
    (
        "{'a.0': -1}",
        &[
            "{a: [[1]]}",
            "{a: [2, 9]}",
            "{a: [1]}",
            "{}; {a: []}; {a: 5}; {a: null}",
            "{a: [undefined]}",
        ],
    ),
    (
        "{'a.1.b': 1}",
        &["{a: [{b: 0}]}; {a: [1, 2]}", "{a: [{b: 9}, {b: 1}]}", "{a: [{b: 1}, {b: 2}]}"],
    ),
];

#[test]
fn orders() {
    let mut pairs = 0;
    for (specification, groups) in ORDERS {
        let sort = sort(specification, SortMode::Find).unwrap();
        let mut ranked = Vec::new();
        for (rank, group) in groups.iter().enumerate() {
            let texts = group.split(';').map(str::trim).filter(|text| !text.is_empty());
            ranked.extend(texts.map(|text| (rank, text, document(text))));
        }
        for (left_rank, left_text, left) in &ranked {
            for (right_rank, right_text, right) in &ranked {
                let found = sort.compare(left, right).unwrap();
                assert_eq!(
                    found,
                    left_rank.cmp(right_rank),
                    "{specification}: {left_text} beside {right_text}"
                );
                pairs += 1;
            }
        }
    }
    assert!(pairs > 2_500, "{pairs}");
}

#[test]
fn refusals() {
    use SortMode::{Aggregate, Find};
    for (specification, mode, code) in [
        ("{a: 'asc'}", Find, 15974),
        ("{a: null}", Find, 15974),
        ("{a: true}", Find, 15974),
        ("{a: []}", Aggregate, 15974),
        ("{a: 'x'}", Aggregate, 15974),
        ("{a: 0}", Find, 15975),
        ("{a: 2}", Aggregate, 15975),
        ("{a: 0.5}", Aggregate, 15975),
        ("{a: 2.5}", Find, 15975),
        ("{a: NaN}", Find, 15975),
        ("{a: -2L}", Find, 15975),
        ("{a: dec('0')}", Find, 15975),
        ("{a: true}", Find, 15974),
        ("{a: null}", Find, 15974),
        ("{a: 'asc'}", Find, 15974),
        ("{a: [1]}", Find, 15974),
        ("{a: undefined}", Find, 15974),
        ("{a: {$meta: 'geoNearPoint'}}", Find, 31138),
        ("{a: {$meta: 'searchHighlights'}}", Find, 31138),
        ("{a: {$meta: 1}}", Find, 31138),
        ("{a: {$meta: 'geoNearDistance'}}", Find, 40218),
        ("{a: {$meta: 'searchScore'}}", Find, 40218),
        ("{a: NaN}", Aggregate, 15975),
        ("{a: Infinity}", Find, 15975),
        ("{}", Aggregate, 15976),
        ("{a: {b: 1}}", Find, 17312),
        ("{a: {}}", Aggregate, 17312),
        ("{a: {$meta: 'textScore'}}", Find, 40218),
        ("{a: {$meta: 'foo'}}", Aggregate, 31138),
        ("{a: {$meta: 'randVal', b: 1}}", Aggregate, 9),
        ("{'': 1}", Find, 40352),
        ("{'a.': 1}", Find, 40353),
        ("{'a..b': 1}", Find, 15998),
        ("{$a: 1}", Find, 16410),
        ("{'a.$b': 1}", Aggregate, 16410),
        ("{$natural: 1}", Aggregate, 16410),
        ("{$natural: 1, a: 1}", Find, 2),
        ("{a: 1, $natural: 1}", Find, 2),
        ("{$natural: 5}", Find, 2),
        ("{a: 1, a: -1}", Find, 7_472_500),
    ] {
        let error = sort(specification, mode).unwrap_err();
        assert_eq!(error.code().number(), code, "{specification}: {error}");
    }
    let many: String = (0..33).map(|at| format!("f{at}: 1, ")).collect();
    assert_eq!(sort(&format!("{{{many}}}"), Find).unwrap_err().code().number(), 2);
    for (specification, documents) in [
        ("{a: 1, b: 1}", "{a: [1], b: [2]}"),
        ("{'a.b': 1, 'c.d': 1}", "{a: [{b: 1}], c: [{d: 1}]}"),
        ("{'a.b': 1, 'a.c': 1}", "{a: [{b: [1], c: [2]}]}"),
    ] {
        let sort = sort(specification, Find).unwrap();
        let error = sort.key(&document(documents)).unwrap_err();
        assert_eq!(error.code().number(), 2, "{specification}");
    }
    let by_position = sort("{'a.0': 1}", Find).unwrap();
    let error = by_position.key(&document("{a: [{0: 1}]}")).unwrap_err();
    assert_eq!(error.code().number(), 16746);
}

#[test]
fn accepted() {
    for (specification, direction) in
        [("{$natural: 1}", Direction::Ascending), ("{$natural: -1.0}", Direction::Descending)]
    {
        assert_eq!(sort(specification, SortMode::Find).unwrap().natural(), Some(direction));
    }
    assert!(sort("{}", SortMode::Find).unwrap().is_empty());
    let parsed = sort("{a: 1.5, 'b.c': dec('-1')}", SortMode::Aggregate).unwrap();
    let fields: Vec<_> = parsed
        .fields()
        .iter()
        .map(|field| (field.path.as_ref().unwrap().as_str(), field.direction))
        .collect();
    assert_eq!(fields, [("a", Direction::Ascending), ("b.c", Direction::Descending)]);
    let by_chance = sort("{a: {$meta: 'randVal'}}", SortMode::Aggregate).unwrap();
    assert_ne!(by_chance.key(&document("{}")).unwrap(), by_chance.key(&document("{}")).unwrap());
}

#[test]
fn a_sorter_keeps_the_first_and_the_order_of_equals() {
    let sort = sort("{a: 1}", SortMode::Find).unwrap();
    let numbers: Vec<i32> = (0..1000).map(|at| (at * 7919) % 97).collect();
    for limit in [None, Some(0), Some(1), Some(10), Some(999), Some(5000)] {
        let mut sorter = Sorter::new(limit, usize::MAX);
        for (at, number) in numbers.iter().enumerate() {
            let key = sort.key(&document(&format!("{{a: {number}}}"))).unwrap();
            sorter.push(key, (*number, at), 10).unwrap();
        }
        let mut expected: Vec<_> =
            numbers.iter().enumerate().map(|(at, number)| (*number, at)).collect();
        expected.sort();
        expected.truncate(limit.unwrap_or(usize::MAX));
        assert_eq!(sorter.len(), expected.len());
        let found: Vec<_> = sorter.into_sorted().map(|(_, item)| item).collect();
        assert_eq!(found, expected, "{limit:?}");
    }
}

#[test]
fn a_sorter_refuses_to_take_more_memory_than_is_allowed() {
    let sort = sort("{a: 1}", SortMode::Find).unwrap();
    let key = |number: i32| sort.key(&document(&format!("{{a: {number}}}"))).unwrap();
    let mut all = Sorter::new(None, 1000);
    let failed = (0..100).find_map(|number| all.push(key(number), (), 100).err()).unwrap();
    assert_eq!(failed.code().number(), 292);
    let mut few = Sorter::new(Some(2), 1000);
    for number in (0..100).rev() {
        few.push(key(number), number, 100).unwrap();
    }
    assert!(few.bytes() < 1000);
    assert_eq!(few.into_sorted().map(|(_, item)| item).collect::<Vec<_>>(), [0, 1]);
}
