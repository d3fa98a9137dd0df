//! What updates are told as.

use bson::RawDocumentBuf;
use kecoa_mongo::bson::compare::compare_documents;
use kecoa_mongo::change::{Description, Origin, describe};

use crate::document;

/// Operators, the document before, the document after, `updateDescription`.
const BY_OPERATORS: &[(&str, &str, &str, &str)] = &[
    (
        "{$set: {a: 2}}",
        "{_id: 1, a: 1}",
        "{_id: 1, a: 2}",
        "{updatedFields: {a: 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$unset: {a: 1, b: 1}}",
        "{_id: 1, a: 1, b: {c: 1}, d: 1}",
        "{_id: 1, d: 1}",
        "{updatedFields: {}, removedFields: ['a', 'b'], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    // What an operator wrote as a whole is told as a whole.
    (
        "{$set: {a: {b: 1, c: 2}}}",
        "{_id: 1, a: {b: 1, c: 1}}",
        "{_id: 1, a: {b: 1, c: 2}}",
        "{updatedFields: {a: {b: 1, c: 2}}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$set: {'a.c': 2}}",
        "{_id: 1, a: {b: 1, c: 1}}",
        "{_id: 1, a: {b: 1, c: 2}}",
        "{updatedFields: {'a.c': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    // A path that was not there is told from its first new part on.
    (
        "{$set: {'a.b.c': 1}}",
        "{_id: 1}",
        "{_id: 1, a: {b: {c: 1}}}",
        "{updatedFields: {a: {b: {c: 1}}}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    // Elements that were pushed to the end are told alone, others with the whole array.
    (
        "{$push: {a: {$each: [3, 4]}}}",
        "{_id: 1, a: [1, 2]}",
        "{_id: 1, a: [1, 2, 3, 4]}",
        "{updatedFields: {'a.2': 3, 'a.3': 4}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$push: {a: {$each: [0], $position: 0}}}",
        "{_id: 1, a: [1, 2]}",
        "{_id: 1, a: [0, 1, 2]}",
        "{updatedFields: {a: [0, 1, 2]}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$pull: {a: 2}}",
        "{_id: 1, a: [1, 2]}",
        "{_id: 1, a: [1]}",
        "{updatedFields: {a: [1]}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$pop: {'a.b': 1}}",
        "{_id: 1, a: {b: [1, 2], c: 1}}",
        "{_id: 1, a: {b: [1], c: 1}}",
        "{updatedFields: {'a.b': [1]}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$set: {'a.$[].b': 2}}",
        "{_id: 1, a: [{b: 1}, {b: 2}, {b: 3}]}",
        "{_id: 1, a: [{b: 2}, {b: 2}, {b: 2}]}",
        "{updatedFields: {'a.0.b': 2, 'a.2.b': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    (
        "{$rename: {a: 'c'}}",
        "{_id: 1, a: {x: 1}, b: 1}",
        "{_id: 1, b: 1, c: {x: 1}}",
        "{updatedFields: {c: {x: 1}}, removedFields: ['a'], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    // A name that looks like an index is distinguished from one.
    (
        "{$set: {'a.1': 2}}",
        "{_id: 1, a: {'1': 1}}",
        "{_id: 1, a: {'1': 2}}",
        "{updatedFields: {'a.1': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {'a.1': ['a', '1']}}",
    ),
    (
        "{$set: {'a.0.1': 2}}",
        "{_id: 1, a: [{'1': 1}]}",
        "{_id: 1, a: [{'1': 2}]}",
        "{updatedFields: {'a.0.1': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {'a.0.1': ['a', 0, '1']}}",
    ),
    (
        "{$set: {'a.1': 2}}",
        "{_id: 1, a: [1, 1]}",
        "{_id: 1, a: [1, 2]}",
        "{updatedFields: {'a.1': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
    // Another type of the same number is another value.
    (
        "{$set: {a: 1L}}",
        "{_id: 1, a: 1}",
        "{_id: 1, a: 1L}",
        "{updatedFields: {a: 1L}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
    ),
];

/// The document before, the document after, `updateDescription`; nothing for a replacement.
const BY_PIPELINE: &[(&str, &str, Option<&str>)] = &[
    (
        "{_id: 1, a: 1, array: ['foo', {a: 'bar'}, 1, 2, 3]}",
        "{_id: 1, a: 1, array: ['foo', {a: 'bar'}]}",
        Some(
            "{updatedFields: {}, removedFields: [], truncatedArrays: [{field: 'array', newSize: 2}], \
             disambiguatedPaths: {}}",
        ),
    ),
    // What is told is longer than the document.
    ("{_id: 1, a: 1}", "{_id: 1, a: 2}", None),
    (
        "{_id: 1, a: 1, b: 'a text that is as long as it must be'}",
        "{_id: 1, a: 2, b: 'a text that is as long as it must be'}",
        Some(
            "{updatedFields: {a: 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
        ),
    ),
    // What is told of an array is longer than the array.
    (
        "{_id: 1, a: [1, 2, 3], b: 'a text that is as long as it must be'}",
        "{_id: 1, a: [4, 5, 6], b: 'a text that is as long as it must be'}",
        Some(
            "{updatedFields: {a: [4, 5, 6]}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
        ),
    ),
    (
        "{_id: 1, a: {b: 'a text that is as long as it must be', c: {d: 1, e: 'another text, long as well'}}}",
        "{_id: 1, a: {b: 'a text that is as long as it must be', c: {d: 2, e: 'another text, long as well'}}}",
        Some(
            "{updatedFields: {'a.c.d': 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
        ),
    ),
];

fn check(found: Description, expected: Option<&str>, what: &str) {
    match (found, expected) {
        (Description::Replaced, None) => {}
        (Description::Updated(found), Some(expected)) => {
            let expected: RawDocumentBuf = document(expected);
            assert!(
                compare_documents(&found, &expected).is_eq(),
                "{what}:\n found {found:?}\n expected {expected:?}"
            );
        }
        (found, expected) => panic!("{what}: found {found:?}, expected {expected:?}"),
    }
}

#[test]
fn what_operators_wrote_is_told_as_they_wrote_it() {
    for (operators, old, new, expected) in BY_OPERATORS {
        let written = document(operators);
        let found = describe(&document(old), &document(new), Origin::Operators(&written));
        check(found, Some(expected), operators);
    }
}

#[test]
fn what_a_pipeline_made_is_told_by_its_parts_where_that_is_shorter() {
    for (old, new, expected) in BY_PIPELINE {
        let found = describe(&document(old), &document(new), Origin::Pipeline);
        check(found, *expected, new);
    }
}

#[test]
fn another_document_is_a_replacement() {
    let (old, new) = (document("{_id: 1, a: 1}"), document("{_id: 1, a: 2}"));
    check(describe(&old, &new, Origin::Replacement), None, "a replacement");
}

#[test]
fn large_and_deep_documents_take_no_long_time() {
    let fields = |last: i32| {
        let mut text = String::from("{_id: 1");
        for number in 0..20_000 {
            text.push_str(&format!(", f{number}: {number}"));
        }
        text.push_str(&format!(", last: {last}}}"));
        document(&text)
    };
    let started = std::time::Instant::now();
    let operators = document("{$set: {last: 2}}");
    let found = describe(&fields(1), &fields(2), Origin::Operators(&operators));
    check(
        found,
        Some(
            "{updatedFields: {last: 2}, removedFields: [], truncatedArrays: [], disambiguatedPaths: {}}",
        ),
        "many fields",
    );
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
