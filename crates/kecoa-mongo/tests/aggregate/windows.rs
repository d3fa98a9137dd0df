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
    // Bounds are constants of any kind.
    ("$sum: '$v', window: {documents: [{$add: [-2, 1]}, 0.0]}", ["1", "2", "4", "5"]),
    ("$sum: '$v', window: {documents: [-1L, dec('0')]}", ["1", "2", "4", "5"]),
    ("$sum: '$v', window: {documents: [-2147483648, 2147483647]}", ["5", "5", "5", "5"]),
    // Ranges of the value that is sorted by.
    ("$sum: '$v', window: {range: ['unbounded', 'unbounded']}", ["5", "5", "5", "5"]),
    (
        "$push: '$v', window: {range: ['unbounded', 'current']}",
        ["[1]", "[1, 1]", "[1, 1, 3]", "[5]"],
    ),
    ("$push: '$v', window: {range: ['unbounded', 0]}", ["[1, 1]", "[1, 1]", "[1, 1, 3]", "[5]"]),
    ("$push: '$v', window: {range: [0, 0]}", ["[1, 1]", "[1, 1]", "[3]", "[5]"]),
    ("$push: '$v', window: {range: [-2, 0]}", ["[1, 1]", "[1, 1]", "[1, 1, 3]", "[5]"]),
    ("$push: '$v', window: {range: [-1.9, 0]}", ["[1, 1]", "[1, 1]", "[3]", "[5]"]),
    ("$push: '$v', window: {range: [1, 2]}", ["[3]", "[3]", "[]", "[]"]),
    ("$push: '$v', window: {range: [-2, -1]}", ["[]", "[]", "[1, 1]", "[]"]),
    (
        "$push: '$v', window: {range: ['current', 'unbounded']}",
        ["[1, 1, 3]", "[1, 3]", "[3]", "[5]"],
    ),
    ("$push: '$v', window: {range: [dec('1.5'), 'unbounded']}", ["[3]", "[3]", "[]", "[]"]),
    ("$count: {}, window: {range: [-10, -5]}", ["0", "0", "0", "0"]),
    // Every accumulator over windows that move.
    ("$avg: '$v', window: {documents: [-1, 0]}", ["1.0", "1.0", "2.0", "5.0"]),
    ("$avg: '$v', window: {documents: [1, 1]}", ["1.0", "3.0", "null", "null"]),
    ("$min: '$v', window: {documents: [0, 1]}", ["1", "1", "3", "5"]),
    ("$min: '$v', window: {documents: [5, 6]}", ["null", "null", "null", "null"]),
    ("$max: '$v', window: {documents: ['current', 'unbounded']}", ["3", "3", "3", "5"]),
    ("$first: '$v', window: {documents: [2, 3]}", ["3", "null", "null", "null"]),
    ("$last: '$v', window: {documents: [-2, -1]}", ["null", "1", "1", "null"]),
    ("$first: '$x', window: {documents: [0, 0]}", ["null", "null", "null", "null"]),
    ("$stdDevPop: '$v', window: {documents: [-1, 0]}", ["0.0", "0.0", "1.0", "0.0"]),
    (
        "$stdDevSamp: '$v', window: {documents: [-2, 0]}",
        ["null", "0.0", "1.1547005383792515", "null"],
    ),
    ("$stdDevPop: '$v', window: {documents: [1, 1]}", ["0.0", "0.0", "null", "null"]),
    (
        "$firstN: {n: 2, input: '$_id'}, window: {documents: [-1, 1]}",
        ["[2, 4]", "[2, 4]", "[4, 1]", "[3]"],
    ),
    (
        "$lastN: {n: 2, input: '$_id'}, window: {documents: [-1, 1]}",
        ["[2, 4]", "[4, 1]", "[4, 1]", "[3]"],
    ),
    (
        "$firstN: {n: 1, input: '$x'}, window: {documents: [0, 0]}",
        ["[null]", "[null]", "[null]", "[null]"],
    ),
    (
        "$minN: {n: 2, input: '$v'}, window: {documents: [-1, 1]}",
        ["[1, 1]", "[1, 1]", "[1, 3]", "[5]"],
    ),
    (
        "$maxN: {n: 2, input: '$v'}, window: {documents: [-1, 1]}",
        ["[1, 1]", "[3, 1]", "[3, 1]", "[5]"],
    ),
    ("$minN: {n: 2, input: '$x'}, window: {documents: [0, 0]}", ["[]", "[]", "[]", "[]"]),
    (
        "$top: {sortBy: {_id: -1}, output: '$_id'}, window: {documents: [0, 1]}",
        ["4", "4", "1", "3"],
    ),
    (
        "$bottom: {sortBy: {_id: -1}, output: '$_id'}, window: {documents: [0, 1]}",
        ["2", "1", "1", "3"],
    ),
    (
        "$top: {sortBy: {_id: -1}, output: '$_id'}, window: {documents: [9, 9]}",
        ["null", "null", "null", "null"],
    ),
    (
        "$topN: {n: 2, sortBy: {_id: 1}, output: '$_id'}, window: {documents: [-1, 1]}",
        ["[2, 4]", "[1, 2]", "[1, 4]", "[3]"],
    ),
    (
        "$bottomN: {n: 2, sortBy: {_id: 1}, output: '$_id'}, window: {documents: [-1, 1]}",
        ["[2, 4]", "[2, 4]", "[1, 4]", "[3]"],
    ),
    (
        "$median: {input: '$v', method: 'approximate'}, window: {documents: [-1, 1]}",
        ["1.0", "1.0", "1.0", "5.0"],
    ),
    (
        "$median: {input: '$v', method: 'approximate'}, window: {documents: [1, 1]}",
        ["1.0", "3.0", "null", "null"],
    ),
    (
        "$percentile: {input: '$v', p: [0.0, 1], method: 'approximate'}, window: {documents: [-2, 0]}",
        ["[1.0, 1.0]", "[1.0, 1.0]", "[1.0, 3.0]", "[5.0, 5.0]"],
    ),
    (
        "$percentile: {input: '$x', p: [0.5, 1], method: 'approximate'}, window: {documents: [0, 0]}",
        ["[null, null]", "[null, null]", "[null, null]", "[null, null]"],
    ),
    (
        "$median: {input: {$cond: [{$eq: ['$v', 1]}, NaN, '$v']}, method: 'approximate'}, window: {documents: [-1, 0]}",
        ["null", "null", "3.0", "5.0"],
    ),
    ("$sum: ['$v'], window: {documents: [0, 0]}", ["0", "0", "0", "0"]),
    (
        "$push: ['$v', '$_id'], window: {documents: [0, 0]}",
        ["[[1, 2]]", "[[1, 4]]", "[[3, 1]]", "[[5, 3]]"],
    ),
    (
        "$max: {mergeObjects: {}}",
        ["{mergeObjects: {}}", "{mergeObjects: {}}", "{mergeObjects: {}}", "{mergeObjects: {}}"],
    ),
    ("$shift: {output: '$x', by: 1, default: 'c'}", ["'c'", "'c'", "'c'", "'c'"]),
    ("$shift: {output: '$_id', by: 1.0}", ["4", "1", "null", "null"]),
];

/// Numbers of all types, infinities and NaN over windows of two; the sums.
const SUMS: &[(&[&str], &[&str])] = &[
    (&["1", "2L", "3", "4"], &["1", "3L", "5L", "7"]),
    (&["1.5", "2", "3", "4"], &["1.5", "3.5", "5", "7"]),
    (&["dec('1.5')", "2", "3.5", "4"], &["dec('1.5')", "dec('3.5')", "5.5", "7.5"]),
    (&["NaN", "1", "2", "3"], &["NaN", "NaN", "3", "5"]),
    (&["Infinity", "-Infinity", "2", "3"], &["Infinity", "NaN", "-Infinity", "5"]),
    (&["Infinity", "1", "2.5", "3"], &["Infinity", "Infinity", "3.5", "5.5"]),
    (&["dec('Infinity')", "1", "2", "3"], &["dec('Infinity')", "dec('Infinity')", "3", "5"]),
    (&["2147483647", "1", "1", "1"], &["2147483647", "2147483648L", "2", "2"]),
    (
        &["9223372036854775807L", "1", "1", "1"],
        &["9223372036854775807L", "9223372036854775808.0", "2", "2"],
    ),
    (&["0.1", "0.2", "0.3", "0.1"], &["0.1", "0.30000000000000004", "0.5", "0.4"]),
    (&["'x'", "1", "null", "2"], &["0", "1", "1", "2"]),
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
    (
        "{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [-9223372036854775808L, 0]}}}}",
        9,
    ),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [{$const: 'current'}, 3]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: ['$a', 3]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: ['current', -1]}}}}", 5339900),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [1, 'current']}}}}", 5339900),
    ("{output: {a: {$sum: 1, window: {documents: [2, 1]}}}}", 5339900),
    ("{output: {a: {$sum: 1, window: {documents: [1, 1]}}}}", 5339901),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: []}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {unit: 'day'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [0, 0], unit: 'day'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [0, 0], range: [0, 0]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {documents: [0, 0], x: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [0, 0], x: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [0, 0], unit: 'day', x: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [1]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: ['x', 1]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [null, 1]}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [1, 0]}}}}", 5339900),
    (
        "{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: ['current', -1], unit: 'day'}}}}",
        5339900,
    ),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [0.5, 1], unit: 'day'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [0, 1], unit: 'days'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$sum: 1, window: {range: [0, 1], unit: 1}}}}", 9),
    ("{output: {a: {$sum: 1, window: {range: ['unbounded', 'unbounded']}}}}", 5339902),
    ("{sortBy: {a: 1, b: 1}, output: {a: {$sum: 1, window: {range: [0, 1]}}}}", 5339902),
    ("{sortBy: {a: -1}, output: {a: {$sum: 1, window: {range: [0, 1]}}}}", 8947401),
    ("{output: {a: {$rank: {}}}}", 5371602),
    ("{sortBy: {a: 1, b: 1}, output: {a: {$rank: {}}}}", 5371602),
    ("{sortBy: {a: 1}, output: {a: {$rank: 1}}}", 5371603),
    ("{output: {a: {$denseRank: '$a'}}}", 5371603),
    ("{sortBy: {a: 1}, output: {a: {$rank: {}, window: {}}}}", 5371601),
    ("{output: {a: {$documentNumber: 1, window: {}}}}", 5371601),
    ("{output: {a: {$mergeObjects: '$a'}}}", 9),
    ("{output: {a: {$accumulator: '$a'}}}", 9),
    ("{output: {a: {$count: 1}}}", 9),
    ("{output: {a: {$count: {a: 1}}}}", 9),
    ("{output: {a: {$firstN: 'x'}}}", 5787801),
    ("{output: {a: {$maxN: 'x'}}}", 5787900),
    ("{output: {a: {$minN: {n: 2}}}}", 5787907),
    ("{output: {a: {$minN: {input: 2}}}}", 5787906),
    ("{output: {a: {$top: {output: 1}}}}", 5788005),
    ("{output: {a: {$median: 1}}}", 7436100),
    ("{output: {a: {$sum: 1}, a: {$sum: 1}}}", 6307900),
    ("{output: {a: {$sum: 1}, 'a.b': {$sum: 1}}}", 6307900),
    ("{output: {'a.b': {$sum: 1}, a: 1}}", 6307900),
    ("{output: {'': {$sum: 1}}}", 40352),
    ("{partitionBy: [1], output: {}}", 14),
    ("{partitionBy: {$nothing: 1}, output: {}}", 168),
    ("{sortBy: {a: 1}, output: {$a: {$sum: 1}}}", 16410),
    ("{sortBy: {a: 1}, output: {a: {$shift: 1}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {by: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1.5}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1, default: '$x'}}}}", 9),
    ("{output: {a: {$shift: {output: 1, by: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: '1'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 9999999999L}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1, x: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$shift: {output: 1, by: 1}, window: {}}}}", 9),
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
    for (argument, input, number) in FAILS {
        let (found, message) = failure(&format!("[{{$setWindowFields: {argument}}}]"), input);
        assert_eq!(found, *number, "{argument}: {message}");
    }
}

/// What fails only when documents come.
const FAILS: &[(&str, &str, i32)] = &[
    ("{partitionBy: '$a', output: {r: {$sum: 1}}}", "[{a: [1]}]", 14),
    ("{output: {r: {$firstN: {n: 0, input: 1}}}}", "[]", 5787908),
    ("{output: {r: {$firstN: {n: '$a', input: 1}}}}", "[{a: 1}]", 5787902),
    ("{output: {r: {$maxN: {n: 2.1, input: 1}}}}", "[{a: 1}]", 5787903),
    ("{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1]}}}}", "[{a: 'x'}]", 5429414),
    ("{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1]}}}}", "[{}]", 5429414),
    ("{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1]}}}}", "[{a: null}]", 5429414),
    (
        "{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1]}}}}",
        "[{a: date(1)}]",
        5429413,
    ),
    (
        "{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1], unit: 'day'}}}}",
        "[{a: 1}]",
        5429513,
    ),
    (
        "{sortBy: {a: 1}, output: {r: {$sum: 1, window: {range: [0, 1], unit: 'day'}}}}",
        "[{a: date(1)}, {a: 'x'}]",
        5429513,
    ),
];

#[test]
fn sums_lose_nothing_when_values_leave() {
    for (values, sums) in SUMS {
        let list = |values: &[&str], name: &str| {
            let values = values.iter().enumerate();
            let all: Vec<_> =
                values.map(|(at, value)| format!("{{_id: {at}, {name}: {value}}}")).collect();
            format!("[{}]", all.join(", "))
        };
        let pipeline = "[{$setWindowFields: {sortBy: {_id: 1}, output: {s: {$sum: '$v', window: {documents: [-1, 0]}}}}}, {$project: {s: 1}}]";
        let found = run(pipeline, &list(values, "v")).unwrap();
        assert_same(&found, &list(sums, "s"), &format!("{values:?}"));
    }
}

#[test]
fn ranges_of_time_follow_the_calendar() {
    const DAY: i64 = 86_400_000;
    let input = format!(
        "[{{_id: 1, t: date(0)}}, {{_id: 2, t: date({})}}, {{_id: 3, t: date({})}}, {{_id: 4, t: date({})}}]",
        30 * DAY,
        31 * DAY,
        59 * DAY
    );
    for (bounds, unit, results) in [
        ("[-1, 0]", "month", ["[1]", "[1, 2]", "[1, 2, 3]", "[3, 4]"]),
        ("[-30, 0]", "day", ["[1]", "[1, 2]", "[2, 3]", "[2, 3, 4]"]),
        ("[0, 1]", "week", ["[1]", "[2, 3]", "[3]", "[4]"]),
        ("[-1, 1]", "year", ["[1, 2, 3, 4]"; 4]),
        ("['unbounded', -1]", "millisecond", ["[]", "[1]", "[1, 2]", "[1, 2, 3]"]),
    ] {
        let pipeline = format!(
            "[{{$setWindowFields: {{sortBy: {{t: 1}}, output: {{r: {{$push: '$_id', window: {{range: {bounds}, unit: '{unit}'}}}}}}}}}}, {{$project: {{r: 1}}}}]"
        );
        let found = run(&pipeline, &input).unwrap();
        let [a, b, c, d] = results;
        let expected = format!(
            "[{{_id: 1, r: {a}}}, {{_id: 2, r: {b}}}, {{_id: 3, r: {c}}}, {{_id: 4, r: {d}}}]"
        );
        assert_same(&found, &expected, &pipeline);
    }
}

#[test]
fn windows_are_not_quadratic_in_their_width() {
    // Half of all documents in each window: a walk through each window would take a hundred million steps.
    let input: Vec<_> =
        (0..20_000).map(|at| document(&format!("{{_id: {at}, v: {}}}", at % 97))).collect();
    let window = "window: {documents: [-5000, 5000]}";
    let pipeline = format!(
        "[{{$setWindowFields: {{sortBy: {{_id: 1}}, output: {{a: {{$sum: '$v', {window}}}, b: {{$min: '$v', {window}}}, c: {{$stdDevPop: '$v', {window}}}, d: {{$median: {{input: '$v', method: 'approximate'}}, {window}}}, e: {{$minN: {{n: 2, input: '$v'}}, {window}}}, f: {{$count: {{}}, window: {{range: [-5000, 5000]}}}}}}}}}}, {{$skip: 10000}}, {{$limit: 1}}, {{$project: {{a: 1, b: 1, d: 1, e: 1, f: 1}}}}]"
    );
    let started = std::time::Instant::now();
    let parsed = parse(&pipeline).unwrap();
    let options = kecoa_mongo::aggregate::Options::new("db");
    let found = run_pipeline(&parsed, input, &[], &variables(), &options).unwrap();
    let sum: u32 = (5000..=15_000).map(|at| at % 97).sum();
    let expected = format!("[{{_id: 10000, a: {sum}, b: 0, d: 48.0, e: [0, 0], f: 10001}}]");
    assert_same(&found, &expected, "wide windows");
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn a_field_is_set_at_its_path() {
    let pipeline = "[{$setWindowFields: {output: {'a.b': {$sum: '$v'}, n: {$count: {}}}}}]";
    let found = run(pipeline, "[{a: {c: 1}, v: 1}, {v: 2}]").unwrap();
    assert_same(&found, "[{a: {c: 1, b: 3}, v: 1, n: 2}, {v: 2, a: {b: 3}, n: 2}]", pipeline);
    // Through arrays, as $addFields does it.
    let found = run(pipeline, "[{a: [{c: 1}, 5], v: 1}]").unwrap();
    assert_same(&found, "[{a: [{c: 1, b: 1}, {b: 1}], v: 1, n: 1}]", pipeline);
}
