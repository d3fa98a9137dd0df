//! Properties: what is encoded is decoded, nothing that arrives can panic, and whatever a client
//! does with a server that keeps the protocol, every request ends.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use bytes::{Buf, Bytes, BytesMut};
use kecoa_proto::frame::FrameDecoder;
use kecoa_proto::message::backend::Authentication;
use kecoa_proto::message::backend::{
    self, CopyResponse, DataRow, Field, NegotiateProtocolVersion, Notification, ParameterStatus,
    RowDescription,
};
use kecoa_proto::message::frontend::{
    self, Bind, Execute, FunctionCall, Parse, Password, Query, Target,
};
use kecoa_proto::message::startup::{CancelKey, ProtocolVersion, Startup};
use kecoa_proto::{
    CommandTag, Event, Format, IndexedRows, Limits, Reply, Request, Rows, ServerError, SqlState,
    Step, TransactionStatus,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn frontend_messages_come_back(messages in vec(frontend_message(), 0..5)) {
        let mut out = BytesMut::new();
        for message in &messages {
            message.encode(&mut out).unwrap();
        }
        let mut decoder = FrameDecoder::new(Limits::default());
        for message in &messages {
            let frame = decoder.decode(&mut out).unwrap().unwrap();
            prop_assert_eq!(&frontend::Message::decode(frame.tag, frame.body).unwrap(), message);
        }
        prop_assert!(out.is_empty());
    }

    #[test]
    fn backend_messages_come_back(messages in vec(backend_message(), 0..5)) {
        let mut out = BytesMut::new();
        for message in &messages {
            message.encode(&mut out).unwrap();
        }
        let mut decoder = FrameDecoder::new(Limits::default());
        for message in &messages {
            let frame = decoder.decode(&mut out).unwrap().unwrap();
            prop_assert_eq!(frame.tag, message.tag());
            prop_assert_eq!(&backend::Message::decode(frame.tag, frame.body).unwrap(), message);
        }
        prop_assert!(out.is_empty());
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
        let mut world = World::new(cuts);
        for operation in operations {
            world.run(operation);
        }
        world.finish();
    }
}

const STEPS: [Step<'static>; 4] = [
    Step::Parse { name: b"", sql: b"rows", types: &[] },
    Step::Bind { portal: b"", statement: b"", parameters: &[], results: &[] },
    Step::Describe(kecoa_proto::Target::Portal(b"")),
    Step::Execute { portal: b"", max_rows: 0 },
];

/// Something a client may do.
#[derive(Clone, Copy, Debug)]
enum Operation {
    /// A simple query with this SQL, which the scripted server takes as what to do.
    Query(&'static str),
    Extended(&'static str),
    BareSync,
    Deliver,
    CopyData,
    CopyDone,
    CopyFail,
}

fn operation() -> impl Strategy<Value = Operation> {
    let sql = || proptest::sample::select(&["rows", "none", "fail", "out", "in", "infail"][..]);
    prop_oneof![
        3 => sql().prop_map(Operation::Query),
        3 => sql().prop_map(Operation::Extended),
        1 => Just(Operation::BareSync),
        4 => Just(Operation::Deliver),
        2 => Just(Operation::CopyData),
        1 => Just(Operation::CopyDone),
        1 => Just(Operation::CopyFail),
    ]
}

/// A client and a server that keeps the protocol as PostgreSQL does.
struct World {
    client: kecoa_proto::Connection,
    server: Server,
    cuts: Box<dyn Iterator<Item = usize>>,
    /// Requests that wait for their end, and how many results each has had.
    open: std::collections::VecDeque<kecoa_proto::RequestId>,
    submitted: usize,
    ended: usize,
}

impl World {
    fn new(cuts: Vec<usize>) -> World {
        World {
            client: support::open(),
            server: Server::default(),
            cuts: Box::new(cuts.into_iter().cycle()),
            open: std::collections::VecDeque::new(),
            submitted: 0,
            ended: 0,
        }
    }

    fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Query(sql) => self.submit(&Request::Query(sql.as_bytes()), sql),
            Operation::Extended(sql) => {
                let mut steps = STEPS;
                steps[0] = Step::Parse { name: b"", sql: sql.as_bytes(), types: &[] };
                self.submit(&Request::Extended(&steps), sql);
            }
            Operation::BareSync => self.submit(&Request::Extended(&[]), ""),
            Operation::Deliver => self.deliver(),
            Operation::CopyData => {
                let _ = self.client.copy_data(b"1\n");
            }
            Operation::CopyDone => {
                let _ = self.client.copy_done();
            }
            Operation::CopyFail => {
                let _ = self.client.copy_fail(b"no");
            }
        }
    }

    fn submit(&mut self, request: &Request<'_>, sql: &str) {
        // Nothing may be pipelined around a COPY FROM.
        if sql.starts_with("in") {
            self.finish();
        }
        if let Ok(id) = self.client.submit(request) {
            self.open.push_back(id);
            self.submitted += 1;
            if sql.starts_with("in") {
                self.deliver();
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(out) = self.client.poll_transmit() {
            let n = self.cuts.next().unwrap().min(out.len());
            self.server.input.extend_from_slice(&out[..n]);
            self.client.transmitted(n);
            self.server.serve();
            let mut reply = std::mem::take(&mut self.server.output);
            while !reply.is_empty() {
                let n = self.cuts.next().unwrap().min(reply.len());
                self.client.read_buffer().extend_from_slice(&reply.split_to(n));
                while let Some(event) = self.client.poll_event().unwrap() {
                    let Event::Reply(id, reply) = event else { panic!("{event:?}") };
                    assert_eq!(Some(&id), self.open.front());
                    if let Reply::Ready(_) = reply {
                        self.open.pop_front();
                        self.ended += 1;
                    }
                }
            }
        }
    }

    fn finish(&mut self) {
        self.deliver();
        let _ = self.client.copy_done();
        self.deliver();
        assert_eq!(self.submitted, self.ended);
        assert_eq!(self.client.pending(), 0);
        let eof = self.client.poll_transmit();
        assert_eq!(eof, None);
    }
}

#[derive(Default)]
struct Server {
    input: BytesMut,
    output: BytesMut,
    sql: Bytes,
    /// After an error in the extended protocol: until Sync.
    skipping: bool,
    /// A COPY FROM: whether it is a simple query's, and whether it fails at the next data.
    copying: Option<(bool, bool)>,
}

impl Server {
    fn send(&mut self, message: &backend::Message) {
        message.encode(&mut self.output).unwrap();
    }

    fn serve(&mut self) {
        let mut decoder = FrameDecoder::new(Limits::default());
        while let Some(frame) = decoder.decode(&mut self.input).unwrap() {
            let message = frontend::Message::decode(frame.tag, frame.body).unwrap();
            self.take(message);
        }
    }

    fn fail(&mut self, simple: bool) {
        self.send(&support::failure());
        self.copying = None;
        if simple {
            self.send(&support::ready());
        } else {
            self.skipping = true;
        }
    }

    fn take(&mut self, message: frontend::Message) {
        use frontend::Message as M;
        if let Some((simple, fails)) = self.copying {
            match message {
                M::CopyData(_) if fails => self.fail(simple),
                M::CopyData(_) | M::Sync | M::Flush => {}
                M::CopyDone => {
                    self.copying = None;
                    self.send(&support::tag("COPY 1"));
                    if simple {
                        self.send(&support::ready());
                    }
                }
                M::CopyFail(_) => self.fail(simple),
                other => panic!("{other:?} during COPY"),
            }
            return;
        }
        match message {
            M::Sync => {
                self.skipping = false;
                self.send(&support::ready());
            }
            // PostgreSQL ignores what is left of a COPY.
            M::CopyData(_) | M::CopyDone | M::CopyFail(_) => {}
            _ if self.skipping => {}
            M::Query(query) => {
                self.sql = query.sql;
                self.execute(true);
                if self.copying.is_none() {
                    self.send(&support::ready());
                }
            }
            M::Parse(parse) => {
                self.sql = parse.sql;
                self.send(&backend::Message::ParseComplete);
            }
            M::Bind(_) => self.send(&backend::Message::BindComplete),
            M::Describe(_) => {
                let rows = self.sql == "rows";
                self.send(&if rows { support::columns(2) } else { backend::Message::NoData });
            }
            M::Execute(_) => self.execute(false),
            other => panic!("{other:?}"),
        }
    }

    fn execute(&mut self, simple: bool) {
        match self.sql.chunk() {
            b"rows" => {
                if simple {
                    self.send(&support::columns(2));
                }
                for _ in 0..3 {
                    self.send(&support::row(&[Some("1"), None]));
                }
                self.send(&support::tag("SELECT 3"));
            }
            b"none" => self.send(&support::tag("SET")),
            b"out" => {
                self.send(&backend::Message::CopyOutResponse(support::copy()));
                self.send(&backend::Message::CopyData(Bytes::from_static(b"1\n")));
                self.send(&backend::Message::CopyDone);
                self.send(&support::tag("COPY 1"));
            }
            b"in" | b"infail" => {
                self.send(&backend::Message::CopyInResponse(support::copy()));
                self.copying = Some((simple, self.sql == "infail"));
            }
            _ => {
                self.send(&support::failure());
                self.skipping = !simple;
            }
        }
    }
}
