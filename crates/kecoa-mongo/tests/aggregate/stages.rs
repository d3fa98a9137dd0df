//! Stages beside documents and what comes of them.

use crate::support::*;

const CASES: &[Case] = &[
    ("[]", "[{a: 1}, {a: 2}]", "[{a: 1}, {a: 2}]"),
    // $match
    ("[{$match: {}}]", "[{a: 1}, {}]", "[{a: 1}, {}]"),
    ("[{$match: {a: 1}}]", "[{a: 1}, {a: 2}, {a: [1]}]", "[{a: 1}, {a: [1]}]"),
    ("[{$match: {$expr: {$eq: ['$a', '$b']}}}]", "[{a: 1, b: 1}, {a: 1, b: 2}]", "[{a: 1, b: 1}]"),
    ("[{$match: {a: null}}]", "[{a: null}, {}, {a: 1}]", "[{a: null}, {}]"),
    // $limit, $skip
    ("[{$limit: 1}]", "[{a: 1}, {a: 2}]", "[{a: 1}]"),
    ("[{$limit: 2L}]", "[{a: 1}, {a: 2}, {a: 3}]", "[{a: 1}, {a: 2}]"),
    ("[{$limit: 2.0}]", "[{a: 1}, {a: 2}, {a: 3}]", "[{a: 1}, {a: 2}]"),
    ("[{$limit: dec('1')}]", "[{a: 1}, {a: 2}]", "[{a: 1}]"),
    ("[{$limit: 10}]", "[{a: 1}]", "[{a: 1}]"),
    ("[{$skip: 0}]", "[{a: 1}, {a: 2}]", "[{a: 1}, {a: 2}]"),
    ("[{$skip: 1}]", "[{a: 1}, {a: 2}]", "[{a: 2}]"),
    ("[{$skip: 5}]", "[{a: 1}, {a: 2}]", "[]"),
    ("[{$skip: 1}, {$limit: 1}]", "[{a: 1}, {a: 2}, {a: 3}]", "[{a: 2}]"),
    ("[{$limit: 2}, {$skip: 1}]", "[{a: 1}, {a: 2}, {a: 3}]", "[{a: 2}]"),
    ("[{$limit: 1}, {$limit: 2}]", "[{a: 1}, {a: 2}]", "[{a: 1}]"),
    // $project, $addFields, $set, $unset
    ("[{$project: {a: 1}}]", "[{_id: 1, a: 2, b: 3}]", "[{_id: 1, a: 2}]"),
    ("[{$project: {a: 0}}]", "[{_id: 1, a: 2, b: 3}]", "[{_id: 1, b: 3}]"),
    ("[{$project: {x: '$a'}}, {$project: {_id: 0}}]", "[{_id: 1, a: 2}]", "[{x: 2}]"),
    ("[{$addFields: {b: '$a'}}]", "[{a: 1}]", "[{a: 1, b: 1}]"),
    ("[{$set: {b: '$a'}}, {$set: {c: '$b'}}]", "[{a: 1}]", "[{a: 1, b: 1, c: 1}]"),
    ("[{$unset: 'a'}]", "[{a: 1, b: 2}]", "[{b: 2}]"),
    ("[{$unset: ['a', 'b.c']}]", "[{a: 1, b: {c: 1, d: 2}}]", "[{b: {d: 2}}]"),
    // $sort
    ("[{$sort: {a: 1}}]", "[{a: 2}, {a: 1}, {a: 3}]", "[{a: 1}, {a: 2}, {a: 3}]"),
    ("[{$sort: {a: -1}}]", "[{a: 2}, {a: 1}, {a: 3}]", "[{a: 3}, {a: 2}, {a: 1}]"),
    (
        "[{$sort: {a: 1, b: -1}}]",
        "[{a: 1, b: 1}, {a: 1, b: 2}, {a: 0, b: 0}]",
        "[{a: 0, b: 0}, {a: 1, b: 2}, {a: 1, b: 1}]",
    ),
    ("[{$sort: {'a.b': 1}}]", "[{a: {b: 2}}, {a: {b: 1}}]", "[{a: {b: 1}}, {a: {b: 2}}]"),
    (
        "[{$sort: {a: 1}}]",
        "[{a: 'x'}, {a: 1}, {}, {a: null}, {a: true}, {a: {}}]",
        "[{}, {a: null}, {a: 1}, {a: 'x'}, {a: {}}, {a: true}]",
    ),
    ("[{$sort: {a: 1}}]", "[{a: [3, 1]}, {a: 2}, {a: []}]", "[{a: []}, {a: [3, 1]}, {a: 2}]"),
    ("[{$sort: {a: -1}}]", "[{a: [3, 1]}, {a: 2}, {a: []}]", "[{a: [3, 1]}, {a: 2}, {a: []}]"),
    (
        "[{$sort: {a: 1}}]",
        "[{a: 1, n: 1}, {a: 1, n: 2}, {a: 1, n: 3}]",
        "[{a: 1, n: 1}, {a: 1, n: 2}, {a: 1, n: 3}]",
    ),
    ("[{$sort: {a: 1}}, {$limit: 2}]", "[{a: 3}, {a: 1}, {a: 2}]", "[{a: 1}, {a: 2}]"),
    ("[{$sort: {a: 1}}, {$skip: 1}, {$limit: 1}]", "[{a: 3}, {a: 1}, {a: 2}]", "[{a: 2}]"),
    ("[{$sort: {a: 1}}, {$limit: 2}, {$skip: 1}]", "[{a: 3}, {a: 1}, {a: 2}]", "[{a: 2}]"),
    (
        "[{$sort: {a: 1}}, {$match: {a: {$gt: 1}}}, {$limit: 1}]",
        "[{a: 3}, {a: 1}, {a: 2}]",
        "[{a: 2}]",
    ),
    ("[{$sort: {a: -1}}, {$sort: {a: 1}}, {$limit: 1}]", "[{a: 3}, {a: 1}, {a: 2}]", "[{a: 1}]"),
    // $count
    ("[{$count: 'n'}]", "[{a: 1}, {a: 2}]", "[{n: 2}]"),
    ("[{$count: 'n'}]", "[]", "[]"),
    ("[{$match: {a: 9}}, {$count: 'n'}]", "[{a: 1}]", "[]"),
    // $group
    ("[{$group: {_id: null}}]", "[{a: 1}, {a: 2}]", "[{_id: null}]"),
    ("[{$group: {_id: null}}]", "[]", "[]"),
    ("[{$group: {_id: 5, n: {$sum: 1}}}]", "[{a: 1}, {a: 2}]", "[{_id: 5, n: 2}]"),
    (
        "[{$group: {_id: '$a', n: {$sum: 1}}}]",
        "[{a: 1}, {a: 2}, {a: 1}]",
        "[{_id: 1, n: 2}, {_id: 2, n: 1}]",
    ),
    (
        "[{$group: {_id: '$a', n: {$sum: 1}}}]",
        "[{a: 1}, {a: 1.0}, {a: 1L}, {a: dec('1.0')}]",
        "[{_id: 1, n: 4}]",
    ),
    ("[{$group: {_id: '$a', n: {$sum: 1}}}]", "[{}, {a: null}]", "[{_id: null, n: 2}]"),
    (
        "[{$group: {_id: '$a'}}]",
        "[{a: 'x'}, {a: 1}, {a: true}]",
        "[{_id: 'x'}, {_id: 1}, {_id: true}]",
    ),
    ("[{$group: {_id: '$a', n: {$sum: 1}}}]", "[{a: NaN}, {a: NaN}]", "[{_id: NaN, n: 2}]"),
    (
        "[{$group: {_id: '$a', n: {$sum: 1}}}]",
        "[{a: [1, 2]}, {a: [1, 2]}, {a: [2, 1]}]",
        "[{_id: [1, 2], n: 2}, {_id: [2, 1], n: 1}]",
    ),
    (
        "[{$group: {_id: {x: '$a', y: '$b'}, n: {$sum: 1}}}]",
        "[{a: 1, b: 1}, {a: 1, b: 1}, {a: 1}]",
        "[{_id: {x: 1, y: 1}, n: 2}, {_id: {x: 1}, n: 1}]",
    ),
    (
        "[{$group: {_id: {$eq: ['$a', 1]}, n: {$sum: 1}}}]",
        "[{a: 1}, {a: 2}, {a: 3}]",
        "[{_id: true, n: 1}, {_id: false, n: 2}]",
    ),
    ("[{$group: {n: {$sum: 1}, _id: null}}]", "[{a: 1}]", "[{_id: null, n: 1}]"),
    (
        "[{$group: {_id: {k: '$a'}, l: {$firstN: {n: '$k', input: '$b'}}}}, {$replaceWith: {_id: '$_id.k', l: '$l'}}]",
        "[{a: 2, b: 1}, {a: 2, b: 2}, {a: 2, b: 3}]",
        "[{_id: 2, l: [1, 2]}]",
    ),
    (
        "[{$group: {_id: '$a.b'}}]",
        "[{a: {b: 1}}, {a: [{b: 2}, {b: 3}]}]",
        "[{_id: 1}, {_id: [2, 3]}]",
    ),
    // $sortByCount
    (
        "[{$sortByCount: '$a'}]",
        "[{a: 1}, {a: 2}, {a: 2}]",
        "[{_id: 2, count: 2}, {_id: 1, count: 1}]",
    ),
    (
        "[{$sortByCount: {$eq: ['$a', 1]}}]",
        "[{a: 1}, {a: 2}, {a: 2}]",
        "[{_id: false, count: 2}, {_id: true, count: 1}]",
    ),
    // $unwind
    (
        "[{$unwind: '$a'}]",
        "[{_id: 1, a: [1, 2], b: 3}]",
        "[{_id: 1, a: 1, b: 3}, {_id: 1, a: 2, b: 3}]",
    ),
    ("[{$unwind: {path: '$a'}}]", "[{a: [1, 2]}]", "[{a: 1}, {a: 2}]"),
    ("[{$unwind: '$a'}]", "[{a: []}, {a: null}, {}, {a: undefined}, {b: 1}]", "[]"),
    ("[{$unwind: '$a'}]", "[{a: 5}, {a: 'x'}, {a: {b: 1}}]", "[{a: 5}, {a: 'x'}, {a: {b: 1}}]"),
    ("[{$unwind: '$a'}]", "[{a: [[1, 2], 3]}]", "[{a: [1, 2]}, {a: 3}]"),
    ("[{$unwind: '$a'}]", "[{a: [null, 1]}]", "[{a: null}, {a: 1}]"),
    ("[{$unwind: '$a.b'}]", "[{a: {b: [1, 2], c: 3}}]", "[{a: {b: 1, c: 3}}, {a: {b: 2, c: 3}}]"),
    ("[{$unwind: '$a.b'}]", "[{a: [{b: [1]}]}]", "[]"),
    ("[{$unwind: '$a.b'}]", "[{a: 5}]", "[]"),
    (
        "[{$unwind: {path: '$a', preserveNullAndEmptyArrays: true}}]",
        "[{a: []}, {a: null}, {b: 1}, {a: [1]}]",
        "[{}, {a: null}, {b: 1}, {a: 1}]",
    ),
    ("[{$unwind: {path: '$a', preserveNullAndEmptyArrays: false}}]", "[{a: []}]", "[]"),
    (
        "[{$unwind: {path: '$a', includeArrayIndex: 'i'}}]",
        "[{a: ['x', 'y']}]",
        "[{a: 'x', i: 0L}, {a: 'y', i: 1L}]",
    ),
    ("[{$unwind: {path: '$a', includeArrayIndex: 'i'}}]", "[{a: 'x'}]", "[{a: 'x', i: null}]"),
    (
        "[{$unwind: {path: '$a', includeArrayIndex: 'i.j'}}]",
        "[{a: ['x']}]",
        "[{a: 'x', i: {j: 0L}}]",
    ),
    (
        "[{$unwind: {path: '$a', includeArrayIndex: 'b'}}]",
        "[{b: 1, a: ['x']}]",
        "[{b: 0L, a: 'x'}]",
    ),
    (
        "[{$unwind: {path: '$a', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true}}]",
        "[{a: []}, {a: null}, {}]",
        "[{i: null}, {a: null, i: null}, {i: null}]",
    ),
    ("[{$unwind: '$a'}, {$unwind: '$a'}]", "[{a: [[1, 2], [3]]}]", "[{a: 1}, {a: 2}, {a: 3}]"),
    // $replaceRoot, $replaceWith
    ("[{$replaceRoot: {newRoot: '$a'}}]", "[{_id: 1, a: {b: 1}}]", "[{b: 1}]"),
    ("[{$replaceWith: '$a'}]", "[{_id: 1, a: {b: 1}}]", "[{b: 1}]"),
    ("[{$replaceWith: {x: '$a'}}]", "[{a: 1}]", "[{x: 1}]"),
    ("[{$replaceWith: {x: '$z'}}]", "[{a: 1}]", "[{}]"),
    ("[{$replaceWith: '$$ROOT'}]", "[{a: 1}]", "[{a: 1}]"),
    ("[{$replaceRoot: {newRoot: {$literal: {}}}}]", "[{a: 1}]", "[{}]"),
    // $redact
    ("[{$redact: '$$KEEP'}]", "[{a: {b: 1}}]", "[{a: {b: 1}}]"),
    ("[{$redact: '$$PRUNE'}]", "[{a: 1}]", "[]"),
    ("[{$redact: '$$DESCEND'}]", "[{a: {b: 1}, c: [1, {d: 1}]}]", "[{a: {b: 1}, c: [1, {d: 1}]}]"),
    (
        "[{$redact: {$cond: [{$eq: ['$level', 5]}, '$$PRUNE', '$$DESCEND']}}]",
        "[{level: 1, a: {level: 5, x: 1}, b: {level: 2, y: 1}, c: [{level: 5}, {level: 3}, 7, [{level: 5}, 1]]}]",
        "[{level: 1, b: {level: 2, y: 1}, c: [{level: 3}, 7, [1]]}]",
    ),
    (
        "[{$redact: {$cond: [{$eq: ['$keep', true]}, '$$KEEP', '$$DESCEND']}}]",
        "[{a: {keep: true, b: {c: 1}}}]",
        "[{a: {keep: true, b: {c: 1}}}]",
    ),
    // $facet
    (
        "[{$facet: {a: [{$match: {x: 1}}], n: [{$count: 'c'}]}}]",
        "[{x: 1}, {x: 2}]",
        "[{a: [{x: 1}], n: [{c: 2}]}]",
    ),
    ("[{$facet: {a: []}}]", "[{x: 1}, {x: 2}]", "[{a: [{x: 1}, {x: 2}]}]"),
    ("[{$facet: {a: [{$limit: 1}]}}]", "[{x: 1}, {x: 2}]", "[{a: [{x: 1}]}]"),
    ("[{$facet: {a: [{$count: 'c'}]}}]", "[]", "[{a: []}]"),
    ("[{$facet: {a: [{$limit: 1}]}}, {$unwind: '$a'}]", "[{x: 1}, {x: 2}]", "[{a: {x: 1}}]"),
    (
        "[{$facet: {a: [{$sort: {x: -1}}], b: [{$sort: {x: 1}}, {$limit: 1}]}}]",
        "[{x: 1}, {x: 2}]",
        "[{a: [{x: 2}, {x: 1}], b: [{x: 1}]}]",
    ),
    // $sample
    ("[{$sample: {size: 5}}, {$sort: {x: 1}}]", "[{x: 2}, {x: 1}]", "[{x: 1}, {x: 2}]"),
    ("[{$sample: {size: 1}}, {$count: 'n'}]", "[{x: 2}, {x: 1}]", "[{n: 1}]"),
    ("[{$sample: {size: 1.9}}, {$count: 'n'}]", "[{x: 2}, {x: 1}]", "[{n: 1}]"),
    ("[{$sample: {size: 3}}]", "[]", "[]"),
    // Duplicate names are kept.
    ("[{$match: {}}, {$skip: 0}]", "[{a: 1, a: 2}]", "[{a: 1, a: 2}]"),
    ("[{$addFields: {b: 1}}]", "[{a: 1, a: 2}]", "[{a: 1, a: 2, b: 1}]"),
];

#[test]
fn stages_change_documents() {
    check(CASES);
}

#[test]
fn a_limit_ends_the_input() {
    use kecoa_mongo::aggregate::{Execution, Options, Step};
    let pipeline = parse("[{$limit: 1}, {$addFields: {b: 1}}]").unwrap();
    let mut execution = Execution::new(&pipeline, &variables(), &Options::new("db"));
    assert!(matches!(execution.step().unwrap(), Step::NeedInput));
    execution.push(document("{a: 1}"));
    assert!(matches!(execution.step().unwrap(), Step::Document(_)));
    assert!(matches!(execution.step().unwrap(), Step::Done));
    execution.push(document("{a: 2}"));
    assert!(matches!(execution.step().unwrap(), Step::Done));
}

#[test]
fn memory_is_bounded() {
    use kecoa_mongo::aggregate::Options;
    use kecoa_mongo::expression::Scope;
    let mut options = Options::new("db");
    options.allow_disk_use = false;
    options.memory_limit = 2000;
    let documents: Vec<String> =
        (0..200).map(|at| format!("{{a: {at}, b: 'some text'}}")).collect();
    let input = format!("[{}]", documents.join(", "));
    for pipeline in [
        "[{$sort: {a: 1}}]",
        "[{$group: {_id: '$a'}}]",
        "[{$group: {_id: null, l: {$push: '$b'}}}]",
        "[{$group: {_id: null, l: {$addToSet: '$a'}}}]",
        "[{$bucketAuto: {groupBy: '$a', buckets: 2}}]",
        "[{$sample: {size: 150}}]",
        "[{$out: 'x'}]",
        "[{$setWindowFields: {output: {n: {$sum: 1}}}}]",
        "[{$densify: {field: 'a', range: {step: 1, bounds: 'full'}}}]",
    ] {
        let parsed = parse_with(pipeline, &Scope::new(), &options).unwrap();
        let failed =
            run_pipeline(&parsed, super::support::documents(&input), &[], &variables(), &options);
        assert_eq!(failed.unwrap_err().code().number(), 292, "{pipeline}");
    }
    // Stages that never use the disk have numbers of their own.
    for (pipeline, number) in [
        ("[{$facet: {x: []}}]", 4_031_700),
        ("[{$lookup: {from: 'many', pipeline: [], as: 'r'}}]", 4568),
        (
            "[{$graphLookup: {from: 'many', startWith: 1, connectFromField: 'a', connectToField: 'k', as: 'r'}}]",
            40099,
        ),
    ] {
        let many: Vec<_> =
            (0..200).map(|at| format!("{{_id: {at}, k: 1, b: 'some text'}}")).collect();
        let many = format!("[{}]", many.join(", "));
        let parsed = parse_with(pipeline, &Scope::new(), &options).unwrap();
        let failed = run_pipeline(
            &parsed,
            super::support::documents(&input),
            &[("many", &many)],
            &variables(),
            &options,
        );
        assert_eq!(failed.unwrap_err().code().number(), number, "{pipeline}");
    }
    let parsed = parse_with("[{$sort: {a: 1}}, {$limit: 3}]", &Scope::new(), &options).unwrap();
    let found =
        run_pipeline(&parsed, super::support::documents(&input), &[], &variables(), &options);
    assert_eq!(found.unwrap().len(), 3);
}

#[test]
fn one_result_is_bounded_however_much_a_group_may_hold() {
    let document = super::support::document(&format!("{{a: '{}'}}", "x".repeat(1 << 20)));
    use kecoa_mongo::aggregate::Options;
    use kecoa_mongo::expression::Scope;
    let options = Options::new("db");
    for function in ["{$push: '$a'}", "{$firstN: {n: 200, input: '$a'}}"] {
        let pipeline = format!("[{{$group: {{_id: null, l: {function}}}}}]");
        let parsed = parse_with(&pipeline, &Scope::new(), &options).unwrap();
        let input = vec![document.clone(); 101];
        let failed = run_pipeline(&parsed, input, &[], &variables(), &options);
        assert_eq!(failed.unwrap_err().code().number(), 146, "{function}");
    }
}
