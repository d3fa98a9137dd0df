//! The endpoint under too many clients, too much at once, and processes that are killed: each client receives an
//! error or an answer, and soon.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use kecoa_proto::message::frontend::{Message, Query};
use kecoa_proto::message::startup::Startup;
use kecoa_proto::{ProtocolVersion, TransactionStatus};
use live::{Client, Server};

/// CockroachDB's limit of a message, and a little.
const TOO_LONG: usize = (16 << 20) + 1000;

/// A ReadyForQuery, outside of a transaction.
const READY: &[u8] = b"Z\0\0\0\x05I";

fn query(sql: &str) -> Message {
    Message::Query(Query { sql: Bytes::copy_from_slice(sql.as_bytes()) })
}

fn long_query() -> Message {
    query(&format!("SELECT '{}'", "x".repeat(TOO_LONG)))
}

/// What a new client reads, up to the end or to where it may go on.
fn greeting(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let parameters = vec![(Bytes::from_static(b"user"), Bytes::from_static(b"root"))];
    let mut out = BytesMut::new();
    Startup::Startup { version: ProtocolVersion::V3_0, parameters }.encode(&mut out).unwrap();
    stream.write_all(&out).unwrap();
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(READY) {
        match stream.read(&mut chunk).unwrap() {
            0 => break,
            length => answer.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_served(server: &Server) -> bool {
    greeting(server).as_bytes().ends_with(READY)
}

#[test]
fn one_client_too_many_is_told_so() {
    let Some(server) = Server::start_for(2, None) else { return };
    let mut one = server.client("defaultdb");
    let two = server.client("defaultdb");
    let answer = greeting(&server);
    assert!(answer.contains("C53300\0Msorry, too many clients already\0"), "{answer:?}");
    assert!(answer.contains("Hthe maximum number of allowed connections is 2\0"), "{answer:?}");
    assert_eq!(one.simple("SELECT 1").tags, ["SELECT 1"]);
    drop(two);
    let began = Instant::now();
    while !is_served(&server) {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_message_that_is_too_long_fails_alone() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    let said = "message size 16 MiB bigger than maximum allowed message size 16 MiB";
    client.send(&[long_query()]);
    let replies = client.replies();
    let (code, message, _) = replies.error.unwrap();
    assert_eq!((code.as_str(), message.as_str()), ("08P01", said));
    assert_eq!(replies.status, Some(TransactionStatus::Idle));
    assert_eq!(client.simple("SELECT 1").tags, ["SELECT 1"]);
    // Within a transaction it is an error like any other.
    client.simple("CREATE TABLE l (a INT)");
    client.simple("BEGIN; INSERT INTO l VALUES (1)");
    client.send(&[long_query()]);
    assert_eq!(client.replies().status, Some(TransactionStatus::Failed));
    assert_eq!(client.simple("ROLLBACK").error, None);
    // In a pipeline the rest of it is skipped.
    let long = "x".repeat(TOO_LONG);
    client.send(&[
        Client::<TcpStream>::parse("", "INSERT INTO l VALUES (length($1::STRING))"),
        Client::<TcpStream>::bind("", &[&long]),
        Client::<TcpStream>::execute(),
        Message::Sync,
    ]);
    let replies = client.replies();
    assert_eq!(replies.error.unwrap().1, said);
    assert_eq!(replies.status, Some(TransactionStatus::Idle));
    // As are the rest of the rows of a COPY.
    client.send(&[
        query("COPY l FROM STDIN"),
        Message::CopyData(Bytes::from_static(b"1\n")),
        Message::CopyData(long.clone().into()),
        Message::CopyData(Bytes::from_static(b"2\n")),
        Message::CopyDone,
    ]);
    let replies = client.replies();
    let (code, message, _) = replies.error.unwrap();
    assert_eq!((code.as_str(), message.as_str()), ("08P01", said));
    assert_eq!(client.simple("SELECT count(*) FROM l").rows, [[Some("0".to_owned())]]);
}

#[test]
fn ten_thousand_prepared_statements() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    for hundred in 0..100 {
        let mut messages: Vec<Message> = (0..100)
            .map(|n| {
                let name = format!("s{}", hundred * 100 + n);
                Client::<TcpStream>::parse(&name, "SELECT $1::INT + 1")
            })
            .collect();
        messages.push(Message::Sync);
        client.send(&messages);
        assert_eq!(client.replies().error, None);
    }
    for name in ["s0", "s5000", "s9999"] {
        client.send(&[
            Client::<TcpStream>::bind(name, &["41"]),
            Client::<TcpStream>::execute(),
            Message::Sync,
        ]);
        assert_eq!(client.replies().rows, [[Some("42".to_owned())]]);
    }
    assert_eq!(client.simple("DEALLOCATE ALL").error, None);
    client.send(&[Client::<TcpStream>::bind("s0", &["41"]), Message::Sync]);
    assert_eq!(client.replies().error.unwrap().0, "26000");
}

#[test]
fn a_backend_that_is_killed_ends_all_and_the_next_are_served() {
    let Some(server) = Server::start() else { return };
    let mut victim = server.client("defaultdb");
    let mut others: Vec<_> = (0..5).map(|_| server.client("defaultdb")).collect();
    let pid = victim.simple("SELECT pg_backend_pid()").rows[0][0].clone().unwrap();
    others[0].send(&[query("SELECT pg_sleep(60)")]);
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let began = Instant::now();
    for client in others.iter_mut().chain([&mut victim]) {
        let (code, ..) = client.replies().error.expect("closed without an error");
        assert!(code.starts_with("57P0"), "{code}");
    }
    while !is_served(&server) {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.client("defaultdb").simple("SELECT 1").tags, ["SELECT 1"]);
}

#[test]
fn a_client_without_pause_keeps_nobody_from_the_threads() {
    let Some(server) = Server::start() else { return };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = server.client("defaultdb");
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(client.simple("SELECT 1").error, None);
                }
            });
        }
        let mut client = server.client("defaultdb");
        let mut longest = Duration::ZERO;
        for _ in 0..200 {
            let began = Instant::now();
            assert_eq!(client.simple("SELECT 2").error, None);
            longest = longest.max(began.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        assert!(longest < Duration::from_secs(2), "{longest:?}");
    });
}

#[test]
fn halves_of_messages_hold_nobody_else() {
    let Some(mut server) = Server::start() else { return };
    let mut halves = Vec::new();
    for bytes in [&b"\0"[..], b"\0\0\0\x20\0\x03\0\0us"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes).unwrap();
        halves.push(stream);
    }
    let mut half = server.client("defaultdb");
    half.simple("BEGIN");
    half.stream.write_all(b"Q\0\0\x01\0SELECT").unwrap();
    let mut client = server.client("defaultdb");
    assert_eq!(client.simple("SELECT 1").tags, ["SELECT 1"]);
    // Nor the end.
    let began = Instant::now();
    server.stop_endpoint();
    assert!(began.elapsed() < Duration::from_secs(10));
    let (code, ..) = half.replies().error.expect("closed without an error");
    assert_eq!(code, "57P01");
}
