//! Accumulators: every one beside values of every type, null and missing.

use crate::support::*;

/// An accumulator's argument is `$v`; the documents have these values, `-` is a missing one; the result.
type Table = &'static [(&'static str, &'static [&'static str], &'static str)];

const TABLE: Table = &[
    // $sum: types and overflow.
    ("{$sum: '$v'}", &["1", "2"], "3"),
    ("{$sum: '$v'}", &["1", "2L"], "3L"),
    ("{$sum: '$v'}", &["1L"], "1L"),
    ("{$sum: '$v'}", &["1", "2.5"], "3.5"),
    ("{$sum: '$v'}", &["1", "2.0"], "3.0"),
    ("{$sum: '$v'}", &["1L", "2.0"], "3.0"),
    ("{$sum: '$v'}", &["1", "dec('2.5')"], "dec('3.5')"),
    ("{$sum: '$v'}", &["1.5", "dec('2.5')"], "dec('4.00000000000000')"),
    ("{$sum: '$v'}", &["dec('0.1')", "dec('0.2')"], "dec('0.3')"),
    ("{$sum: '$v'}", &["2147483647", "1"], "2147483648L"),
    ("{$sum: '$v'}", &["2147483647", "1", "-1"], "2147483647"),
    ("{$sum: '$v'}", &["-2147483648", "-1"], "-2147483649L"),
    ("{$sum: '$v'}", &["9223372036854775807L", "1"], "9223372036854775808.0"),
    ("{$sum: '$v'}", &["9223372036854775807L", "1", "-1"], "9223372036854775807L"),
    ("{$sum: '$v'}", &["-9223372036854775808L", "-1L"], "-9223372036854775808.0"),
    ("{$sum: '$v'}", &["0.1", "0.2", "0.3"], "0.6"),
    ("{$sum: '$v'}", &["1e300", "1", "-1e300"], "1.0"),
    ("{$sum: '$v'}", &["1e16", "1.0", "-1e16"], "1.0"),
    ("{$sum: '$v'}", &["NaN", "1"], "NaN"),
    ("{$sum: '$v'}", &["Infinity", "1"], "Infinity"),
    ("{$sum: '$v'}", &["Infinity", "-Infinity"], "NaN"),
    ("{$sum: '$v'}", &["-Infinity", "5"], "-Infinity"),
    ("{$sum: '$v'}", &["dec('NaN')", "1"], "dec('NaN')"),
    ("{$sum: '$v'}", &["null", "-", "'x'", "true", "{}", "[1]", "date(5)"], "0"),
    ("{$sum: '$v'}", &["null", "5", "-", "'x'"], "5"),
    ("{$sum: 1}", &["null", "-"], "2"),
    ("{$sum: 2.5}", &["1", "1"], "5.0"),
    ("{$sum: 'x'}", &["1", "2"], "0"),
    // $avg.
    ("{$avg: '$v'}", &["1", "2"], "1.5"),
    ("{$avg: '$v'}", &["2", "2"], "2.0"),
    ("{$avg: '$v'}", &["1L", "2L", "3L"], "2.0"),
    ("{$avg: '$v'}", &["9223372036854775807L", "9223372036854775807L"], "9223372036854775807.0"),
    ("{$avg: '$v'}", &["1.5", "2.5"], "2.0"),
    ("{$avg: '$v'}", &["dec('1')", "dec('2')"], "dec('1.5')"),
    ("{$avg: '$v'}", &["dec('1')", "1", "1"], "dec('1')"),
    (
        "{$avg: '$v'}",
        &["dec('1')", "dec('0')", "dec('0')"],
        "dec('0.3333333333333333333333333333333333')",
    ),
    (
        "{$avg: '$v'}",
        &["dec('2')", "dec('0')", "dec('0')"],
        "dec('0.6666666666666666666666666666666667')",
    ),
    ("{$avg: '$v'}", &["1", "null", "-", "'x'"], "1.0"),
    ("{$avg: '$v'}", &["null", "-", "'x'"], "null"),
    ("{$avg: '$v'}", &["NaN", "1"], "NaN"),
    ("{$avg: '$v'}", &["Infinity", "1"], "Infinity"),
    // $min, $max over all types.
    ("{$min: '$v'}", &["null", "-"], "null"),
    ("{$max: '$v'}", &["null", "-"], "null"),
    ("{$min: '$v'}", &["3", "1", "2"], "1"),
    ("{$max: '$v'}", &["3", "1", "2"], "3"),
    ("{$min: '$v'}", &["3", "null", "-"], "3"),
    ("{$max: '$v'}", &["3", "null", "-"], "3"),
    ("{$min: '$v'}", &["1", "1.0", "1L"], "1"),
    ("{$max: '$v'}", &["1.0", "1", "1L"], "1.0"),
    ("{$min: '$v'}", &["NaN", "1"], "NaN"),
    ("{$max: '$v'}", &["NaN", "1"], "1"),
    ("{$min: '$v'}", &["'a'", "1"], "1"),
    ("{$max: '$v'}", &["'a'", "1"], "'a'"),
    ("{$min: '$v'}", &["true", "'x'", "{}"], "'x'"),
    ("{$max: '$v'}", &["true", "'x'", "{}"], "true"),
    ("{$min: '$v'}", &["[1]", "5"], "5"),
    ("{$max: '$v'}", &["[1]", "5"], "[1]"),
    ("{$min: '$v'}", &["MinKey", "5"], "MinKey"),
    ("{$max: '$v'}", &["MaxKey", "5"], "MaxKey"),
    ("{$min: '$v'}", &["9007199254740993L", "9007199254740992.0"], "9007199254740992.0"),
    ("{$max: '$v'}", &["9007199254740993L", "9007199254740992.0"], "9007199254740993L"),
    ("{$max: '$v'}", &["date(1)", "date(2)"], "date(2)"),
    ("{$max: '$v'}", &["'b'", "'a'", "'B'"], "'b'"),
    // $first, $last.
    ("{$first: '$v'}", &["1", "2"], "1"),
    ("{$last: '$v'}", &["1", "2"], "2"),
    ("{$first: '$v'}", &["-", "2"], "null"),
    ("{$last: '$v'}", &["1", "-"], "null"),
    ("{$first: '$v'}", &["null", "2"], "null"),
    ("{$last: '$v'}", &["1", "null"], "null"),
    ("{$first: '$v'}", &["[1, 2]", "2"], "[1, 2]"),
    // $push, $addToSet.
    ("{$push: '$v'}", &["1", "null", "-", "1", "[2]"], "[1, null, 1, [2]]"),
    ("{$push: {a: '$v'}}", &["1", "-"], "[{a: 1}, {}]"),
    ("{$addToSet: '$v'}", &["1", "1.0", "1L", "dec('1.00')"], "[1]"),
    ("{$addToSet: '$v'}", &["1", "2", "1"], "[1, 2]"),
    ("{$addToSet: '$v'}", &["null", "-", "null"], "[null]"),
    ("{$addToSet: '$v'}", &["[1]", "[1.0]", "[2]"], "[[1], [2]]"),
    ("{$addToSet: '$v'}", &["{a: 1}", "{a: 1.0}", "{b: 1}"], "[{a: 1}, {b: 1}]"),
    ("{$addToSet: '$v'}", &["{a: 1, b: 1}", "{b: 1, a: 1}"], "[{a: 1, b: 1}, {b: 1, a: 1}]"),
    ("{$addToSet: '$v'}", &["NaN", "NaN", "dec('NaN')"], "[NaN]"),
    ("{$addToSet: '$v'}", &["0.0", "-0.0"], "[0.0]"),
    ("{$addToSet: '$v'}", &["'a'", "'A'"], "['a', 'A']"),
    // $mergeObjects.
    ("{$mergeObjects: '$v'}", &["{a: 1}", "{b: 2}"], "{a: 1, b: 2}"),
    ("{$mergeObjects: '$v'}", &["{a: 1, b: 1}", "{a: 2}"], "{a: 2, b: 1}"),
    ("{$mergeObjects: '$v'}", &["{a: 1}", "null", "-"], "{a: 1}"),
    ("{$mergeObjects: '$v'}", &["{a: {b: 1}}", "{a: {c: 1}}"], "{a: {c: 1}}"),
    // $count.
    ("{$count: {}}", &["1", "null", "-"], "3"),
    // Deviations.
    ("{$stdDevPop: '$v'}", &["5"], "0.0"),
    ("{$stdDevSamp: '$v'}", &["5"], "null"),
    ("{$stdDevPop: '$v'}", &["1", "3"], "1.0"),
    ("{$stdDevSamp: '$v'}", &["1", "2", "3"], "1.0"),
    ("{$stdDevPop: '$v'}", &["2", "4", "4", "4", "5", "5", "7", "9"], "2.0"),
    ("{$stdDevPop: '$v'}", &["1", "'x'", "null", "-", "3"], "1.0"),
    ("{$stdDevPop: '$v'}", &["1L", "dec('3')"], "1.0"),
    ("{$stdDevPop: '$v'}", &["'x'"], "null"),
    // $firstN and so on.
    ("{$firstN: {n: 2, input: '$v'}}", &["1", "2", "3"], "[1, 2]"),
    ("{$firstN: {n: 5, input: '$v'}}", &["1", "-", "null"], "[1, null, null]"),
    ("{$firstN: {n: 1L, input: '$v'}}", &["1", "2"], "[1]"),
    ("{$firstN: {n: 2.0, input: '$v'}}", &["1", "2", "3"], "[1, 2]"),
    ("{$firstN: {n: {$literal: 2}, input: '$v'}}", &["1", "2", "3"], "[1, 2]"),
    ("{$lastN: {n: 2, input: '$v'}}", &["1", "2", "3"], "[2, 3]"),
    ("{$lastN: {n: 5, input: '$v'}}", &["1", "-"], "[1, null]"),
    ("{$minN: {n: 2, input: '$v'}}", &["3", "1", "2"], "[1, 2]"),
    ("{$minN: {n: 2, input: '$v'}}", &["3", "null", "-", "1"], "[1, 3]"),
    ("{$minN: {n: 2, input: '$v'}}", &["null"], "[]"),
    ("{$minN: {n: 3, input: '$v'}}", &["'a'", "2", "true"], "[2, 'a', true]"),
    ("{$maxN: {n: 2, input: '$v'}}", &["3", "1", "2"], "[3, 2]"),
    ("{$maxN: {n: 2, input: '$v'}}", &["3", "null", "-", "1"], "[3, 1]"),
    ("{$maxN: {n: 3, input: '$v'}}", &["'a'", "2", "true"], "[true, 'a', 2]"),
    // $top and so on.
    ("{$top: {sortBy: {v: 1}, output: '$v'}}", &["3", "1", "2"], "1"),
    ("{$top: {sortBy: {v: -1}, output: '$v'}}", &["3", "1", "2"], "3"),
    ("{$top: {sortBy: {v: 1}, output: ['$v', '$i']}}", &["3", "1", "2"], "[1, 1]"),
    ("{$top: {sortBy: {v: 1}, output: '$v'}}", &["3", "-", "2"], "null"),
    ("{$topN: {n: 2, sortBy: {v: 1}, output: '$v'}}", &["3", "1", "2"], "[1, 2]"),
    ("{$topN: {n: 2, sortBy: {v: -1}, output: '$v'}}", &["3", "1", "2"], "[3, 2]"),
    ("{$topN: {n: 9, sortBy: {v: 1}, output: '$v'}}", &["3", "1", "2"], "[1, 2, 3]"),
    ("{$bottom: {sortBy: {v: 1}, output: '$v'}}", &["3", "1", "2"], "3"),
    ("{$bottom: {sortBy: {v: -1}, output: '$v'}}", &["3", "1", "2"], "1"),
    ("{$bottomN: {n: 2, sortBy: {v: 1}, output: '$v'}}", &["3", "1", "2"], "[2, 3]"),
    ("{$bottomN: {n: 2, sortBy: {v: -1}, output: '$v'}}", &["3", "1", "2"], "[2, 1]"),
    // Of equal ones the first stay.
    ("{$top: {sortBy: {v: 1}, output: '$i'}}", &["1", "1", "1"], "0"),
    ("{$bottom: {sortBy: {v: 1}, output: '$i'}}", &["1", "1", "1"], "0"),
    ("{$bottomN: {n: 2, sortBy: {v: 1}, output: '$i'}}", &["1", "2", "1", "2", "2"], "[1, 3]"),
    ("{$bottomN: {n: 3, sortBy: {v: 1}, output: '$i'}}", &["1", "2", "1", "2"], "[0, 1, 3]"),
    ("{$maxN: {n: 2, input: '$v'}}", &["1", "1.0", "1L"], "[1.0, 1]"),
    ("{$minN: {n: 2, input: '$v'}}", &["1", "1.0", "1L"], "[1, 1.0]"),
    ("{$firstN: {n: {$add: [1, 1]}, input: '$v'}}", &["1", "2", "3"], "[1, 2]"),
    // Percentiles.
    ("{$median: {input: '$v', method: 'approximate'}}", &["1", "3", "2"], "2.0"),
    ("{$median: {input: '$v', method: 'approximate'}}", &["'x'", "null", "-"], "null"),
    ("{$median: {input: '$v', method: 'approximate'}}", &["1", "'x'", "null"], "1.0"),
    ("{$percentile: {input: '$v', p: [0.5], method: 'approximate'}}", &["1", "3", "2"], "[2.0]"),
    // What is no number does not count, an infinite one does.
    ("{$median: {input: '$v', method: 'approximate'}}", &["NaN", "1", "dec('NaN')"], "1.0"),
    (
        "{$percentile: {input: '$v', p: [0.1, 0.9], method: 'approximate'}}",
        &["Infinity", "1", "-Infinity", "NaN"],
        "[-Infinity, Infinity]",
    ),
    (
        "{$percentile: {input: '$v', p: [0.0, 1.0], method: 'approximate'}}",
        &["1", "3L", "2.5"],
        "[1.0, 3.0]",
    ),
    (
        "{$percentile: {input: '$v', p: [0.95, 0.05], method: 'approximate'}}",
        &["dec('1')", "3", "2"],
        "[3.0, 1.0]",
    ),
];

const ALL_TYPES: &[&str] = &[
    "1",
    "1L",
    "1.5",
    "dec('1.5')",
    "'x'",
    "{x: 1}",
    "[1, 2]",
    "bin(0, '00')",
    "oid(1)",
    "true",
    "false",
    "date(5)",
    "/x/i",
    "code('x')",
    "sym('x')",
    "ts(1, 2)",
    "MinKey",
    "MaxKey",
    "ptr('a.b')",
];

/// Check what a group of these values gives, type and all.
fn gives(accumulator: &str, values: &[&str], expected: &str) {
    let documents: Vec<String> = (values.iter().enumerate())
        .map(|(index, value)| match *value {
            "-" => format!("{{i: {index}}}"),
            value => format!("{{v: {value}, i: {index}}}"),
        })
        .collect();
    let pipeline = format!("[{{$group: {{_id: null, r: {accumulator}}}}}]");
    let input = format!("[{}]", documents.join(", "));
    let found =
        run(&pipeline, &input).unwrap_or_else(|error| panic!("{pipeline} {input}: {error}"));
    let expected = format!("[{{_id: null, r: {expected}}}]");
    assert_same(&found, &expected, &format!("{accumulator} of {values:?}"));
}

#[test]
fn a_group_of_values_gives_one() {
    for (accumulator, values, expected) in TABLE {
        gives(accumulator, values, expected);
    }
}

#[test]
fn no_documents_give_no_group() {
    assert!(run("[{$group: {_id: null, r: {$sum: 1}}}]", "[]").unwrap().is_empty());
}

#[test]
fn a_value_of_any_type_goes_through() {
    for value in ALL_TYPES {
        let tables = [
            ("{$first: '$v'}", (*value).to_owned()),
            ("{$last: '$v'}", (*value).to_owned()),
            ("{$min: '$v'}", (*value).to_owned()),
            ("{$max: '$v'}", (*value).to_owned()),
            ("{$push: '$v'}", format!("[{value}]")),
            ("{$addToSet: '$v'}", format!("[{value}]")),
            ("{$firstN: {n: 2, input: '$v'}}", format!("[{value}]")),
            ("{$lastN: {n: 2, input: '$v'}}", format!("[{value}]")),
            ("{$minN: {n: 2, input: '$v'}}", format!("[{value}]")),
            ("{$maxN: {n: 2, input: '$v'}}", format!("[{value}]")),
            ("{$top: {sortBy: {v: 1}, output: '$v'}}", (*value).to_owned()),
            ("{$bottomN: {n: 1, sortBy: {v: 1}, output: '$v'}}", format!("[{value}]")),
        ];
        for (accumulator, expected) in tables {
            gives(accumulator, &[value], &expected);
        }
        let is_number = ["1", "1L", "1.5", "dec('1.5')"].contains(value);
        if !is_number {
            gives("{$sum: '$v'}", &[value], "0");
            gives("{$avg: '$v'}", &[value], "null");
            gives("{$stdDevPop: '$v'}", &[value], "null");
        } else {
            gives("{$sum: '$v'}", &[value], value);
        }
        let is_object = *value == "{x: 1}";
        let pipeline = "[{$group: {_id: null, r: {$mergeObjects: '$v'}}}]";
        if !is_object {
            let (number, _) = failure(pipeline, &format!("[{{v: {value}}}]"));
            assert_eq!(number, 40400, "{value}");
        }
    }
}

#[test]
fn many_values_are_selected_without_all_being_kept() {
    let documents: Vec<String> = (0..1000).map(|at| format!("{{v: {}}}", at * 7 % 1000)).collect();
    let input = format!("[{}]", documents.join(", "));
    let cases = [
        ("{$minN: {n: 3, input: '$v'}}", "[0, 1, 2]"),
        ("{$maxN: {n: 3, input: '$v'}}", "[999, 998, 997]"),
        ("{$topN: {n: 2, sortBy: {v: -1}, output: '$v'}}", "[999, 998]"),
        ("{$bottomN: {n: 2, sortBy: {v: 1}, output: '$v'}}", "[998, 999]"),
        ("{$lastN: {n: 2, input: '$v'}}", "[986, 993]"),
        ("{$sum: '$v'}", "499500"),
        ("{$avg: '$v'}", "499.5"),
    ];
    for (accumulator, expected) in cases {
        let pipeline = format!("[{{$group: {{_id: null, r: {accumulator}}}}}]");
        let found = run(&pipeline, &input).unwrap();
        assert_same(&found, &format!("[{{_id: null, r: {expected}}}]"), &pipeline);
    }
}

#[test]
fn strings_compare_by_the_collation() {
    let input = "[{v: 'b'}, {v: 'A'}, {v: 'B'}]";
    let insensitive = "{locale: 'en', strength: 2}";
    let cases = [
        ("[{$group: {_id: null, r: {$min: '$v'}}}]", "[{_id: null, r: 'A'}]"),
        ("[{$group: {_id: null, r: {$max: '$v'}}}]", "[{_id: null, r: 'b'}]"),
        ("[{$group: {_id: null, r: {$addToSet: '$v'}}}]", "[{_id: null, r: ['b', 'A']}]"),
        ("[{$group: {_id: '$v', n: {$sum: 1}}}]", "[{_id: 'b', n: 2}, {_id: 'A', n: 1}]"),
        ("[{$match: {v: 'B'}}, {$count: 'n'}]", "[{n: 2}]"),
        ("[{$sort: {v: 1}}, {$limit: 1}]", "[{v: 'A'}]"),
    ];
    for (pipeline, expected) in cases {
        let found = run_collated(pipeline, input, insensitive).unwrap();
        assert_same(&found, expected, pipeline);
    }
}
