//! Keys that a transaction still sees, and that others have given up since: it cannot have them.

use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::error::{Error, Label};
use kecoa_mongo::index::Index;
use kecoa_mongo::store::{Collection, Delete, Handle, NewDocument, RecordId, Replace, Store};

use crate::support::*;

/// A collection with a unique index of `a`, and these documents in it.
async fn indexed(store: &Store, documents: &[(i32, i32)]) -> Collection {
    let collection = create(&mut store.alone()).await;
    let index = rawdoc! {"key": {"a": 1}, "name": "a", "unique": true};
    let index = Index::parse(&index, &Default::default()).unwrap();
    store.alone().create_indexes(collection.namespace(), vec![index]).await.unwrap();
    let documents: Vec<_> = documents.iter().map(|(id, a)| new(document(*id, *a))).collect();
    insert(&mut store.alone(), &documents, true).await.unwrap();
    store.alone().collection(&namespace()).await.unwrap().unwrap()
}

fn document(id: i32, a: i32) -> RawDocumentBuf {
    rawdoc! {"_id": id, "a": a}
}

async fn remove(handle: &mut Handle<'_>, collection: &Collection, id: i32) {
    let old = find(handle, &by_id(id)).await.remove(0);
    let delete = Delete { old: &old, record: None };
    assert_eq!(current(handle.delete(collection, &[delete]).await.unwrap()).done, [true]);
}

/// Puts another document in the place of one; the error that it meets.
async fn put(
    handle: &mut Handle<'_>,
    collection: &Collection,
    newer: &RawDocumentBuf,
) -> Option<Error> {
    let id = newer.get_i32("_id").unwrap();
    let old = find(handle, &by_id(id)).await.remove(0);
    let change = Replace { old: &old, new: newer, record: None };
    match handle.replace(collection, &[change]).await {
        Ok(written) => {
            let written = current(written);
            assert!(written.failure.is_some() || written.done == [true]);
            written.failure.map(|(_, error)| error)
        }
        Err(error) => Some(error),
    }
}

/// Inserts documents; the error that they meet.
async fn put_in(handle: &mut Handle<'_>, documents: &[NewDocument]) -> Option<Error> {
    match insert(handle, documents, true).await {
        Ok(inserted) => inserted.failures.into_iter().next().map(|(_, error)| error),
        Err(error) => Some(error),
    }
}

async fn is_conflict(store: &Store, transaction: kecoa_mongo::store::Transaction, error: &Error) {
    assert_eq!(error.code().number(), 112, "{error:?}");
    assert!(error.labels().contains(&Label::TransientTransactionError), "{error:?}");
    assert!(transaction.has_failed());
    let before = find(&mut store.alone(), &all()).await.len();
    let error = transaction.commit(record(9, RecordId::COMMIT), None).await.unwrap_err();
    assert_eq!(error.code().number(), 251);
    assert_eq!(find(&mut store.alone(), &all()).await.len(), before);
}

/// A key that is seen and was given up by somebody else is a conflict, on servers whose transactions have snapshots;
/// the others see to it themselves, at the latest at the commit.
fn with_snapshots<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    with_store(async |store| {
        if store.capabilities().snapshot_isolation {
            test(store).await;
        }
    });
}

#[test]
fn a_document_that_another_has_removed_since_is_a_conflict() {
    with_snapshots(async |store| {
        let collection = create(&mut store.alone()).await;
        for (watched, count) in [(false, 1), (false, 3), (true, 1), (true, 3)] {
            if watched {
                let scope = kecoa_mongo::change::Scope::Collection("db".into(), "c".into());
                store.watch(&scope, &Default::default(), None).await.unwrap();
            }
            let first = new(rawdoc! {"_id": 1});
            assert!(put_in(&mut store.alone(), &[first]).await.is_none());
            let mut transaction = store.begin().await.unwrap();
            let mut handle = transaction.handle();
            assert_eq!(ids(&find(&mut handle, &all()).await), [1]);
            let known = store.alone().collection(&namespace()).await.unwrap().unwrap();
            assert_eq!(known.id(), collection.id());
            remove(&mut store.alone(), &known, 1).await;
            let own: Vec<_> = (1..=count).rev().map(|id| new(rawdoc! {"_id": id})).collect();
            let error = put_in(&mut handle, &own).await.unwrap();
            is_conflict(&store, transaction, &error).await;
            assert!(find(&mut store.alone(), &all()).await.is_empty());
        }
    });
}

#[test]
fn a_unique_key_that_another_has_given_up_since_is_a_conflict() {
    with_snapshots(async |store| {
        let collection = indexed(&store, &[(1, 1), (2, 2), (3, 3), (4, 4)]).await;
        // By an insert, of one and of many, and by an update: the key of a document that is removed.
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(find(&mut handle, &all()).await.len(), 4);
        remove(&mut store.alone(), &collection, 1).await;
        let error = put_in(&mut handle, &[new(document(50, 50)), new(document(10, 1))]).await;
        is_conflict(&store, transaction, &error.unwrap()).await;
        // The key of a document that was changed.
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(find(&mut handle, &all()).await.len(), 3);
        assert!(put(&mut store.alone(), &collection, &document(2, 20)).await.is_none());
        let error = put_in(&mut handle, &[new(document(10, 2))]).await;
        is_conflict(&store, transaction, &error.unwrap()).await;
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(find(&mut handle, &all()).await.len(), 3);
        assert!(put(&mut store.alone(), &collection, &document(3, 30)).await.is_none());
        let error = put(&mut handle, &collection, &document(4, 3)).await;
        is_conflict(&store, transaction, &error.unwrap()).await;
        // The next one has them.
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert!(put(&mut handle, &collection, &document(4, 3)).await.is_none());
        assert!(put_in(&mut handle, &[new(document(1, 1)), new(document(10, 2))]).await.is_none());
        transaction.commit(record(1, RecordId::COMMIT), None).await.unwrap();
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [1, 2, 3, 4, 10]);
    });
}

#[test]
fn a_key_that_the_transaction_has_given_up_itself_is_free() {
    with_store(async |store| {
        let collection = indexed(&store, &[(1, 1), (2, 2), (3, 3)]).await;
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(find(&mut handle, &all()).await.len(), 3);
        remove(&mut handle, &collection, 1).await;
        assert!(put_in(&mut handle, &[new(document(1, 1))]).await.is_none());
        remove(&mut handle, &collection, 1).await;
        assert!(put_in(&mut handle, &[new(document(10, 1)), new(document(1, 11))]).await.is_none());
        assert!(put(&mut handle, &collection, &document(2, 20)).await.is_none());
        assert!(put(&mut handle, &collection, &document(3, 2)).await.is_none());
        assert!(put(&mut handle, &collection, &document(2, 3)).await.is_none());
        assert!(put(&mut handle, &collection, &document(2, 3)).await.is_none());
        transaction.commit(record(1, RecordId::COMMIT), None).await.unwrap();
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [1, 2, 3, 10]);
        // Whoever else has the key has it still.
        let mut transaction = store.begin().await.unwrap();
        let error = put_in(&mut transaction.handle(), &[new(document(5, 3))]).await.unwrap();
        assert_eq!(error.code().number(), 11000);
    });
}

#[test]
fn a_write_in_a_transaction_is_one_request() {
    with_database(async |database| {
        let wire = crate::wire::Wire::new(&database.config(), false);
        let store = wire.store().await;
        let collection = indexed(&store, &[(1, 1)]).await;
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        let old = find(&mut handle, &by_id(1)).await.remove(0);
        wire.sent();
        assert!(put_in(&mut handle, &[new(document(2, 2))]).await.is_none());
        assert_eq!(wire.sent().len(), 1);
        let newer = document(1, 5);
        let change = Replace { old: &old, new: &newer, record: None };
        current(handle.replace(&collection, &[change]).await.unwrap());
        assert_eq!(wire.sent().len(), 1);
        transaction.commit(record(1, RecordId::COMMIT), None).await.unwrap();
    });
}
