//! How often `$lookup` reads, and that a batch of documents finds what each of them finds alone.

use bson::RawDocumentBuf;
use kecoa_mongo::aggregate::{Execution, Options, Step};
use kecoa_mongo::expression::Scope;

use crate::support::*;

const OTHER: &str = "[
    {_id: 1, k: 1}, {_id: 2, k: 1L}, {_id: 3, k: 1.0}, {_id: 4, k: dec('1')}, {_id: 5, k: '1'},
    {_id: 6, k: null}, {_id: 7}, {_id: 8, k: []}, {_id: 9, k: [1, 2]}, {_id: 10, k: [[1, 2]]},
    {_id: 11, k: [null]}, {_id: 12, k: {a: 1}}, {_id: 13, k: {a: 1L}}, {_id: 14, k: NaN},
    {_id: 15, k: dec('NaN')}, {_id: 16, k: /x/}, {_id: 17, k: 'x'}, {_id: 18, k: [{a: 1}, 'x']},
    {_id: 19, k: true}, {_id: 20, k: 'X'}, {_id: 21, k: {a: [1]}}
]";

/// What the documents look for; all of them together are more than a batch.
const VALUES: &[&str] = &[
    "x: 1",
    "x: dec('1.0')",
    "x: '1'",
    "x: null",
    "y: 1",
    "x: []",
    "x: [1, 2]",
    "x: [[1, 2]]",
    "x: [null, 2]",
    "x: {a: 1.0}",
    "x: NaN",
    "x: /x/",
    "x: [/x/, 'x']",
    "x: 'x'",
    "x: true",
    "x: false",
    "x: [1, null, '1']",
    "x: [[]]",
    "x: {a: [1]}",
    "x: 3",
    "x: [1, 1]",
    "x: ['X', NaN]",
];

/// What comes of documents, and how often another collection was read.
fn run_counting(pipeline: &str, input: Vec<RawDocumentBuf>) -> (Vec<RawDocumentBuf>, usize) {
    let options = Options::new("db");
    let parsed = parse_with(pipeline, &Scope::new(), &options).unwrap();
    let variables = variables();
    let mut execution = Execution::new(&parsed, &variables, &options);
    let (mut input, mut output, mut reads) = (input.into_iter(), Vec::new(), 0);
    loop {
        match execution.step().unwrap() {
            Step::Document(document) => output.push(document),
            Step::NeedInput => match input.next() {
                Some(document) => execution.push(document),
                None => execution.end(),
            },
            Step::Read(read) => {
                reads += 1;
                execution
                    .answer(read_collection(&read, &[("other", OTHER)], &options).unwrap())
                    .unwrap();
            }
            Step::Write(_) => panic!("nothing is written"),
            Step::Done => return (output, reads),
        }
    }
}

fn local(count: usize) -> Vec<RawDocumentBuf> {
    VALUES.iter().cycle().take(count).map(|value| document(&format!("{{{value}}}"))).collect()
}

#[test]
fn a_batch_finds_what_its_documents_find_alone() {
    for foreign in ["k", "k.a", "k.0", "_id", "none"] {
        let pipeline = format!(
            "[{{$lookup: {{from: 'other', localField: 'x', foreignField: '{foreign}', as: 'r'}}}}]"
        );
        let alone: Vec<_> = (local(VALUES.len()).into_iter())
            .flat_map(|document| run_counting(&pipeline, vec![document]).0)
            .collect();
        let (found, reads) = run_counting(&pipeline, local(VALUES.len() * 20));
        assert_eq!(found.len(), VALUES.len() * 20);
        for (at, document) in found.iter().enumerate() {
            assert_eq!(document, &alone[at % VALUES.len()], "{foreign}: {document:?}");
        }
        // 8, 16, 32, 64, 128 and the rest.
        assert_eq!(reads, 6, "{foreign}");
    }
}

#[test]
fn what_is_the_same_for_all_documents_is_read_once() {
    let once = [
        "{from: 'other', pipeline: [{$match: {k: 1}}], as: 'r'}",
        "{from: 'other', pipeline: [], let: {}, as: 'r'}",
        "{pipeline: [{$documents: [{a: 1}]}], as: 'r'}",
    ];
    for argument in once {
        let (found, reads) = run_counting(&format!("[{{$lookup: {argument}}}]"), local(50));
        assert_eq!((found.len(), reads), (50, 1), "{argument}");
        assert_eq!(found[0].get("r").unwrap(), found[49].get("r").unwrap(), "{argument}");
    }
    let each = [
        "{from: 'other', pipeline: [{$sample: {size: 1}}], as: 'r'}",
        "{from: 'other', pipeline: [{$set: {n: {$rand: {}}}}], as: 'r'}",
        "{from: 'other', let: {v: '$x'}, pipeline: [{$match: {$expr: {$eq: ['$k', '$$v']}}}], as: 'r'}",
        "{from: 'other', localField: 'x', foreignField: 'k', pipeline: [{$limit: 1}], as: 'r'}",
    ];
    for argument in each {
        let (found, reads) = run_counting(&format!("[{{$lookup: {argument}}}]"), local(50));
        assert_eq!((found.len(), reads), (50, 50), "{argument}");
    }
}

#[test]
fn few_documents_are_looked_up_for_where_few_are_asked_for() {
    let pipeline =
        "[{$lookup: {from: 'other', localField: 'x', foreignField: 'k', as: 'r'}}, {$limit: 1}]";
    assert_eq!(run_counting(pipeline, local(1000)).1, 1);
}
