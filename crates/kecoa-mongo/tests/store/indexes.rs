//! Indexes: kept by writes, read in order, built while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};

use bson::{RawBson, RawDocument, RawDocumentBuf, rawdoc};
use kecoa_mongo::bson::key::KeyBuilder;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::{Access, KeyRange, Order};
use kecoa_mongo::store::{Delete, Handle, IndexChange, Modification, PageLimit, Replace, Store};

use crate::support::*;

fn index(specification: &RawDocument) -> Index {
    Index::parse(specification, &Collator::default()).unwrap()
}

async fn with_index(store: &Store, specification: &RawDocument) {
    create(&mut store.alone()).await;
    let made = store.alone().create_indexes(&namespace(), vec![index(specification)]).await;
    assert_eq!(made.unwrap().after, 2);
}

async fn add(handle: &mut Handle<'_>, documents: impl IntoIterator<Item = RawDocumentBuf>) {
    let documents: Vec<_> = documents.into_iter().map(new).collect();
    let inserted = insert(handle, &documents, true).await.unwrap();
    assert_eq!(inserted.inserted, documents.len(), "{:?}", inserted.failures);
}

/// The documents by the collection's second index, in a range of its first field.
async fn by_index(
    handle: &mut Handle<'_>,
    ranges: impl Fn(&Index) -> Vec<KeyRange>,
    order: Order,
    limit: usize,
) -> Vec<i32> {
    let collection = handle.collection(&namespace()).await.unwrap().unwrap();
    let index = collection.indexes().last().unwrap();
    let access = Access::Index { index: index.number(), ranges: ranges(index), order };
    let limit = PageLimit { documents: limit, bytes: 1_000_000 };
    ids(&find_in_pages(handle, &access, limit).await)
}

fn everything(_: &Index) -> Vec<KeyRange> {
    vec![KeyRange::all()]
}

fn equal(index: &Index, value: impl Into<RawBson>) -> KeyRange {
    let value = value.into();
    let mut builder = KeyBuilder::default();
    index.push_value(&mut builder, &index.fields()[0], Some(value.as_raw_bson_ref()));
    KeyRange::prefix(builder.finish().ordered())
}

#[test]
fn an_index_gives_documents_in_its_order_in_pages_of_any_size() {
    with_store(async |store| {
        let mut handle = store.alone();
        with_index(&store, &rawdoc! {"key": {"a": 1, "b": -1}, "name": "i"}).await;
        add(&mut handle, (0..40).map(|id| rawdoc! {"_id": id, "a": (id * 7) % 4, "b": id % 3}))
            .await;
        let mut expected: Vec<i32> = (0..40).collect();
        expected.sort_by_key(|id| ((id * 7) % 4, -(id % 3), *id));
        let backward: Vec<i32> = expected.iter().rev().copied().collect();
        for limit in [1, 3, 7, 40, 100] {
            let found = by_index(&mut handle, everything, Order::Forward, limit).await;
            assert_eq!(found, expected, "{limit}");
            let found = by_index(&mut handle, everything, Order::Backward, limit).await;
            assert_eq!(found, backward, "{limit}");
            let some = |index: &Index| vec![equal(index, 1), equal(index, 3)];
            let chosen = |id: &&i32| matches!((*id * 7) % 4, 1 | 3);
            let found = by_index(&mut handle, some, Order::Forward, limit).await;
            assert_eq!(found, expected.iter().filter(chosen).copied().collect::<Vec<_>>());
            let found = by_index(&mut handle, some, Order::Backward, limit).await;
            assert_eq!(found, backward.iter().filter(chosen).copied().collect::<Vec<_>>());
        }
    });
}

#[test]
fn a_document_with_several_entries_comes_once() {
    with_store(async |store| {
        let mut handle = store.alone();
        with_index(&store, &rawdoc! {"key": {"a": 1}, "name": "i"}).await;
        add(
            &mut handle,
            [
                rawdoc! {"_id": 1, "a": [5, 1, 9]},
                rawdoc! {"_id": 2, "a": [3, 3]},
                rawdoc! {"_id": 3, "a": []},
                rawdoc! {"_id": 4},
                rawdoc! {"_id": 5, "a": 4},
            ],
        )
        .await;
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        assert!(collection.indexes()[1].is_multikey());
        for limit in [1, 2, 10] {
            let found = by_index(&mut handle, everything, Order::Forward, limit).await;
            assert_eq!(found, [3, 4, 1, 2, 5], "{limit}");
            let found = by_index(&mut handle, everything, Order::Backward, limit).await;
            assert_eq!(found, [1, 5, 2, 4, 3], "{limit}");
            let some = |index: &Index| vec![equal(index, 3), equal(index, 5), equal(index, 9)];
            assert_eq!(by_index(&mut handle, some, Order::Forward, limit).await, [2, 1]);
        }
        let access =
            Access::Index { index: 1, ranges: vec![KeyRange::all()], order: Order::Forward };
        assert_eq!(current(handle.count(&collection, &access).await.unwrap()), 5);
    });
}

#[test]
fn entries_follow_their_documents() {
    for unique in [false, true] {
        with_store(async |store| {
            let mut handle = store.alone();
            with_index(&store, &rawdoc! {"key": {"a": 1}, "name": "i", "unique": unique}).await;
            add(&mut handle, (0..6).map(|id| rawdoc! {"_id": id, "a": id})).await;
            let collection = handle.collection(&namespace()).await.unwrap().unwrap();
            let seen = find(&mut handle, &all()).await;
            let newer: Vec<_> = (0..6).map(|id| rawdoc! {"_id": id, "a": 100 - id}).collect();
            let changes: Vec<_> = seen
                .iter()
                .zip(&newer)
                .map(|(old, new)| Replace { old, new, record: Some(record(1, 0)) })
                .take(1)
                .chain(seen.iter().zip(&newer).skip(1).map(|(old, new)| Replace {
                    old,
                    new,
                    record: None,
                }))
                .collect();
            let written = current(handle.replace(&collection, &changes).await.unwrap());
            assert_eq!(written.done, [true; 6]);
            let found = by_index(&mut handle, everything, Order::Forward, 100).await;
            assert_eq!(found, [5, 4, 3, 2, 1, 0]);
            let seen = find(&mut handle, &by_id(3)).await;
            let written =
                handle.delete(&collection, &[Delete { old: &seen[0], record: None }]).await;
            assert_eq!(current(written.unwrap()).done, [true]);
            let found = by_index(&mut handle, everything, Order::Forward, 100).await;
            assert_eq!(found, [5, 4, 2, 1, 0]);
        });
    }
}

#[test]
fn a_unique_index_lets_each_key_in_once() {
    with_store(async |store| {
        let mut handle = store.alone();
        with_index(&store, &rawdoc! {"key": {"a": 1, "b": 1}, "name": "i", "unique": true}).await;
        let documents = [
            rawdoc! {"_id": 1, "a": 1},
            rawdoc! {"_id": 2, "a": 1, "b": "x"},
            rawdoc! {"_id": 3, "a": 1.0},
            rawdoc! {"_id": 4, "a": 2},
        ]
        .map(new);
        let inserted = insert(&mut handle, &documents, false).await.unwrap();
        assert_eq!((inserted.inserted, inserted.failures.len()), (3, 1));
        let (number, error) = &inserted.failures[0];
        assert_eq!((*number, error.code().number()), (2, 11000));
        let text =
            "E11000 duplicate key error collection: db.c index: i dup key: { a: 1.0, b: null }";
        assert_eq!(error.message(), text);
        let details =
            rawdoc! {"keyPattern": {"a": 1, "b": 1}, "keyValue": {"a": 1.0, "b": RawBson::Null}};
        assert_eq!(error.details(), Some(&details));

        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        let seen = find(&mut handle, &by_id(4)).await.remove(0);
        let newer = rawdoc! {"_id": 4, "a": 1, "b": "x"};
        let change = Replace { old: &seen, new: &newer, record: None };
        let written = current(handle.replace(&collection, &[change]).await.unwrap());
        assert_eq!(written.done, [false]);
        assert_eq!(written.failure.unwrap().1.code().number(), 11000);
        assert_eq!(ids(&find(&mut handle, &all()).await), [1, 2, 4]);
    });
}

#[test]
fn an_index_is_built_while_others_write() {
    with_database(async |database| {
        let (first, second) = (database.store().await, database.store().await);
        create(&mut first.alone()).await;
        add(&mut first.alone(), (0..3000).map(|id| rawdoc! {"_id": id, "a": id % 10})).await;
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (store, over) = (second.clone(), over.clone());
                tokio::spawn(async move {
                    let mut handle = store.alone();
                    let mut id = 10_000 * (writer + 1);
                    while !over.load(Atomic::Relaxed) {
                        add(&mut handle, [rawdoc! {"_id": id, "a": id % 10}]).await;
                        let seen = find(&mut handle, &by_id(id % 3000)).await;
                        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
                        if let Some(old) = seen.first() {
                            // Every second write leaves the key as it is.
                            let key =
                                if id % 2 == 0 { 50 } else { old.document.get_i32("a").unwrap() };
                            let newer = rawdoc! {"_id": id % 3000, "a": key, "n": id};
                            let change = Replace { old, new: &newer, record: None };
                            // Where another one gets in its way, nothing is done.
                            let _ = handle.replace(&collection, &[change]).await;
                        }
                        id += 1;
                    }
                })
            })
            .collect();
        for round in 0..3 {
            let name = format!("i{round}");
            let specification = rawdoc! {"key": {"a": if round == 1 { -1 } else { 1 }, "x": round + 1}, "name": name};
            let mut handle = first.alone();
            let made = handle.create_indexes(&namespace(), vec![index(&specification)]).await;
            assert_eq!(made.unwrap().before, usize::try_from(round).unwrap() + 1);
        }
        over.store(true, Atomic::Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let mut handle = first.alone();
        let mut expected = ids(&find(&mut handle, &all()).await);
        expected.sort_unstable();
        assert!(expected.len() > 3000);
        for number in 1..=3 {
            let ranges = vec![KeyRange::all()];
            let access = Access::Index { index: number, ranges, order: Order::Forward };
            let mut found = ids(&find(&mut handle, &access).await);
            found.sort_unstable();
            assert!(
                found == expected,
                "index {number}: {} documents, not {}",
                found.len(),
                expected.len()
            );
        }
    });
}

#[test]
fn a_unique_index_is_not_built_over_keys_that_two_have() {
    with_store(async |store| {
        let mut handle = store.alone();
        create(&mut handle).await;
        add(&mut handle, (0..10).map(|id| rawdoc! {"_id": id, "a": id % 9})).await;
        let unique = index(&rawdoc! {"key": {"a": 1}, "name": "i", "unique": true});
        let error = handle.create_indexes(&namespace(), vec![unique.clone()]).await.unwrap_err();
        assert_eq!(error.code().number(), 11000);
        assert!(error.message().ends_with("index: i dup key: { a: 0 }"), "{}", error.message());
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        assert_eq!(collection.maintained_indexes().len(), 1);
        let seen = find(&mut handle, &by_id(9)).await.remove(0);
        let delete = Delete { old: &seen, record: None };
        current(handle.delete(&collection, &[delete]).await.unwrap());
        assert_eq!(handle.create_indexes(&namespace(), vec![unique]).await.unwrap().after, 2);
        assert_eq!(by_index(&mut handle, everything, Order::Forward, 4).await.len(), 9);
    });
}

#[test]
fn indexes_that_are_there_do_not_go_with_some_others() {
    with_store(async |store| {
        let mut handle = store.alone();
        with_index(&store, &rawdoc! {"key": {"a": 1}, "name": "a_1"}).await;
        let make = async |specification: RawDocumentBuf| {
            let made =
                store.alone().create_indexes(&namespace(), vec![index(&specification)]).await;
            made.map(|made| (made.before, made.after))
        };
        assert_eq!(make(rawdoc! {"key": {"a": 1.0}, "name": "a_1"}).await.unwrap(), (2, 2));
        assert_eq!(code(make(rawdoc! {"key": {"a": 1}, "name": "b"}).await), 85);
        assert_eq!(code(make(rawdoc! {"key": {"b": 1}, "name": "a_1"}).await), 86);
        let unique = rawdoc! {"key": {"a": 1}, "name": "a_1", "unique": true};
        assert_eq!(code(make(unique).await), 86);
        let ttl = rawdoc! {"key": {"a": 1}, "name": "a_1", "expireAfterSeconds": 5};
        assert_eq!(code(make(ttl).await), 85);
        let sparse = rawdoc! {"key": {"a": 1}, "name": "s", "sparse": true};
        assert_eq!(make(sparse).await.unwrap(), (2, 3));
        assert_eq!(make(rawdoc! {"key": {"_id": 1}, "name": "_id_"}).await.unwrap(), (3, 3));

        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        let names = |name: &str| [name.to_owned()];
        assert_eq!(code(handle.drop_indexes(&collection, &names("x")).await), 27);
        assert_eq!(code(handle.drop_indexes(&collection, &names("_id_")).await), 72);
        let hide =
            IndexChange { name: "s".to_owned(), hidden: Some(true), ..IndexChange::default() };
        let modification = Modification { options: None, indexes: vec![hide] };
        current(handle.modify(&collection, &modification).await.unwrap());
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        assert!(collection.indexes()[2].is_hidden());
        let dropped = current(handle.drop_indexes(&collection, &names("a_1")).await.unwrap());
        assert_eq!(dropped.before, 3);
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        assert_eq!(collection.indexes().len(), 2);
    });
}

#[test]
fn what_cannot_be_indexed_does_not_go_in() {
    with_store(async |store| {
        let mut handle = store.alone();
        with_index(&store, &rawdoc! {"key": {"a": 1, "b": 1}, "name": "i"}).await;
        let documents = [
            rawdoc! {"_id": 1, "a": [1], "b": 2},
            rawdoc! {"_id": 2, "a": [1], "b": [2]},
            rawdoc! {"_id": 3},
        ]
        .map(new);
        let inserted = insert(&mut handle, &documents, false).await.unwrap();
        assert_eq!((inserted.inserted, inserted.failures.len()), (2, 1));
        assert_eq!(inserted.failures[0].1.code().number(), 171);
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        let seen = find(&mut handle, &all()).await;
        let newer = [rawdoc! {"_id": 1, "b": 1}, rawdoc! {"_id": 3, "a": [1], "b": []}];
        let changes: Vec<_> =
            seen.iter().zip(&newer).map(|(old, new)| Replace { old, new, record: None }).collect();
        let written = current(handle.replace(&collection, &changes).await.unwrap());
        assert_eq!(written.done, [true, false]);
        let (number, error) = written.failure.unwrap();
        assert_eq!((number, error.code().number()), (1, 171));
    });
}
