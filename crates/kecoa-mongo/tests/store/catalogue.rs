//! The catalogue: collections made, dropped, renamed, by one gateway and seen by another.

use bson::rawdoc;
use kecoa_mongo::store::{Namespace, Options, Store};

use crate::support::*;

#[test]
fn several_gateways_set_the_tables_up_at_once() {
    with_database(async |database| {
        let config = database.config();
        let opened = (0..6).map(|_| {
            let config = config.clone();
            tokio::spawn(async move { Store::open(&config, Options::default()).await })
        });
        for store in opened.collect::<Vec<_>>() {
            let store = store.await.unwrap().unwrap();
            assert!(store.alone().databases().await.unwrap().is_empty());
        }
    });
}

#[test]
fn collections_are_made_listed_renamed_and_dropped() {
    with_store(async |store| {
        let mut handle = store.alone();
        assert!(handle.collection(&namespace()).await.unwrap().is_none());
        let collection = create(&mut handle).await;
        assert_eq!(collection.indexes().len(), 1);
        assert_eq!(handle.databases().await.unwrap(), ["db"]);
        assert_eq!(handle.collections("db").await.unwrap()[0].uuid(), collection.uuid());
        let again = create(&mut handle).await;
        assert_eq!(again.id(), collection.id());

        let other = Namespace::new("db", "d").unwrap();
        current(handle.rename(&collection, &other, false).await.unwrap());
        assert!(handle.collection(&namespace()).await.unwrap().is_none());
        let renamed = handle.collection(&other).await.unwrap().unwrap();
        assert_eq!(renamed.id(), collection.id());
        // The old one is not what the catalogue says.
        assert!(is_stale(
            &handle.insert(&collection, &[new(rawdoc! {"_id": 1})], true).await.unwrap()
        ));

        let second = create(&mut handle).await;
        assert_eq!(code(handle.rename(&second, &other, false).await), 48);
        current(handle.rename(&second, &other, true).await.unwrap());
        assert_eq!(handle.collection(&other).await.unwrap().unwrap().id(), second.id());

        let last = handle.collection(&other).await.unwrap().unwrap();
        assert!(handle.drop_collection(&last).await.unwrap());
        assert!(!handle.drop_collection(&last).await.unwrap());
        assert!(handle.databases().await.unwrap().is_empty());
    });
}

#[test]
fn a_database_that_differs_only_in_case_is_refused() {
    with_store(async |store| {
        let mut handle = store.alone();
        create(&mut handle).await;
        let other = Namespace::new("DB", "c").unwrap();
        let new = kecoa_mongo::store::NewCollection {
            kind: kecoa_mongo::store::CollectionKind::Collection,
            options: rawdoc! {},
        };
        assert_eq!(code(handle.create(&other, &new).await), 13297);
    });
}

#[test]
fn what_one_gateway_drops_another_does_not_read() {
    with_database(async |database| {
        let (first, second) = (database.store().await, database.store().await);
        create(&mut first.alone()).await;
        insert(&mut first.alone(), &[new(rawdoc! {"_id": 1})], true).await.unwrap();
        assert_eq!(ids(&find(&mut second.alone(), &all()).await), [1]);
        let old = second.alone().collection(&namespace()).await.unwrap().unwrap();
        assert!(first.alone().drop_collection(&old).await.unwrap());
        create(&mut first.alone()).await;
        assert!(find(&mut second.alone(), &all()).await.is_empty());
    });
}

#[test]
fn names_that_no_collection_may_have() {
    for (database, name) in [
        ("", "c"),
        ("a.b", "c"),
        ("a b", "c"),
        ("a$", "c"),
        ("a/b", "c"),
        ("a\\b", "c"),
        ("a\"b", "c"),
        ("a\0b", "c"),
        ("db", ""),
        ("db", ".c"),
        ("db", "a$b"),
        ("db", "a\0b"),
    ] {
        assert_eq!(code(Namespace::new(database, name)), 73, "{database:?} {name:?}");
    }
    assert_eq!(code(Namespace::new(&"d".repeat(64), "c")), 73);
    assert_eq!(code(Namespace::new("db", &"c".repeat(253))), 73);
    for (database, name) in [("db", "c"), ("d-b", "a.b"), ("db", "system.views"), ("db", "c.")] {
        assert_eq!(
            Namespace::new(database, name).unwrap().to_string(),
            format!("{database}.{name}")
        );
    }
}
