//! `$setWindowFields`.

use crate::support::*;

const INPUT: &str = "[{_id: 1, p: 'a', v: 3}, {_id: 2, p: 'a', v: 1}, {_id: 3, p: 'b', v: 5}, {_id: 4, p: 'a', v: 1}]";

/// A function and its window; the results in the order of `p`, `v`, `_id`: documents 2, 4, 1, 3.
const CASES: &[(&str, [&str; 4])] = &[
    ("$sum: '$v'", ["5", "5", "5", "5"]),
    ("$sum: '$v', window: {documents: ['unbounded', 'unbounded']}", ["5", "5", "5", "5"]),
    ("$sum: '$v', window: {documents: ['unbounded', 'current']}", ["1", "2", "5", "5"]),
    ("$sum: '$v', window: {documents: ['current', 'unbounded']}", ["5", "4", "3", "5"]),
    ("$sum: '$v', window: {documents: [-1, 0]}", ["1", "2", "4", "5"]),
    ("$sum: '$v', window: {documents: [-1, 1]}", ["2", "5", "4", "5"]),
    ("$sum: '$v', window: {documents: [1, 2]}", ["4", "3", "0", "0"]),
    ("$sum: '$v', window: {documents: [-2, -1]}", ["0", "1", "2", "0"]),
    ("$sum: '$v', window: {documents: ['unbounded', -1]}", ["0", "1", "2", "0"]),
    ("$sum: '$v', window: {}", ["5", "5", "5", "5"]),
    ("$avg: '$v'", ["1.6666666666666667", "1.6666666666666667", "1.6666666666666667", "5.0"]),
    ("$min: '$v'", ["1", "1", "1", "5"]),
    ("$max: '$v'", ["3", "3", "3", "5"]),
    ("$max: '$v', window: {documents: [-1, 0]}", ["1", "1", "3", "5"]),
    ("$push: '$v'", ["[1, 1, 3]", "[1, 1, 3]", "[1, 1, 3]", "[5]"]),
    (
        "$push: '$_id', window: {documents: ['unbounded', 'current']}",
        ["[2]", "[2, 4]", "[2, 4, 1]", "[3]"],
    ),
    ("$addToSet: '$v', window: {documents: [-1, 0]}", ["[1]", "[1]", "[1, 3]", "[5]"]),
    ("$first: '$_id', window: {documents: [-1, 0]}", ["2", "2", "4", "3"]),
    ("$last: '$_id'", ["1", "1", "1", "3"]),
    ("$count: {}", ["3", "3", "3", "1"]),
    ("$count: {}, window: {documents: ['unbounded', 'current']}", ["1", "2", "3", "1"]),
    ("$firstN: {n: 2, input: '$_id'}", ["[2, 4]", "[2, 4]", "[2, 4]", "[3]"]),
    ("$rank: {}", ["1", "1", "3", "1"]),
    ("$denseRank: {}", ["1", "1", "2", "1"]),
    ("$documentNumber: {}", ["1", "2", "3", "1"]),
    ("$shift: {output: '$_id', by: 1}", ["4", "1", "null", "null"]),
    ("$shift: {output: '$_id', by: -1}", ["null", "2", "4", "null"]),
    ("$shift: {output: '$_id', by: -1, default: 'none'}", ["'none'", "2", "4", "'none'"]),
    ("$shift: {output: '$_id', by: 0}", ["2", "4", "1", "3"]),
    ("$stdDevPop: '$v', window: {documents: [0, 0]}", ["0.0", "0.0", "0.0", "0.0"]),
    (
        "$sum: '$v', window: {documents: [-9223372036854775808L, 9223372036854775807L]}",
        ["5", "5", "5", "5"],
    ),
];

const REFUSED: &[(&str, i32)] = &[
    ("1", 9),
    ("{}", 40414),
    ("{output: 1}", 14),
    ("{output: {}, x: 1}", 40415),
    ("{sortBy: 1, output: {}}", 14),
    ("{sortBy: {a: 2}, output: {}}", 15975),
    ("{output: {a: 1}}", 9),
    ("{output: {a: {}}}", 9),
    ("{output: {a: {b: 1}}}", 9),
    ("{output: {a: {$nothing: 1}}}", 9),
    ("{output: {a: {$sum: 1, $avg: 1}}}", 9),
    ("{output: {a: {$sum: 1, window: 1}}}", 9),
    ("{output: {a: {$sum: 1, window: {x: 1}}}}", 9),
    ("{output: {a: {$sum: 1, window: {documents: ['unbounded', 'current']}}}}", 5339901),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [1]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: ['x', 1]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [1.5, 2]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [2, 1]}}}}", 5339900),
    ("{output: {a: {$rank: {}}}}", 5371602),
    ("{sortBy: {a: 1}, output: {a: {$rank: 1}}}", 5371603),
    ("{sortBy: {a: 1}, output: {a: {$rank: {}, window: {}}}}", 5371601),
    ("{sortBy: {a: 1}, output: {$a: {$sum: 1}}}", 16410),
    ("{sortBy: {a: 1}, output: {a: {$shift: 1}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {by: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1.5}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1, default: '$x'}}}}", 9),
    ("{output: {a: {$shift: {output: 1, by: 1}}}}", 5424500),
];

#[test]
fn a_window_gives_each_document_a_value() {
    for (function, results) in CASES {
        let pipeline = format!(
            "[{{$setWindowFields: {{partitionBy: '$p', sortBy: {{v: 1}}, output: {{r: {{{function}}}}}}}}}, {{$project: {{r: 1}}}}]"
        );
        let found = run(&pipeline, INPUT).unwrap_or_else(|error| panic!("{pipeline}: {error}"));
        let [first, second, third, fourth] = results;
        let expected = format!(
            "[{{_id: 2, r: {first}}}, {{_id: 4, r: {second}}}, {{_id: 1, r: {third}}}, {{_id: 3, r: {fourth}}}]"
        );
        assert_same(&found, &expected, function);
    }
}

#[test]
fn windows_are_refused() {
    for (argument, number) in REFUSED {
        match parse(&format!("[{{$setWindowFields: {argument}}}]")) {
            Ok(_) => panic!("{argument} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{argument}: {error}"),
        }
    }
    let (number, _) =
        failure("[{$setWindowFields: {partitionBy: '$a', output: {r: {$sum: 1}}}}]", "[{a: [1]}]");
    assert_eq!(number, 14);
}

#[test]
fn a_field_is_set_at_its_path() {
    let pipeline = "[{$setWindowFields: {output: {'a.b': {$sum: '$v'}, n: {$count: {}}}}}]";
    let found = run(pipeline, "[{a: {c: 1}, v: 1}, {v: 2}]").unwrap();
    assert_same(&found, "[{a: {c: 1, b: 3}, v: 1, n: 2}, {v: 2, a: {b: 3}, n: 2}]", pipeline);
}
