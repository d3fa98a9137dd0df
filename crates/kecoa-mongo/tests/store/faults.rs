//! What becomes of a write when the database fails, on a server that says that it is a CockroachDB (emulated): whether
//! it is tried again, what the answer is, and that nothing is done twice.

use std::time::Duration;

use bson::rawdoc;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::error::Label;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::{Access, KeyRange, Order};
use kecoa_mongo::store::{Checked, Collection, NewDocument, Options, Replace, Store};

use crate::support::*;
use crate::wire::{Fault, What, Wire};

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    /// Look the record up: it is there.
    Recorded,
    /// An error of this code, with the label for writes that may be sent again or without it.
    Error(i32, bool),
}
use Answer::{Done, Error, Recorded};

async fn indexed(store: &Store) -> Collection {
    let mut handle = store.alone();
    create(&mut handle).await;
    let index = Index::parse(&rawdoc! {"key": {"a": 1}, "name": "i"}, &Collator::default());
    handle.create_indexes(&namespace(), vec![index.unwrap()]).await.unwrap();
    insert(&mut handle, &[new(rawdoc! {"_id": 1, "a": 1})], true).await.unwrap();
    handle.collection(&namespace()).await.unwrap().unwrap()
}

fn answer<T>(
    result: Result<Checked<T>, kecoa_mongo::error::Error>,
    is_done: impl Fn(&T) -> bool,
) -> Answer {
    match result {
        Ok(Checked::Current(value)) => {
            assert!(is_done(&value));
            Done
        }
        Ok(Checked::Stale) => Recorded,
        Err(error) => {
            Error(error.code().number(), error.labels().contains(&Label::RetryableWriteError))
        }
    }
}

async fn by_index(store: &Store) -> Vec<i32> {
    let access = Access::Index { index: 1, ranges: vec![KeyRange::all()], order: Order::Forward };
    let found = find(&mut store.alone(), &access).await;
    found.iter().map(|stored| stored.document.get_i32("a").unwrap()).collect()
}

const BEGIN: &str = "BEGIN";
const DOCUMENT: &str = "UPDATE kecoa_mongo.document";
const RECORD: &str = "INSERT INTO kecoa_mongo.session";
const REMOVED: &str = "DELETE FROM kecoa_mongo.entry";
const ADDED: &str = "INSERT INTO kecoa_mongo.entry";
const COMMIT: &str = "COMMIT";

/// Where, what; without a record: the answer, and whether it was done; the same with a record.
type Case = (&'static str, What, (Answer, bool), (Answer, bool));

#[test]
fn a_replacement_in_several_statements_is_done_once_or_not() {
    let mut cases: Vec<Case> = Vec::new();
    // The connection lives on after each of these, and nothing behind the statement has run.
    for at in [BEGIN, DOCUMENT, RECORD, REMOVED, ADDED, COMMIT] {
        cases.push((at, What::Error("40001"), (Done, true), (Done, true)));
        for (code, answer) in [("57014", 50), ("53200", 1), ("XX000", 1)] {
            let answer = (Error(answer, false), false);
            cases.push((at, What::Error(code), answer, answer));
        }
    }
    for at in [BEGIN, DOCUMENT, RECORD, REMOVED, ADDED, COMMIT] {
        cases.push((at, What::Fatal("57P01"), (Error(91, false), false), (Done, true)));
    }
    cases.extend([
        (DOCUMENT, What::Error("40P01"), (Done, true), (Done, true)),
        (COMMIT, What::Error("40003"), (Error(91, false), false), (Done, true)),
        (COMMIT, What::ErrorThoughDone("40003"), (Error(91, false), true), (Recorded, true)),
        (COMMIT, What::LostBefore, (Error(91, false), false), (Done, true)),
        (COMMIT, What::LostAfter, (Error(91, false), true), (Recorded, true)),
    ]);
    replace(true, &cases);
}

#[test]
fn a_replacement_in_one_statement_is_done_once_or_not() {
    let cases = [
        (DOCUMENT, What::Error("40001"), (Done, true), (Done, true)),
        (DOCUMENT, What::Error("40P01"), (Done, true), (Done, true)),
        (DOCUMENT, What::Error("57014"), (Error(50, false), false), (Error(50, false), false)),
        (DOCUMENT, What::Fatal("57P01"), (Error(91, false), false), (Done, true)),
        (DOCUMENT, What::LostBefore, (Error(91, false), false), (Done, true)),
        (DOCUMENT, What::LostAfter, (Error(91, false), true), (Recorded, true)),
    ];
    replace(false, &cases);
}

fn replace(cockroach: bool, cases: &[Case]) {
    with_database(async |database| {
        let wire = Wire::new(&database.config(), cockroach);
        let store = wire.store().await;
        let collection = indexed(&store).await;
        let (mut number, mut a) = (0, 1);
        for (at, what, bare, recorded) in cases.iter().copied() {
            for (has_record, (expected, is_done)) in [(false, bare), (true, recorded)] {
                if at == RECORD && !has_record {
                    continue;
                }
                let case = format!("{what:?} at {at}, record: {has_record}");
                let old = find(&mut store.alone(), &by_id(1)).await.remove(0);
                number += 1;
                let newer = rawdoc! {"_id": 1, "a": a + 1};
                let record = has_record.then(|| record(number, 0));
                wire.fail(Fault { at, what });
                let change = Replace { old: &old, new: &newer, record };
                let written = store.alone().replace(&collection, &[change]).await;
                assert!(wire.left().is_empty(), "{case}");
                assert_eq!(answer(written, |written| written.done == [true]), expected, "{case}");
                a += i32::from(is_done);
                assert_eq!(by_index(&store).await, [a], "{case}");
                let records = store.alone().records(b"session", number).await.unwrap();
                assert_eq!(records.len(), usize::from(has_record && is_done), "{case}");
            }
        }
    });
}

#[test]
fn an_insert_with_entries_is_done_once_or_not() {
    let at = "INSERT INTO kecoa_mongo.document";
    let cases = [
        (What::Error("40001"), (Done, true), (Done, true)),
        (What::Error("40003"), (Error(91, false), false), (Done, true)),
        (What::ErrorThoughDone("40003"), (Error(91, false), true), (Recorded, true)),
        (What::Error("57014"), (Error(50, false), false), (Error(50, false), false)),
        (What::Fatal("57P01"), (Error(91, false), false), (Done, true)),
        (What::LostBefore, (Error(91, false), false), (Done, true)),
        (What::LostAfter, (Error(91, false), true), (Recorded, true)),
    ];
    with_database(async |database| {
        let wire = Wire::new(&database.config(), true);
        let store = wire.store().await;
        let collection = indexed(&store).await;
        let (mut number, mut there) = (1, 1);
        for (what, bare, recorded) in cases {
            for (has_record, (expected, is_done)) in [(false, bare), (true, recorded)] {
                let case = format!("{what:?}, record: {has_record}");
                number += 1;
                let document = rawdoc! {"_id": number, "a": number};
                let record = has_record.then(|| record(i64::from(number), 0));
                wire.fail(Fault { at, what });
                let documents = [NewDocument { document, record }];
                let inserted = store.alone().insert(&collection, &documents, true).await;
                assert!(wire.left().is_empty(), "{case}");
                let is_in = |inserted: &kecoa_mongo::store::Inserted| inserted.inserted == 1;
                assert_eq!(answer(inserted, is_in), expected, "{case}");
                there += usize::from(is_done);
                assert_eq!(by_index(&store).await.len(), there, "{case}");
                assert_eq!(find(&mut store.alone(), &all()).await.len(), there, "{case}");
            }
        }
    });
}

#[test]
fn a_server_without_room_for_a_connection_is_overloaded() {
    with_database(async |database| {
        let wire = Wire::new(&database.config(), true);
        wire.refuse("53300", 1000);
        let options = Options { wait: Duration::from_millis(300), ..Options::default() };
        let opened = Store::open(&wire.config(), options).await;
        let error = opened.err().unwrap();
        assert_eq!(error.code().number(), 462);
        assert!(error.labels().contains(&Label::SystemOverloadedError));
        wire.refuse("53300", 0);
        wire.store().await;
    });
}

/// What a transaction answers, and whether it was done: where, what, the code of the statement and of the commit.
type TransactionCase = (&'static str, What, Option<i32>, Option<i32>);

#[test]
fn a_transaction_is_done_once_or_not_wherever_it_fails() {
    const SET: &str = "lock_timeout";
    const INSERT: &str = "INSERT INTO kecoa_mongo.document";
    let mut cases: Vec<TransactionCase> = Vec::new();
    for at in [BEGIN, SET, INSERT] {
        for (code, answer) in [("40001", 112), ("57014", 50), ("53200", 1)] {
            cases.push((at, What::Error(code), Some(answer), Some(251)));
        }
        cases.push((at, What::Fatal("57P01"), Some(91), Some(251)));
        cases.push((at, What::LostBefore, Some(91), Some(251)));
        cases.push((at, What::LostAfter, Some(91), Some(251)));
    }
    for at in [RECORD, COMMIT] {
        cases.push((at, What::Error("40001"), None, Some(112)));
        cases.push((at, What::Error("57014"), None, Some(50)));
        cases.push((at, What::Error("40003"), None, Some(251)));
        cases.push((at, What::Fatal("57P01"), None, Some(251)));
        cases.push((at, What::LostBefore, None, Some(251)));
        cases.push((at, What::LostAfter, None, None));
    }
    cases.push((COMMIT, What::ErrorThoughDone("40003"), None, None));
    for cockroach in [false, true] {
        with_database(async |database| {
            let wire = Wire::new(&database.config(), cockroach);
            let store = wire.store().await;
            create(&mut store.alone()).await;
            let mut there = Vec::new();
            for (number, (at, what, statement, commit)) in cases.iter().copied().enumerate() {
                let number = i32::try_from(number).unwrap();
                let case = format!("{what:?} at {at}, a CockroachDB: {cockroach}");
                let mut transaction = store.begin().await.unwrap();
                wire.fail(Fault { at, what });
                let document = [new(rawdoc! {"_id": number})];
                let inserted = insert(&mut transaction.handle(), &document, true).await;
                let failed = inserted.err().map(|error| error.code().number());
                assert_eq!(failed, statement, "{case}");
                let number = i64::from(number) + 1;
                let end = record(number, kecoa_mongo::store::RecordId::COMMIT);
                let committed = transaction.commit(end.clone(), None).await;
                let failed = committed.err().map(|error| error.code().number());
                assert_eq!(failed, commit, "{case}");
                assert!(wire.left().is_empty(), "{case}");
                if commit.is_none() {
                    there.push(i32::try_from(number).unwrap() - 1);
                }
                assert_eq!(ids(&find(&mut store.alone(), &all()).await), there, "{case}");
            }
        });
    }
}

#[test]
fn what_a_server_can_do_is_not_read_from_a_failure() {
    with_database(async |database| {
        let wire = Wire::new(&database.config(), false);
        let expected = wire.store().await.capabilities();
        assert!(expected.lock_timeout && expected.generic_plans);
        for at in ["SHOW plan_cache_mode", "SHOW lock_timeout", "SELECT tables, keys"] {
            for what in [What::Error("40001"), What::Fatal("57P01"), What::LostAfter] {
                wire.fail(Fault { at, what });
                let opened = wire.store().await;
                assert!(wire.left().is_empty(), "{what:?} at {at}");
                assert_eq!(opened.capabilities(), expected, "{what:?} at {at}");
            }
        }
        // One that is no reason to ask again is told.
        wire.fail(Fault { at: "SHOW lock_timeout", what: What::Error("53200") });
        assert!(Store::open(&wire.config(), Options::default()).await.is_err());
    });
}
