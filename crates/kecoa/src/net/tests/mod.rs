//! Connections to little servers on loopback.

mod authority;
// An address that does not answer is made of what Linux does when a queue is full.
#[cfg(target_os = "linux")]
mod hosts;
mod opening;
mod server;
mod tls;

use kecoa_proto::Connection;

use super::connect::connect_within;
use super::stream::Stream;
use crate::config::{Config, Environment};
use crate::error::Error;
use crate::interrupt::Never;

fn config(text: &str) -> Config {
    let environment = Environment::empty().with_user("maya");
    Config::parse(text).expect(text).resolve(&environment).expect(text)
}

fn connect(text: &str) -> Result<(Stream, Connection), Error> {
    let config = config(text);
    connect_within(&config, config.connect_timeout(), &mut Never)
}

/// The message of a connection that must fail.
fn failure(text: &str) -> Error {
    match connect(text) {
        Ok(_) => panic!("{text} connected"),
        Err(error) => error,
    }
}

/// Sends `data` to a server that sends it back.
fn there_and_back(stream: &mut Stream, data: &[u8]) {
    use std::io::ErrorKind::WouldBlock;
    let mut sent = 0;
    while sent < data.len() {
        match stream.write(&data[sent..]) {
            Ok(written) => sent += written,
            Err(error) => assert_eq!(error.kind(), WouldBlock),
        }
    }
    let mut buf = bytes::BytesMut::new();
    while buf.len() < data.len() {
        match stream.read_into(&mut buf, data.len()) {
            Ok(read) => assert!(read > 0, "ended after {} bytes", buf.len()),
            Err(error) => assert_eq!(error.kind(), WouldBlock),
        }
    }
    assert!(buf == data);
}
