//! The bytes of every message, written out by hand from the documentation's "Message Formats", and
//! read back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use bytes::{Bytes, BytesMut};
use kecoa_proto::message::backend::Authentication;
use kecoa_proto::message::backend::{
    self, CopyResponse, DataRow, Field, NegotiateProtocolVersion, Notification, ParameterStatus,
    RowDescription,
};
use kecoa_proto::message::frontend::{
    self, Bind, Execute, FunctionCall, Parse, Password, Query, Target,
};
use kecoa_proto::message::startup::{CancelKey, ProtocolVersion, Startup};
use kecoa_proto::{CommandTag, Format, Limits, ServerError, SqlState, TransactionStatus};

fn b(bytes: &'static [u8]) -> Bytes {
    Bytes::from_static(bytes)
}

#[track_caller]
fn front(message: &frontend::Message, bytes: &[u8]) {
    let mut out = BytesMut::new();
    message.encode(&mut out).unwrap();
    assert_eq!(&out[..], bytes, "{message:?}");
    let decoded = frontend::Message::decode(bytes[0], Bytes::copy_from_slice(&bytes[5..])).unwrap();
    assert_eq!(&decoded, message);
}

#[track_caller]
fn back(message: &backend::Message, bytes: &[u8]) {
    let mut out = BytesMut::new();
    message.encode(&mut out).unwrap();
    assert_eq!(&out[..], bytes, "{message:?}");
    let decoded = backend::Message::decode(bytes[0], Bytes::copy_from_slice(&bytes[5..])).unwrap();
    assert_eq!(&decoded, message);
}

#[track_caller]
fn start(message: &Startup, bytes: &[u8]) {
    let mut out = BytesMut::new();
    message.encode(&mut out).unwrap();
    assert_eq!(&out[..], bytes, "{message:?}");
    let decoded = Startup::decode(&mut out, &Limits::default()).unwrap();
    assert_eq!(decoded.as_ref(), Some(message));
    assert!(out.is_empty());
}

#[test]
fn startup_messages() {
    start(&Startup::Tls, b"\0\0\0\x08\x04\xd2\x16\x2f");
    start(&Startup::GssEncryption, b"\0\0\0\x08\x04\xd2\x16\x30");
    start(
        &Startup::Cancel(CancelKey { process_id: 258, secret: b(b"\x0a\x0b\x0c\x0d") }),
        b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\x01\x02\x0a\x0b\x0c\x0d",
    );
    start(
        &Startup::Startup {
            version: ProtocolVersion::V3_0,
            parameters: vec![(b(b"user"), b(b"me")), (b(b"options"), b(b""))],
        },
        b"\0\0\0\x1a\0\x03\0\0user\0me\0options\0\0\0",
    );
    start(
        &Startup::Startup { version: ProtocolVersion::V3_2, parameters: vec![] },
        b"\0\0\0\x09\0\x03\0\x02\0",
    );
}

#[test]
fn a_cancel_request_carries_a_secret_of_256_bytes() {
    let mut bytes = b"\0\0\x01\x0c\x04\xd2\x16\x2e\0\0\0\x07".to_vec();
    bytes.extend([0x5a; 256]);
    start(&Startup::Cancel(CancelKey { process_id: 7, secret: vec![0x5a; 256].into() }), &bytes);
}

#[test]
fn frontend_messages() {
    use frontend::Message as M;
    front(
        &M::Bind(Bind {
            portal: b(b"p"),
            statement: b(b"s"),
            formats: vec![Format::Text, Format::Binary],
            parameters: vec![Some(b(b"ab")), None],
            results: vec![Format::Binary],
        }),
        b"B\0\0\0\x1ep\0s\0\0\x02\0\0\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\x01\0\x01",
    );
    front(&M::Close(Target::Statement(b(b"s"))), b"C\0\0\0\x07Ss\0");
    front(&M::Close(Target::Portal(b(b""))), b"C\0\0\0\x06P\0");
    front(&M::CopyData(b(b"1\t2\n")), b"d\0\0\0\x081\t2\n");
    front(&M::CopyDone, b"c\0\0\0\x04");
    front(&M::CopyFail(b(b"no")), b"f\0\0\0\x07no\0");
    front(&M::Describe(Target::Statement(b(b""))), b"D\0\0\0\x06S\0");
    front(&M::Describe(Target::Portal(b(b"p"))), b"D\0\0\0\x07Pp\0");
    front(&M::Execute(Execute { portal: b(b"p"), max_rows: 500 }), b"E\0\0\0\x0ap\0\0\0\x01\xf4");
    front(&M::Flush, b"H\0\0\0\x04");
    front(
        &M::FunctionCall(FunctionCall {
            oid: 1598,
            formats: vec![Format::Binary],
            arguments: vec![None, Some(b(b"x"))],
            result: Format::Binary,
        }),
        b"F\0\0\0\x19\0\0\x06\x3e\0\x01\0\x01\0\x02\xff\xff\xff\xff\0\0\0\x01x\0\x01",
    );
    front(
        &M::Parse(Parse { name: b(b"s"), sql: b(b"SELECT $1"), types: vec![23, 0] }),
        b"P\0\0\0\x1as\0SELECT $1\0\0\x02\0\0\0\x17\0\0\0\0",
    );
    front(&M::Password(Password::from_password(b"secret").unwrap()), b"p\0\0\0\x0bsecret\0");
    front(
        &M::Password(Password::sasl_initial(b"SCRAM-SHA-256", Some(b"n,,")).unwrap()),
        b"p\0\0\0\x19SCRAM-SHA-256\0\0\0\0\x03n,,",
    );
    front(
        &M::Password(Password::sasl_initial(b"X", None).unwrap()),
        b"p\0\0\0\x0aX\0\xff\xff\xff\xff",
    );
    front(&M::Password(Password::new(b(b"c=biws"))), b"p\0\0\0\x0ac=biws");
    front(&M::Query(Query { sql: b(b"SELECT 1") }), b"Q\0\0\0\x0dSELECT 1\0");
    front(&M::Sync, b"S\0\0\0\x04");
    front(&M::Terminate, b"X\0\0\0\x04");
}

#[test]
fn authentication_messages() {
    use backend::Message as M;
    let auth = |authentication, bytes: &[u8]| back(&M::Authentication(authentication), bytes);
    auth(Authentication::Ok, b"R\0\0\0\x08\0\0\0\0");
    auth(Authentication::KerberosV5, b"R\0\0\0\x08\0\0\0\x02");
    auth(Authentication::CleartextPassword, b"R\0\0\0\x08\0\0\0\x03");
    auth(Authentication::Md5Password { salt: *b"abcd" }, b"R\0\0\0\x0c\0\0\0\x05abcd");
    auth(Authentication::ScmCredential, b"R\0\0\0\x08\0\0\0\x06");
    auth(Authentication::Gss, b"R\0\0\0\x08\0\0\0\x07");
    auth(Authentication::GssContinue(b(b"xy")), b"R\0\0\0\x0a\0\0\0\x08xy");
    auth(Authentication::Sspi, b"R\0\0\0\x08\0\0\0\x09");
    auth(
        Authentication::Sasl { mechanisms: vec![b(b"A"), b(b"BC")] },
        b"R\0\0\0\x0e\0\0\0\x0aA\0BC\0\0",
    );
    auth(Authentication::SaslContinue(b(b"r=1")), b"R\0\0\0\x0b\0\0\0\x0br=1");
    auth(Authentication::SaslFinal(b(b"v=1")), b"R\0\0\0\x0b\0\0\0\x0cv=1");
    auth(Authentication::Other { code: 99, data: b(b"z") }, b"R\0\0\0\x09\0\0\0\x63z");
}

#[test]
fn backend_messages() {
    use backend::Message as M;
    back(
        &M::BackendKeyData(CancelKey { process_id: -2, secret: b(b"\x01\x02\x03\x04") }),
        b"K\0\0\0\x0c\xff\xff\xff\xfe\x01\x02\x03\x04",
    );
    back(&M::BindComplete, b"2\0\0\0\x04");
    back(&M::CloseComplete, b"3\0\0\0\x04");
    back(&M::CommandComplete(CommandTag::new(b"SELECT 1")), b"C\0\0\0\x0dSELECT 1\0");
    back(&M::CopyData(b(b"\\N\n")), b"d\0\0\0\x07\\N\n");
    back(&M::CopyDone, b"c\0\0\0\x04");
    let copy = CopyResponse { format: Format::Binary, columns: vec![Format::Binary; 2] };
    back(&M::CopyInResponse(copy.clone()), b"G\0\0\0\x0b\x01\0\x02\0\x01\0\x01");
    back(&M::CopyBothResponse(copy), b"W\0\0\0\x0b\x01\0\x02\0\x01\0\x01");
    back(
        &M::CopyOutResponse(CopyResponse { format: Format::Text, columns: vec![Format::Text] }),
        b"H\0\0\0\x09\0\0\x01\0\0",
    );
    back(
        &M::DataRow(DataRow { columns: vec![Some(b(b"7")), None, Some(b(b""))] }),
        b"D\0\0\0\x13\0\x03\0\0\0\x017\xff\xff\xff\xff\0\0\0\0",
    );
    back(&M::EmptyQueryResponse, b"I\0\0\0\x04");
    back(&M::FunctionCallResponse(Some(b(b"ok"))), b"V\0\0\0\x0a\0\0\0\x02ok");
    back(&M::FunctionCallResponse(None), b"V\0\0\0\x08\xff\xff\xff\xff");
    back(
        &M::NegotiateProtocolVersion(NegotiateProtocolVersion {
            newest: 0x0003_0000,
            unrecognized: vec![b(b"_pq_.x")],
        }),
        b"v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0",
    );
    back(&M::NoData, b"n\0\0\0\x04");
    back(
        &M::NotificationResponse(Notification {
            process_id: 9,
            channel: b(b"ch"),
            payload: b(b"hi"),
        }),
        b"A\0\0\0\x0e\0\0\0\x09ch\0hi\0",
    );
    back(&M::ParameterDescription(vec![23, 25]), b"t\0\0\0\x0e\0\x02\0\0\0\x17\0\0\0\x19");
    back(
        &M::ParameterStatus(ParameterStatus { name: b(b"TimeZone"), value: b(b"UTC") }),
        b"S\0\0\0\x11TimeZone\0UTC\0",
    );
    back(&M::ParseComplete, b"1\0\0\0\x04");
    back(&M::PortalSuspended, b"s\0\0\0\x04");
    back(&M::ReadyForQuery(TransactionStatus::Idle), b"Z\0\0\0\x05I");
    back(&M::ReadyForQuery(TransactionStatus::InTransaction), b"Z\0\0\0\x05T");
    back(&M::ReadyForQuery(TransactionStatus::Failed), b"Z\0\0\0\x05E");
    back(
        &M::RowDescription(RowDescription {
            fields: vec![Field {
                name: b(b"id"),
                table_oid: 16384,
                column: 1,
                type_oid: 20,
                type_size: 8,
                type_modifier: -1,
                format: Format::Binary,
            }],
        }),
        b"T\0\0\0\x1b\0\x01id\0\0\0\x40\0\0\x01\0\0\0\x14\0\x08\xff\xff\xff\xff\0\x01",
    );
}

#[test]
fn errors_and_notices() {
    let error = ServerError::builder("ERROR", SqlState::UNIQUE_VIOLATION, "dup")
        .detail("d")
        .hint("h")
        .position(12)
        .field(b'?', b"new")
        .build()
        .unwrap();
    let body = b"SERROR\0VERROR\0C23505\0Mdup\0Dd\0Hh\0P12\0?new\0\0";
    let mut expected = b"E\0\0\0\x2e".to_vec();
    expected.extend_from_slice(body);
    assert_eq!(body.len() + 4, 0x2e);
    back(&backend::Message::ErrorResponse(error.clone()), &expected);
    expected[0] = b'N';
    back(&backend::Message::NoticeResponse(error), &expected);
}

#[test]
fn a_server_error_keeps_every_field() {
    let mut body = Vec::new();
    for (code, value) in [
        (b'S', &b"FEHLER"[..]),
        (b'V', b"ERROR"),
        (b'C', b"42601"),
        (b'M', b"m"),
        (b'D', b"d"),
        (b'H', b"h"),
        (b'P', b"3"),
        (b'p', b"4"),
        (b'q', b"iq"),
        (b'W', b"w"),
        (b's', b"sch"),
        (b't', b"tab"),
        (b'c', b"col"),
        (b'd', b"typ"),
        (b'n', b"con"),
        (b'F', b"file.c"),
        (b'L', b"99"),
        (b'R', b"fn"),
        (b'~', b"\xff\xfe"),
    ] {
        body.push(code);
        body.extend_from_slice(value);
        body.push(0);
    }
    body.push(0);
    let backend::Message::ErrorResponse(error) =
        backend::Message::decode(b'E', body.into()).unwrap()
    else {
        panic!("not an error");
    };
    assert_eq!(error.localized_severity(), "FEHLER");
    assert_eq!(error.severity(), "ERROR");
    assert_eq!(error.sqlstate(), SqlState::SYNTAX_ERROR);
    assert_eq!(error.message(), "m");
    assert_eq!(error.detail().as_deref(), Some("d"));
    assert_eq!(error.hint().as_deref(), Some("h"));
    assert_eq!(error.position(), Some(3));
    assert_eq!(error.internal_position(), Some(4));
    assert_eq!(error.internal_query().as_deref(), Some("iq"));
    assert_eq!(error.context().as_deref(), Some("w"));
    assert_eq!(error.schema_name().as_deref(), Some("sch"));
    assert_eq!(error.table_name().as_deref(), Some("tab"));
    assert_eq!(error.column_name().as_deref(), Some("col"));
    assert_eq!(error.datatype_name().as_deref(), Some("typ"));
    assert_eq!(error.constraint_name().as_deref(), Some("con"));
    assert_eq!(error.source_file().as_deref(), Some("file.c"));
    assert_eq!(error.source_line(), Some(99));
    assert_eq!(error.source_function().as_deref(), Some("fn"));
    assert_eq!(error.field(b'~'), Some(&b"\xff\xfe"[..]));
    assert!(!error.is_fatal());
    assert_eq!(error.fields().count(), 19);
    assert_eq!(error.to_string(), "ERROR: m (SQLSTATE 42601)");
    let moved = error.with_position(Some(1));
    assert_eq!((moved.position(), moved.fields().count()), (Some(1), 19));
    let without = error.with_position(None);
    assert_eq!((without.position(), without.fields().count()), (None, 18));
}

#[test]
fn a_text_that_is_not_utf8_survives_as_bytes() {
    let body = b"SFATAL\0M\xe4rger\0C\xff\0\0";
    let backend::Message::NoticeResponse(notice) = backend::Message::decode(b'N', b(body)).unwrap()
    else {
        panic!("not a notice");
    };
    assert_eq!(notice.field(b'M'), Some(&b"\xe4rger"[..]));
    assert_eq!(notice.message(), "\u{fffd}rger");
    // No V: the localized severity is what there is.
    assert!(notice.is_fatal());
    assert_eq!(notice.severity(), "FATAL");
    // And a SQLSTATE that is none.
    assert_eq!(notice.sqlstate(), SqlState::INTERNAL_ERROR);
}

#[test]
fn malformed_messages_say_what_was_expected() {
    let cases: &[(u8, &'static [u8], &str)] = &[
        (b'Z', b"X", "malformed ReadyForQuery message: expected I, T or E, found byte 0x58"),
        (
            b'1',
            b"x",
            "malformed ParseComplete message: expected the end of the message, found 1 more bytes",
        ),
        (
            b'C',
            b"abc",
            "malformed CommandComplete message: expected a command tag that ends with NUL, found 3 bytes without one",
        ),
        (
            b'D',
            b"\0\x01\0\0\0\x09x",
            "malformed DataRow message: expected a column (9 bytes), found 1 bytes",
        ),
        (
            b'D',
            b"\0\x01\xff\xff\xff\xfe",
            "malformed DataRow message: expected a column of length -1 or more, found -2",
        ),
        (
            b'D',
            b"\xff\xff",
            "malformed DataRow message: expected a column (262140 bytes), found 0 bytes",
        ),
        (
            b'T',
            b"\xff\xff",
            "malformed RowDescription message: expected 65535 columns, found 0 bytes, too few for them",
        ),
        (
            b'K',
            b"\0\0\0\x01abc",
            "malformed BackendKeyData message: expected a secret of 4 to 256 bytes, found 3 bytes",
        ),
        (b'G', b"\x02\0\0", "malformed CopyInResponse message: expected format 0 or 1, found 2"),
        (
            b'E',
            b"SERROR",
            "malformed ErrorResponse message: expected field S to end with NUL, found the end of the message",
        ),
        (
            b'E',
            b"",
            "malformed ErrorResponse message: expected NUL behind the last field, found the end of the message",
        ),
        (
            b'v',
            b"\0\x03\0\0\x7f\xff\xff\xff",
            "malformed NegotiateProtocolVersion message: expected 2147483647 parameter names, found 0 bytes, too few for them",
        ),
        (
            b'?',
            b"",
            "expected a message of the server from the server at the client, found a message with the unknown tag 0x3f",
        ),
    ];
    for (tag, body, expected) in cases {
        let error = backend::Message::decode(*tag, b(body)).unwrap_err();
        assert_eq!(error.to_string(), *expected);
    }
}

#[test]
fn what_cannot_be_sent_leaves_the_buffer_as_it_was() {
    let mut out = BytesMut::from(&b"before"[..]);
    let query = frontend::Message::Query(Query { sql: b(b"SELECT '\0'") });
    let error = query.encode(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "a query cannot contain the NUL character, found one at byte 8");
    let bind = Bind {
        portal: b(b""),
        statement: b(b""),
        formats: vec![],
        parameters: vec![None; 65_536],
        results: vec![],
    };
    let error = frontend::Message::Bind(bind).encode(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "too many parameters: expected at most 65535, found 65536");
    let key = CancelKey { process_id: 1, secret: b(b"abc") };
    assert!(backend::Message::BackendKeyData(key).encode(&mut out).is_err());
    let nul = ServerError::builder("ERROR", SqlState::INTERNAL_ERROR, "a\0b").build();
    assert!(nul.is_err());
    assert_eq!(&out[..], b"before");
}

#[test]
fn secrets_do_not_show() {
    let key = CancelKey { process_id: 1, secret: b(b"verysecret") };
    let password = Password::from_password(b"verysecret").unwrap();
    let text = format!("{key:?} {password:?} {:?}", Startup::Cancel(key.clone()));
    assert!(!text.contains("verysecret"), "{text}");
    assert!(!text.contains("118, 101"), "{text}");
}

#[test]
fn password_messages_read_back() {
    let password = Password::from_password(b"pw").unwrap();
    assert_eq!(password.as_password().unwrap(), &b"pw"[..]);
    let initial = Password::sasl_initial(b"M", Some(b"data")).unwrap();
    assert_eq!(initial.as_sasl_initial().unwrap(), (b(b"M"), Some(b(b"data"))));
    assert!(initial.as_password().is_err());
}

#[test]
fn command_tags_count_as_libpq_does() {
    let rows = |tag: &[u8]| CommandTag::new(tag).rows();
    assert_eq!(rows(b"SELECT 12"), Some(12));
    assert_eq!(rows(b"INSERT 0 3"), Some(3));
    assert_eq!(rows(b"UPDATE 0"), Some(0));
    assert_eq!(rows(b"DELETE 18446744073709551615"), Some(u64::MAX));
    assert_eq!(rows(b"COPY 5"), Some(5));
    assert_eq!(rows(b"MERGE 5"), Some(5));
    assert_eq!(rows(b"FETCH 1"), Some(1));
    assert_eq!(rows(b"MOVE 1"), Some(1));
    for none in [
        &b""[..],
        b"SELECT",
        b"SELECT x",
        b"SELECT ",
        b"INSERT 3",
        b"CREATE TABLE",
        b"CREATE TABLE 3",
        b"DELETE 18446744073709551616",
        b"DELETE 1 2",
        b"COMMIT",
        b"\xff",
    ] {
        assert_eq!(rows(none), None, "{none:?}");
    }
    for length in [0, 30, 31, 32, 300] {
        let text = vec![b'x'; length];
        assert_eq!(CommandTag::new(&text).as_bytes(), &text[..]);
    }
}
