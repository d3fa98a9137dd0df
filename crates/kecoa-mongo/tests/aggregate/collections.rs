//! Stages that read other collections, and stages that write.

use kecoa_mongo::aggregate::{Options, Source, Step};

use crate::support::*;

const OTHER: Collections<'static> = &[
    (
        "other",
        "[{_id: 1, k: 1, p: 2}, {_id: 2, k: 2, p: 3}, {_id: 3, k: null}, {_id: 4}, {_id: 5, k: [1, 7]}]",
    ),
    ("tree", "[{_id: 'a', up: 'b'}, {_id: 'b', up: 'c'}, {_id: 'c'}, {_id: 'd', up: ['a', 'b']}]"),
    ("empty", "[]"),
];

const CASES: &[Case] = &[
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: 2}]",
        "[{x: 2, r: [{_id: 2, k: 2, p: 3}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: 1.0}]",
        "[{x: 1.0, r: [{_id: 1, k: 1, p: 2}, {_id: 5, k: [1, 7]}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: [2, 7]}]",
        "[{x: [2, 7], r: [{_id: 2, k: 2, p: 3}, {_id: 5, k: [1, 7]}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{}]",
        "[{r: [{_id: 3, k: null}, {_id: 4}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: null}]",
        "[{x: null, r: [{_id: 3, k: null}, {_id: 4}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: []}]",
        "[{x: [], r: [{_id: 3, k: null}, {_id: 4}]}]",
    ),
    // A value that is missing in some elements is no null.
    (
        "[{$lookup: {from: 'other', localField: 'x.y', foreignField: 'k', as: 'r'}}, {$project: {'r._id': 1}}]",
        "[{_id: 0, x: [{y: 2}, {}]}, {_id: 1, x: [{}, {z: 1}]}, {_id: 2, x: [1]}, {_id: 3, x: [{y: null}, {y: 2}]}]",
        "[{_id: 0, r: [{_id: 2}]}, {_id: 1, r: [{_id: 3}, {_id: 4}]}, {_id: 2, r: [{_id: 3}, {_id: 4}]}, {_id: 3, r: [{_id: 2}, {_id: 3}, {_id: 4}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x.y', foreignField: 'k', as: 'r'}}, {$project: {'r._id': 1}}]",
        "[{_id: 0, x: {y: [[1, 7], 9]}}, {_id: 1, x: [[{y: 2}]]}]",
        "[{_id: 0, r: [{_id: 5}]}, {_id: 1, r: [{_id: 3}, {_id: 4}]}]",
    ),
    // null leads to null and not to documents without the field; nothing leads nowhere.
    (
        "[{$graphLookup: {from: 'other', startWith: '$s', connectFromField: 'p', connectToField: 'k', as: 'r'}}]",
        "[{s: null}, {}, {s: 1}]",
        "[{s: null, r: [{_id: 3, k: null}]}, {r: []}, {s: 1, r: [{_id: 1, k: 1, p: 2}, {_id: 5, k: [1, 7]}, {_id: 2, k: 2, p: 3}]}]",
    ),
    (
        "[{$lookup: {from: 'empty', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: 1}]",
        "[{x: 1, r: []}]",
    ),
    (
        "[{$lookup: {from: 'none', localField: 'x', foreignField: 'k', as: 'r'}}]",
        "[{x: 1}]",
        "[{x: 1, r: []}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x.y', foreignField: 'k', as: 'r.s'}}]",
        "[{x: [{y: 2}]}]",
        "[{x: [{y: 2}], r: {s: [{_id: 2, k: 2, p: 3}]}}]",
    ),
    (
        "[{$lookup: {from: 'other', pipeline: [{$match: {_id: 1}}], as: 'r'}}]",
        "[{x: 1}]",
        "[{x: 1, r: [{_id: 1, k: 1, p: 2}]}]",
    ),
    (
        "[{$lookup: {from: 'other', let: {v: '$x'}, pipeline: [{$match: {$expr: {$eq: ['$p', '$$v']}}}, {$project: {p: 1}}], as: 'r'}}]",
        "[{x: 3}, {x: 2}]",
        "[{x: 3, r: [{_id: 2, p: 3}]}, {x: 2, r: [{_id: 1, p: 2}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', pipeline: [{$project: {_id: 1}}], as: 'r'}}]",
        "[{x: 1}]",
        "[{x: 1, r: [{_id: 1}, {_id: 5}]}]",
    ),
    (
        "[{$lookup: {pipeline: [{$documents: [{a: 1}, {a: 2}]}], as: 'r'}}]",
        "[{x: 1}]",
        "[{x: 1, r: [{a: 1}, {a: 2}]}]",
    ),
    (
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}, {$unwind: '$r'}, {$limit: 1}]",
        "[{x: 1}]",
        "[{x: 1, r: {_id: 1, k: 1, p: 2}}]",
    ),
    (
        "[{$facet: {a: [{$lookup: {from: 'other', localField: 'x', foreignField: 'k', pipeline: [{$count: 'n'}], as: 'r'}}], b: [{$count: 'n'}]}}]",
        "[{x: 1}, {x: 2}]",
        "[{a: [{x: 1, r: [{n: 2}]}, {x: 2, r: [{n: 1}]}], b: [{n: 2}]}]",
    ),
    ("[{$unionWith: 'other'}, {$count: 'n'}]", "[{x: 1}]", "[{n: 6}]"),
    (
        "[{$unionWith: {coll: 'other', pipeline: [{$match: {_id: 2}}]}}]",
        "[{x: 1}]",
        "[{x: 1}, {_id: 2, k: 2, p: 3}]",
    ),
    ("[{$unionWith: {pipeline: [{$documents: [{a: 1}]}]}}]", "[{x: 1}]", "[{x: 1}, {a: 1}]"),
    ("[{$unionWith: 'empty'}]", "[{x: 1}]", "[{x: 1}]"),
    ("[{$unionWith: 'empty'}, {$unionWith: 'empty'}]", "[]", "[]"),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r'}}]",
        "[{s: 'a'}]",
        "[{s: 'a', r: [{_id: 'a', up: 'b'}, {_id: 'b', up: 'c'}, {_id: 'c'}]}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r', maxDepth: 1, depthField: 'd'}}]",
        "[{s: 'a'}]",
        "[{s: 'a', r: [{_id: 'a', up: 'b', d: 0L}, {_id: 'b', up: 'c', d: 1L}]}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r', maxDepth: 0}}]",
        "[{s: ['a', 'c']}]",
        "[{s: ['a', 'c'], r: [{_id: 'a', up: 'b'}, {_id: 'c'}]}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r', restrictSearchWithMatch: {_id: {$ne: 'b'}}}}]",
        "[{s: 'a'}]",
        "[{s: 'a', r: [{_id: 'a', up: 'b'}]}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r'}}, {$project: {n: {$size: '$r'}}}]",
        "[{_id: 1, s: 'd'}]",
        "[{_id: 1, n: 4}]",
    ),
    // Several documents, each of which leads far.
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r'}}, {$project: {n: {$size: '$r'}}}]",
        "[{_id: 1, s: 'd'}, {_id: 2, s: 'a'}, {_id: 3}, {_id: 4, s: 'b'}, {_id: 5, s: 'x'}, {_id: 6, s: 'c'}]",
        "[{_id: 1, n: 4}, {_id: 2, n: 3}, {_id: 3, n: 0}, {_id: 4, n: 2}, {_id: 5, n: 0}, {_id: 6, n: 1}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: '$s', connectFromField: 'up', connectToField: '_id', as: 'r'}}, {$limit: 2}, {$project: {n: {$size: '$r'}}}]",
        "[{_id: 1, s: 'd'}, {_id: 2, s: 'a'}, {_id: 3, s: 'b'}]",
        "[{_id: 1, n: 4}, {_id: 2, n: 3}]",
    ),
    (
        "[{$graphLookup: {from: 'tree', startWith: [], connectFromField: 'up', connectToField: '_id', as: 'r'}}]",
        "[{s: 1}]",
        "[{s: 1, r: []}]",
    ),
    // The documents that are written.
    ("[{$match: {x: 1}}, {$out: 'target'}]", "[{x: 1}, {x: 2}]", "[{x: 1}]"),
    ("[{$merge: 'target'}]", "[{x: 1}, {x: 2}]", "[{x: 1}, {x: 2}]"),
    (
        "[{$merge: {into: 'target', on: 'x', whenMatched: 'replace', whenNotMatched: 'discard'}}]",
        "[{x: 1}]",
        "[{x: 1}]",
    ),
];

#[test]
fn other_collections_are_read() {
    for (pipeline, input, expected) in CASES {
        let parsed = parse(pipeline).unwrap_or_else(|error| panic!("{pipeline}: {error}"));
        let found =
            run_pipeline(&parsed, documents(input), OTHER, &variables(), &Options::new("db"));
        let found = found.unwrap_or_else(|error| panic!("{pipeline}: {error}"));
        assert_same(&found, expected, pipeline);
    }
}

#[test]
fn a_pipeline_says_what_it_reads_and_writes() {
    let pipeline = parse(
        "[{$lookup: {from: 'a', pipeline: [{$unionWith: 'b'}], as: 'x'}}, {$facet: {f: [{$unionWith: 'c'}]}}, {$out: 'd'}]",
    )
    .unwrap();
    let names: Vec<_> = pipeline.reads().iter().map(|name| &*name.collection).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let target = pipeline.target().unwrap();
    assert_eq!((&*target.database, &*target.collection), ("db", "d"));
    let pipeline = parse("[{$merge: {into: {db: 'e', coll: 'f'}}}]").unwrap();
    let target = pipeline.target().unwrap();
    assert_eq!((&*target.database, &*target.collection), ("e", "f"));
    assert!(parse("[{$match: {}}]").unwrap().target().is_none());
}

#[test]
fn a_write_tells_its_modes() {
    use kecoa_mongo::aggregate::{Execution, WhenMatched, WhenNotMatched};
    let write = |text: &str| {
        let pipeline = parse(text).unwrap();
        let mut execution = Execution::new(&pipeline, &variables(), &Options::new("db"));
        execution.end();
        match execution.step().unwrap() {
            Step::Write(write) => write,
            other => panic!("{other:?}"),
        }
    };
    assert!(write("[{$out: 'x'}]").merge.is_none());
    let merge = write("[{$merge: 'x'}]").merge.unwrap();
    assert!(merge.on.is_none());
    assert!(matches!(merge.when_matched, WhenMatched::Merge));
    assert_eq!(merge.when_not_matched, WhenNotMatched::Insert);
    let merge = write(
        "[{$merge: {into: 'x', on: ['a', 'b.c'], whenMatched: [{$set: {a: '$$new.a'}}], whenNotMatched: 'fail'}}]",
    );
    let merge = merge.merge.unwrap();
    assert_eq!(merge.on.unwrap().iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b.c"]);
    assert!(matches!(merge.when_matched, WhenMatched::Pipeline(_)));
    assert_eq!(merge.when_not_matched, WhenNotMatched::Fail);
}

#[test]
fn the_caller_is_told_of_sources() {
    let mut options = Options::new("db");
    options.has_collection = false;
    let scope = kecoa_mongo::expression::Scope::new();
    let pipeline =
        parse_with("[{$documents: [{a: 1}, {a: 2}]}, {$match: {a: 2}}]", &scope, &options).unwrap();
    let source = pipeline.source().unwrap();
    assert_eq!(source.name(), "$documents");
    assert_eq!(source.documents(&variables()).unwrap().unwrap().len(), 2);
    for (text, name) in [
        ("[{$currentOp: {allUsers: true}}]", "$currentOp"),
        ("[{$listLocalSessions: {}}]", "$listLocalSessions"),
    ] {
        assert_eq!(parse_with(text, &scope, &options).unwrap().source().unwrap().name(), name);
        assert_eq!(parse(text).unwrap_err().code().number(), 73, "{text}");
    }
    for (text, name) in [
        ("[{$collStats: {count: {}}}, {$match: {}}]", "$collStats"),
        ("[{$indexStats: {}}]", "$indexStats"),
        ("[{$listSessions: {}}]", "$listSessions"),
        ("[{$changeStream: {}}]", "$changeStream"),
    ] {
        assert_eq!(parse(text).unwrap().source().unwrap().name(), name);
    }
    assert!(matches!(
        parse("[{$indexStats: {}}]").unwrap().source(),
        Some(Source::IndexStatistics)
    ));
    assert_eq!(parse_with("[{$match: {}}]", &scope, &options).unwrap_err().code().number(), 73);
}
