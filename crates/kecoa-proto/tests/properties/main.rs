//! Properties: what is encoded is decoded, nothing that arrives can panic, and whatever a client
//! does with a server that keeps the protocol, every request ends.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod simulation;
#[path = "../support/mod.rs"]
mod support;

use bytes::{Bytes, BytesMut};
use kecoa_proto::frame::{Frame, FrameDecoder};
use kecoa_proto::message::backend::{
    Authentication, CopyResponse, DataRow, Field, NegotiateProtocolVersion, Notification,
    ParameterStatus, RowDescription,
};
use kecoa_proto::message::frontend::{Bind, Execute, FunctionCall, Parse, Password, Query, Target};
use kecoa_proto::message::startup::{CancelKey, ProtocolVersion, Startup};
use kecoa_proto::message::{backend, frontend};
use kecoa_proto::{
    CommandTag, Format, IndexedRows, Limits, Request, Rows, ServerError, SqlState,
    TransactionStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use simulation::{STEPS, Simulation, operation};

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..20).prop_map(Bytes::from)
}

fn string() -> impl Strategy<Value = Bytes> {
    vec(1..=255u8, 0..12).prop_map(Bytes::from)
}

fn name() -> impl Strategy<Value = Bytes> {
    vec(1..=255u8, 1..12).prop_map(Bytes::from)
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Text), Just(Format::Binary)]
}

fn values() -> impl Strategy<Value = Vec<Option<Bytes>>> {
    vec(option::of(bytes()), 0..5)
}

fn target() -> impl Strategy<Value = Target<Bytes>> {
    prop_oneof![string().prop_map(Target::Statement), string().prop_map(Target::Portal)]
}

fn frontend_message() -> impl Strategy<Value = frontend::Message> {
    use frontend::Message as M;
    prop_oneof![
        (string(), string(), vec(format(), 0..4), values(), vec(format(), 0..4)).prop_map(
            |(portal, statement, formats, parameters, results)| M::Bind(Bind {
                portal,
                statement,
                formats,
                parameters,
                results
            })
        ),
        target().prop_map(M::Close),
        target().prop_map(M::Describe),
        bytes().prop_map(M::CopyData),
        Just(M::CopyDone),
        string().prop_map(M::CopyFail),
        (string(), 0..=2_147_483_647u32)
            .prop_map(|(portal, max_rows)| M::Execute(Execute { portal, max_rows })),
        Just(M::Flush),
        (any::<u32>(), vec(format(), 0..4), values(), format()).prop_map(
            |(oid, formats, arguments, result)| M::FunctionCall(FunctionCall {
                oid,
                formats,
                arguments,
                result
            })
        ),
        (string(), string(), vec(any::<u32>(), 0..4))
            .prop_map(|(name, sql, types)| M::Parse(Parse { name, sql, types })),
        bytes().prop_map(|body| M::Password(Password::new(body))),
        string().prop_map(|sql| M::Query(Query { sql })),
        Just(M::Sync),
        Just(M::Terminate),
    ]
}

fn server_error() -> impl Strategy<Value = ServerError> {
    (vec((1..=255u8, string()), 0..6), "[A-Z0-9]{5}").prop_map(|(fields, code)| {
        let code = SqlState::from_bytes(code.as_bytes()).unwrap();
        let mut builder = ServerError::builder("ERROR", code, "m");
        for (code, value) in fields {
            builder = builder.field(code, &value);
        }
        builder.build().unwrap()
    })
}

fn authentication() -> impl Strategy<Value = Authentication> {
    prop_oneof![
        Just(Authentication::Ok),
        Just(Authentication::CleartextPassword),
        any::<[u8; 4]>().prop_map(|salt| Authentication::Md5Password { salt }),
        vec(name(), 0..3).prop_map(|mechanisms| Authentication::Sasl { mechanisms }),
        bytes().prop_map(Authentication::SaslContinue),
        bytes().prop_map(Authentication::SaslFinal),
        bytes().prop_map(Authentication::GssContinue),
        (13..u32::MAX, bytes()).prop_map(|(code, data)| Authentication::Other { code, data }),
    ]
}

fn key() -> impl Strategy<Value = CancelKey> {
    (any::<i32>(), vec(any::<u8>(), 4..=256))
        .prop_map(|(process_id, secret)| CancelKey { process_id, secret: secret.into() })
}

fn copy_response() -> impl Strategy<Value = CopyResponse> {
    (format(), vec(format(), 0..5)).prop_map(|(format, columns)| CopyResponse { format, columns })
}

fn field() -> impl Strategy<Value = Field> {
    (string(), any::<u32>(), any::<i16>(), any::<u32>(), any::<i16>(), any::<i32>(), format())
        .prop_map(|(name, table_oid, column, type_oid, type_size, type_modifier, format)| Field {
            name,
            table_oid,
            column,
            type_oid,
            type_size,
            type_modifier,
            format,
        })
}

fn status() -> impl Strategy<Value = TransactionStatus> {
    prop_oneof![
        Just(TransactionStatus::Idle),
        Just(TransactionStatus::InTransaction),
        Just(TransactionStatus::Failed)
    ]
}

fn backend_message() -> impl Strategy<Value = backend::Message> {
    use backend::Message as M;
    prop_oneof![
        authentication().prop_map(M::Authentication),
        key().prop_map(M::BackendKeyData),
        Just(M::BindComplete),
        Just(M::CloseComplete),
        string().prop_map(|tag| M::CommandComplete(CommandTag::new(&tag))),
        bytes().prop_map(M::CopyData),
        Just(M::CopyDone),
        copy_response().prop_map(M::CopyInResponse),
        copy_response().prop_map(M::CopyOutResponse),
        copy_response().prop_map(M::CopyBothResponse),
        values().prop_map(|columns| M::DataRow(DataRow { columns })),
        Just(M::EmptyQueryResponse),
        server_error().prop_map(M::ErrorResponse),
        server_error().prop_map(M::NoticeResponse),
        option::of(bytes()).prop_map(M::FunctionCallResponse),
        (any::<u32>(), vec(string(), 0..4)).prop_map(|(newest, unrecognized)| {
            M::NegotiateProtocolVersion(NegotiateProtocolVersion { newest, unrecognized })
        }),
        Just(M::NoData),
        (any::<i32>(), string(), string()).prop_map(|(process_id, channel, payload)| {
            M::NotificationResponse(Notification { process_id, channel, payload })
        }),
        vec(any::<u32>(), 0..5).prop_map(M::ParameterDescription),
        (string(), string())
            .prop_map(|(name, value)| M::ParameterStatus(ParameterStatus { name, value })),
        Just(M::ParseComplete),
        Just(M::PortalSuspended),
        status().prop_map(M::ReadyForQuery),
        vec(field(), 0..4).prop_map(|fields| M::RowDescription(RowDescription { fields })),
    ]
}

/// The frames that the bytes are, to the last.
fn frames(mut bytes: BytesMut) -> Vec<Frame> {
    let mut decoder = FrameDecoder::new(Limits::default());
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        frames.push(decoder.decode(&mut bytes).unwrap().unwrap());
    }
    frames
}

proptest! {
    #[test]
    fn frontend_messages_come_back(messages in vec(frontend_message(), 0..5)) {
        let mut out = BytesMut::new();
        for message in &messages {
            message.encode(&mut out).unwrap();
        }
        let decoded: Vec<_> = frames(out)
            .into_iter()
            .map(|frame| frontend::Message::decode(frame.tag, frame.body).unwrap())
            .collect();
        prop_assert_eq!(decoded, messages);
    }

    #[test]
    fn backend_messages_come_back(messages in vec(backend_message(), 0..5)) {
        let mut out = BytesMut::new();
        for message in &messages {
            message.encode(&mut out).unwrap();
        }
        let frames = frames(out);
        prop_assert_eq!(frames.len(), messages.len());
        for (frame, message) in frames.into_iter().zip(&messages) {
            prop_assert_eq!(frame.tag, message.tag());
            prop_assert_eq!(&backend::Message::decode(frame.tag, frame.body).unwrap(), message);
        }
    }

    #[test]
    fn startup_messages_come_back(
        minor in any::<u16>(),
        parameters in vec((name(), string()), 0..5),
        key in key(),
    ) {
        for message in [
            Startup::Startup { version: ProtocolVersion::new(3, minor), parameters },
            Startup::Cancel(key),
        ] {
            let mut out = BytesMut::new();
            message.encode(&mut out).unwrap();
            prop_assert_eq!(Startup::decode(&mut out, &Limits::default()).unwrap(), Some(message));
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(tag in any::<u8>(), body in vec(any::<u8>(), 0..64)) {
        let _ = backend::Message::decode(tag, Bytes::from(body.clone()));
        let _ = frontend::Message::decode(tag, Bytes::from(body.clone()));
        let _ = Startup::decode(&mut BytesMut::from(&body[..]), &Limits::default());
        let _ = Rows::from_bytes(Bytes::from(body.clone()));
        let mut framed = BytesMut::from(&body[..]);
        let mut decoder = FrameDecoder::new(Limits::default());
        while let Ok(Some(_)) = decoder.decode(&mut framed) {}
    }

    /// Known tags with a hostile inside, which random tags seldom hit.
    #[test]
    fn an_index_finds_what_a_walk_finds(
        (columns, rows) in (0..6_usize).prop_flat_map(|columns| {
            (Just(columns), vec(vec(option::of(bytes()), columns), 0..8))
        })
    ) {
        let mut stream = BytesMut::new();
        for row in &rows {
            backend::Message::DataRow(DataRow { columns: row.clone() }).encode(&mut stream).unwrap();
        }
        let found = IndexedRows::new(Rows::from_bytes(stream.freeze()).unwrap());
        prop_assert_eq!(found.len(), rows.len());
        for (number, row) in rows.iter().enumerate() {
            for (column, value) in row.iter().enumerate() {
                prop_assert_eq!(found.value(number, column), Some(value.as_deref()));
            }
            prop_assert_eq!(found.value(number, columns), None);
        }
    }

    #[test]
    fn no_body_makes_a_known_message_panic(
        tag in proptest::sample::select(&b"RK23CdcGHWDIEVvnNAtS1sZTBCfDEHFPpQSX"[..]),
        body in vec(prop_oneof![Just(0u8), Just(1), Just(255), any::<u8>()], 0..40),
    ) {
        let _ = backend::Message::decode(tag, Bytes::from(body.clone()));
        let _ = frontend::Message::decode(tag, Bytes::from(body));
    }

    #[test]
    fn no_server_makes_a_connection_panic(
        messages in vec(backend_message(), 0..12),
        noise in vec(any::<u8>(), 0..8),
    ) {
        let mut connection = support::open();
        connection.submit(&Request::Query(b"q")).unwrap();
        connection.submit(&Request::Extended(&STEPS)).unwrap();
        for message in messages {
            message.encode(connection.read_buffer()).unwrap();
        }
        connection.read_buffer().extend_from_slice(&noise);
        while let Ok(Some(_)) = connection.poll_event() {}
        let _ = connection.copy_data(b"x");
        let _ = connection.copy_done();
        let _ = connection.handle_eof();
    }

    #[test]
    fn a_frame_is_the_same_however_it_arrives(
        messages in vec(backend_message(), 1..4),
        cuts in vec(1..40usize, 1..20),
    ) {
        let whole = support::encode(&messages);
        let mut rest = whole.clone();
        let mut buffer = BytesMut::new();
        let mut decoder = FrameDecoder::new(Limits::default());
        let mut tags = Vec::new();
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let cut = cuts.next().unwrap().min(rest.len());
            buffer.extend_from_slice(&rest.split_to(cut));
            while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
                tags.push(frame.tag);
            }
            prop_assert!(decoder.read_hint(&buffer) > 0);
        }
        prop_assert_eq!(tags, messages.iter().map(backend::Message::tag).collect::<Vec<_>>());
    }

    #[test]
    fn every_request_ends(
        operations in vec(operation(), 1..20),
        cuts in vec(1..200usize, 1..10),
    ) {
        let mut simulation = Simulation::new(cuts);
        for operation in operations {
            simulation.run(operation);
        }
        simulation.finish();
    }
}
