//! Transactions: isolation, conflicts, commits by record.

use std::time::Duration;

use bson::rawdoc;
use kecoa_mongo::error::Label;
use kecoa_mongo::store::{
    Committed, Lock, NewDocument, Options, PageLimit, RecordId, Replace, Store,
};

use crate::support::*;
use crate::wire::Wire;

fn commit(transaction: i64) -> kecoa_mongo::store::Record {
    record(transaction, RecordId::COMMIT)
}

#[test]
fn a_transaction_is_seen_when_it_commits() {
    with_store(async |store| {
        create(&mut store.alone()).await;
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        insert(&mut handle, &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        insert(&mut handle, &[new(rawdoc! {"_id": 2})], true).await.unwrap();
        assert_eq!(ids(&find(&mut handle, &all()).await), [1, 2]);
        assert!(find(&mut store.alone(), &all()).await.is_empty());
        transaction.commit(commit(1), None).await.unwrap();
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [1, 2]);
        assert_eq!(store.alone().records(b"session", 1).await.unwrap(), [commit(1)]);
        let settled = store.settle_commit(&commit(1).id, None).await.unwrap();
        assert_eq!(settled, Committed::Yes(b"reply -1".to_vec()));

        let mut transaction = store.begin().await.unwrap();
        insert(&mut transaction.handle(), &[new(rawdoc! {"_id": 3})], true).await.unwrap();
        transaction.abort().await;
        let mut transaction = store.begin().await.unwrap();
        insert(&mut transaction.handle(), &[new(rawdoc! {"_id": 4})], true).await.unwrap();
        drop(transaction);
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [1, 2]);
    });
}

#[test]
fn a_transaction_sees_what_was_there_when_it_began() {
    with_store(async |store| {
        create(&mut store.alone()).await;
        insert(&mut store.alone(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(ids(&find(&mut handle, &all()).await), [1]);
        insert(&mut store.alone(), &[new(rawdoc! {"_id": 2})], true).await.unwrap();
        assert_eq!(ids(&find(&mut handle, &all()).await), [1]);
        transaction.commit(commit(1), None).await.unwrap();
    });
}

#[test]
fn two_transactions_on_one_document_conflict_at_once() {
    with_store(async |store| {
        let collection = create(&mut store.alone()).await;
        insert(&mut store.alone(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        let old = find(&mut store.alone(), &by_id(1)).await.remove(0);
        let newer = rawdoc! {"_id": 1, "x": 1};
        let change = || [Replace { old: &old, new: &newer, record: None }];
        for locked in [false, true] {
            let mut first = store.begin().await.unwrap();
            let mut second = store.begin().await.unwrap();
            let written = first.handle().replace(&collection, &change()).await.unwrap();
            assert_eq!(current(written).done, [true]);
            let error = if locked {
                let mut handle = second.handle();
                let page = PageLimit::default();
                let read = handle.page(&collection, &by_id(1), None, page, Lock::Update).await;
                read.unwrap_err()
            } else {
                second.handle().replace(&collection, &change()).await.unwrap_err()
            };
            assert_eq!(error.code().number(), 112);
            assert_eq!(error.labels(), [Label::TransientTransactionError]);
            assert!(second.has_failed());
            let error = second.commit(commit(3), None).await.unwrap_err();
            assert_eq!(error.code().number(), 251);
            first.abort().await;
        }
        // The same document, written and committed after the second one began.
        let mut second = store.begin().await.unwrap();
        assert_eq!(find(&mut second.handle(), &all()).await.len(), 1);
        let written = store.alone().replace(&collection, &change()).await.unwrap();
        assert_eq!(current(written).done, [true]);
        let error = second.handle().replace(&collection, &change()).await.unwrap_err();
        assert_eq!(error.code().number(), 112);
    });
}

#[test]
fn a_duplicate_ends_a_transaction() {
    with_store(async |store| {
        create(&mut store.alone()).await;
        insert(&mut store.alone(), &[new(rawdoc! {"_id": 2})], true).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let documents = [1, 2, 3].map(|id| new(rawdoc! {"_id": id}));
        let inserted = insert(&mut transaction.handle(), &documents, true).await.unwrap();
        let (number, error) = &inserted.failures[0];
        assert_eq!((*number, error.code().number()), (1, 11000));
        assert!(transaction.has_failed());
        drop(transaction);
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [2]);
    });
}

#[test]
fn a_key_that_came_after_the_snapshot_is_a_conflict() {
    with_store(async |store| {
        if !store.capabilities().snapshots_named {
            // There the server puts such a transaction behind the other, or ends it.
            assert!(!store.capabilities().snapshot_isolation);
            return;
        }
        let collection = create(&mut store.alone()).await;
        let index = rawdoc! {"key": {"a": 1}, "name": "a", "unique": true};
        let index = kecoa_mongo::index::Index::parse(&index, &Default::default()).unwrap();
        store.alone().create_indexes(collection.namespace(), vec![index]).await.unwrap();
        let document = |id: i32, a: i32| new(rawdoc! {"_id": id, "a": a});
        insert(&mut store.alone(), &[document(1, 1), document(9, 9)], true).await.unwrap();
        // What is there before, and what comes after the snapshot; what the transaction inserts, and its error.
        for (later, own, code) in [
            (document(2, 2), document(2, 20), 112),
            (document(3, 3), document(30, 3), 112),
            (document(4, 4), document(1, 40), 11000),
            (document(5, 5), document(50, 1), 11000),
        ] {
            let mut transaction = store.begin().await.unwrap();
            assert_eq!(find(&mut transaction.handle(), &by_id(1)).await.len(), 1);
            insert(&mut store.alone(), &[later], true).await.unwrap();
            let inserted =
                insert(&mut transaction.handle(), std::slice::from_ref(&own), true).await;
            let error = match inserted {
                Err(error) => error,
                Ok(inserted) => inserted.failures.into_iter().next().unwrap().1,
            };
            assert_eq!(error.code().number(), code, "{own:?}");
            let is_transient = error.labels().contains(&Label::TransientTransactionError);
            assert_eq!(is_transient, code == 112, "{own:?}");
            assert!(transaction.has_failed());
            transaction.abort().await;
            // The next one sees it.
            let mut transaction = store.begin().await.unwrap();
            let inserted = insert(&mut transaction.handle(), &[own], true).await.unwrap();
            assert_eq!(inserted.failures[0].1.code().number(), 11000);
        }
        // An update that takes such a key.
        let collection = store.alone().collection(&namespace()).await.unwrap().unwrap();
        let old = find(&mut store.alone(), &by_id(9)).await.remove(0);
        let mut transaction = store.begin().await.unwrap();
        assert_eq!(find(&mut transaction.handle(), &by_id(1)).await.len(), 1);
        insert(&mut store.alone(), &[document(6, 6)], true).await.unwrap();
        let newer = rawdoc! {"_id": 9, "a": 6};
        let change = Replace { old: &old, new: &newer, record: None };
        let error = transaction.handle().replace(&collection, &[change]).await.unwrap_err();
        assert_eq!(error.code().number(), 112);
        // A transaction's own document is no conflict: it would be tried again forever.
        let mut transaction = store.begin().await.unwrap();
        insert(&mut transaction.handle(), &[document(7, 7)], true).await.unwrap();
        let inserted = insert(&mut transaction.handle(), &[document(7, 70)], true).await.unwrap();
        assert_eq!(inserted.failures[0].1.code().number(), 11000);
    });
}

#[test]
fn collections_are_made_in_transactions() {
    with_store(async |store| {
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        let collection = create(&mut handle).await;
        insert(&mut handle, &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        assert!(store.alone().collection(&namespace()).await.unwrap().is_none());
        transaction.abort().await;
        assert!(store.alone().collection(&namespace()).await.unwrap().is_none());
        let mut transaction = store.begin().await.unwrap();
        create(&mut transaction.handle()).await;
        insert(&mut transaction.handle(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        transaction.commit(commit(1), None).await.unwrap();
        assert_eq!(ids(&find(&mut store.alone(), &all()).await), [1]);
        let seen = store.alone().collection(&namespace()).await.unwrap().unwrap();
        assert_ne!(seen.id(), collection.id());
    });
}

#[test]
fn what_a_transaction_writes_to_stays_as_it_is_until_it_ends() {
    with_store(async |store| {
        if !store.capabilities().snapshot_isolation {
            // There one of the two fails: the server finds that they have no order.
            return;
        }
        let collection = create(&mut store.alone()).await;
        let mut transaction = store.begin().await.unwrap();
        insert(&mut transaction.handle(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        let other = store.clone();
        let dropped =
            tokio::spawn(async move { other.alone().drop_collection(&collection).await.unwrap() });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!dropped.is_finished());
        transaction.commit(commit(1), None).await.unwrap();
        assert!(dropped.await.unwrap());
    });
}

#[test]
fn a_commit_that_was_settled_as_none_never_happens() {
    with_store(async |store| {
        create(&mut store.alone()).await;
        let mut transaction = store.begin().await.unwrap();
        insert(&mut transaction.handle(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        let id = commit(1).id;
        assert_eq!(store.settle_commit(&id, None).await.unwrap(), Committed::No);
        let error = transaction.commit(commit(1), None).await.unwrap_err();
        assert_eq!(error.code().number(), 251);
        assert!(find(&mut store.alone(), &all()).await.is_empty());
        assert_eq!(store.settle_commit(&id, None).await.unwrap(), Committed::No);
    });
}

#[test]
fn transactions_are_counted() {
    with_database(async |database| {
        let wait = Duration::from_secs(1);
        let options = Options { connections: 3, transactions: 2, wait, ..Options::default() };
        let store = Store::open(&database.config(), options).await.unwrap();
        let first = store.begin().await.unwrap();
        let second = store.begin().await.unwrap();
        let error = store.begin().await.unwrap_err();
        assert_eq!(error.code().number(), 462);
        assert_eq!(error.labels(), [Label::SystemOverloadedError, Label::RetryableError]);
        // One waits for another to end.
        let end = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(first);
        };
        let third = tokio::join!(store.begin(), end).0.unwrap();
        // One connection is always left for those without.
        create(&mut store.alone()).await;
        drop((second, third));
    });
}

#[test]
fn an_array_is_met_first_in_a_transaction() {
    with_store(async |store| {
        create(&mut store.alone()).await;
        let specification = rawdoc! {"key": {"a": 1}, "name": "i"};
        let index = kecoa_mongo::index::Index::parse(&specification, &Default::default()).unwrap();
        store.alone().create_indexes(&namespace(), vec![index]).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let document = NewDocument { document: rawdoc! {"_id": 1, "a": [1, 2]}, record: None };
        insert(&mut transaction.handle(), &[document], true).await.unwrap();
        transaction.commit(commit(1), None).await.unwrap();
        assert_eq!(find(&mut store.alone(), &all()).await.len(), 1);
        let collection = store.alone().collection(&namespace()).await.unwrap().unwrap();
        assert!(collection.indexes()[1].is_multikey());
    });
}

#[test]
fn a_deadline_ends_a_call() {
    with_store(async |store| {
        let collection = create(&mut store.alone()).await;
        let past = tokio::time::Instant::now();
        let mut handle = store.alone().with_deadline(Some(past));
        assert_eq!(code(handle.insert(&collection, &[new(rawdoc! {"_id": 1})], true).await), 50);
    });
}

#[test]
fn what_a_transaction_has_read_by_id_is_read_once_until_it_writes() {
    with_database(async |database| {
        let wire = Wire::new(&database.config(), false);
        let store = wire.store().await;
        let collection = create(&mut store.alone()).await;
        let documents = [new(rawdoc! {"_id": 1, "a": 1}), new(rawdoc! {"_id": 2})];
        insert(&mut store.alone(), &documents, true).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        wire.sent();
        let old = find(&mut handle, &by_id(1)).await.remove(0);
        assert_eq!(ids(&find(&mut handle, &by_id(2)).await), [2]);
        assert_eq!(wire.sent().len(), 2);
        assert_eq!(find(&mut handle, &by_id(1)).await[0].document, old.document);
        assert_eq!(ids(&find(&mut handle, &by_id(2)).await), [2]);
        assert!(find(&mut handle, &by_id(3)).await.is_empty());
        assert!(find(&mut handle, &by_id(3)).await.is_empty());
        assert_eq!(wire.sent().len(), 2, "what is not there is looked for again");
        let newer = rawdoc! {"_id": 1, "a": 2};
        let change = Replace { old: &old, new: &newer, record: None };
        current(handle.replace(&collection, &[change]).await.unwrap());
        assert_eq!(find(&mut handle, &by_id(1)).await[0].document, newer);
        transaction.commit(commit(1), None).await.unwrap();
        assert_eq!(find(&mut store.alone(), &by_id(1)).await[0].document, newer);
    });
}

#[test]
fn a_transaction_that_is_over_answers_nothing_that_it_has_read() {
    with_database(async |database| {
        let store = database.store().await;
        let collection = create(&mut store.alone()).await;
        insert(&mut store.alone(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        let mut handle = transaction.handle();
        assert_eq!(ids(&find(&mut handle, &by_id(1)).await), [1]);
        let again = handle.insert(&collection, &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        assert_eq!(current(again).failures.len(), 1);
        let read =
            handle.page(&collection, &by_id(1), None, PageLimit::default(), Lock::None).await;
        assert!(read.is_err());
    });
}
