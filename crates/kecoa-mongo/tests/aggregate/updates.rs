//! Pipelines of updates.

use kecoa_mongo::aggregate::UpdatePipeline;
use kecoa_mongo::expression::Scope;

use crate::support::*;

const CASES: &[Case] = &[
    ("[]", "{a: 1}", "{a: 1}"),
    ("[{$set: {b: '$a'}}]", "{_id: 1, a: 1}", "{_id: 1, a: 1, b: 1}"),
    ("[{$addFields: {a: 2}}]", "{_id: 1, a: 1}", "{_id: 1, a: 2}"),
    ("[{$set: {b: '$a'}}, {$unset: 'a'}]", "{_id: 1, a: 1}", "{_id: 1, b: 1}"),
    ("[{$project: {a: 1}}]", "{_id: 1, a: 1, b: 2}", "{_id: 1, a: 1}"),
    ("[{$replaceWith: '$a'}]", "{_id: 1, a: {b: 2}}", "{b: 2}"),
    ("[{$replaceRoot: {newRoot: {x: '$a'}}}, {$set: {y: '$x'}}]", "{a: 1}", "{x: 1, y: 1}"),
    ("[{$set: {a: '$$NOW'}}]", "{a: 1}", "{a: date(0)}"),
];

const REFUSED: &[(&str, i32)] = &[
    ("[{$match: {}}]", 72),
    ("[{$sort: {a: 1}}]", 72),
    ("[{$group: {_id: 1}}]", 72),
    ("[{$group: 1}]", 72),
    ("[{$limit: 1}]", 72),
    ("[{$out: 'x'}]", 72),
    ("[{$lookup: {}}]", 72),
    ("[{$facet: {}}]", 72),
    ("[{$set: {a: 1}}, {$unwind: '$a'}]", 72),
    ("[{$nothing: 1}]", 40324),
    ("[{}]", 40323),
    ("[{$set: {a: 1}, $unset: 'b'}]", 40323),
    ("[1]", 14),
    ("[{$set: 1}]", 40272),
    ("[{$set: {}}]", 40177),
    ("[{$project: {}}]", 51272),
    ("[{$unset: 1}]", 31002),
    ("[{$replaceRoot: {}}]", 40414),
];

#[test]
fn a_document_is_changed() {
    for (stages, text, expected) in CASES {
        let pipeline =
            with_stages(stages, |stages| UpdatePipeline::parse(stages, &Scope::new())).unwrap();
        let found = pipeline.apply(&document(text), &variables()).unwrap();
        assert_same(&[found], &format!("[{expected}]"), stages);
    }
}

#[test]
fn names_are_checked_by_themselves() {
    for (stages, expected) in REFUSED {
        let found = with_stages(stages, UpdatePipeline::check_names)
            .map_or_else(|error| error.code().number(), |()| 0);
        let is_early = matches!(expected, 14 | 40323 | 40324);
        assert_eq!(found, if is_early { *expected } else { 0 }, "{stages}");
    }
}

#[test]
fn other_stages_are_refused() {
    for (stages, number) in REFUSED {
        match with_stages(stages, |stages| UpdatePipeline::parse(stages, &Scope::new())) {
            Ok(_) => panic!("{stages} was accepted"),
            Err(error) => assert_eq!(error.code().number(), *number, "{stages}: {error}"),
        }
    }
}

#[test]
fn a_new_root_must_be_a_document() {
    let stages = "[{$replaceWith: '$a'}]";
    let pipeline =
        with_stages(stages, |stages| UpdatePipeline::parse(stages, &Scope::new())).unwrap();
    for text in ["{a: 1}", "{}", "{a: null}", "{a: [1]}", "{a: 'x'}"] {
        let error = pipeline.apply(&document(text), &variables()).unwrap_err();
        assert_eq!(error.code().number(), 40228, "{text}");
    }
}
