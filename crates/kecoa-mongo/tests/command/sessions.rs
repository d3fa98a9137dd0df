//! Sessions and the end of transactions, without a database.

use bson::spec::BinarySubtype;
use bson::{Binary, RawArrayBuf, RawDocumentBuf, rawdoc};

use crate::support::{ask, client, code, gateway, labels};

fn lsid(number: u8) -> RawDocumentBuf {
    rawdoc! { "id": Binary { subtype: BinarySubtype::Uuid, bytes: vec![number; 16] } }
}

/// A statement that needs no database.
fn statement(start: bool) -> RawDocumentBuf {
    let mut body = rawdoc! { "hello": 1, "$db": "admin", "lsid": lsid(1), "txnNumber": 1_i64, "autocommit": false };
    if start {
        body.append(bson::raw::cstr!("startTransaction"), true);
    }
    body
}

fn end(name: &str, number: i64) -> RawDocumentBuf {
    let mut body = RawDocumentBuf::new();
    body.append(bson::raw::CString::try_from(name).unwrap(), 1);
    let rest =
        rawdoc! { "$db": "admin", "lsid": lsid(1), "txnNumber": number, "autocommit": false };
    for (name, value) in rest.iter().flatten() {
        body.append(name, value);
    }
    body
}

#[tokio::test]
async fn a_transaction_of_nothing_goes_its_way() {
    let steps = [
        (statement(false), 251),
        (statement(true), 0),
        (statement(false), 0),
        (end("commitTransaction", 1), 0),
        (end("commitTransaction", 1), 0),
        (end("abortTransaction", 1), 256),
        (statement(false), 256),
        (statement(true), 117),
        (end("abortTransaction", 0), 225),
        (end("abortTransaction", 2), 251),
    ];
    let gateway = gateway();
    for (step, (body, expected)) in steps.into_iter().enumerate() {
        let reply = ask(&gateway, &mut client(), body).await;
        assert_eq!(code(&reply), expected, "step {step}");
        let is_transient = expected == 251;
        assert_eq!(labels(&reply) == ["TransientTransactionError"], is_transient, "step {step}");
    }
}

#[tokio::test]
async fn abort_ends_it_and_so_does_an_error() {
    let gateway = gateway();
    ask(&gateway, &mut client(), statement(true)).await;
    assert_eq!(code(&ask(&gateway, &mut client(), end("abortTransaction", 1)).await), 0);
    for name in ["abortTransaction", "commitTransaction"] {
        assert_eq!(code(&ask(&gateway, &mut client(), end(name, 1)).await), 251, "{name}");
    }
    let gateway = crate::support::replica_set();
    ask(&gateway, &mut client(), statement(true)).await;
    let mut wrong = statement(false);
    wrong.append(bson::raw::cstr!("maxAwaitTimeMS"), 1);
    assert_eq!(code(&ask(&gateway, &mut client(), wrong).await), 51764);
    assert_eq!(code(&ask(&gateway, &mut client(), end("commitTransaction", 1)).await), 251);
}

#[tokio::test]
async fn killing_sessions_aborts_their_transactions() {
    let kills = [
        rawdoc! { "killSessions": [lsid(1)], "$db": "admin" },
        rawdoc! { "killSessions": [], "$db": "admin" },
        rawdoc! { "killAllSessions": [], "$db": "admin" },
        rawdoc! { "killAllSessionsByPattern": [], "$db": "admin" },
        rawdoc! { "killAllSessionsByPattern": [{ "lsid": lsid(1) }], "$db": "admin" },
    ];
    for kill in kills {
        let gateway = gateway();
        ask(&gateway, &mut client(), statement(true)).await;
        assert_eq!(code(&ask(&gateway, &mut client(), kill.clone()).await), 0);
        assert_eq!(
            code(&ask(&gateway, &mut client(), end("commitTransaction", 1)).await),
            251,
            "{kill:?}"
        );
    }
    let spared = [
        rawdoc! { "killSessions": [lsid(2)], "$db": "admin" },
        rawdoc! { "killAllSessions": [{ "user": "u", "db": "admin" }], "$db": "admin" },
        rawdoc! { "killAllSessionsByPattern": [{ "lsid": lsid(2) }], "$db": "admin" },
    ];
    for kill in spared {
        let gateway = gateway();
        ask(&gateway, &mut client(), statement(true)).await;
        assert_eq!(code(&ask(&gateway, &mut client(), kill.clone()).await), 0);
        assert_eq!(
            code(&ask(&gateway, &mut client(), end("commitTransaction", 1)).await),
            0,
            "{kill:?}"
        );
    }
}

#[tokio::test]
async fn sessions_begin_and_end() {
    let gateway = gateway();
    let reply = ask(&gateway, &mut client(), rawdoc! { "startSession": 1, "$db": "admin" }).await;
    assert_eq!(reply.get_i32("timeoutMinutes").unwrap(), 30);
    let id = reply.get_document("id").unwrap().to_owned();
    assert_eq!(gateway.sessions.count(), 1);
    ask(&gateway, &mut client(), rawdoc! { "refreshSessions": [lsid(1)], "$db": "admin" }).await;
    assert_eq!(gateway.sessions.count(), 2);
    ask(&gateway, &mut client(), rawdoc! { "endSessions": [id, lsid(1)], "$db": "admin" }).await;
    assert_eq!(gateway.sessions.count(), 0);
    let many: RawArrayBuf = (0..10_001).map(|_| lsid(1)).collect();
    let body = rawdoc! { "endSessions": many, "$db": "admin" };
    assert_eq!(code(&ask(&gateway, &mut client(), body).await), 2);
}

#[tokio::test]
async fn what_the_client_asks_beyond_one_node_is_said() {
    let table = [
        (rawdoc! { "w": 1 }, 0),
        (rawdoc! { "w": "majority" }, 0),
        (rawdoc! { "w": 2 }, 100),
        (rawdoc! { "w": "elsewhere" }, 79),
    ];
    for (concern, expected) in table {
        let gateway = gateway();
        ask(&gateway, &mut client(), statement(true)).await;
        let mut body = end("commitTransaction", 1);
        body.append(bson::raw::cstr!("writeConcern"), concern.clone());
        let reply = ask(&gateway, &mut client(), body).await;
        assert_eq!(code(&reply), 0);
        let found = reply
            .get_document("writeConcernError")
            .map_or(0, |error| error.get_i32("code").unwrap());
        assert_eq!(found, expected, "{concern:?}");
    }
}

#[tokio::test]
async fn what_fails_says_that_its_write_concern_is_missed_too() {
    // A transaction that may have ended elsewhere does not begin again.
    let table = [(1, 0, vec!["TransientTransactionError"]), (2, 100, vec![])];
    for (nodes, expected, expected_labels) in table {
        let mut body = end("abortTransaction", 1);
        body.append(bson::raw::cstr!("writeConcern"), rawdoc! { "w": nodes });
        let reply = ask(&gateway(), &mut client(), body).await;
        assert_eq!(code(&reply), 251);
        let found = reply
            .get_document("writeConcernError")
            .map_or(0, |error| error.get_i32("code").unwrap());
        assert_eq!(found, expected, "w: {nodes}");
        assert_eq!(labels(&reply), expected_labels, "w: {nodes}");
    }
}
