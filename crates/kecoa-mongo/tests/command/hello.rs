//! hello in both roles, streaming, compression, metadata.

use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{RawDocumentBuf, rawdoc};
use kecoa_mongo::command::{Connection, Gateway, Next};

use crate::support::{ask, client, code, gateway, replica_set, send_exhaust};

fn hello() -> RawDocumentBuf {
    rawdoc! { "hello": 1, "$db": "admin" }
}

#[tokio::test]
async fn a_mongos_says_so() {
    let reply = ask(&gateway(), &mut client(), hello()).await;
    assert_eq!(reply.get_str("msg").unwrap(), "isdbgrid");
    assert!(reply.get_bool("isWritablePrimary").unwrap());
    assert_eq!(reply.get_i32("maxBsonObjectSize").unwrap(), 16_777_216);
    assert_eq!(reply.get_i32("maxMessageSizeBytes").unwrap(), 48_000_000);
    assert_eq!(reply.get_i32("maxWriteBatchSize").unwrap(), 100_000);
    assert_eq!(reply.get_i32("logicalSessionTimeoutMinutes").unwrap(), 30);
    assert_eq!(reply.get_i32("minWireVersion").unwrap(), 0);
    assert_eq!(reply.get_i32("maxWireVersion").unwrap(), 25);
    assert_eq!(reply.get_i32("connectionId").unwrap(), 1);
    assert!(!reply.get_bool("readOnly").unwrap());
    for absent in
        ["setName", "topologyVersion", "hosts", "serviceId", "helloOk", "compression", "ismaster"]
    {
        assert!(reply.get(absent).unwrap().is_none(), "{absent}");
    }
}

#[tokio::test]
async fn a_replica_set_has_one_member() {
    let reply = ask(&replica_set(), &mut client(), hello()).await;
    assert_eq!(reply.get_str("setName").unwrap(), "rs");
    assert_eq!(reply.get_str("primary").unwrap(), "localhost:27017");
    assert_eq!(reply.get_str("me").unwrap(), "localhost:27017");
    assert_eq!(reply.get_array("hosts").unwrap().get_str(0).unwrap(), "localhost:27017");
    assert!(!reply.get_bool("secondary").unwrap());
    assert_eq!(reply.get_document("topologyVersion").unwrap().get_i64("counter").unwrap(), 1);
    assert!(reply.get_document("lastWrite").is_ok());
    assert!(reply.get("msg").unwrap().is_none());
    let other = ask(&replica_set(), &mut client(), hello()).await;
    assert_eq!(
        reply.get_object_id("electionId").unwrap(),
        other.get_object_id("electionId").unwrap()
    );
}

#[tokio::test]
async fn old_names_answer_in_old_words() {
    for name in ["isMaster", "ismaster"] {
        let mut body = RawDocumentBuf::new();
        body.append(bson::raw::CString::try_from(name).unwrap(), 1);
        body.append(bson::raw::cstr!("$db"), "admin");
        body.append(bson::raw::cstr!("helloOk"), true);
        let reply = ask(&gateway(), &mut client(), body).await;
        assert!(reply.get_bool("ismaster").unwrap());
        assert!(reply.get_bool("helloOk").unwrap());
        assert!(reply.get("isWritablePrimary").unwrap().is_none());
    }
}

#[tokio::test]
async fn a_balanced_client_learns_which_gateway_it_has() {
    let gateway = gateway();
    let mut connection = client();
    let body = rawdoc! { "hello": 1, "$db": "admin", "loadBalanced": true };
    let reply = ask(&gateway, &mut connection, body).await;
    assert_eq!(reply.get_object_id("serviceId").unwrap(), gateway.process);
    assert!(connection.load_balanced);
}

#[tokio::test]
async fn compressors_are_those_of_both_in_the_clients_order() {
    let table = [
        (rawdoc! { "c": [] }, vec![]),
        (rawdoc! { "c": ["zlib"] }, vec!["zlib"]),
        (rawdoc! { "c": ["zstd", "snappy", "zlib"] }, vec!["zstd", "snappy", "zlib"]),
        (rawdoc! { "c": ["zlib", "unknown", "snappy", "zlib"] }, vec!["zlib", "snappy"]),
        (rawdoc! { "c": ["unknown", 1] }, vec![]),
    ];
    for (names, expected) in table {
        let names = names.get_array("c").unwrap().to_owned();
        let body = rawdoc! { "hello": 1, "$db": "admin", "compression": names };
        let mut connection = client();
        let reply = ask(&gateway(), &mut connection, body).await;
        let found: Vec<_> = match reply.get_array("compression") {
            Ok(names) => names.into_iter().map(|name| name.unwrap().as_str().unwrap()).collect(),
            Err(_) => Vec::new(),
        };
        assert_eq!(found, expected);
        assert_eq!(connection.compressors.len(), expected.len());
    }
}

fn metadata(name: &str) -> RawDocumentBuf {
    rawdoc! {
        "application": { "name": name },
        "driver": { "name": "PyMongo", "version": "4.20" },
        "os": { "type": "Linux" },
    }
}

#[tokio::test]
async fn metadata_is_said_once_and_checked() {
    let long = "x".repeat(129);
    let padding = "x".repeat(500);
    let driver = || rawdoc! { "name": "x", "version": "1" };
    let os = || rawdoc! { "type": "x" };
    let table = [
        (metadata("app"), 0),
        (metadata(&long[1..]), 0),
        (metadata(&long), 184),
        (rawdoc! { "driver": driver(), "os": os() }, 0),
        (rawdoc! { "driver": driver() }, 183),
        (rawdoc! { "os": os() }, 183),
        (rawdoc! { "driver": { "name": "x" }, "os": os() }, 183),
        (rawdoc! { "driver": driver(), "os": {} }, 183),
        (rawdoc! { "driver": driver(), "os": os(), "application": 1 }, 14),
        (rawdoc! { "driver": driver(), "os": os(), "application": { "name": 1 } }, 14),
        (rawdoc! { "driver": driver(), "os": os(), "platform": padding }, 51_013),
    ];
    for (document, expected) in table {
        let body = rawdoc! { "hello": 1, "$db": "admin", "client": document.clone() };
        assert_eq!(code(&ask(&gateway(), &mut client(), body).await), expected, "{document:?}");
    }
    let gateway = gateway();
    let mut connection = client();
    let body = rawdoc! { "hello": 1, "$db": "admin", "client": metadata("app") };
    assert_eq!(code(&ask(&gateway, &mut connection, body.clone()).await), 0);
    assert_eq!(connection.application(), Some("app"));
    assert_eq!(code(&ask(&gateway, &mut connection, body).await), 186);
    assert_eq!(code(&ask(&gateway, &mut connection, hello()).await), 0);
}

async fn stream(
    gateway: &Gateway,
    connection: &mut Connection,
    process: ObjectId,
    wait: i64,
) -> (Duration, Next) {
    let body = rawdoc! {
        "hello": 1,
        "$db": "admin",
        "topologyVersion": { "processId": process, "counter": 1_i64 },
        "maxAwaitTimeMS": wait,
    };
    let start = Instant::now();
    let outcome = send_exhaust(gateway, connection, body).await;
    assert_eq!(code(outcome.reply.unwrap().document()), 0);
    (start.elapsed(), outcome.next)
}

#[tokio::test]
async fn hello_streams() {
    let gateway = replica_set();
    let mut connection = client();
    // Another process was there before: the answer comes at once, the next one when the time is over.
    let (took, next) =
        stream(&gateway, &mut connection, ObjectId::from_bytes([1; 12]), 60_000).await;
    assert!(took < Duration::from_secs(30));
    let Next::Again(following) = next else { panic!("another reply follows") };
    let version = following.body().get_document("topologyVersion").unwrap();
    assert_eq!(version.get_object_id("processId").unwrap(), gateway.process);
    assert_eq!(following.command_name(), "hello");
    let (took, next) = stream(&gateway, &mut connection, gateway.process, 100).await;
    assert!(took >= Duration::from_millis(100));
    assert!(matches!(next, Next::Again(_)));
}

#[tokio::test]
async fn streaming_is_asked_in_full() {
    let version = rawdoc! { "processId": ObjectId::from_bytes([1; 12]), "counter": 1_i64 };
    let table = [
        (rawdoc! { "hello": 1, "$db": "admin", "maxAwaitTimeMS": 1 }, 51_764),
        (rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": version.clone() }, 51_764),
        (rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": {}, "maxAwaitTimeMS": 1 }, 14),
        (rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": 1, "maxAwaitTimeMS": 1 }, 14),
        (
            rawdoc! { "hello": 1, "$db": "admin", "topologyVersion": version, "maxAwaitTimeMS": -1 },
            51_024,
        ),
    ];
    for (body, expected) in table {
        assert_eq!(
            code(&ask(&replica_set(), &mut client(), body.clone()).await),
            expected,
            "{body:?}"
        );
    }
}
