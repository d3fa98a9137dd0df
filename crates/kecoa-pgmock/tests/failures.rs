//! A client that leaves the script fails the test, in memory and over sockets.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;

use kecoa_pgmock::{Events, Memory, Peer, Script, Server, script::message};

fn joined(script: Script) -> Memory {
    Memory::new(Peer::new(script, Events::new()))
}

#[test]
#[should_panic(
    expected = "the script expects 'Q' SELECT 1\\x00, the client said 'Q' SELECT 2\\x00"
)]
fn another_query() {
    joined(Script::new().query("SELECT 1")).write_all(&message(b'Q', b"SELECT 2\0")).unwrap();
}

#[test]
#[should_panic(expected = "a hang: the client reads, and the script expects 'Q'")]
fn reading_too_early() {
    let _ = joined(Script::new().query("SELECT 1")).read(&mut [0]);
}

#[test]
#[should_panic(expected = "the script is over, the client went on")]
fn going_on() {
    joined(Script::new()).write_all(&message(b'Q', b"SELECT 1\0")).unwrap();
}

#[test]
#[should_panic(expected = "steps that were not played")]
fn leaving_early() {
    joined(Script::new().query("SELECT 1")).finish();
}

#[test]
#[should_panic(expected = "the script expects")]
fn over_tcp() {
    let server = Server::start(vec![Script::new().query("SELECT 1")]);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    stream.write_all(&message(b'Q', b"SELECT 2\0")).unwrap();
    drop(stream);
    server.finish();
}

#[test]
fn over_a_unix_socket() {
    let directory = std::env::temp_dir().join(format!("kecoa-pgmock-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let server = Server::start_unix(&directory, vec![Script::new().query("SELECT 1").ready('I')]);
    let mut stream = UnixStream::connect(directory.join(".s.PGSQL.5432")).unwrap();
    stream.write_all(&message(b'Q', b"SELECT 1\0")).unwrap();
    let mut reply = [0; 6];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, *b"Z\0\0\0\x05I");
    stream.write_all(&message(b'X', b"")).unwrap();
    drop(stream);
    server.finish();
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn cut_after_sends_exactly_so_many_bytes() {
    let mut stream = joined(Script::new().cut_after(3).ready('I'));
    let mut read = Vec::new();
    stream.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"Z\0\0");
}
