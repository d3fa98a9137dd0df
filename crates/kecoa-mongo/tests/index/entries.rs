//! The entries of documents.

use bson::{Bson, RawBsonRef, RawDocumentBuf, doc, rawdoc};
use kecoa_mongo::bson::key::KeyBuilder;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;

fn index(specification: bson::Document) -> Index {
    let specification = RawDocumentBuf::try_from(&specification).unwrap();
    Index::parse(&specification, &Collator::default()).unwrap()
}

/// The keys of lists of values, in order.
fn keys(index: &Index, values: &[Vec<Bson>]) -> Vec<Vec<u8>> {
    let mut keys: Vec<_> = values
        .iter()
        .map(|values| {
            let mut builder = KeyBuilder::default();
            for (field, value) in index.fields().iter().zip(values) {
                let value = bson::RawBson::try_from(value.clone()).unwrap();
                index.push_value(&mut builder, field, Some(value.as_raw_bson_ref()));
            }
            builder.finish().into_bytes()
        })
        .collect();
    keys.sort();
    keys
}

fn found(index: &Index, document: bson::Document) -> Result<(Vec<Vec<u8>>, bool), i32> {
    let document = RawDocumentBuf::try_from(&document).unwrap();
    let entries = index.entries(&document).map_err(|error| error.code().number())?;
    Ok((entries.keys.into_iter().map(|key| key.into_bytes()).collect(), entries.multikey))
}

macro_rules! values {
    ($($value:expr),*) => { vec![$(Bson::from($value)),*] };
}

#[test]
fn a_document_has_an_entry_for_each_combination() {
    let null = || Bson::Null;
    let undefined = || Bson::Undefined;
    let cases = [
        (doc! {"a": 1}, doc! {"a": 5}, vec![values![5]], false),
        (doc! {"a": -1}, doc! {"a": "x"}, vec![values!["x"]], false),
        (doc! {"a": 1}, doc! {}, vec![values![null()]], false),
        (doc! {"a": 1}, doc! {"a": Bson::Null}, vec![values![null()]], false),
        (doc! {"a": 1}, doc! {"a": []}, vec![values![undefined()]], true),
        (doc! {"a": 1}, doc! {"a": [1, 2, 1, 1.0]}, vec![values![1], values![2]], true),
        (
            doc! {"a": 1},
            doc! {"a": [[1, 2], 3]},
            vec![values![doc_array(&[1, 2])], values![3]],
            true,
        ),
        (doc! {"a": 1}, doc! {"a": {"b": 1}}, vec![values![doc! {"b": 1}]], false),
        (doc! {"a.b": 1}, doc! {"a": {"b": 1}}, vec![values![1]], false),
        (doc! {"a.b": 1}, doc! {"a": 1}, vec![values![null()]], false),
        (doc! {"a.b": 1}, doc! {"a": []}, vec![values![null()]], true),
        (doc! {"a.b": 1}, doc! {"a": [{"b": 1}, {"b": 2}]}, vec![values![1], values![2]], true),
        (doc! {"a.b": 1}, doc! {"a": [{"b": 1}, 7]}, vec![values![1], values![null()]], true),
        (
            doc! {"a.b": 1},
            doc! {"a": [{"b": [1, 2]}, {}]},
            vec![values![1], values![2], values![null()]],
            true,
        ),
        (doc! {"a.b": 1}, doc! {"a": [[{"b": 1}]]}, vec![values![null()]], true),
        (doc! {"a.0": 1}, doc! {"a": [5, 6]}, vec![values![5]], false),
        (doc! {"a.7": 1}, doc! {"a": [5, 6]}, vec![values![null()]], true),
        (doc! {"a.0": 1}, doc! {"a": [[5, 6]]}, vec![values![vec![5, 6]]], false),
        (doc! {"a.0.b": 1}, doc! {"a": [{"b": 1}, {"b": 2}]}, vec![values![1]], false),
        (
            doc! {"a": 1, "b": 1},
            doc! {"a": [1, 2], "b": 3},
            vec![values![1, 3], values![2, 3]],
            true,
        ),
        (
            doc! {"b": 1, "a": -1},
            doc! {"a": [1, 2]},
            vec![values![null(), 1], values![null(), 2]],
            true,
        ),
        (
            doc! {"a.b": 1, "a.c": 1},
            doc! {"a": [{"b": 1, "c": 2}, {"b": 3}]},
            vec![values![1, 2], values![3, null()]],
            true,
        ),
        (doc! {"a": 1, "a.b": 1}, doc! {"a": [{"b": 1}]}, vec![values![doc! {"b": 1}, 1]], true),
    ];
    for (pattern, document, expected, multikey) in cases {
        let index = index(doc! {"key": pattern.clone(), "name": "i"});
        let expected = keys(&index, &expected);
        assert_eq!(
            found(&index, document.clone()),
            Ok((expected, multikey)),
            "{pattern} {document}"
        );
    }
}

fn doc_array(values: &[i32]) -> Bson {
    Bson::Array(values.iter().copied().map(Bson::Int32).collect())
}

#[test]
fn some_documents_have_no_entry() {
    let sparse = index(doc! {"key": {"a": 1, "b": 1}, "name": "i", "sparse": true});
    for (document, entries) in [
        (doc! {}, 0),
        (doc! {"a": Bson::Null}, 1),
        (doc! {"b": 1}, 1),
        (doc! {"c": 1}, 0),
        (doc! {"a": []}, 1),
    ] {
        assert_eq!(found(&sparse, document.clone()).unwrap().0.len(), entries, "{document}");
    }
    let filter = doc! {"a": {"$gt": 5}, "b": {"$exists": true}};
    let partial = index(doc! {"key": {"a": 1}, "name": "i", "partialFilterExpression": filter});
    for (document, entries) in [
        (doc! {"a": 6, "b": 1}, 1),
        (doc! {"a": 5, "b": 1}, 0),
        (doc! {"a": 6}, 0),
        (doc! {"a": [1, 9], "b": Bson::Null}, 2),
        (doc! {}, 0),
    ] {
        assert_eq!(found(&partial, document.clone()).unwrap().0.len(), entries, "{document}");
    }
}

#[test]
fn some_documents_cannot_be_indexed() {
    for (pattern, document, code) in [
        (doc! {"a": 1, "b": 1}, doc! {"a": [1], "b": [2]}, 171),
        (doc! {"a": 1, "b": 1}, doc! {"a": [], "b": []}, 171),
        (doc! {"a.b": 1, "a.c": 1}, doc! {"a": {"b": [1], "c": [2]}}, 171),
        (doc! {"a.b": 1, "a.c": 1}, doc! {"a": [{"b": [1], "c": [2]}]}, 171),
        (doc! {"a": "hashed"}, doc! {"a": [1]}, 16766),
        (doc! {"a": "hashed"}, doc! {"a": []}, 16766),
        (doc! {"a.b": "hashed"}, doc! {"a": [{"b": 1}]}, 16766),
        (doc! {"a.0": 1}, doc! {"a": [{"0": 1}]}, 16746),
    ] {
        let index = index(doc! {"key": pattern.clone(), "name": "i"});
        assert_eq!(found(&index, document.clone()), Err(code), "{pattern} {document}");
    }
}

#[test]
fn equal_values_have_equal_entries() {
    let hashed = index(doc! {"key": {"a": "hashed"}, "name": "i"});
    assert_eq!(found(&hashed, doc! {"a": 1}), found(&hashed, doc! {"a": 1.0}));
    assert_eq!(found(&hashed, doc! {}), found(&hashed, doc! {"a": Bson::Null}));
    assert_ne!(found(&hashed, doc! {"a": 1}), found(&hashed, doc! {"a": 2}));
    let specification =
        doc! {"key": {"a": 1}, "name": "i", "collation": {"locale": "en", "strength": 2}};
    let folded = index(specification);
    assert_eq!(found(&folded, doc! {"a": "X"}), found(&folded, doc! {"a": "x"}));
    assert_ne!(found(&folded, doc! {"a": "X"}), found(&folded, doc! {"a": "y"}));
    let document = rawdoc! {"a": "x"};
    let error = kecoa_mongo::index::duplicate_id("db.c", RawBsonRef::Document(&document));
    let text =
        "E11000 duplicate key error collection: db.c index: _id_ dup key: { _id: { a: \"x\" } }";
    assert_eq!(error.message(), text);
}
