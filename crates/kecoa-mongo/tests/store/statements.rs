//! Which statements each kind of work sends. Those of a line are one request.

use bson::{RawBson, rawdoc};
use kecoa_mongo::bson::key::KeyBuilder;
use kecoa_mongo::collation::Collator;
use kecoa_mongo::index::Index;
use kecoa_mongo::plan::access::{Access, KeyRange, Order};
use kecoa_mongo::store::{Delete, Lock, NewDocument, PageLimit, Replace};

use crate::support::*;
use crate::wire::Wire;

/// What each kind of work sends, on one kind of server: a line a request.
async fn sent(database: &Database, cockroach: bool) -> String {
    let wire = Wire::new(&database.config(), cockroach);
    let store = wire.store().await;
    let mut handle = store.alone();
    create(&mut handle).await;
    let mut text = String::new();
    let mut note = |what: &str, wire: &Wire| {
        text.push_str(&format!("# {what}\n"));
        for trip in wire.sent() {
            text.push_str(&without_parts(&trip.join(" ; ")));
            text.push('\n');
        }
    };
    for indexed in [false, true] {
        let suffix = if indexed { ", with an index" } else { "" };
        if indexed {
            let index = Index::parse(&rawdoc! {"key": {"a": 1}, "name": "i"}, &Collator::default());
            handle.create_indexes(&namespace(), vec![index.unwrap()]).await.unwrap();
        }
        let base = if indexed { 2000 } else { 0 };
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        wire.sent();
        let one = |id: i32| new(rawdoc! {"_id": id, "a": id});
        current(handle.insert(&collection, &[one(base + 1)], true).await.unwrap());
        note(&format!("insert of one{suffix}"), &wire);
        let many: Vec<_> = (base + 2..base + 300).map(one).collect();
        current(handle.insert(&collection, &many, true).await.unwrap());
        note(&format!("insert of many{suffix}"), &wire);
        let recorded = NewDocument {
            document: rawdoc! {"_id": base + 300, "a": 300},
            record: Some(record(i64::from(base), 0)),
        };
        current(handle.insert(&collection, &[recorded], true).await.unwrap());
        note(&format!("insert of one, with a record{suffix}"), &wire);
        let old = find(&mut handle, &by_id(base + 1)).await.remove(0);
        note(&format!("read of one{suffix}"), &wire);
        let newer = rawdoc! {"_id": base + 1, "a": 7};
        let change = Replace { old: &old, new: &newer, record: None };
        current(handle.replace(&collection, &[change]).await.unwrap());
        note(&format!("update of one by version{suffix}"), &wire);
        let old = find(&mut handle, &by_id(base + 1)).await.remove(0);
        wire.sent();
        let newer = rawdoc! {"_id": base + 1, "a": 8};
        let change = Replace { old: &old, new: &newer, record: Some(record(i64::from(base), 1)) };
        current(handle.replace(&collection, &[change]).await.unwrap());
        note(&format!("update of one, with a record{suffix}"), &wire);
        let old = find(&mut handle, &by_id(base + 1)).await.remove(0);
        wire.sent();
        let delete = Delete { old: &old, record: None };
        current(handle.delete(&collection, &[delete]).await.unwrap());
        note(&format!("removal of one{suffix}"), &wire);
        current(handle.count(&collection, &all()).await.unwrap());
        note(&format!("count of all{suffix}"), &wire);
    }
    let collection = handle.collection(&namespace()).await.unwrap().unwrap();
    let index = &collection.indexes()[1];
    let key = |value: i32| {
        let mut builder = KeyBuilder::default();
        let value = RawBson::Int32(value);
        index.push_value(&mut builder, &index.fields()[0], Some(value.as_raw_bson_ref()));
        builder.finish().into_bytes()
    };
    let range = KeyRange::between(Some((&key(2010), true)), Some((&key(2110), false)));
    let access = Access::Index { index: 1, ranges: vec![range], order: Order::Forward };
    let limit = PageLimit::default();
    wire.sent();
    let page = current(handle.page(&collection, &access, None, limit, Lock::None).await.unwrap());
    assert_eq!((page.documents.len(), page.next.is_none()), (100, true));
    note("range of 100 by an index", &wire);
    assert_eq!(find(&mut handle, &all()).await.len(), 598);
    note("all, in pages", &wire);
    text
}

/// A statement, with `N` for the number of the part that it names: collections lie in parts by chance.
fn without_parts(sql: &str) -> String {
    let mut text = String::new();
    let mut rest = sql;
    while let Some(at) = ["document_", "entry_", "uniq_"]
        .into_iter()
        .filter_map(|table| Some(rest.find(table)? + table.len()))
        .min()
    {
        text.push_str(&rest[..at]);
        text.push('N');
        rest = rest[at..].trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    text + rest
}

#[test]
fn parts_that_somebody_has_changed_are_not_named() {
    with_database(async |database| {
        database.store().await;
        let mut client = kecoa::blocking::Client::connect(&database.config()).unwrap();
        client.batch("ALTER TABLE kecoa_mongo.document_5 RENAME TO fifth").unwrap();
        let wire = Wire::new(&database.config(), false);
        let store = wire.store().await;
        let mut handle = store.alone();
        let collection = create(&mut handle).await;
        wire.sent();
        current(handle.insert(&collection, &[new(rawdoc! {"_id": 1})], true).await.unwrap());
        assert_eq!(find(&mut handle, &by_id(1)).await.len(), 1);
        let sent = wire.sent().concat().join(";");
        assert!(sent.contains("kecoa_mongo.document ") && !sent.contains("document_"), "{sent}");
    });
}

#[test]
fn each_kind_of_work_sends_these_statements() {
    for (cockroach, expected) in [
        (false, include_str!("statements_postgres.txt")),
        (true, include_str!("statements_cockroach.txt")),
    ] {
        with_database(async |database| {
            let sent = sent(database, cockroach).await;
            if let Ok(folder) = std::env::var("KECOA_WRITE_STATEMENTS") {
                let server = if cockroach { "cockroach" } else { "postgres" };
                std::fs::write(format!("{folder}/statements_{server}.txt"), &sent).unwrap();
                return;
            }
            for (number, (sent, expected)) in sent.lines().zip(expected.lines()).enumerate() {
                assert_eq!(sent, expected, "line {}", number + 1);
            }
            assert_eq!(sent.lines().count(), expected.lines().count());
        });
    }
}
