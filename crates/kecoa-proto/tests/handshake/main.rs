//! Opening a connection, against a scripted server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod authentication;
mod base64;
mod support;

use bytes::Bytes;
use kecoa_proto::message::backend::{Authentication, Message, NegotiateProtocolVersion};
use kecoa_proto::message::startup::{ProtocolVersion, Startup};
use kecoa_proto::{
    Handshake, HandshakeError, Limits, Progress, ProtocolError, ServerError, SqlState,
    StartupConfig, TransactionStatus, UsageError,
};
use support::{advance, auth, bytes_of, config, parameter, ready, sent, waiting, welcome};

#[test]
fn trust() {
    let mut handshake = Handshake::new(config()).unwrap();
    assert_eq!(&sent(&mut handshake)[..], b"\0\0\0\x1d\0\x03\0\0user\0me\0database\0db\0\0");
    let connection = ready(advance(handshake, &welcome()));
    assert_eq!(connection.parameter("server_version"), Some("18.0"));
    assert_eq!(connection.parameter("TimeZone"), Some("Asia/Jakarta"));
    assert_eq!(connection.parameters().count(), 2);
    assert_eq!(connection.cancel_key().map(|key| key.process_id), Some(7));
    assert_eq!(connection.transaction_status(), TransactionStatus::Idle);
    assert_eq!(connection.protocol_version(), ProtocolVersion::V3_0);
    assert!(!connection.is_crdb());
}

#[test]
fn cockroachdb_is_known_by_its_parameter() {
    let mut messages = welcome();
    messages.insert(1, parameter("crdb_version", "CockroachDB CCL v26.2.0"));
    let connection = ready(advance(Handshake::new(config()).unwrap(), &messages));
    assert_eq!(connection.crdb_version(), Some("CockroachDB CCL v26.2.0"));
}

#[test]
fn one_byte_at_a_time() {
    let mut handshake = Handshake::new(config()).unwrap();
    let bytes = bytes_of(&welcome());
    for (at, byte) in bytes.iter().enumerate() {
        handshake.read_buffer().extend_from_slice(&[*byte]);
        match handshake.advance().unwrap() {
            Progress::NeedInput(again) => {
                assert!(again.read_hint() > 0);
                handshake = again;
            }
            Progress::Ready(_) => {
                assert_eq!(at + 1, bytes.len());
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("never ready");
}

#[test]
fn what_follows_ready_stays_for_the_connection() {
    let mut messages = welcome();
    messages.push(Message::NoticeResponse(
        ServerError::builder("NOTICE", SqlState::WARNING, "hi").build().unwrap(),
    ));
    let mut connection = ready(advance(Handshake::new(config()).unwrap(), &messages));
    let event = connection.poll_event().unwrap().unwrap();
    assert!(matches!(event, kecoa_proto::Event::Notice(_)));
}

#[test]
fn the_server_may_refuse() {
    let error = ServerError::builder("FATAL", SqlState::INVALID_PASSWORD, "no").build().unwrap();
    let result = advance(Handshake::new(config()).unwrap(), &[Message::ErrorResponse(error)]);
    match result.unwrap_err() {
        HandshakeError::Server(error) => assert_eq!(error.sqlstate(), SqlState::INVALID_PASSWORD),
        other => panic!("{other}"),
    }
}

#[test]
fn notices_come_one_by_one() {
    let notice = ServerError::builder("WARNING", SqlState::WARNING, "hm").build().unwrap();
    let mut messages = welcome();
    messages.insert(1, Message::NoticeResponse(notice));
    match advance(Handshake::new(config()).unwrap(), &messages).unwrap() {
        Progress::Notice(notice, handshake) => {
            assert_eq!(notice.message(), "hm");
            ready(handshake.advance());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tls_is_asked_for_first() {
    for (reply, accepted) in [(b"S", true), (b"N", false)] {
        let mut handshake = Handshake::new(config().tls(true)).unwrap();
        let mut bytes = sent(&mut handshake);
        assert_eq!(Startup::decode(&mut bytes, &Limits::default()).unwrap(), Some(Startup::Tls));
        assert_eq!(handshake.read_hint(), 1);
        let mut handshake = waiting(handshake.advance());
        assert_eq!(handshake.poll_transmit(), None);
        handshake.read_buffer().extend_from_slice(reply);
        let mut handshake = match handshake.advance().unwrap() {
            Progress::TlsAccepted(handshake) if accepted => handshake,
            Progress::TlsRefused(handshake) if !accepted => handshake,
            other => panic!("{other:?}"),
        };
        let mut bytes = sent(&mut handshake);
        let startup = Startup::decode(&mut bytes, &Limits::default()).unwrap();
        assert!(matches!(startup, Some(Startup::Startup { .. })));
        ready(advance(handshake, &welcome()));
    }
}

#[test]
fn bytes_behind_the_tls_reply_are_refused() {
    for reply in [&b"SE"[..], b"NE"] {
        let mut handshake = Handshake::new(config().tls(true)).unwrap();
        handshake.read_buffer().extend_from_slice(reply);
        let error = handshake.advance().unwrap_err();
        assert!(matches!(
            error,
            HandshakeError::Protocol(ProtocolError::BytesBehindTlsReply { found: 1 })
        ));
    }
}

#[test]
fn an_error_before_tls_is_not_shown() {
    let mut handshake = Handshake::new(config().tls(true)).unwrap();
    handshake.read_buffer().extend_from_slice(b"E\0\0\0\x10SFATAL\0Mevil\0\0");
    assert!(matches!(handshake.advance().unwrap_err(), HandshakeError::TlsErrorReply));
    let mut handshake = Handshake::new(config().tls(true)).unwrap();
    handshake.read_buffer().extend_from_slice(b"H");
    let text = handshake.advance().unwrap_err().to_string();
    assert!(text.contains("is this a PostgreSQL server?"), "{text}");
}

#[test]
fn a_server_of_something_else_is_recognized() {
    let mut handshake = Handshake::new(config()).unwrap();
    handshake.read_buffer().extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n");
    let text = handshake.advance().unwrap_err().to_string();
    assert!(text.contains("is this a PostgreSQL server?"), "{text}");
}

#[test]
fn the_version_is_negotiated_down_only() {
    let offer = |newest| {
        Message::NegotiateProtocolVersion(NegotiateProtocolVersion { newest, unrecognized: vec![] })
    };
    let handshake = || Handshake::new(config().version(ProtocolVersion::V3_2)).unwrap();
    for newest in [0, 0x0003_0000] {
        let mut messages = vec![offer(newest)];
        messages.extend(welcome());
        let connection = ready(advance(handshake(), &messages));
        assert_eq!(connection.protocol_version(), ProtocolVersion::V3_0);
    }
    let connection = ready(advance(handshake(), &welcome()));
    assert_eq!(connection.protocol_version(), ProtocolVersion::V3_2);
    for newest in [0x0003_0003, 0x0002_0000, 9, u32::MAX] {
        let error = advance(handshake(), &[offer(newest)]).unwrap_err();
        assert!(matches!(error, HandshakeError::Version { asked: 2, .. }), "{error}");
    }
    let twice = advance(handshake(), &[offer(0x0003_0000), offer(0x0003_0000)]).unwrap_err();
    assert!(twice.to_string().contains("a second NegotiateProtocolVersion"), "{twice}");
}

#[test]
fn a_server_that_is_too_old_is_refused_before_the_password() {
    let offer = |newest| {
        Message::NegotiateProtocolVersion(NegotiateProtocolVersion { newest, unrecognized: vec![] })
    };
    let config =
        |oldest| config().password("secret").version(ProtocolVersion::V3_2).oldest_version(oldest);
    let handshake = Handshake::new(config(ProtocolVersion::V3_2)).unwrap();
    let asks = auth(Authentication::CleartextPassword);
    let error = advance(handshake, &[offer(0x0003_0000), asks.clone()]).unwrap_err();
    assert_eq!(error.to_string(), "asked for protocol 3.2 at least, the server speaks 3.0 at most");
    let handshake = Handshake::new(config(ProtocolVersion::V3_0)).unwrap();
    let _ = waiting(advance(handshake, &[offer(0x0003_0000), asks.clone()]));
    // A server that has nothing to say about the version speaks the one that was asked for.
    let handshake = Handshake::new(config(ProtocolVersion::V3_2)).unwrap();
    let handshake = waiting(advance(handshake, &[asks]));
    assert_eq!(ready(advance(handshake, &welcome())).protocol_version(), ProtocolVersion::V3_2);
}

#[test]
fn out_of_turn_messages_are_refused() {
    let ok = || auth(Authentication::Ok);
    for messages in [
        vec![Message::ReadyForQuery(TransactionStatus::Idle)],
        vec![parameter("a", "b")],
        vec![auth(Authentication::SaslContinue(Bytes::from_static(b"r=,s=,i=1")))],
        vec![auth(Authentication::SaslFinal(Bytes::new()))],
        vec![ok(), ok()],
        vec![ok(), auth(Authentication::CleartextPassword)],
        vec![auth(Authentication::CleartextPassword), auth(Authentication::CleartextPassword)],
        vec![
            ok(),
            Message::NegotiateProtocolVersion(NegotiateProtocolVersion {
                newest: 0x0003_0000,
                unrecognized: vec![],
            }),
        ],
    ] {
        let handshake = Handshake::new(config().password("x")).unwrap();
        let error = advance(handshake, &messages).unwrap_err();
        assert!(
            matches!(error, HandshakeError::Protocol(ProtocolError::Unexpected { .. })),
            "{messages:?}: {error}"
        );
    }
}

#[test]
fn caps_hold_before_the_client_is_in() {
    let mut handshake = Handshake::new(config()).unwrap();
    handshake.read_buffer().extend_from_slice(b"R\x7f\xff\xff\xff");
    let error = handshake.advance().unwrap_err();
    assert!(matches!(error, HandshakeError::Protocol(ProtocolError::TooLong { .. })), "{error}");
    let mut limits = Limits::default();
    limits.parameters = 1;
    let handshake = Handshake::new(config().limits(limits)).unwrap();
    let error = advance(handshake, &welcome()).unwrap_err();
    assert!(error.to_string().contains("at most 1 different parameters"), "{error}");
}

#[test]
fn what_cannot_be_sent_shows_at_once() {
    for config in [
        StartupConfig::new("a\0b"),
        StartupConfig::new("a").password("a\0b"),
        StartupConfig::new("a").parameter("x", "\0"),
        StartupConfig::new("a").parameter("", "x").tls(true),
    ] {
        assert!(matches!(Handshake::new(config), Err(UsageError::Nul { .. })));
    }
}

#[test]
fn the_password_does_not_show() {
    let config = config().password("verysecret");
    let text = format!("{config:?}");
    assert!(!text.contains("verysecret") && !text.contains("118, 101"), "{text}");
    let text = format!("{:?}", Handshake::new(config).unwrap());
    assert!(!text.contains("verysecret") && !text.contains("118, 101"), "{text}");
}
