//! Exact bytes, in and out.

use std::slice;

use bson::{RawDocumentBuf, rawdoc};
use bytes::BytesMut;
use kecoa_mongo::error::{Code, Error, Label};
use kecoa_mongo::wire::{Compressor, Delivery, Envelope, Incoming, Kind, Reply};

use crate::support::{body, message, msg, query, read, request, sequence, summed};

#[test]
fn a_request_is_what_its_bytes_say() {
    // As PyMongo sends it: ping with a session.
    let bytes = b"\x37\0\0\0\x2a\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\
        \0\x22\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\x08a\0\x01\0";
    let request = request(bytes);
    assert_eq!(request.id(), 42);
    assert_eq!(request.kind(), Kind::Msg);
    assert!(request.is_reply_expected());
    assert!(!request.is_exhaust_allowed());
    assert_eq!(request.compressor(), None);
    assert_eq!(request.command_name(), "ping");
    assert_eq!(request.body(), &*rawdoc! { "ping": 1, "$db": "admin", "a": true });
    assert!(request.sequences().is_empty());
}

#[test]
fn flags_are_read_and_unknown_ones_above_bit_15_are_ignored() {
    let ping = rawdoc! { "ping": 1 };
    for (flags, expected, exhaust) in [
        (0, true, false),
        (1 << 1, false, false),
        (1 << 16, true, true),
        (1 << 1 | 1 << 16, false, true),
        (0xffff << 16, true, true),
        (0xfffe << 16, true, false),
    ] {
        for bytes in [msg(flags, &[body(&ping)]), summed(flags, &[body(&ping)])] {
            let request = request(&bytes);
            assert_eq!(request.is_reply_expected(), expected, "{flags:x}");
            assert_eq!(request.is_exhaust_allowed(), exhaust, "{flags:x}");
        }
    }
}

#[test]
fn sections_come_in_any_order() {
    let command = rawdoc! { "insert": "c", "$db": "d" };
    let documents = [rawdoc! { "a": 1 }, rawdoc! { "b": 2, "b": 3 }, rawdoc! {}];
    let sections = [body(&command), sequence("documents", &documents), sequence("others", &[])];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let sections = order.map(|at| sections[at].clone());
        for bytes in [msg(0, &sections), summed(0, &sections)] {
            let request = request(&bytes);
            assert_eq!(request.body(), &*command);
            assert_eq!(request.sequences().len(), 2);
            let found = request.sequence("documents").unwrap();
            assert_eq!(found.len(), 3);
            assert!(found.is_storable());
            let all: Vec<RawDocumentBuf> = found.iter().map(ToOwned::to_owned).collect();
            assert_eq!(all, documents);
            assert_eq!(found.get(1).unwrap(), &*documents[1]);
            assert!(found.get(3).is_none());
            assert!(request.sequence("others").unwrap().is_empty());
            assert!(request.sequence("other").is_none());
        }
    }
}

#[test]
fn a_document_that_may_not_be_stored_is_noticed() {
    let mut deep = rawdoc! {};
    for _ in 1..101 {
        deep = rawdoc! { "a": deep };
    }
    let large = rawdoc! { "a": "x".repeat(16 * 1024 * 1024) };
    for document in [deep, large] {
        let sections =
            [body(&rawdoc! { "insert": "c" }), sequence("documents", slice::from_ref(&document))];
        let request = request(&msg(0, &sections));
        let found = request.sequence("documents").unwrap();
        assert!(!found.is_storable());
        assert_eq!(found.get(0).unwrap(), &*document);
    }
}

#[test]
fn the_old_handshake_is_read() {
    let hello = rawdoc! { "isMaster": 1, "helloOk": true };
    let expected = rawdoc! { "isMaster": 1, "helloOk": true, "$db": "admin" };
    for document in [
        hello.clone(),
        rawdoc! { "$query": hello.clone(), "$readPreference": { "mode": "nearest" } },
        rawdoc! { "query": hello },
    ] {
        let request = request(&query("admin.$cmd", document.as_bytes()));
        assert_eq!(request.kind(), Kind::Query);
        assert_eq!(request.body(), &*expected);
        assert_eq!(request.command_name(), "isMaster");
    }
    let other = rawdoc! { "hello": 1, "$db": "x" };
    let request = request(&query("some.db.$cmd", other.as_bytes()));
    assert_eq!(request.body(), &*rawdoc! { "hello": 1, "$db": "some.db" });
}

fn encoded(reply: &Reply, to: &Envelope, delivery: &Delivery) -> Vec<u8> {
    let mut output = BytesMut::from(&b"before"[..]);
    reply.encode(to, delivery, &mut output);
    assert_eq!(&output[..6], b"before");
    output[6..].to_vec()
}

#[test]
fn a_reply_has_the_form_of_its_request() {
    let reply = Reply::new(rawdoc! { "ok": 1.0 });
    let document = b"\x11\0\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\0";
    let delivery = Delivery { id: 9, response_to: -2, more_to_come: false, compressor: None };
    let msg = Envelope::default();
    assert_eq!(
        encoded(&reply, &msg, &delivery),
        [b"\x26\0\0\0\x09\0\0\0\xfe\xff\xff\xff\xdd\x07\0\0\0\0\0\0\0".as_slice(), document]
            .concat()
    );
    let more = Delivery { more_to_come: true, ..delivery };
    assert_eq!(
        encoded(&reply, &msg, &more),
        [b"\x26\0\0\0\x09\0\0\0\xfe\xff\xff\xff\xdd\x07\0\0\x02\0\0\0\0".as_slice(), document]
            .concat()
    );
    let query = Envelope { kind: Kind::Query, ..msg };
    let header = b"\x35\0\0\0\x09\0\0\0\xfe\xff\xff\xff\x01\0\0\0\
        \x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    assert_eq!(encoded(&reply, &query, &delivery), [header.as_slice(), document].concat());
    let noop = Delivery { compressor: Some(Compressor::Noop), ..delivery };
    let header = b"\x2f\0\0\0\x09\0\0\0\xfe\xff\xff\xff\xdc\x07\0\0\
        \xdd\x07\0\0\x16\0\0\0\0\0\0\0\0\0";
    assert_eq!(encoded(&reply, &msg, &noop), [header.as_slice(), document].concat());
}

#[test]
fn a_query_that_is_refused_is_a_failed_one() {
    for bytes in [query("db.c", rawdoc! {}.as_bytes()), message(2005, &[])] {
        let Incoming::Refused(refused) = read(&bytes).unwrap() else { panic!() };
        let delivery = Delivery { id: 1, response_to: 7, more_to_come: false, compressor: None };
        let bytes = encoded(&refused.reply, &refused.envelope, &delivery);
        // OP_REPLY, with QueryFailure.
        assert_eq!(bytes[12..20], [1, 0, 0, 0, 2, 0, 0, 0]);
        let document = refused.reply.document();
        assert_eq!(document.get_str("$err").unwrap(), document.get_str("errmsg").unwrap());
        assert_eq!(document.get_str("codeName").unwrap(), "UnsupportedOpQueryCommand");
        assert_eq!(document.get_f64("ok").unwrap().to_bits(), 0);
    }
}

#[test]
fn an_error_is_told_with_all_that_drivers_read() {
    let error = Error::new(Code::DUPLICATE_KEY, "E11000 dup")
        .with_label(Label::TransientTransactionError)
        .with_details(rawdoc! { "keyValue": { "a": 1 } });
    let expected = rawdoc! {
        "ok": 0.0,
        "errmsg": "E11000 dup",
        "code": 11000,
        "codeName": "DuplicateKey",
        "keyValue": { "a": 1 },
        "errorLabels": ["TransientTransactionError"],
    };
    assert_eq!(Reply::error(&error).document(), &*expected);
    let plain = Reply::error(&Error::location(40415, "x"));
    let expected = rawdoc! { "ok": 0.0, "errmsg": "x", "code": 40415, "codeName": "Location40415" };
    assert_eq!(plain.document(), &*expected);
}
