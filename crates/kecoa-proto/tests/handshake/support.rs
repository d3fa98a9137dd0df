//! A handshake, and what a scripted server sends it.

use bytes::{Bytes, BytesMut};
use kecoa_proto::message::backend::{Authentication, Message, ParameterStatus};
use kecoa_proto::message::frontend;
use kecoa_proto::message::startup::CancelKey;
use kecoa_proto::{
    Connection, Handshake, HandshakeError, Progress, StartupConfig, TransactionStatus,
};

pub(crate) fn config() -> StartupConfig {
    StartupConfig::new("me").parameter("database", "db")
}

pub(crate) fn bytes_of(messages: &[Message]) -> BytesMut {
    let mut out = BytesMut::new();
    for message in messages {
        message.encode(&mut out).unwrap();
    }
    out
}

/// What the client wants to send, taken.
pub(crate) fn sent(handshake: &mut Handshake) -> BytesMut {
    let bytes = BytesMut::from(handshake.poll_transmit().unwrap_or_default());
    handshake.transmitted(bytes.len());
    bytes
}

pub(crate) fn sent_password(handshake: &mut Handshake) -> frontend::Password {
    let bytes = sent(handshake);
    match frontend::Message::decode(bytes[0], Bytes::copy_from_slice(&bytes[5..])).unwrap() {
        frontend::Message::Password(password) => password,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn advance(
    mut handshake: Handshake,
    messages: &[Message],
) -> Result<Progress, HandshakeError> {
    handshake.read_buffer().extend_from_slice(&bytes_of(messages));
    handshake.advance()
}

#[track_caller]
pub(crate) fn waiting(progress: Result<Progress, HandshakeError>) -> Handshake {
    match progress.unwrap() {
        Progress::NeedInput(handshake) => handshake,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn ready(progress: Result<Progress, HandshakeError>) -> Connection {
    match progress.unwrap() {
        Progress::Ready(connection) => connection,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn auth(authentication: Authentication) -> Message {
    Message::Authentication(authentication)
}

pub(crate) fn parameter(name: &'static str, value: &'static str) -> Message {
    Message::ParameterStatus(ParameterStatus { name: name.into(), value: value.into() })
}

pub(crate) fn welcome() -> Vec<Message> {
    vec![
        auth(Authentication::Ok),
        parameter("server_version", "18.0"),
        parameter("TimeZone", "UTC"),
        parameter("TimeZone", "Asia/Jakarta"),
        Message::BackendKeyData(CancelKey { process_id: 7, secret: Bytes::from_static(b"abcd") }),
        Message::ReadyForQuery(TransactionStatus::Idle),
    ]
}

pub(crate) fn sasl(mechanisms: &[&'static str]) -> Message {
    auth(Authentication::Sasl {
        mechanisms: mechanisms.iter().map(|name| Bytes::from_static(name.as_bytes())).collect(),
    })
}
