//! Functions of windows that measure: derivatives, integrals, covariances, moving averages, values that are filled in.

use crate::support::*;

/// A function and its window, documents with `_id` and what else they have, the results.
const CASES: &[(&str, &str, &[&str])] = &[
    // $derivative
    (
        "$derivative: {input: '$y'}, window: {documents: [-1, 0]}",
        "[{_id: 0, y: 1}, {_id: 1, y: 2}, {_id: 2, y: 1}, {_id: 3, y: 4}]",
        &["null", "1.0", "-1.0", "3.0"],
    ),
    (
        "$derivative: {input: '$y'}, window: {documents: [-3, 1]}",
        "[{_id: 0, y: 100}, {_id: 1, y: 105}, {_id: 2, y: 108}, {_id: 3, y: 108}, {_id: 4, y: 115}]",
        &["5.0", "4.0", "2.6666666666666665", "3.75", "3.3333333333333335"],
    ),
    (
        "$derivative: {input: '$y'}, window: {range: [-10, 0]}",
        "[{_id: 0, y: 10}, {_id: 10, y: 12}, {_id: 11, y: 15}, {_id: 12, y: 19}, {_id: 20, y: 30}]",
        &["null", "0.2", "3.0", "3.5", "1.8"],
    ),
    (
        "$derivative: {input: '$y'}, window: {documents: ['unbounded', 'unbounded']}",
        "[{_id: 0, y: 0}, {_id: 1, y: 1}, {_id: 2, y: 4}, {_id: 3, y: 9}]",
        &["3.0", "3.0", "3.0", "3.0"],
    ),
    (
        "$derivative: {input: '$y'}, window: {documents: [-1, 0]}",
        "[{_id: 1, y: dec('1')}, {_id: 3, y: 2}]",
        &["null", "dec('0.5')"],
    ),
    (
        "$derivative: {input: '$y', unit: 'second'}, window: {documents: [-1, 0]}",
        "[{_id: date(0), y: 5}, {_id: date(1), y: 4}, {_id: date(2), y: 6}]",
        &["null", "-1000.0", "2000.0"],
    ),
    (
        "$derivative: {input: '$y', unit: 'millisecond'}, window: {documents: [-1, 0]}",
        "[{_id: date(0), y: 5}, {_id: date(60000), y: 4}]",
        &["null", "-0.000016666666666666667"],
    ),
    (
        "$derivative: {input: '$y'}, window: {documents: [5, 6]}",
        "[{_id: 0, y: 1}, {_id: 1, y: 2}]",
        &["null", "null"],
    ),
    // $integral
    (
        "$integral: {input: '$y'}, window: {documents: [-1, 0]}",
        "[{_id: 0, y: 1}, {_id: 1, y: 2}, {_id: 2, y: 1}, {_id: 3, y: 4}]",
        &["0", "1.5", "1.5", "2.5"],
    ),
    (
        "$integral: {input: '$y'}",
        "[{_id: 0, y: 100}, {_id: 2, y: 105}, {_id: 4, y: 107}, {_id: 6, y: -100}]",
        &["424.0", "424.0", "424.0", "424.0"],
    ),
    (
        "$integral: {input: '$y'}, window: {documents: ['unbounded', 'current']}",
        "[{_id: 0, y: 100}, {_id: 2, y: 105}, {_id: 4, y: 107}, {_id: 6, y: -100}]",
        &["0", "205.0", "417.0", "424.0"],
    ),
    (
        "$integral: {input: '$y', unit: 'second'}, window: {documents: [-1, 1]}",
        "[{_id: date(0), y: 0}, {_id: date(2), y: 2}, {_id: date(4), y: 4}, {_id: date(6), y: 6}]",
        &["0.002", "0.008", "0.016", "0.01"],
    ),
    (
        "$integral: {input: '$y', unit: 'second'}, window: {range: [-1, -1], unit: 'second'}",
        "[{_id: date(0), y: 0.0}, {_id: date(4000), y: 2.4}]",
        &["null", "null"],
    ),
    (
        "$integral: {input: '$y', unit: 'second'}, window: {range: [-2, 0], unit: 'second'}",
        "[{_id: date(0), y: 0.0}, {_id: date(4000), y: 2.4}]",
        &["0.0", "0.0"],
    ),
    (
        "$integral: {input: '$y'}, window: {documents: [-1, 0]}",
        "[{_id: 0, y: NaN}, {_id: 1, y: 2}, {_id: 2, y: 1}]",
        &["NaN", "NaN", "1.5"],
    ),
    // $covariancePop, $covarianceSamp
    (
        "$covariancePop: ['$_id', '$y'], window: {documents: ['unbounded', 'current']}",
        "[{_id: 1, y: 2}, {_id: 2, y: 4}, {_id: 3, y: 6}]",
        &["0.0", "0.5", "1.3333333333333333"],
    ),
    (
        "$covarianceSamp: ['$_id', '$y'], window: {documents: ['unbounded', 'current']}",
        "[{_id: 1, y: 2}, {_id: 2, y: 4}, {_id: 3, y: 6}]",
        &["null", "1.0", "2.0"],
    ),
    (
        "$covariancePop: ['$_id', '$y'], window: {documents: [-1, 0]}",
        "[{_id: 1, y: 2}, {_id: 2, y: 4}, {_id: 3, y: 8}, {_id: 4, y: 'x'}]",
        &["0.0", "0.5", "1.0", "0.0"],
    ),
    (
        "$covariancePop: '$y', window: {documents: [0, 0]}",
        "[{_id: 1, y: 2}, {_id: 2, y: [1]}, {_id: 3, y: [1, 2, 3]}, {_id: 4, y: [1, 2]}]",
        &["null", "null", "null", "0.0"],
    ),
    ("$covariancePop: ['$_id', '$y'], window: {documents: [5, 9]}", "[{_id: 1, y: 2}]", &["null"]),
    // $expMovingAvg
    (
        "$expMovingAvg: {input: '$y', N: 2}",
        "[{_id: 0, y: 13}, {_id: 1, y: 15.4}, {_id: 2, y: 12}, {_id: 3, y: 11.7}]",
        &["13.0", "14.6", "12.866666666666667", "12.088888888888889"],
    ),
    (
        "$expMovingAvg: {input: '$y', alpha: 0.75}",
        "[{_id: 0, y: 13}, {_id: 1, y: 15.4}]",
        &["13.0", "14.8"],
    ),
    (
        "$expMovingAvg: {input: '$y', alpha: 0.5}",
        "[{_id: 0}, {_id: 1, y: 'x'}, {_id: 2, y: 4}, {_id: 3, y: null}, {_id: 4, y: dec('8')}]",
        &["null", "null", "4.0", "4.0", "dec('6.000000000000000')"],
    ),
    // $locf
    (
        "$locf: '$y'",
        "[{_id: 0, y: null}, {_id: 1, y: 0}, {_id: 2}, {_id: 3, y: 'str'}, {_id: 4, y: null}]",
        &["null", "0", "0", "'str'", "'str'"],
    ),
    // $linearFill
    (
        "$linearFill: '$y'",
        "[{_id: 0, y: 0}, {_id: 1, y: null}, {_id: 2}, {_id: 9, y: null}, {_id: 10, y: 10}]",
        &["0", "1.0", "2.0", "9.0", "10"],
    ),
    (
        "$linearFill: '$y'",
        "[{_id: 0, y: null}, {_id: 1, y: 10}, {_id: 2}, {_id: 3, y: 20}, {_id: 4}, {_id: 5, y: null}]",
        &["null", "10", "15.0", "20", "null", "null"],
    ),
    (
        "$linearFill: '$y'",
        "[{_id: 0.5, y: 0}, {_id: 1, y: null}, {_id: 4.384, y: null}, {_id: 9, y: null}, {_id: 10.09283, y: 11.28374}]",
        &["0", "0.5881340542884634", "4.5686253337127845", "9.998278922903879", "11.28374"],
    ),
    (
        "$linearFill: '$y'",
        "[{_id: date(0), y: -5}, {_id: date(1)}, {_id: date(2)}, {_id: date(4), y: 5}]",
        &["-5", "-2.5", "0.0", "5"],
    ),
    (
        "$linearFill: '$y'",
        "[{_id: 0, y: dec('1')}, {_id: 1}, {_id: 2, y: 2}]",
        &["dec('1')", "dec('1.5')", "2"],
    ),
    ("$linearFill: '$y'", "[{_id: 0}, {_id: 1, y: null}]", &["null", "null"]),
];

const REFUSED: &[(&str, i32)] = &[
    ("{output: {a: {$derivative: {input: 1}, window: {documents: [0, 0]}}}}", 9),
    ("{sortBy: {a: 1, b: 1}, output: {a: {$derivative: {input: 1}, window: {}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: {input: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: 1, window: {}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: {}, window: {}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: {input: 1, x: 1}, window: {}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: {input: 1, unit: 1}, window: {}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$derivative: {input: 1, unit: 'x'}, window: {}}}}", 9),
    (
        "{sortBy: {a: 1}, output: {a: {$derivative: {input: 1, unit: 'month'}, window: {}}}}",
        5490710,
    ),
    ("{sortBy: {a: 1}, output: {a: {$integral: {input: 1, unit: 'year'}}}}", 5490710),
    ("{sortBy: {a: 1}, output: {a: {$integral: {input: 1, unit: 'quarter'}}}}", 5490710),
    ("{output: {a: {$integral: {input: 1}}}}", 9),
    ("{sortBy: {a: 1, b: 1}, output: {a: {$integral: {input: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$integral: {unit: 'day'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$integral: {input: 1, outputUnit: 'day'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: 1}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {N: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: 1, alpha: 0.5}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, x: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: 0}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: -1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: 1.5}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: 'x'}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, alpha: 0}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, alpha: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, alpha: NaN}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, alpha: 'x'}}}}", 9),
    ("{output: {a: {$expMovingAvg: {input: 1, N: 1}}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$expMovingAvg: {input: 1, N: 1}, window: {}}}}", 9),
    ("{output: {a: {$locf: 1, window: []}}}", 9),
    ("{sortBy: {a: 1}, output: {a: {$linearFill: 1, window: []}}}", 9),
    ("{output: {a: {$linearFill: 1}}}", 605001),
    ("{sortBy: {a: 1, b: 1}, output: {a: {$linearFill: 1}}}", 605001),
    ("{output: {a: {$covariancePop: 1, x: 1}}}", 9),
];

/// A function, documents, the number of the error.
const FAILS: &[(&str, &str, i32)] = &[
    ("$derivative: {input: '$y'}, window: {documents: [-1, 0]}", "[{_id: date(0), y: 1}]", 5624901),
    (
        "$derivative: {input: '$y', unit: 'day'}, window: {documents: [-1, 0]}",
        "[{_id: 0, y: 1}]",
        5624900,
    ),
    ("$derivative: {input: '$y'}, window: {documents: [-1, 0]}", "[{_id: 'x', y: 1}]", 5624902),
    ("$derivative: {input: '$y'}, window: {documents: [-1, 0]}", "[{_id: 1}]", 5624903),
    ("$derivative: {input: '$y'}, window: {documents: [-1, 0]}", "[{_id: 1, y: null}]", 5624903),
    ("$derivative: {input: '$y'}, window: {documents: [-1, 0]}", "[{_id: 1, y: 'x'}]", 14),
    ("$integral: {input: '$y'}", "[{_id: 1, y: 'x'}]", 5423900),
    ("$integral: {input: '$y'}", "[{_id: 1}]", 5423900),
    ("$integral: {input: '$y'}", "[{_id: 'x', y: 1}]", 5423900),
    ("$integral: {input: '$y', unit: 'second'}", "[{_id: 1, y: 1}]", 5423901),
    ("$integral: {input: '$y'}", "[{_id: date(1), y: 1}]", 5423902),
    ("$linearFill: '$y'", "[{_id: 1, y: 'x'}]", 14),
    ("$linearFill: '$y'", "[{_id: 'x', y: 1}]", 14),
    ("$linearFill: '$y'", "[{_id: null, y: 1}]", 14),
    ("$linearFill: '$y'", "[{_id: 1, y: 1}, {_id: 1, y: 2}]", 6050106),
    ("$linearFill: '$y'", "[{_id: 1, y: 1}, {_id: date(1), y: 2}]", 14),
];

fn pipeline(function: &str) -> String {
    format!(
        "[{{$setWindowFields: {{sortBy: {{_id: 1}}, output: {{r: {{{function}}}}}}}}}, {{$project: {{_id: 0, r: 1}}}}]"
    )
}

#[test]
fn a_window_is_measured() {
    for (function, input, results) in CASES {
        let found = run(&pipeline(function), input)
            .unwrap_or_else(|error| panic!("{function} on {input}: {error}"));
        let results: Vec<String> =
            results.iter().map(|result| format!("{{r: {result}}}")).collect();
        assert_same(&found, &format!("[{}]", results.join(", ")), function);
    }
}

#[test]
fn measures_are_refused() {
    for (argument, number) in REFUSED {
        match parse(&format!("[{{$setWindowFields: {argument}}}]")) {
            Ok(_) => panic!("{argument} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{argument}: {error}"),
        }
    }
    for (function, input, number) in FAILS {
        let (found, message) = failure(&pipeline(function), input);
        assert_eq!(found, *number, "{function} on {input}: {message}");
    }
}
