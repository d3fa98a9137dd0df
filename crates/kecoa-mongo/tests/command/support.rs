//! A gateway without a database, a client, and one value of each type.

use bson::oid::ObjectId;
use bson::raw::{CString, RawJavaScriptCodeWithScope};
use bson::spec::BinarySubtype;
use bson::{
    Binary, DateTime, Decimal128, RawArrayBuf, RawBson, RawDocument, RawDocumentBuf, Regex,
    Timestamp, rawdoc,
};
use kecoa_mongo::command::{Connection, Gateway, Next, Options, Outcome, ReplicaSet};
use kecoa_mongo::wire::{Envelope, Request};

/// One value of each type, and its name.
pub(crate) fn samples() -> Vec<(&'static str, RawBson)> {
    let mut array = RawArrayBuf::new();
    array.push(1);
    vec![
        ("double", RawBson::Double(1.0)),
        ("string", RawBson::String("x".to_owned())),
        ("object", RawBson::Document(rawdoc! { "x": 1 })),
        ("array", RawBson::Array(array)),
        ("binData", RawBson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: vec![1; 16] })),
        ("undefined", RawBson::Undefined),
        ("objectId", RawBson::ObjectId(ObjectId::from_bytes([1; 12]))),
        ("bool", RawBson::Boolean(true)),
        ("date", RawBson::DateTime(DateTime::from_millis(1))),
        ("null", RawBson::Null),
        (
            "regex",
            RawBson::RegularExpression(Regex {
                pattern: CString::try_from("x").unwrap(),
                options: CString::try_from("").unwrap(),
            }),
        ),
        ("dbPointer", db_pointer()),
        ("javascript", RawBson::JavaScriptCode("x".to_owned())),
        ("symbol", RawBson::Symbol("x".to_owned())),
        (
            "javascriptWithScope",
            RawBson::JavaScriptCodeWithScope(RawJavaScriptCodeWithScope {
                code: "x".to_owned(),
                scope: rawdoc! {},
            }),
        ),
        ("int", RawBson::Int32(1)),
        ("timestamp", RawBson::Timestamp(Timestamp { time: 1, increment: 1 })),
        ("long", RawBson::Int64(1)),
        ("decimal", RawBson::Decimal128("1".parse::<Decimal128>().unwrap())),
        ("minKey", RawBson::MinKey),
        ("maxKey", RawBson::MaxKey),
    ]
}

/// The library can read one but not make one.
fn db_pointer() -> RawBson {
    let mut bytes = vec![0, 0, 0, 0, 0x0c, b'p', 0, 2, 0, 0, 0, b'x', 0];
    bytes.extend([1; 12]);
    bytes.push(0);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    let document = RawDocumentBuf::from_bytes(bytes).unwrap();
    document.get("p").unwrap().unwrap().into()
}

/// A gateway as a mongos, with test commands.
pub(crate) fn gateway() -> Gateway {
    Gateway::new(Options { test_commands: true, ..Options::default() })
}

/// A gateway as a replica set, with test commands.
pub(crate) fn replica_set() -> Gateway {
    let replica_set =
        Some(ReplicaSet { name: "rs".to_owned(), host: "localhost:27017".to_owned() });
    Gateway::new(Options { replica_set, test_commands: true, ..Options::default() })
}

/// A client.
pub(crate) fn client() -> Connection {
    Connection::new(1, None, None)
}

/// The outcome of a command.
pub(crate) async fn send(
    gateway: &Gateway,
    connection: &mut Connection,
    body: RawDocumentBuf,
) -> Outcome {
    gateway.handle(connection, Request::new(body)).await
}

/// The outcome of a command that takes several replies.
pub(crate) async fn send_exhaust(
    gateway: &Gateway,
    connection: &mut Connection,
    body: RawDocumentBuf,
) -> Outcome {
    let envelope =
        Envelope { is_reply_expected: true, is_exhaust_allowed: true, ..Envelope::default() };
    gateway.handle(connection, Request::new(body).with_envelope(envelope)).await
}

/// The reply to a command.
pub(crate) async fn ask(
    gateway: &Gateway,
    connection: &mut Connection,
    body: RawDocumentBuf,
) -> RawDocumentBuf {
    let outcome = send(gateway, connection, body).await;
    assert!(matches!(outcome.next, Next::Await));
    outcome.reply.unwrap().into_document()
}

/// The code of a reply; 0 when it is ok.
pub(crate) fn code(reply: &RawDocument) -> i32 {
    if reply.get_f64("ok").unwrap() == 1.0 { 0 } else { reply.get_i32("code").unwrap() }
}

/// The labels of a reply.
pub(crate) fn labels(reply: &RawDocument) -> Vec<String> {
    let Ok(labels) = reply.get_array("errorLabels") else {
        return Vec::new();
    };
    labels.into_iter().map(|label| label.unwrap().as_str().unwrap().to_owned()).collect()
}
