//! `$bucket` and `$bucketAuto`.

use crate::support::*;

const CASES: &[Case] = &[
    (
        "[{$bucket: {groupBy: '$a', boundaries: [0, 5, 10]}}]",
        "[{a: 1}, {a: 7}, {a: 2}]",
        "[{_id: 0, count: 2}, {_id: 5, count: 1}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: [0, 5, 10]}}]",
        "[{a: 5}, {a: 0}]",
        "[{_id: 0, count: 1}, {_id: 5, count: 1}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: [0, 5], default: 'other'}}]",
        "[{a: 5}, {a: -1}, {}, {a: 'x'}, {a: 3}]",
        "[{_id: 0, count: 1}, {_id: 'other', count: 4}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: [0, 5], default: -1}}]",
        "[{a: 9}, {a: 3}]",
        "[{_id: -1, count: 1}, {_id: 0, count: 1}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: ['a', 'm', 'z'], output: {l: {$push: '$a'}}}}]",
        "[{a: 'b'}, {a: 'n'}]",
        "[{_id: 'a', l: ['b']}, {_id: 'm', l: ['n']}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: [0, 2.5, 5L]}}]",
        "[{a: 2}, {a: 3}]",
        "[{_id: 0, count: 1}, {_id: 2.5, count: 1}]",
    ),
    (
        "[{$bucket: {groupBy: '$a', boundaries: [date(0), date(10)]}}]",
        "[{a: date(5)}]",
        "[{_id: date(0), count: 1}]",
    ),
    ("[{$bucket: {groupBy: '$a', boundaries: [0, 5]}}]", "[]", "[]"),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 2}}]",
        "[{a: 1}, {a: 2}, {a: 3}, {a: 4}]",
        "[{_id: {min: 1, max: 3}, count: 2}, {_id: {min: 3, max: 4}, count: 2}]",
    ),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 1}}]",
        "[{a: 3}, {a: 1}]",
        "[{_id: {min: 1, max: 3}, count: 2}]",
    ),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 5}}]",
        "[{a: 3}, {a: 1}]",
        "[{_id: {min: 1, max: 3}, count: 1}, {_id: {min: 3, max: 3}, count: 1}]",
    ),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 2}}]",
        "[{a: 1}, {a: 1}, {a: 1}, {a: 2}]",
        "[{_id: {min: 1, max: 2}, count: 3}, {_id: {min: 2, max: 2}, count: 1}]",
    ),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 2, output: {s: {$sum: '$a'}}}}]",
        "[{a: 1}, {a: 2}, {a: 3}]",
        "[{_id: {min: 1, max: 3}, s: 3}, {_id: {min: 3, max: 3}, s: 3}]",
    ),
    ("[{$bucketAuto: {groupBy: '$a', buckets: 2}}]", "[]", "[]"),
    (
        "[{$bucketAuto: {groupBy: '$a', buckets: 2}}]",
        "[{a: 'x'}, {}, {a: 1}]",
        "[{_id: {min: null, max: 'x'}, count: 2}, {_id: {min: 'x', max: 'x'}, count: 1}]",
    ),
];

const SERIES: &[&str] = &[
    "R5",
    "R10",
    "R20",
    "R40",
    "R80",
    "1-2-5",
    "E6",
    "E12",
    "E24",
    "E48",
    "E96",
    "E192",
    "POWERSOF2",
];

#[test]
fn values_fall_into_buckets() {
    check(CASES);
}

#[test]
fn boundaries_are_preferred_numbers() {
    let documents: Vec<String> = (1..100).map(|at| format!("{{a: {at}}}")).collect();
    let input = format!("[{}]", documents.join(", "));
    for series in SERIES {
        let pipeline =
            format!("[{{$bucketAuto: {{groupBy: '$a', buckets: 4, granularity: '{series}'}}}}]");
        let found = run(&pipeline, &input).unwrap();
        assert!(!found.is_empty() && found.len() <= 4, "{series}: {}", found.len());
        let counted: i32 = found.iter().map(|bucket| bucket.get_i32("count").unwrap()).sum();
        assert_eq!(counted, 99, "{series}");
        // Each begins where the one before ends.
        for pair in found.windows(2) {
            let end = pair[0].get_document("_id").unwrap().get("max").unwrap();
            let begin = pair[1].get_document("_id").unwrap().get("min").unwrap();
            assert_eq!(end, begin, "{series}");
        }
    }
    let pipeline = "[{$bucketAuto: {groupBy: '$a', buckets: 2, granularity: 'POWERSOF2'}}]";
    let found = run(pipeline, "[{a: 1}, {a: 3}, {a: 5}, {a: 12}]").unwrap();
    assert_same(
        &found,
        "[{_id: {min: 0.5, max: 4}, count: 2}, {_id: {min: 4, max: 16}, count: 2}]",
        pipeline,
    );
}
