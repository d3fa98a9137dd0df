//! What a plan can answer is taken from the front of a pipeline.

use kecoa_mongo::aggregate::Options;

use crate::support::*;

/// A pipeline; filter, sort, skip, limit; how many stages are left.
type Case = (&'static str, &'static str, &'static str, u64, Option<u64>, usize);

const CASES: &[Case] = &[
    ("[]", "", "", 0, None, 0),
    ("[{$match: {a: 1}}]", "{a: 1}", "", 0, None, 0),
    ("[{$match: {a: 1}}, {$match: {b: 1}}]", "{$and: [{a: 1}, {b: 1}]}", "", 0, None, 0),
    (
        "[{$match: {a: 1}}, {$sort: {b: 1}}, {$skip: 2}, {$limit: 3}]",
        "{a: 1}",
        "{b: 1}",
        2,
        Some(3),
        0,
    ),
    ("[{$sort: {b: 1}}, {$match: {a: 1}}]", "{a: 1}", "{b: 1}", 0, None, 0),
    ("[{$limit: 3}, {$skip: 1}]", "", "", 1, Some(2), 0),
    ("[{$limit: 3}, {$skip: 9}]", "", "", 9, Some(0), 0),
    ("[{$skip: 1}, {$skip: 2}]", "", "", 3, None, 0),
    ("[{$limit: 3}, {$limit: 2}]", "", "", 0, Some(2), 0),
    ("[{$limit: 3}, {$match: {a: 1}}]", "", "", 0, Some(3), 1),
    ("[{$limit: 3}, {$sort: {a: 1}}]", "", "", 0, Some(3), 1),
    ("[{$skip: 3}, {$match: {a: 1}}]", "", "", 3, None, 1),
    ("[{$sort: {a: 1}}, {$sort: {b: 1}}]", "", "{a: 1}", 0, None, 1),
    ("[{$project: {a: 1}}, {$match: {a: 1}}]", "", "", 0, None, 2),
    ("[{$match: {a: 1}}, {$group: {_id: 1}}, {$limit: 1}]", "{a: 1}", "", 0, None, 2),
];

#[test]
fn the_front_of_a_pipeline_is_split_off() {
    for (pipeline, filter, sort, skip, limit, left) in CASES {
        let parsed = parse(pipeline).unwrap();
        let (leading, rest) = parsed.split_leading();
        let expected = |text: &str| (!text.is_empty()).then(|| document(text).into_bytes());
        assert_eq!(leading.filter.map(|found| found.into_bytes()), expected(filter), "{pipeline}");
        assert_eq!(leading.sort.map(|found| found.into_bytes()), expected(sort), "{pipeline}");
        assert_eq!((leading.skip, leading.limit), (*skip, *limit), "{pipeline}");
        assert_eq!(rest.is_empty(), *left == 0, "{pipeline}");
    }
}

#[test]
fn the_rest_gives_the_same_result() {
    let input = "[{a: 3}, {a: 1}, {a: 2}, {a: 5}, {a: 4}]";
    for pipeline in [
        "[{$match: {a: {$gt: 1}}}, {$sort: {a: 1}}, {$skip: 1}, {$limit: 2}, {$project: {b: '$a'}}]",
        "[{$sort: {a: -1}}, {$limit: 3}, {$skip: 1}, {$match: {a: {$gt: 3}}}]",
    ] {
        let parsed = parse(pipeline).unwrap();
        let whole = run(pipeline, input).unwrap();
        let (leading, rest) = parsed.split_leading();
        let mut front = String::new();
        let mut stages = Vec::new();
        if let Some(filter) = &leading.filter {
            stages.push(format!("{{$match: {}}}", bson::Document::try_from(filter).unwrap()));
        }
        assert!(leading.sort.is_some());
        let descending = pipeline.contains("-1");
        stages.push(format!("{{$sort: {{a: {}}}}}", if descending { -1 } else { 1 }));
        stages.push(format!("{{$skip: {}}}", leading.skip));
        stages.push(format!("{{$limit: {}}}", leading.limit.unwrap()));
        front.push_str(&format!("[{}]", stages.join(", ")));
        let seen = run(&front, input).unwrap();
        let found = run_pipeline(&rest, seen, &[], &variables(), &Options::new("db")).unwrap();
        assert_eq!(found, whole, "{pipeline}");
    }
}
