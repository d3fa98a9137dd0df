//! `$fill`.

use crate::support::*;

const CASES: &[Case] = &[
    (
        "[{$fill: {sortBy: {_id: 1}, output: {v: {method: 'locf'}}}}]",
        "[{_id: 1, v: 5}, {_id: 2}, {_id: 3, v: null}, {_id: 4, v: 7}]",
        "[{_id: 1, v: 5}, {_id: 2, v: 5}, {_id: 3, v: 5}, {_id: 4, v: 7}]",
    ),
    ("[{$fill: {output: {v: {method: 'locf'}}}}]", "[{v: 5}, {}]", "[{v: 5}, {v: 5}]"),
    (
        "[{$fill: {sortBy: {_id: 1}, output: {v: {method: 'linear'}}}}]",
        "[{_id: 1, v: 1}, {_id: 2}, {_id: 3, v: null}, {_id: 4, v: 7}]",
        "[{_id: 1, v: 1}, {_id: 2, v: 3.0}, {_id: 3, v: 5.0}, {_id: 4, v: 7}]",
    ),
    (
        "[{$fill: {output: {v: {value: 0}, w: {value: {$add: ['$x', 1]}}}}}]",
        "[{x: 1, v: null}, {x: 2, v: 3, w: 4}]",
        "[{x: 1, v: 0, w: 2}, {x: 2, v: 3, w: 4}]",
    ),
    // Windows come first, whatever the order.
    (
        "[{$fill: {output: {v: {value: '$w'}, w: {method: 'locf'}}}}]",
        "[{w: 1}, {w: null}]",
        "[{w: 1, v: 1}, {w: 1, v: 1}]",
    ),
    (
        "[{$fill: {sortBy: {_id: 1}, partitionBy: '$p', output: {v: {method: 'locf'}}}}]",
        "[{_id: 1, p: 1, v: 5}, {_id: 2, p: 2}, {_id: 3, p: 1}]",
        "[{_id: 1, p: 1, v: 5}, {_id: 3, p: 1, v: 5}, {_id: 2, p: 2, v: null}]",
    ),
    (
        "[{$fill: {sortBy: {_id: 1}, partitionBy: {p: '$p'}, output: {v: {method: 'locf'}}}}]",
        "[{_id: 1, p: 1, v: 5}, {_id: 2, p: 2, v: 6}, {_id: 3, p: 1}]",
        "[{_id: 1, p: 1, v: 5}, {_id: 3, p: 1, v: 5}, {_id: 2, p: 2, v: 6}]",
    ),
    (
        "[{$fill: {sortBy: {_id: 1}, partitionByFields: ['p', 'q'], output: {v: {method: 'linear'}}}}]",
        "[{_id: 1, p: 1, q: 1, v: 1}, {_id: 1, p: 1, q: 2, v: 6}, {_id: 2, p: 1, q: 1}, {_id: 3, p: 1, q: 1, v: 3}]",
        "[{_id: 1, p: 1, q: 1, v: 1}, {_id: 2, p: 1, q: 1, v: 2.0}, {_id: 3, p: 1, q: 1, v: 3}, {_id: 1, p: 1, q: 2, v: 6}]",
    ),
    ("[{$fill: {output: {'a.b': {value: 1}}}}]", "[{a: {c: 2}}]", "[{a: {c: 2, b: 1}}]"),
    ("[{$fill: {output: {v: {}}}}]", "[{_id: 1}]", "[{_id: 1}]"),
];

const REFUSED: &[(&str, i32)] = &[
    ("'test'", 9),
    ("1", 9),
    ("[]", 9),
    ("{}", 40414),
    ("{output: 1}", 14),
    ("{output: {}}", 6050203),
    ("{output: {a: 1}}", 6050200),
    ("{output: {a: 'locf'}}", 6050200),
    ("{output: {a: {method: 'random'}}}", 6050202),
    ("{output: {a: {method: 'LOCF'}}}", 6050202),
    ("{output: {a: {method: 1}}}", 14),
    ("{output: {a: {method: 'locf', value: 1}}}", 6050201),
    ("{output: {a: {method: 'locf', second: 'locf'}}}", 40415),
    ("{output: {a: {value: {$nothing: 1}}}}", 168),
    ("{output: {a: {method: 'locf'}}, x: 1}", 40415),
    ("{output: {a: {method: 'locf'}}, sortBy: 1}", 14),
    ("{output: {a: {method: 'locf'}}, sortBy: {a: 2}}", 15975),
    ("{output: {a: {method: 'locf'}}, partitionBy: 1}", 14),
    ("{output: {a: {method: 'locf'}}, partitionByFields: 'a'}", 14),
    ("{output: {a: {method: 'locf'}}, partitionByFields: [1]}", 14),
    ("{output: {a: {method: 'locf'}}, partitionBy: {a: '$a'}, partitionByFields: ['a']}", 6050204),
    ("{output: {a: {method: 'linear'}}}", 605001),
    ("{output: {a: {method: 'linear'}}, sortBy: {a: 1, b: 1}}", 605001),
    ("{output: {a: {method: 'locf'}, 'a.b': {method: 'locf'}}}", 6307900),
    ("{output: {$a: {method: 'locf'}}}", 17276),
];

#[test]
fn values_are_filled_in() {
    check(CASES);
}

#[test]
fn fills_are_refused() {
    for (argument, number) in REFUSED {
        match parse(&format!("[{{$fill: {argument}}}]")) {
            Ok(_) => panic!("{argument} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{argument}: {error}"),
        }
    }
}
