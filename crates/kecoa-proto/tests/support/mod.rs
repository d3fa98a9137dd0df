//! A client's connection and a little scripted server, joined in memory.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests"
)]

use bytes::{Buf, Bytes, BytesMut};
use kecoa_proto::frame::FrameDecoder;
use kecoa_proto::message::backend::{
    CopyResponse, DataRow, Field, Message, Notification, ParameterStatus, RowDescription,
};
use kecoa_proto::message::frontend;
use kecoa_proto::{
    CommandTag, Connection, Event, Format, Limits, Reply, RequestId, ServerError, SqlState, Step,
    Target, TransactionStatus,
};

/// The steps of a statement without names.
pub const EXECUTE: Step<'_> = Step::Execute { portal: b"", max_rows: 0 };
pub const PARSE: Step<'_> = Step::Parse { name: b"", sql: b"SELECT 1", types: &[] };
pub const BIND: Step<'_> =
    Step::Bind { portal: b"", statement: b"", parameters: &[], results: &[] };
pub const DESCRIBE: Step<'_> = Step::Describe(Target::Portal(b""));

pub fn error(severity: &str, code: SqlState, text: &str) -> ServerError {
    ServerError::builder(severity, code, text).build().unwrap()
}

pub fn failure() -> Message {
    Message::ErrorResponse(error("ERROR", SqlState::SYNTAX_ERROR, "no"))
}

pub fn fatal() -> Message {
    Message::ErrorResponse(error("FATAL", SqlState::ADMIN_SHUTDOWN, "bye"))
}

pub fn notice() -> Message {
    Message::NoticeResponse(error("NOTICE", SqlState::WARNING, "hm"))
}

pub fn columns(count: usize) -> Message {
    let field = Field { name: Bytes::from_static(b"x"), type_oid: 25, ..Field::default() };
    Message::RowDescription(RowDescription { fields: vec![field; count] })
}

pub fn row(values: &[Option<&'static str>]) -> Message {
    let columns = values.iter().map(|value| value.map(Bytes::from)).collect();
    Message::DataRow(DataRow { columns })
}

pub fn tag(tag: &str) -> Message {
    Message::CommandComplete(CommandTag::new(tag.as_bytes()))
}

pub fn ready() -> Message {
    Message::ReadyForQuery(TransactionStatus::Idle)
}

pub fn copy() -> CopyResponse {
    CopyResponse { format: Format::Text, columns: vec![Format::Text] }
}

pub fn parameter(name: &'static str, value: &'static str) -> Message {
    Message::ParameterStatus(ParameterStatus { name: name.into(), value: value.into() })
}

pub fn notification() -> Message {
    Message::NotificationResponse(Notification {
        process_id: 1,
        channel: Bytes::from_static(b"c"),
        payload: Bytes::from_static(b"p"),
    })
}

pub fn encode(messages: &[Message]) -> BytesMut {
    let mut out = BytesMut::new();
    for message in messages {
        message.encode(&mut out).unwrap();
    }
    out
}

pub fn open() -> Connection {
    Connection::new(Limits::default())
}

/// Everything the client wants to send, decoded.
pub fn sent(connection: &mut Connection) -> Vec<frontend::Message> {
    let mut bytes = BytesMut::new();
    while let Some(out) = connection.poll_transmit() {
        // In two parts, as a socket may take it.
        let half = out.len().div_ceil(2);
        bytes.extend_from_slice(&out[..half]);
        connection.transmitted(half);
    }
    let mut decoder = FrameDecoder::new(Limits::default());
    let mut messages = Vec::new();
    while let Some(frame) = decoder.decode(&mut bytes).unwrap() {
        messages.push(frontend::Message::decode(frame.tag, frame.body).unwrap());
    }
    assert!(bytes.is_empty());
    messages
}

pub fn sent_tags(connection: &mut Connection) -> String {
    let mut tags = String::new();
    while let Some(mut out) = connection.poll_transmit().map(<[u8]>::to_vec).as_deref() {
        connection.transmitted(out.len());
        while !out.is_empty() {
            let tag = out.get_u8();
            let length = out.get_u32();
            out.advance(length as usize - 4);
            tags.push(char::from(tag));
        }
    }
    tags
}

pub fn receive(connection: &mut Connection, messages: &[Message]) {
    connection.read_buffer().extend_from_slice(&encode(messages));
}

/// All events that are there.
#[track_caller]
pub fn events(connection: &mut Connection) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = connection.poll_event().unwrap() {
        events.push(event);
    }
    events
}

/// The replies, by a short name, each with its request.
pub fn names(events: &[Event]) -> Vec<(Option<RequestId>, String)> {
    events
        .iter()
        .map(|event| match event {
            Event::Reply(id, reply) => (Some(*id), name(reply)),
            Event::Notice(_) => (None, "notice".to_owned()),
            Event::Notification(_) => (None, "notification".to_owned()),
            Event::ParameterStatus { name, value } => (None, format!("{name}={value}")),
            Event::Unsolicited(error) => (None, format!("unsolicited {}", error.sqlstate())),
        })
        .collect()
}

pub fn name(reply: &Reply) -> String {
    match reply {
        Reply::Rows(rows) => format!("rows {}", rows.len()),
        Reply::CommandComplete(tag) => tag.to_string(),
        Reply::Error(error) => format!("error {}", error.sqlstate()),
        Reply::Ready(status) => format!("ready {}", char::from(status.code())),
        Reply::ParseComplete => "parsed".to_owned(),
        Reply::BindComplete => "bound".to_owned(),
        Reply::CloseComplete => "closed".to_owned(),
        Reply::NoData => "no data".to_owned(),
        Reply::PortalSuspended => "suspended".to_owned(),
        Reply::EmptyQuery => "empty".to_owned(),
        Reply::ParameterDescription(types) => format!("parameters {types:?}"),
        Reply::RowDescription(description) => format!("columns {}", description.fields.len()),
        Reply::CopyIn(_) => "copy in".to_owned(),
        Reply::CopyOut(_) => "copy out".to_owned(),
        Reply::CopyBoth(_) => "copy both".to_owned(),
        Reply::CopyData(data) => format!("data {}", data.len()),
        Reply::CopyDone => "copy done".to_owned(),
        Reply::FunctionResult(value) => format!("function {value:?}"),
    }
}

/// The names of the replies to one request, in order; nothing else may be among the events.
#[track_caller]
pub fn replies(connection: &mut Connection, id: RequestId, messages: &[Message]) -> Vec<String> {
    receive(connection, messages);
    names(&events(connection))
        .into_iter()
        .map(|(of, name)| {
            assert_eq!(of, Some(id), "{name}");
            name
        })
        .collect()
}
