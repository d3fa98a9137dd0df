//! Writes: inserts, compare-and-set, records.

use bson::rawdoc;
use kecoa_mongo::plan::access::{Access, Order};
use kecoa_mongo::store::{Checked, Delete, NewDocument, PageLimit, Replace};

use crate::support::*;

#[test]
fn documents_go_in_and_come_back_in_pages() {
    with_store(async |store| {
        let mut handle = store.alone();
        create(&mut handle).await;
        let documents: Vec<_> =
            (0..2500).map(|id| new(rawdoc! {"_id": id, "text": "x".repeat(300)})).collect();
        assert_eq!(insert(&mut handle, &documents, true).await.unwrap().inserted, 2500);
        let expected: Vec<i32> = (0..2500).collect();
        assert_eq!(ids(&find(&mut handle, &all()).await), expected);
        let limit = PageLimit { documents: 7000, bytes: 10_000 };
        let backward = Access::All { order: Order::Backward };
        let found = find_in_pages(&mut handle, &backward, limit).await;
        assert_eq!(ids(&found), expected.iter().rev().copied().collect::<Vec<_>>());
        let found = find(&mut handle, &by_id(7)).await;
        assert_eq!(found[0].document, documents[7].document);
        assert!(find(&mut handle, &by_id("none")).await.is_empty());
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        assert_eq!(handle.statistics(&collection).await.unwrap().documents, 2500);
        let count = handle.count(&collection, &all()).await.unwrap();
        assert_eq!(current(count), 2500);
    });
}

#[test]
fn documents_whose_id_is_taken_are_named() {
    with_store(async |store| {
        let mut handle = store.alone();
        create(&mut handle).await;
        let documents: Vec<_> = [1, 2, 1, 3, 2, 4].map(|id| new(rawdoc! {"_id": id})).into();
        let inserted = insert(&mut handle, &documents, true).await.unwrap();
        assert_eq!((inserted.inserted, inserted.failures.len()), (2, 1));
        let (number, error) = &inserted.failures[0];
        assert_eq!((*number, error.code().number()), (2, 11000));
        let text = "E11000 duplicate key error collection: db.c index: _id_ dup key: { _id: 1 }";
        assert_eq!(error.message(), text);
        let details = rawdoc! {"keyPattern": {"_id": 1}, "keyValue": {"_id": 1}};
        assert_eq!(error.details(), Some(&details));
        let inserted = insert(&mut handle, &documents, false).await.unwrap();
        let failed: Vec<usize> = inserted.failures.iter().map(|(number, _)| *number).collect();
        assert_eq!((inserted.inserted, failed), (2, vec![0, 1, 2, 4]));
        assert_eq!(ids(&find(&mut handle, &all()).await), [1, 2, 3, 4]);
    });
}

#[test]
fn a_write_happens_only_to_the_version_that_was_seen() {
    with_store(async |store| {
        let mut handle = store.alone();
        let collection = create(&mut handle).await;
        insert(&mut handle, &[new(rawdoc! {"_id": 1, "n": 0})], true).await.unwrap();
        let old = find(&mut handle, &by_id(1)).await.remove(0);
        let newer = rawdoc! {"_id": 1, "n": 1};
        let replace = |old| Replace { old, new: &newer, record: None };
        let written = current(handle.replace(&collection, &[replace(&old)]).await.unwrap());
        assert_eq!(written.done, [true]);
        let written = current(handle.replace(&collection, &[replace(&old)]).await.unwrap());
        assert_eq!(written.done, [false]);
        let delete = |old| Delete { old, record: None };
        let written = current(handle.delete(&collection, &[delete(&old)]).await.unwrap());
        assert_eq!(written.done, [false]);
        let seen = find(&mut handle, &by_id(1)).await.remove(0);
        assert_eq!(seen.document, newer);
        let written = current(handle.delete(&collection, &[delete(&seen)]).await.unwrap());
        assert_eq!(written.done, [true]);
        assert!(find(&mut handle, &all()).await.is_empty());
    });
}

#[test]
fn many_documents_are_written_at_once_but_for_those_that_changed() {
    with_store(async |store| {
        let mut handle = store.alone();
        let collection = create(&mut handle).await;
        let documents: Vec<_> = (0..5).map(|id| new(rawdoc! {"_id": id})).collect();
        insert(&mut handle, &documents, true).await.unwrap();
        let mut seen = find(&mut handle, &all()).await;
        seen[3].version += 1;
        let newer: Vec<_> = (0..5).map(|id| rawdoc! {"_id": id, "x": 1}).collect();
        let changes: Vec<_> =
            seen.iter().zip(&newer).map(|(old, new)| Replace { old, new, record: None }).collect();
        let written = current(handle.replace(&collection, &changes).await.unwrap());
        assert_eq!(written.done, [true, true, true, false, true]);
        assert!(written.failure.is_none());
        let seen = find(&mut handle, &all()).await;
        let changes: Vec<_> = seen.iter().map(|old| Delete { old, record: None }).collect();
        let written = current(handle.delete(&collection, &changes).await.unwrap());
        assert_eq!(written.done, [true; 5]);
        assert!(find(&mut handle, &all()).await.is_empty());
    });
}

#[test]
fn a_write_that_left_its_record_is_not_done_again() {
    with_store(async |store| {
        let mut handle = store.alone();
        let collection = create(&mut handle).await;
        let documents: Vec<_> = (0..3)
            .map(|id| NewDocument { document: rawdoc! {"_id": id}, record: Some(record(7, id)) })
            .collect();
        let inserted = current(handle.insert(&collection, &documents, true).await.unwrap());
        assert_eq!(inserted.inserted, 3);
        let records = handle.records(b"session", 7).await.unwrap();
        assert_eq!(records, [0, 1, 2].map(|statement| record(7, statement)));
        let again = NewDocument { document: rawdoc! {"_id": 9}, record: Some(record(7, 1)) };
        assert!(is_stale(&handle.insert(&collection, &[again], true).await.unwrap()));
        let seen = find(&mut handle, &by_id(1)).await.remove(0);
        let newer = rawdoc! {"_id": 1, "x": 1};
        let change = Replace { old: &seen, new: &newer, record: Some(record(8, 0)) };
        let written =
            current(handle.replace(&collection, std::slice::from_ref(&change)).await.unwrap());
        assert_eq!(written.done, [true]);
        // Another version by now: nothing is done, and no record is kept.
        let other = Replace { record: Some(record(9, 0)), ..change.clone() };
        let written = current(handle.replace(&collection, &[other]).await.unwrap());
        assert_eq!(written.done, [false]);
        assert!(handle.records(b"session", 9).await.unwrap().is_empty());
        let seen = find(&mut handle, &by_id(1)).await.remove(0);
        let delete = Delete { old: &seen, record: Some(record(8, 0)) };
        assert!(matches!(handle.delete(&collection, &[delete]).await.unwrap(), Checked::Stale));
        assert_eq!(handle.last_transaction(b"session").await.unwrap(), Some(8));
        assert!(is_stale(&handle.keep_record(&record(8, 0)).await.unwrap()));
        current(handle.keep_record(&record(8, 1)).await.unwrap());
    });
}

#[test]
fn eight_tasks_of_compare_and_set_lose_no_update() {
    with_database(async |database| {
        let stores = [database.store().await, database.store().await];
        create(&mut stores[0].alone()).await;
        insert(&mut stores[0].alone(), &[new(rawdoc! {"_id": 1, "n": 0})], true).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let store = stores[task % 2].clone();
                tokio::spawn(async move {
                    let mut handle = store.alone();
                    let mut done = 0;
                    while done < 25 {
                        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
                        let old = find(&mut handle, &by_id(1)).await.remove(0);
                        let n = old.document.get_i32("n").unwrap();
                        let newer = rawdoc! {"_id": 1, "n": n + 1};
                        let change = Replace { old: &old, new: &newer, record: None };
                        let written = handle.replace(&collection, &[change]).await.unwrap();
                        done += usize::from(current(written).done[0]);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let last = find(&mut stores[1].alone(), &by_id(1)).await.remove(0);
        assert_eq!(last.document.get_i32("n").unwrap(), 200);
    });
}
