//! What all commands go through: names, databases, times, concerns, authentication.

use std::sync::Arc;
use std::time::Instant;

use bson::spec::BinarySubtype;
use bson::{Binary, RawDocumentBuf, Timestamp, rawdoc};
use kecoa_mongo::auth::Access;
use kecoa_mongo::command::{Gateway, Login, Next, Options};
use kecoa_mongo::wire::{Envelope, Request};
use uuid::Uuid;

use crate::support::{ask, client, code, gateway};

fn lsid() -> RawDocumentBuf {
    rawdoc! { "id": Binary { subtype: BinarySubtype::Uuid, bytes: vec![1; 16] } }
}

#[tokio::test]
async fn commands_are_found_and_refused() {
    let long = "x".repeat(64);
    let table: Vec<(RawDocumentBuf, i32)> = vec![
        (rawdoc! { "ping": 1, "$db": "admin" }, 0),
        (rawdoc! { "ping": {}, "$db": "test" }, 0),
        (rawdoc! { "ping": null, "$db": "test" }, 0),
        (rawdoc! { "ping": 1, "$db": "test", "unknown": 1 }, 0),
        (rawdoc! {}, 59),
        (rawdoc! { "nobody": 1, "$db": "admin" }, 59),
        (rawdoc! { "Ping": 1, "$db": "admin" }, 59),
        (rawdoc! { "": 1, "$db": "admin" }, 59),
        (rawdoc! { "atlasVersion": 1, "$db": "admin" }, 59),
        (rawdoc! { "ping": 1 }, 40571),
        (rawdoc! { "ping": 1, "$db": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "" }, 73),
        (rawdoc! { "ping": 1, "$db": "a.b" }, 73),
        (rawdoc! { "ping": 1, "$db": "a b" }, 73),
        (rawdoc! { "ping": 1, "$db": "a/b" }, 73),
        (rawdoc! { "ping": 1, "$db": "a\\b" }, 73),
        (rawdoc! { "ping": 1, "$db": "a\"b" }, 73),
        (rawdoc! { "ping": 1, "$db": "a$b" }, 73),
        (rawdoc! { "ping": 1, "$db": long.as_str() }, 73),
        (rawdoc! { "ping": 1, "$db": &long[1..] }, 0),
        (rawdoc! { "ping": 1, "$db": "$external" }, 0),
        (rawdoc! { "getParameter": "*", "$db": "test" }, 13),
        (rawdoc! { "ping": 1, "$db": "admin", "maxTimeMS": -1 }, 2),
        (rawdoc! { "ping": 1, "$db": "admin", "maxTimeMS": 0 }, 0),
        (rawdoc! { "ping": 1, "$db": "admin", "maxTimeMS": 2_147_483_648_i64 }, 2),
        (rawdoc! { "ping": 1, "$db": "admin", "maxTimeMS": "x" }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "comment": { "any": ["type"] } }, 0),
        (rawdoc! { "ping": 1, "$db": "admin", "writeConcern": {} }, 72),
        (rawdoc! { "ping": 1, "$db": "admin", "readConcern": { "level": "local" } }, 0),
        (rawdoc! { "ping": 1, "$db": "admin", "readConcern": { "level": "majority" } }, 72),
        (rawdoc! { "ping": 1, "$db": "admin", "readConcern": { "level": "snapshot" } }, 72),
        (rawdoc! { "ping": 1, "$db": "admin", "readConcern": { "level": "x" } }, 2),
        (rawdoc! { "ping": 1, "$db": "admin", "readConcern": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "lsid": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "lsid": {} }, 40414),
        (rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid() }, 0),
        (rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid(), "txnNumber": 1 }, 14),
        (rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid(), "txnNumber": 1_i64 }, 50768),
        (rawdoc! { "ping": 1, "$db": "admin", "txnNumber": 1_i64 }, 72),
        (rawdoc! { "ping": 1, "$db": "admin", "autocommit": false }, 72),
        (
            rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid(), "txnNumber": 1_i64, "autocommit": false },
            263,
        ),
        (rawdoc! { "killSessions": 1, "$db": "admin" }, 14),
        (rawdoc! { "killSessions": null, "$db": "admin" }, 40414),
        (rawdoc! { "killSessions": [1], "$db": "admin" }, 14),
        (rawdoc! { "killSessions": [{}], "$db": "admin" }, 40414),
        (rawdoc! { "endSessions": [lsid()], "$db": "admin", "x": 1 }, 40415),
        (rawdoc! { "createSearchIndexes": 1, "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": null, "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": "", "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": "$x", "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": ".x", "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": "x.", "$db": "test", "indexes": [] }, 31082),
        (rawdoc! { "createSearchIndexes": "x".repeat(251), "$db": "test", "indexes": [] }, 73),
        (rawdoc! { "createSearchIndexes": "x", "$db": "test" }, 40414),
        (rawdoc! { "createSearchIndexes": "x", "$db": "test", "indexes": [] }, 31082),
    ];
    let gateway = gateway();
    for (body, expected) in table {
        let reply = ask(&gateway, &mut client(), body.clone()).await;
        assert_eq!(code(&reply), expected, "{body:?}: {reply:?}");
    }
    let reply = ask(&gateway, &mut client(), rawdoc! { "nobody": 1, "$db": "admin" }).await;
    assert_eq!(reply.get_str("errmsg").unwrap(), "no such command: 'nobody'");
    assert_eq!(reply.get_str("codeName").unwrap(), "CommandNotFound");
}

#[tokio::test]
async fn replies_carry_the_time() {
    let gateway = gateway();
    let names = |reply: &RawDocumentBuf| {
        reply.iter().map(|field| field.unwrap().0.as_str().to_owned()).collect::<Vec<_>>()
    };
    let ping = rawdoc! { "ping": 1, "$db": "admin" };
    let reply = ask(&gateway, &mut client(), ping.clone()).await;
    assert_eq!(names(&reply), ["ok", "$clusterTime", "operationTime"]);
    let first = reply.get_timestamp("operationTime").unwrap();
    let signature = reply.get_document("$clusterTime").unwrap().get_document("signature").unwrap();
    assert_eq!(signature.get_binary("hash").unwrap().bytes, [0; 20]);
    assert_eq!(signature.get_i64("keyId").unwrap(), 0);
    let ahead = Timestamp { time: first.time + 100, increment: 5 };
    let mut seen = ping.clone();
    seen.append(bson::raw::cstr!("$clusterTime"), rawdoc! { "clusterTime": ahead });
    let reply = ask(&gateway, &mut client(), seen).await;
    assert!(reply.get_timestamp("operationTime").unwrap() >= ahead);
    let reply = ask(&gateway, &mut client(), ping).await;
    assert!(reply.get_timestamp("operationTime").unwrap() >= ahead, "it does not go back");
    let reply = ask(&gateway, &mut client(), rawdoc! { "nobody": 1, "$db": "admin" }).await;
    assert_eq!(
        names(&reply),
        ["ok", "errmsg", "code", "codeName", "$clusterTime", "operationTime"]
    );
}

#[tokio::test]
async fn nobody_answers_who_expects_no_reply() {
    let request =
        Request::new(rawdoc! { "nobody": 1, "$db": "admin" }).with_envelope(Envelope::default());
    let outcome = gateway().handle(&mut client(), request).await;
    assert!(outcome.reply.is_none());
    assert!(matches!(outcome.next, Next::Await));
}

#[tokio::test]
async fn who_is_not_logged_in_may_do_little() {
    let gateway =
        Gateway::new(Options { authentication: true, test_commands: true, ..Options::default() });
    let table = [
        (rawdoc! { "ping": 1, "$db": "admin" }, 0),
        (rawdoc! { "hello": 1, "$db": "admin" }, 0),
        (rawdoc! { "isMaster": 1, "$db": "admin" }, 0),
        (rawdoc! { "buildInfo": 1, "$db": "admin" }, 0),
        (rawdoc! { "whatsmyuri": 1, "$db": "admin" }, 0),
        (rawdoc! { "endSessions": [], "$db": "admin" }, 0),
        (rawdoc! { "getParameter": "*", "$db": "admin" }, 13),
        (rawdoc! { "serverStatus": 1, "$db": "admin" }, 13),
        (rawdoc! { "hostInfo": 1, "$db": "admin" }, 13),
        (rawdoc! { "nobody": 1, "$db": "admin" }, 59),
    ];
    for (body, expected) in table {
        let reply = ask(&gateway, &mut client(), body.clone()).await;
        assert_eq!(code(&reply), expected, "{body:?}");
    }
    let reply = ask(&gateway, &mut client(), rawdoc! { "hostInfo": 1, "$db": "admin" }).await;
    assert_eq!(reply.get_str("errmsg").unwrap(), "Command hostInfo requires authentication");
}

fn login() -> Login {
    Login {
        user: "u".to_owned(),
        database: "admin".to_owned(),
        id: Uuid::nil(),
        roles: Vec::new(),
        access: Arc::new(Access::of(&[])),
        changes: 0,
        since: Instant::now(),
    }
}

#[tokio::test]
async fn sessions_belong_to_users() {
    let gateway = gateway();
    let mut connection = client();
    connection.login = Some(login());
    ask(&gateway, &mut connection, rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid() }).await;
    ask(&gateway, &mut client(), rawdoc! { "ping": 1, "$db": "admin", "lsid": lsid() }).await;
    assert_eq!(gateway.sessions.count(), 2);
    let reply =
        ask(&gateway, &mut client(), rawdoc! { "endSessions": [lsid()], "$db": "admin" }).await;
    assert_eq!(code(&reply), 0);
    assert_eq!(gateway.sessions.count(), 1);
}
