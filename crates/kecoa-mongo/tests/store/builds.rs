//! Builds of indexes that stop in the middle, and that several ask for.

use std::time::Duration;

use bson::{DateTime, RawDocument, rawdoc};
use kecoa::Client;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::{Access, KeyRange, Order};
use kecoa_mongo::store::{CreatedIndexes, Store};
use tokio::task::JoinHandle;

use crate::support::*;

type Build = JoinHandle<Result<CreatedIndexes, kecoa_mongo::error::Error>>;

/// Begins to build an index, and stops at the first page: somebody holds the documents.
async fn begin(database: &Database, specification: &RawDocument) -> (Client, Store, Build) {
    let store = database.store().await;
    create(&mut store.alone()).await;
    let documents: Vec<_> = (0..600).map(|id| new(rawdoc! {"_id": id, "a": id / 2})).collect();
    insert(&mut store.alone(), &documents, true).await.unwrap();
    let mut other = Client::connect(&database.config()).await.unwrap();
    other.batch("BEGIN").await.unwrap();
    other.batch("SELECT 1 FROM kecoa_mongo.document FOR UPDATE").await.unwrap();
    let build = build(&store, specification);
    while built(&store).await != Some(false) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (other, store, build)
}

fn build(store: &Store, specification: &RawDocument) -> Build {
    let index = Index::parse(specification, &Collator::default()).unwrap();
    let store = store.clone();
    tokio::spawn(async move { store.alone().create_indexes(&namespace(), vec![index]).await })
}

/// Whether the second index is built; nothing where there is none.
async fn built(store: &Store) -> Option<bool> {
    let mut handle = store.alone();
    let mut collections = handle.collections("db").await.unwrap();
    let collection = collections.remove(0);
    Some(!collection.maintained_indexes().get(1)?.is_building())
}

async fn entries(store: &Store) -> usize {
    let access = Access::Index { index: 1, ranges: vec![KeyRange::all()], order: Order::Forward };
    find(&mut store.alone(), &access).await.len()
}

#[test]
fn the_build_of_a_gateway_that_is_gone_is_finished_or_taken_back() {
    for (unique, expected) in [(false, Some(true)), (true, None)] {
        with_database(async |database| {
            let specification = rawdoc! {"key": {"a": 1}, "name": "i", "unique": unique};
            let (other, first, build) = begin(database, &specification).await;
            build.abort();
            assert!(build.await.is_err());
            drop((other, first));
            let second = database.store().await;
            let now = DateTime::now().timestamp_millis();
            second.maintain(now).await.unwrap();
            assert_eq!(built(&second).await, Some(false), "its lease is not over");
            second.maintain(now + 90_000).await.unwrap();
            assert_eq!(built(&second).await, expected);
            if expected.is_some() {
                assert_eq!(entries(&second).await, 600);
            }
            // Its leases are over, and go.
            second.maintain(now + 300_000).await.unwrap();
            let mut client = Client::connect(&database.config()).await.unwrap();
            let sql = "SELECT count(*) FROM kecoa_mongo.lease WHERE name <> 'maintenance'";
            let leases: i64 = client.query_one(sql, &[]).await.unwrap().get(0).unwrap();
            assert_eq!(leases, 0);
        });
    }
}

#[test]
fn who_asks_for_an_index_that_is_being_built_waits_for_it() {
    with_database(async |database| {
        let specification = rawdoc! {"key": {"a": 1}, "name": "i"};
        let (mut other, first, begun) = begin(database, &specification).await;
        let second = database.store().await;
        let asked = build(&second, &specification);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!begun.is_finished() && !asked.is_finished());
        other.batch("ROLLBACK").await.unwrap();
        assert_eq!(begun.await.unwrap().unwrap(), CreatedIndexes { before: 1, after: 2 });
        assert_eq!(asked.await.unwrap().unwrap(), CreatedIndexes { before: 2, after: 2 });
        assert_eq!(entries(&first).await, 600);
    });
}

#[test]
fn an_index_that_is_dropped_while_it_is_built_is_not_there_then() {
    with_database(async |database| {
        let specification = rawdoc! {"key": {"a": 1}, "name": "i"};
        let (mut other, _first, begun) = begin(database, &specification).await;
        let second = database.store().await;
        let mut handle = second.alone();
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        current(handle.drop_indexes(&collection, &["i".to_owned()]).await.unwrap());
        other.batch("ROLLBACK").await.unwrap();
        assert_eq!(code(begun.await.unwrap()), 276);
        assert_eq!(built(&second).await, None);
        let mut client = Client::connect(&database.config()).await.unwrap();
        let sql = "SELECT count(*) FROM kecoa_mongo.entry";
        let left: i64 = client.query_one(sql, &[]).await.unwrap().get(0).unwrap();
        assert_eq!(left, 0);
    });
}
