//! Fault injection: every mode and option.

use std::time::{Duration, Instant};

use bson::spec::BinarySubtype;
use bson::{Binary, RawBson, RawDocumentBuf, rawdoc};
use kecoa_mongo::command::{Gateway, Next, Options};

use crate::support::{ask, client, code, gateway, labels, send};

fn ping() -> RawDocumentBuf {
    rawdoc! { "ping": 1, "$db": "admin" }
}

fn always() -> RawBson {
    RawBson::String("alwaysOn".to_owned())
}

fn once() -> RawBson {
    RawBson::Document(rawdoc! { "times": 1 })
}

async fn set(gateway: &Gateway, mode: RawBson, data: RawDocumentBuf) -> RawDocumentBuf {
    let body =
        rawdoc! { "configureFailPoint": "failCommand", "$db": "admin", "mode": mode, "data": data };
    ask(gateway, &mut client(), body).await
}

/// The codes of so many pings.
async fn pings(gateway: &Gateway, count: usize) -> Vec<i32> {
    let mut codes = Vec::new();
    for _ in 0..count {
        codes.push(code(&ask(gateway, &mut client(), ping()).await));
    }
    codes
}

#[tokio::test]
async fn modes() {
    let data = rawdoc! { "failCommands": ["ping"], "errorCode": 91 };
    let off = || RawBson::String("off".to_owned());
    let mode = RawBson::Document;
    let table: Vec<(RawBson, Vec<i32>)> = vec![
        (off(), vec![0, 0, 0, 0]),
        (always(), vec![91, 91, 91, 91]),
        (mode(rawdoc! { "times": 2 }), vec![91, 91, 0, 0]),
        (mode(rawdoc! { "times": 0 }), vec![0, 0, 0, 0]),
        (mode(rawdoc! { "skip": 2 }), vec![0, 0, 91, 91]),
        (mode(rawdoc! { "activationProbability": 0.0 }), vec![0, 0, 0, 0]),
        (mode(rawdoc! { "activationProbability": 1.0 }), vec![91, 91, 91, 91]),
    ];
    for (mode, expected) in table {
        let gateway = gateway();
        assert_eq!(code(&set(&gateway, mode.clone(), data.clone()).await), 0);
        assert_eq!(pings(&gateway, 4).await, expected, "{mode:?}");
        let count = i64::try_from(expected.iter().filter(|code| **code != 0).count()).unwrap();
        let reply = set(&gateway, off(), rawdoc! {}).await;
        assert_eq!(reply.get_i64("count").unwrap(), count);
        assert_eq!(pings(&gateway, 1).await, [0]);
    }
}

#[tokio::test]
async fn wrong_modes_are_refused() {
    let modes = [
        rawdoc! { "m": "on" },
        rawdoc! { "m": 1 },
        rawdoc! { "m": {} },
        rawdoc! { "m": { "times": -1 } },
        rawdoc! { "m": { "times": "x" } },
        rawdoc! { "m": { "activationProbability": 2.0 } },
    ];
    for mode in modes {
        let mode: RawBson = mode.get("m").unwrap().unwrap().into();
        assert_eq!(code(&set(&gateway(), mode.clone(), rawdoc! {}).await), 2, "{mode:?}");
    }
    let body = rawdoc! { "configureFailPoint": "nobody", "$db": "admin", "mode": "off" };
    assert_eq!(code(&ask(&gateway(), &mut client(), body).await), 2);
    let body = rawdoc! { "configureFailPoint": "failCommand", "$db": "admin" };
    assert_eq!(code(&ask(&gateway(), &mut client(), body.clone()).await), 40414);
    let without = Gateway::new(Options::default());
    assert_eq!(code(&ask(&without, &mut client(), body).await), 59);
}

#[tokio::test]
async fn only_what_is_meant_fails() {
    let gateway = gateway();
    set(&gateway, always(), rawdoc! { "failCommands": ["hello"], "errorCode": 91 }).await;
    assert_eq!(pings(&gateway, 1).await, [0]);
    assert_eq!(
        code(&ask(&gateway, &mut client(), rawdoc! { "hello": 1, "$db": "admin" }).await),
        91
    );
    set(&gateway, always(), rawdoc! { "failCommands": ["ismaster"], "errorCode": 91 }).await;
    assert_eq!(
        code(&ask(&gateway, &mut client(), rawdoc! { "isMaster": 1, "$db": "admin" }).await),
        91
    );
    set(
        &gateway,
        always(),
        rawdoc! { "failCommands": ["ping"], "errorCode": 91, "namespace": "test" },
    )
    .await;
    assert_eq!(pings(&gateway, 1).await, [0]);
    assert_eq!(code(&ask(&gateway, &mut client(), rawdoc! { "ping": 1, "$db": "test" }).await), 91);
    set(
        &gateway,
        always(),
        rawdoc! { "failCommands": ["ping"], "errorCode": 91, "appName": "mine" },
    )
    .await;
    assert_eq!(pings(&gateway, 1).await, [0]);
    let mut named = client();
    named.metadata = Some(rawdoc! { "application": { "name": "mine" } });
    assert_eq!(code(&ask(&gateway, &mut named, ping()).await), 91);
    set(&gateway, always(), rawdoc! { "failCommands": ["configureFailPoint"], "errorCode": 91 })
        .await;
    let off = RawBson::String("off".to_owned());
    assert_eq!(code(&set(&gateway, off, rawdoc! {}).await), 0, "it can always be turned off");
}

#[tokio::test]
async fn it_closes_blocks_and_labels() {
    let gateway = gateway();
    set(&gateway, once(), rawdoc! { "failCommands": ["ping"], "closeConnection": true }).await;
    let outcome = send(&gateway, &mut client(), ping()).await;
    assert!(outcome.reply.is_none());
    assert!(matches!(outcome.next, Next::Close));
    let data = rawdoc! { "failCommands": ["ping"], "blockConnection": true, "blockTimeMS": 50 };
    set(&gateway, once(), data).await;
    let start = Instant::now();
    assert_eq!(pings(&gateway, 1).await, [0]);
    assert!(start.elapsed() >= Duration::from_millis(50));
    let names = ["RetryableWriteError", "NoWritesPerformed"];
    let data =
        rawdoc! { "failCommands": ["ping"], "errorCode": 91, "errorLabels": [names[0], names[1]] };
    set(&gateway, once(), data).await;
    assert_eq!(labels(&ask(&gateway, &mut client(), ping()).await), names);
    let error = rawdoc! { "code": 91, "errmsg": "x", "errInfo": { "a": 1 } };
    set(&gateway, once(), rawdoc! { "failCommands": ["ping"], "writeConcernError": error }).await;
    let reply = ask(&gateway, &mut client(), ping()).await;
    assert_eq!(code(&reply), 0);
    let error = reply.get_document("writeConcernError").unwrap();
    assert_eq!((error.get_i32("code").unwrap(), error.get_str("errmsg").unwrap()), (91, "x"));
    assert_eq!(error.get_document("errInfo").unwrap().get_i32("a").unwrap(), 1);
    let bare = rawdoc! { "code": 91 };
    let data = rawdoc! { "failCommands": ["ping"], "writeConcernError": bare.clone() };
    set(&gateway, once(), data).await;
    let reply = ask(&gateway, &mut client(), ping()).await;
    assert_eq!(reply.get_document("writeConcernError").unwrap(), &*bare, "as it was given");
    assert_eq!(pings(&gateway, 1).await, [0]);
}

#[tokio::test]
async fn the_first_hello_has_the_name_that_it_gives() {
    let hello = |name: &str| {
        let client = rawdoc! {
            "application": { "name": name }, "driver": { "name": "d", "version": "1" }, "os": { "type": "o" },
        };
        rawdoc! { "hello": 1, "$db": "admin", "client": client }
    };
    let gateway = gateway();
    let data = rawdoc! { "failCommands": ["hello"], "errorCode": 91, "appName": "meant" };
    set(&gateway, always(), data).await;
    for (name, expected) in [("meant", 91), ("other", 0)] {
        assert_eq!(code(&ask(&gateway, &mut client(), hello(name)).await), expected, "{name}");
    }
    let mut greeted = client();
    set(&gateway, RawBson::String("off".to_owned()), rawdoc! {}).await;
    assert_eq!(code(&ask(&gateway, &mut greeted, hello("meant")).await), 0);
    let data = rawdoc! { "failCommands": ["ping"], "errorCode": 91, "appName": "meant" };
    set(&gateway, always(), data).await;
    assert_eq!(code(&ask(&gateway, &mut greeted, ping()).await), 91);
    assert_eq!(pings(&gateway, 1).await, [0]);
}

#[tokio::test]
async fn labels_follow_the_rules_where_none_are_given() {
    let lsid = rawdoc! { "id": Binary { subtype: BinarySubtype::Uuid, bytes: vec![1; 16] } };
    let body = rawdoc! {
        "commitTransaction": 1, "$db": "admin", "lsid": lsid, "txnNumber": 1_i64, "autocommit": false,
    };
    let names = || rawdoc! { "failCommands": ["commitTransaction"] };
    let table = [
        (rawdoc! { "errorCode": 91 }, vec!["RetryableWriteError"]),
        (rawdoc! { "errorCode": 251 }, vec!["TransientTransactionError"]),
        (rawdoc! { "errorCode": 50 }, vec![]),
        (rawdoc! { "errorCode": 91, "errorLabels": [] }, vec![]),
        (rawdoc! { "errorCode": 462 }, vec!["SystemOverloadedError", "RetryableError"]),
    ];
    for (data, expected) in table {
        let gateway = gateway();
        let mut all = names();
        for (name, value) in data.iter().flatten() {
            all.append(name, value);
        }
        set(&gateway, always(), all).await;
        assert_eq!(labels(&ask(&gateway, &mut client(), body.clone()).await), expected, "{data:?}");
    }
}

#[tokio::test]
async fn time_limits_can_be_over_at_once() {
    let gateway = gateway();
    let body = rawdoc! { "configureFailPoint": "maxTimeAlwaysTimeOut", "$db": "admin", "mode": "alwaysOn" };
    assert_eq!(code(&ask(&gateway, &mut client(), body).await), 0);
    assert_eq!(pings(&gateway, 1).await, [0]);
    let body = rawdoc! { "ping": 1, "$db": "admin", "maxTimeMS": 10_000 };
    assert_eq!(code(&ask(&gateway, &mut client(), body).await), 50);
}

#[test]
fn fail_points_of_one_kind_of_command() {
    use bson::RawBsonRef;
    use kecoa_mongo::command::fail_points::{FAIL_GET_MORE, FailPoints, TRANSACTIONAL_WRITE};
    // Whether the connection is closed, and the code; `None`: nothing happens.
    let table = [
        (FAIL_GET_MORE, rawdoc! { "errorCode": 280 }, Some((false, 280))),
        (FAIL_GET_MORE, rawdoc! { "errorCode": 280, "closeConnection": true }, Some((true, 280))),
        (FAIL_GET_MORE, rawdoc! { "closeConnection": true }, Some((true, 0))),
        (TRANSACTIONAL_WRITE, rawdoc! {}, Some((true, 0))),
        (TRANSACTIONAL_WRITE, rawdoc! { "failBeforeCommitExceptionCode": 1 }, Some((true, 1))),
        (
            TRANSACTIONAL_WRITE,
            rawdoc! { "failBeforeCommitExceptionCode": 1, "closeConnection": false },
            Some((false, 1)),
        ),
    ];
    for (name, data, expected) in table {
        let points = FailPoints::default();
        assert!(points.trip(name, 1).is_none());
        let mode = rawdoc! { "times": 1 };
        assert_eq!(points.configure(name, RawBsonRef::Document(&mode), Some(&data)).unwrap(), 0);
        let found = points
            .trip(name, 1)
            .map(|tripped| (tripped.close, tripped.error.map_or(0, |error| error.code().number())));
        assert_eq!(found, expected, "{name} {data:?}");
        assert!(points.trip(name, 1).is_none(), "once");
    }
}

#[test]
fn every_write_of_a_command_meets_the_fail_point() {
    use bson::RawBsonRef;
    use kecoa_mongo::command::fail_points::{FailPoints, TRANSACTIONAL_WRITE};
    // The mode, how many writes the commands have, and which of the commands meet it.
    let table = [
        (rawdoc! { "times": 3 }, vec![2, 2, 1], vec![true, true, false]),
        (rawdoc! { "times": 1 }, vec![0, 2, 1], vec![false, true, false]),
        (rawdoc! { "skip": 3 }, vec![3, 1, 1], vec![false, true, true]),
        (rawdoc! { "skip": 3 }, vec![4, 1], vec![true, true]),
    ];
    for (mode, writes, expected) in table {
        let points = FailPoints::default();
        points.configure(TRANSACTIONAL_WRITE, RawBsonRef::Document(&mode), None).unwrap();
        assert!(!points.fails_before(TRANSACTIONAL_WRITE));
        let met: Vec<_> =
            writes.iter().map(|count| points.trip(TRANSACTIONAL_WRITE, *count).is_some()).collect();
        assert_eq!(met, expected, "{mode:?} {writes:?}");
    }
    let points = FailPoints::default();
    let data = rawdoc! { "failBeforeCommitExceptionCode": 1 };
    for (mode, expected) in [("alwaysOn", true), ("off", false)] {
        let mode = RawBsonRef::String(mode);
        points.configure(TRANSACTIONAL_WRITE, mode, Some(&data)).unwrap();
        assert_eq!(points.fails_before(TRANSACTIONAL_WRITE), expected);
    }
}
