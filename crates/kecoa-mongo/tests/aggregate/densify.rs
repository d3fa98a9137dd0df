//! `$densify`.

use crate::support::*;

/// The argument, documents, the values of `v` that come out, each with the partition `p` where there is one.
const CASES: &[(&str, &str, &str)] = &[
    // Between all documents.
    (
        "{field: 'v', range: {step: 1, bounds: 'full'}}",
        "[{v: 1, n: 1}, {v: 4, n: 2}]",
        "[{v: 1, n: 1}, {v: 2}, {v: 3}, {v: 4, n: 2}]",
    ),
    (
        "{field: 'v', range: {step: 2, bounds: 'full'}}",
        "[{v: 6}, {v: 0}, {v: 3}]",
        "[{v: 0}, {v: 2}, {v: 3}, {v: 4}, {v: 6}]",
    ),
    (
        "{field: 'v', range: {step: 2, bounds: 'full'}}",
        "[{v: 0}, {v: 1}, {v: 5}]",
        "[{v: 0}, {v: 1}, {v: 2}, {v: 4}, {v: 5}]",
    ),
    (
        "{field: 'v', range: {step: 0.5, bounds: 'full'}}",
        "[{v: 0}, {v: 1}]",
        "[{v: 0}, {v: 0.5}, {v: 1}]",
    ),
    (
        "{field: 'v', range: {step: 1, bounds: 'full'}}",
        "[{n: 1}, {v: null}, {v: 1}, {v: 3}]",
        "[{n: 1}, {v: null}, {v: 1}, {v: 2}, {v: 3}]",
    ),
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[]", "[]"),
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[{v: 1}, {v: 1}]", "[{v: 1}, {v: 1}]"),
    (
        "{field: 'a.v', range: {step: 1, bounds: 'full'}}",
        "[{a: {v: 1, w: 1}}, {a: {v: 3}}]",
        "[{a: {v: 1, w: 1}}, {a: {v: 2}}, {a: {v: 3}}]",
    ),
    (
        "{field: 'v', range: {step: dec('1'), bounds: 'full'}}",
        "[{v: 1}, {v: 3}]",
        "[{v: 1}, {v: dec('2')}, {v: 3}]",
    ),
    (
        "{field: 'v', range: {step: 1L, bounds: 'full'}}",
        "[{v: 2147483647}, {v: 2147483649L}]",
        "[{v: 2147483647}, {v: 2147483648L}, {v: 2147483649L}]",
    ),
    // Each partition between the first and the last of all.
    (
        "{field: 'v', partitionByFields: ['p'], range: {step: 1, bounds: 'full'}}",
        "[{v: 1, p: 'a'}, {v: 3, p: 'b'}, {v: 3, p: 'a'}]",
        "[{v: 1, p: 'a'}, {p: 'b', v: 1}, {p: 'b', v: 2}, {v: 3, p: 'b'}, {p: 'a', v: 2}, {v: 3, p: 'a'}]",
    ),
    (
        "{field: 'v', partitionByFields: ['p'], range: {step: 1, bounds: 'full'}}",
        "[{v: 1, p: 'a'}, {v: 3, p: 'b'}]",
        "[{v: 1, p: 'a'}, {p: 'b', v: 1}, {p: 'b', v: 2}, {v: 3, p: 'b'}, {p: 'a', v: 2}, {p: 'a', v: 3}]",
    ),
    // Each partition for itself.
    (
        "{field: 'v', partitionByFields: ['p'], range: {step: 1, bounds: 'partition'}}",
        "[{v: 1, p: 'b'}, {v: 3, p: 'a'}, {v: 5, p: 'a'}, {v: 3, p: 'b'}]",
        "[{v: 3, p: 'a'}, {p: 'a', v: 4}, {v: 5, p: 'a'}, {v: 1, p: 'b'}, {p: 'b', v: 2}, {v: 3, p: 'b'}]",
    ),
    (
        "{field: 'v', partitionByFields: ['p.x'], range: {step: 1, bounds: 'partition'}}",
        "[{v: 1, p: {x: 1, y: 2}}, {v: 3, p: {x: 1}}]",
        "[{v: 1, p: {x: 1, y: 2}}, {p: {x: 1}, v: 2}, {v: 3, p: {x: 1}}]",
    ),
    // From one bound to another.
    (
        "{field: 'v', range: {step: 1, bounds: [0, 4]}}",
        "[{v: 2, n: 1}]",
        "[{v: 0}, {v: 1}, {v: 2, n: 1}, {v: 3}]",
    ),
    ("{field: 'v', range: {step: 1, bounds: [0, 3]}}", "[]", "[{v: 0}, {v: 1}, {v: 2}]"),
    ("{field: 'v', range: {step: 1, bounds: [3, 3]}}", "[]", "[{v: 3}]"),
    (
        "{field: 'v', range: {step: 1, bounds: [0, 2]}}",
        "[{v: -5}, {v: 9}]",
        "[{v: -5}, {v: 0}, {v: 1}, {v: 9}]",
    ),
    (
        "{field: 'v', range: {step: 2, bounds: [0, 6]}}",
        "[{v: 1}, {v: 4}]",
        "[{v: 0}, {v: 1}, {v: 2}, {v: 4}]",
    ),
    (
        "{field: 'v', range: {step: 1, bounds: [0, 2]}}",
        "[{v: 0}, {v: 0}, {v: 2}]",
        "[{v: 0}, {v: 0}, {v: 1}, {v: 2}]",
    ),
    (
        "{field: 'v', partitionByFields: ['p'], range: {step: 1, bounds: [0, 2]}}",
        "[{v: 1, p: 'a'}, {v: 5, p: 'b'}, {v: -1, p: 'c'}]",
        "[{p: 'a', v: 0}, {v: 1, p: 'a'}, {p: 'b', v: 0}, {p: 'b', v: 1}, {v: 5, p: 'b'}, {v: -1, p: 'c'}, {p: 'c', v: 0}, {p: 'c', v: 1}]",
    ),
    // Dates.
    (
        "{field: 'v', range: {step: 1, unit: 'second', bounds: 'full'}}",
        "[{v: date(0)}, {v: date(2500)}]",
        "[{v: date(0)}, {v: date(1000)}, {v: date(2000)}, {v: date(2500)}]",
    ),
    (
        "{field: 'v', range: {step: 1, unit: 'month', bounds: [date(0), date(7776000000)]}}",
        "[]",
        "[{v: date(0)}, {v: date(2678400000)}, {v: date(5097600000)}]",
    ),
    (
        "{field: 'v', range: {step: 2.0, unit: 'day', bounds: 'full'}}",
        "[{v: date(0)}, {v: date(345600000)}]",
        "[{v: date(0)}, {v: date(172800000)}, {v: date(345600000)}]",
    ),
];

const REFUSED: &[(&str, i32)] = &[
    ("1", 9),
    ("'x'", 9),
    ("[]", 9),
    ("{}", 40414),
    ("{field: 'a'}", 40414),
    ("{range: {step: 1, bounds: 'full'}}", 40414),
    ("{field: 'a', range: {step: 1.0}}", 40414),
    ("{field: 'a', range: {bounds: 'full'}}", 40414),
    ("{field: 'a', range: {step: 1, bounds: 'full', x: 1}}", 40415),
    ("{field: 'a', range: {step: 1, bounds: 'full'}, x: 1}", 40415),
    ("{field: 1.0, range: {step: 1.0, bounds: 'full'}}", 14),
    ("{field: 'a', range: 1}", 14),
    ("{field: 'a', range: {step: 'x', bounds: 'full'}}", 14),
    ("{field: 'a', range: {step: null, bounds: 'full'}}", 14),
    ("{field: 'a', partitionByFields: 'b', range: {step: 1, bounds: 'full'}}", 14),
    ("{field: 'a', partitionByFields: [1], range: {step: 1, bounds: 'full'}}", 14),
    ("{field: 'a', range: {step: 1, bounds: [date(0), date(1)], unit: 1}}", 14),
    ("{field: 'a', range: {step: 1, bounds: [date(0), date(1)], unit: 'x'}}", 9),
    ("{field: 'a', range: {step: 1, bounds: [date(0)], unit: 'second'}}", 5733403),
    ("{field: 'a', range: {step: 1, bounds: [0, 1, 2]}}", 5733403),
    ("{field: 'a', range: {step: 1, bounds: []}}", 5733403),
    ("{field: 'a', range: {step: -1, bounds: [0, 1]}}", 5733401),
    ("{field: 'a', range: {step: 0, bounds: [0, 1]}}", 5733401),
    ("{field: 'a', range: {step: NaN, bounds: [0, 1]}}", 5733401),
    ("{field: '$a', range: {step: 1, bounds: [0, 1]}}", 16410),
    ("{field: '', range: {step: 1, bounds: [0, 1]}}", 40352),
    ("{field: 'a', partitionByFields: ['$b'], range: {step: 1, bounds: [0, 1]}}", 16410),
    ("{field: 'a', partitionByFields: [], range: {step: 1, bounds: 'partition'}}", 5733408),
    ("{field: 'a', range: {step: 1, bounds: 'partition'}}", 5733408),
    ("{field: 'a', partitionByFields: ['a'], range: {step: 1, bounds: 'full'}}", 8993000),
    ("{field: 'a', partitionByFields: ['a.b'], range: {step: 1, bounds: 'full'}}", 8993000),
    ("{field: 'a.b', partitionByFields: ['a'], range: {step: 1, bounds: 'full'}}", 9554500),
    ("{field: 'a', range: {step: 1, bounds: [2, 1]}}", 5733402),
    ("{field: 'a', range: {step: 1, bounds: [date(1), date(0)], unit: 'second'}}", 5733402),
    ("{field: 'a', range: {step: 1, bounds: [date(1), 1], unit: 'second'}}", 5733402),
    ("{field: 'a', range: {step: 1, bounds: [1, 2], unit: 'second'}}", 5733409),
    ("{field: 'a', range: {step: 1, bounds: [1, date(1)]}}", 5733406),
    ("{field: 'a', range: {step: 1, bounds: [1, 2L]}}", 5876900),
    ("{field: 'a', range: {step: 1.0, bounds: [1, 2]}}", 5876900),
    ("{field: 'a', range: {step: 1, bounds: [date(0), MaxKey], unit: 'second'}}", 5733405),
    ("{field: 'a', range: {step: 1, bounds: [date(0), date(1)]}}", 5733410),
    ("{field: 'a', range: {step: 1.1, bounds: [date(0), date(1)], unit: 'second'}}", 6586400),
    ("{field: 'a', range: {step: 1, bounds: ['a', 'b']}}", 5946800),
    ("{field: 'a', range: {step: 1, bounds: 'all'}}", 5946802),
    ("{field: 'a', range: {step: 1, bounds: 1}}", 5733404),
    ("{field: 'a', range: {step: 1, bounds: null}}", 5733404),
];

/// The argument, documents, the number of the error.
const FAILS: &[(&str, &str, i32)] = &[
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[{v: 'x'}]", 5733201),
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[{v: [1]}]", 5733201),
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[{v: date(1)}]", 6053600),
    ("{field: 'v', range: {step: 1, unit: 'day', bounds: 'full'}}", "[{v: 1}]", 6053600),
    ("{field: 'v', range: {step: 1, bounds: [0, 500001]}}", "[]", 5897900),
    ("{field: 'v', range: {step: 1, bounds: 'full'}}", "[{v: 1e300}, {v: 2e300}]", 5897900),
];

#[test]
fn gaps_are_filled() {
    for (argument, input, expected) in CASES {
        let pipeline = format!("[{{$densify: {argument}}}]");
        let found =
            run(&pipeline, input).unwrap_or_else(|error| panic!("{argument} on {input}: {error}"));
        assert_same(&found, expected, &format!("{argument} on {input}"));
    }
}

#[test]
fn gaps_are_refused() {
    for (argument, number) in REFUSED {
        match parse(&format!("[{{$densify: {argument}}}]")) {
            Ok(_) => panic!("{argument} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{argument}: {error}"),
        }
    }
    for (argument, input, number) in FAILS {
        let (found, message) = failure(&format!("[{{$densify: {argument}}}]"), input);
        assert_eq!(found, *number, "{argument} on {input}: {message}");
    }
}
