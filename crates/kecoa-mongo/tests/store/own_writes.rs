//! What a transaction sees of its own writes, while somebody watches: then they go into the log as well.

use bson::rawdoc;
use kecoa_mongo::change::{Scope, Start};
use kecoa_mongo::operation::attempts::{Tries, write_conflict};
use kecoa_mongo::store::{Collection, Delete, Handle, NewDocument, RecordId, Replace, Store};

use crate::support::*;

/// A collection that somebody watches, with documents.
async fn watched(store: &Store, documents: &[NewDocument]) -> Collection {
    create(&mut store.alone()).await;
    let scope = Scope::Collection("db".into(), "c".into());
    store.watch(&scope, &Start::Now, None).await.unwrap();
    insert(&mut store.alone(), documents, true).await.unwrap();
    store.alone().collection(&namespace()).await.unwrap().unwrap()
}

/// Reads documents by their `_id`, and puts others in their place that have `n`.
async fn set(handle: &mut Handle<'_>, collection: &Collection, ids: &[i32], n: i32) -> Vec<bool> {
    let mut old = Vec::new();
    for id in ids {
        old.extend(find(handle, &by_id(*id)).await);
    }
    let newer: Vec<_> = ids.iter().map(|id| rawdoc! {"_id": *id, "n": n}).collect();
    let pairs = old.iter().zip(&newer);
    let changes: Vec<_> = pairs.map(|(old, new)| Replace { old, new, record: None }).collect();
    current(handle.replace(collection, &changes).await.unwrap()).done
}

async fn n_of(handle: &mut Handle<'_>, id: i32) -> Option<i32> {
    find(handle, &by_id(id)).await.first().map(|found| found.document.get_i32("n").unwrap())
}

#[test]
fn a_transaction_sees_its_own_writes_while_somebody_watches() {
    with_store(async |store| {
        let documents = [1, 2, 3].map(|id| new(rawdoc! {"_id": id, "n": 0}));
        let collection = watched(&store, &documents).await;
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(n_of(&mut handle, 1).await, Some(0));
        assert_eq!(set(&mut handle, &collection, &[1], 1).await, [true]);
        assert_eq!(n_of(&mut handle, 1).await, Some(1));
        assert_eq!(set(&mut handle, &collection, &[1], 2).await, [true], "a second update");
        let old = find(&mut handle, &by_id(1)).await.remove(0);
        assert_eq!(old.document.get_i32("n").unwrap(), 2);
        let delete = Delete { old: &old, record: None };
        assert_eq!(current(handle.delete(&collection, &[delete]).await.unwrap()).done, [true]);
        assert_eq!(n_of(&mut handle, 1).await, None);
        assert_eq!(current(handle.count(&collection, &by_id(1)).await.unwrap()), 0);
        assert_eq!(set(&mut handle, &collection, &[2, 3], 5).await, [true, true]);
        assert_eq!(n_of(&mut handle, 2).await, Some(5));
        assert_eq!(n_of(&mut handle, 3).await, Some(5));
        // Inserted, changed and removed.
        insert(&mut handle, &[new(rawdoc! {"_id": 4, "n": 0})], true).await.unwrap();
        assert_eq!(n_of(&mut handle, 4).await, Some(0));
        assert_eq!(set(&mut handle, &collection, &[4], 1).await, [true]);
        let old = find(&mut handle, &by_id(4)).await.remove(0);
        let delete = Delete { old: &old, record: None };
        assert_eq!(current(handle.delete(&collection, &[delete]).await.unwrap()).done, [true]);
        assert_eq!(n_of(&mut handle, 4).await, None);
        transaction.commit(record(1, RecordId::COMMIT), None).await.unwrap();
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [2, 3]);
    });
}

#[tokio::test]
async fn a_statement_of_a_transaction_is_not_tried_again_for_long() {
    let mut tries = Tries::in_transaction(None);
    let mut failed = Ok(());
    for _ in 0..5 {
        failed = tries.next(write_conflict()).await;
        if failed.is_err() {
            break;
        }
    }
    assert_eq!(code(failed), 112);
    let mut tries = Tries::begin(None);
    for _ in 0..10 {
        tries.next(write_conflict()).await.unwrap();
    }
}
