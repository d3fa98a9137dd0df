//! What a gateway answers whose catalogue is not what another gateway has made of it: rules for documents, and views.

use bson::{RawDocument, RawDocumentBuf, rawdoc};
use kecoa_mongo::command::{Connection, Gateway, Options, ReplicaSet};
use kecoa_mongo::wire::Request;

use crate::support::{Database, with_database};

/// A client of a gateway.
pub(crate) struct Client {
    gateway: Gateway,
    connection: Connection,
}

impl Client {
    /// Of the gateway of a number.
    pub(crate) async fn new(number: u16, database: &Database) -> Self {
        let replica_set =
            Some(ReplicaSet { name: "rs".to_owned(), host: "localhost:27017".to_owned() });
        let options = Options { number, replica_set, ..Options::default() };
        let gateway = Gateway::with_store(options, database.store().await);
        Self { gateway, connection: Connection::new(1, None, None) }
    }

    pub(crate) async fn ask(&mut self, body: RawDocumentBuf) -> RawDocumentBuf {
        self.ask_in("db", body).await
    }

    async fn ask_in(&mut self, database: &str, mut body: RawDocumentBuf) -> RawDocumentBuf {
        body.append(bson::raw::cstr!("$db"), database);
        let outcome = self.gateway.handle(&mut self.connection, Request::new(body)).await;
        outcome.reply.unwrap().into_document()
    }

    /// The same of what must not fail.
    pub(crate) async fn run(&mut self, body: RawDocumentBuf) -> RawDocumentBuf {
        let reply = self.ask(body).await;
        assert_eq!(code(&reply), 0, "{reply:?}");
        reply
    }

    /// The `_id` of the documents, in order.
    async fn ids(&mut self) -> Vec<i32> {
        let reply = self.run(rawdoc! { "find": "c", "sort": { "_id": 1 } }).await;
        let batch = reply.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
        batch
            .into_iter()
            .map(|one| one.unwrap().as_document().unwrap().get_i32("_id").unwrap())
            .collect()
    }
}

/// Two gateways on one database.
pub(crate) fn with_two(test: impl AsyncFnOnce(&mut Client, &mut Client)) {
    with_database(async |database| {
        let mut clients = [Client::new(1, database).await, Client::new(2, database).await];
        let [first, second] = &mut clients;
        test(first, second).await;
    });
}

/// The code of a reply, or of its first failed statement; 0 where all went well.
pub(crate) fn code(reply: &RawDocument) -> i32 {
    if reply.get_f64("ok").unwrap() != 1.0 {
        return reply.get_i32("code").unwrap();
    }
    let Ok(errors) = reply.get_array("writeErrors") else { return 0 };
    let first = errors.into_iter().next().unwrap().unwrap();
    first.as_document().unwrap().get_i32("code").unwrap()
}

/// The number of the statement of each error.
fn failed(reply: &RawDocument) -> Vec<i32> {
    let Ok(errors) = reply.get_array("writeErrors") else { return Vec::new() };
    errors
        .into_iter()
        .map(|one| one.unwrap().as_document().unwrap().get_i32("index").unwrap())
        .collect()
}

fn rule(least: i32) -> RawDocumentBuf {
    rawdoc! { "collMod": "c", "validator": { "k": { "$gte": least } } }
}

/// The writes that are held to a rule, each for `k: 0`.
fn writes() -> Vec<(&'static str, RawDocumentBuf)> {
    let update = |filter: RawDocumentBuf, change: RawDocumentBuf, multi: bool, upsert: bool| {
        rawdoc! {
            "update": "c", "updates": [{ "q": filter, "u": change, "multi": multi, "upsert": upsert }],
        }
    };
    let one = || rawdoc! { "_id": 1 };
    let new = || rawdoc! { "_id": 9 };
    let set = || rawdoc! { "$set": { "k": 0 } };
    vec![
        ("insert", rawdoc! { "insert": "c", "documents": [{ "_id": 9, "k": 0 }] }),
        ("update", update(one(), set(), false, false)),
        ("update many", update(one(), set(), true, false)),
        ("replace", update(one(), rawdoc! { "k": 0 }, false, false)),
        ("upsert", update(new(), set(), false, true)),
        ("upsert many", update(new(), set(), true, true)),
        ("findAndModify", rawdoc! { "findAndModify": "c", "query": one(), "update": set() }),
        (
            "findAndModify that inserts",
            rawdoc! { "findAndModify": "c", "query": new(), "update": set(), "upsert": true },
        ),
        (
            "merge",
            rawdoc! {
                "aggregate": 1, "cursor": {},
                "pipeline": [{ "$documents": [{ "_id": 9, "k": 0 }] }, { "$merge": "c" }],
            },
        ),
    ]
}

/// A collection with a document that both gateways know.
async fn prepare(first: &mut Client, second: &mut Client, least: i32) {
    first.ask(rawdoc! { "drop": "c" }).await;
    first.run(rawdoc! { "insert": "c", "documents": [{ "_id": 1, "k": 5 }] }).await;
    first.run(rule(least)).await;
    second.run(rawdoc! { "update": "c", "updates": [{ "q": { "_id": 1 }, "u": { "$set": { "k": 6 } } }] }).await;
    assert_eq!(second.ids().await, [1]);
}

#[test]
fn a_new_rule_holds_at_another_gateway() {
    with_two(async |first, second| {
        for (name, write) in writes() {
            prepare(first, second, 0).await;
            first.run(rule(1)).await;
            let reply = second.ask(write).await;
            assert_eq!(code(&reply), 121, "{name}: {reply:?}");
            let found = first.run(rawdoc! { "count": "c", "query": { "k": 0 } }).await;
            assert_eq!(found.get_i32("n").unwrap(), 0, "{name}");
        }
    });
}

#[test]
fn a_rule_that_is_gone_is_gone_at_another_gateway() {
    with_two(async |first, second| {
        for (name, write) in writes() {
            prepare(first, second, 1).await;
            let reply = second.ask(write.clone()).await;
            assert_eq!(code(&reply), 121, "{name}: {reply:?}");
            first.run(rule(0)).await;
            let reply = second.ask(write).await;
            assert_eq!(code(&reply), 0, "{name}: {reply:?}");
            let found = first.run(rawdoc! { "count": "c", "query": { "k": 0 } }).await;
            assert_eq!(found.get_i32("n").unwrap(), 1, "{name}");
        }
    });
}

#[test]
fn of_many_documents_those_are_written_that_the_new_rule_allows() {
    with_two(async |first, second| {
        let documents = || {
            rawdoc! { "insert": "c", "documents": [
                { "_id": 2, "k": 3 }, { "_id": 3, "k": 1 }, { "_id": 4, "k": 3 }, { "_id": 5, "k": 0 },
            ] }
        };
        for (ordered, errors, ids) in
            [(true, vec![1], vec![1, 2]), (false, vec![1, 3], vec![1, 2, 4])]
        {
            // From a weak rule to a strong one, and the other way round.
            for (before, after) in [(0, 2), (4, 2), (1, 2)] {
                prepare(first, second, before).await;
                first.run(rule(after)).await;
                let mut insert = documents();
                insert.append(bson::raw::cstr!("ordered"), ordered);
                let reply = second.ask(insert).await;
                assert_eq!(failed(&reply), errors, "{ordered} {before}: {reply:?}");
                assert_eq!(code(&reply), 121);
                assert_eq!(first.ids().await, ids, "{ordered} {before}");
            }
        }
    });
}

#[test]
fn an_earlier_failure_comes_first_with_a_new_rule() {
    with_two(async |first, second| {
        prepare(first, second, 0).await;
        first.run(rule(2)).await;
        let insert = rawdoc! { "insert": "c", "documents": [
            { "_id": 2, "k": 3 }, { "_id": 1, "k": 3 }, { "_id": 3, "k": 1 },
        ] };
        let reply = second.ask(insert).await;
        assert_eq!((code(&reply), failed(&reply)), (11000, vec![1]), "{reply:?}");
        assert_eq!(first.ids().await, [1, 2]);
    });
}

#[test]
fn many_updates_are_held_to_the_new_rule() {
    with_two(async |first, second| {
        let raise = || {
            rawdoc! { "update": "c", "updates": [{ "q": {}, "u": { "$inc": { "k": 1 } }, "multi": true }] }
        };
        for (before, after, allows) in [(0, 50, false), (50, 0, true)] {
            first.ask(rawdoc! { "drop": "c" }).await;
            let documents = rawdoc! { "insert": "c", "documents": [
                { "_id": 1, "k": 1 }, { "_id": 2, "k": 2 }, { "_id": 3, "k": 3 },
            ] };
            first.run(documents).await;
            first.run(rule(before)).await;
            // The second learns it by a write.
            second.run(rawdoc! { "insert": "c", "documents": [{ "_id": 4, "k": 70 }] }).await;
            first.run(rule(after)).await;
            let reply = second.ask(raise()).await;
            assert_eq!(code(&reply), if allows { 0 } else { 121 }, "{reply:?}");
            if allows {
                assert_eq!(reply.get_i32("nModified").unwrap(), 4);
            }
            let raised = first.run(rawdoc! { "count": "c", "query": { "k": 4 } }).await;
            assert_eq!(raised.get_i32("n").unwrap(), i32::from(allows));
        }
    });
}

#[test]
fn the_size_of_a_capped_collection_is_the_new_one_at_another_gateway() {
    with_two(async |first, second| {
        let large = |id: i32| rawdoc! { "_id": id, "text": "x".repeat(1000) };
        let insert = |id: i32| rawdoc! { "insert": "c", "documents": [large(id)] };
        let upsert = |id: i32| {
            rawdoc! { "update": "c", "updates": [{ "q": { "_id": id }, "u": large(id), "upsert": true }] }
        };
        first.run(rawdoc! { "create": "c", "capped": true, "size": 512 }).await;
        assert_eq!(code(&second.ask(insert(1)).await), 2);
        first.run(rawdoc! { "collMod": "c", "cappedSize": 100_000 }).await;
        second.run(insert(1)).await;
        first.run(rawdoc! { "collMod": "c", "cappedSize": 512 }).await;
        assert_eq!(code(&second.ask(insert(2)).await), 2);
        assert_eq!(code(&second.ask(upsert(2)).await), 2);
        first.run(rawdoc! { "collMod": "c", "cappedSize": 100_000 }).await;
        second.run(upsert(2)).await;
        assert_eq!(second.ids().await, [1, 2]);
    });
}

/// A command of a transaction's session.
fn within(mut body: RawDocumentBuf, number: i64, starts: bool) -> RawDocumentBuf {
    let id = bson::Binary { subtype: bson::spec::BinarySubtype::Uuid, bytes: vec![7; 16] };
    body.append(bson::raw::cstr!("lsid"), rawdoc! { "id": id });
    body.append(bson::raw::cstr!("txnNumber"), number);
    body.append(bson::raw::cstr!("autocommit"), false);
    if starts {
        body.append(bson::raw::cstr!("startTransaction"), true);
    }
    body
}

#[test]
fn a_transaction_is_held_to_the_rule_that_it_sees() {
    with_two(async |first, second| {
        for (number, (name, write)) in (1_i64..).zip(writes()) {
            if name == "merge" {
                continue;
            }
            let number = number * 10;
            let commit = within(rawdoc! { "commitTransaction": 1 }, number, false);
            // One that begins when the rule is gone.
            prepare(first, second, 1).await;
            first.run(rule(0)).await;
            let reply = second.ask(within(write.clone(), number, true)).await;
            assert_eq!(code(&reply), 0, "{name}: {reply:?}");
            let reply = second.ask_in("admin", commit).await;
            assert_eq!(code(&reply), 0, "{name}: {reply:?}");
            // One that began before.
            prepare(first, second, 1).await;
            let find = within(rawdoc! { "find": "c" }, number + 1, true);
            second.run(find).await;
            first.run(rule(0)).await;
            let reply = second.ask(within(write, number + 1, false)).await;
            assert_eq!(code(&reply), 121, "{name}: {reply:?}");
        }
    });
}

#[test]
fn capped_collections_of_others_are_known_in_transactions() {
    with_two(async |first, second| {
        let insert = |id: i32| rawdoc! { "insert": "c", "documents": [{ "_id": id }] };
        first.run(rawdoc! { "create": "c", "capped": true, "size": 512 }).await;
        second.run(insert(1)).await;
        let reply = second.ask(within(insert(2), 1, true)).await;
        assert_eq!(code(&reply), 263, "{reply:?}");
        first.run(rawdoc! { "drop": "c" }).await;
        first.run(rawdoc! { "create": "c" }).await;
        let reply = second.ask(within(insert(3), 2, true)).await;
        assert_eq!(code(&reply), 0, "{reply:?}");
    });
}

#[test]
fn out_keeps_the_rule_that_another_gateway_made() {
    with_two(async |first, second| {
        prepare(first, second, 0).await;
        first.run(rule(1)).await;
        let out = |k: i32| {
            rawdoc! {
                "aggregate": 1, "cursor": {},
                "pipeline": [{ "$documents": [{ "_id": 7, "k": k }] }, { "$out": "c" }],
            }
        };
        assert_eq!(code(&second.ask(out(0)).await), 121);
        second.run(out(1)).await;
        let insert = rawdoc! { "insert": "c", "documents": [{ "_id": 8, "k": 0 }] };
        assert_eq!(code(&first.ask(insert).await), 121);
    });
}

#[test]
fn documents_beside_one_that_no_index_takes_are_held_to_the_new_rule() {
    with_two(async |first, second| {
        let documents = || {
            rawdoc! { "insert": "c", "documents": [
                { "_id": 2, "k": 3 }, { "_id": 3, "k": 3, "a": [1, 2], "b": [1, 2] }, { "_id": 4, "k": 0 },
            ] }
        };
        for (ordered, errors, ids) in [(true, vec![1], vec![1, 2]), (false, vec![1, 2], vec![1, 2])]
        {
            prepare(first, second, 0).await;
            let index = rawdoc! { "key": { "a": 1, "b": 1 }, "name": "i" };
            first.run(rawdoc! { "createIndexes": "c", "indexes": [index] }).await;
            // The second learns the index by a write.
            second
                .run(rawdoc! { "delete": "c", "deletes": [{ "q": { "a": 7 }, "limit": 1 }] })
                .await;
            second.run(rawdoc! { "insert": "c", "documents": [{ "_id": 9, "k": 9 }] }).await;
            second
                .run(rawdoc! { "delete": "c", "deletes": [{ "q": { "_id": 9 }, "limit": 1 }] })
                .await;
            first.run(rule(1)).await;
            let mut insert = documents();
            insert.append(bson::raw::cstr!("ordered"), ordered);
            let reply = second.ask(insert).await;
            assert_eq!(failed(&reply), errors, "{ordered}: {reply:?}");
            assert_eq!(code(&reply), 171, "{reply:?}");
            assert_eq!(first.ids().await, ids, "{ordered}");
        }
    });
}
