//! What a connection does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bson::rawdoc;
use kecoa_mongo::server::Options;
use kecoa_server::accept::Limits;

use crate::support::{Server, reach, request};

const MORE_TO_COME: u32 = 2;
const EXHAUST: u32 = 1 << 16;

#[tokio::test]
async fn requests_are_answered_in_their_order() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    let ahead: Vec<u8> = (1..=5).flat_map(|id| request(id, 0, &rawdoc! { "ping": id })).collect();
    client.write(&ahead).await;
    let mut last = 0;
    for id in 1..=5 {
        let answer = client.answer().await;
        assert_eq!((answer.response_to, answer.opcode, answer.flags), (id, 2013, 0));
        assert_eq!(answer.document, rawdoc! { "to": "ping", "value": id });
        assert!(answer.id > last, "numbers grow");
        last = answer.id;
    }
}

#[tokio::test]
async fn who_expects_no_reply_gets_none() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(1, MORE_TO_COME, &rawdoc! { "ping": 1 }).await;
    // Wrong within: a second body.
    let mut bytes = request(2, MORE_TO_COME, &rawdoc! { "ping": 2 });
    bytes.push(0);
    let length = i32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[..4].copy_from_slice(&length);
    client.write(&bytes).await;
    client.send(3, MORE_TO_COME | EXHAUST, &rawdoc! { "again": 5 }).await;
    client.send(4, 0, &rawdoc! { "ping": 4 }).await;
    assert_eq!(client.answer().await.response_to, 4);
}

#[tokio::test]
async fn replies_follow_each_other_where_the_client_allows_it() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(77, EXHAUST, &rawdoc! { "again": 3 }).await;
    let mut response_to = 77;
    for left in (0..=3).rev() {
        let answer = client.answer().await;
        assert_eq!(answer.document, rawdoc! { "to": "again", "value": left });
        assert_eq!(answer.response_to, response_to);
        assert_eq!(answer.flags, if left > 0 { 2 } else { 0 });
        response_to = answer.id;
    }
    client.send(78, 0, &rawdoc! { "again": 3 }).await;
    let answer = client.answer().await;
    assert_eq!((answer.response_to, answer.flags), (78, 0));
    client.send(79, 0, &rawdoc! { "ping": 1 }).await;
    assert_eq!(client.answer().await.response_to, 79);
}

#[tokio::test]
async fn replies_are_compressed_as_requests_are_but_for_the_handshake() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    for (name, opcode) in [
        ("ping", 2012),
        ("hello", 2013),
        ("isMaster", 2013),
        ("ismaster", 2013),
        ("saslStart", 2013),
        ("saslContinue", 2013),
        ("authenticate", 2013),
        ("createUser", 2013),
        ("updateUser", 2013),
        ("Hello", 2012),
    ] {
        let mut body = rawdoc! {};
        body.append(bson::raw::CString::try_from(name.to_owned()).unwrap(), 1);
        client.send_compressed(1, &body).await;
        assert_eq!(client.answer().await.opcode, opcode, "{name}");
        client.send(2, 0, &body).await;
        assert_eq!(client.answer().await.opcode, 2013, "{name}");
    }
}

#[tokio::test]
async fn a_command_is_dropped_when_its_client_goes() {
    let server = Server::start(Options::default()).await;
    let seen = &server.seen;
    let mut client = server.connect().await;
    client.send(1, 0, &rawdoc! { "sleep": 1 }).await;
    reach(&seen.begun, 1).await;
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 0);
    drop(client);
    reach(&seen.dropped, 1).await;
    reach(&seen.gone, 1).await;
}

#[tokio::test]
async fn a_client_that_goes_ends_a_chain_of_replies() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(1, EXHAUST, &rawdoc! { "again": i32::MAX }).await;
    client.answer().await;
    drop(client);
    reach(&server.seen.gone, 1).await;
}

#[tokio::test]
async fn writes_that_nobody_waits_for_are_done_when_their_client_has_gone() {
    let server = Server::start(Options::default()).await;
    let seen = &server.seen;
    let mut client = server.connect().await;
    for id in 1..=3 {
        client.send(id, MORE_TO_COME, &rawdoc! { "write": 50 }).await;
    }
    drop(client);
    reach(&seen.written, 3).await;
    reach(&seen.gone, 1).await;
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_cannot_be_framed_closes_the_connection() {
    let server = Server::start(Options::default()).await;
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 16],
        request(1, 1 << 7, &rawdoc! { "ping": 1 }),
    ] {
        let mut client = server.connect().await;
        client.write(&bytes).await;
        client.closed().await;
    }
    reach(&server.seen.gone, 3).await;
}

#[tokio::test]
async fn what_is_wrong_within_is_answered_and_the_connection_goes_on() {
    let server = Server::start(Options::default()).await;
    let mut client = server.connect().await;
    let mut bytes = request(8, 0, &rawdoc! { "ping": 2 });
    *bytes.last_mut().unwrap() = 9;
    client.write(&bytes).await;
    let answer = client.answer().await;
    assert_eq!(answer.response_to, 8);
    assert_eq!(answer.document.get_i32("code").unwrap(), 22);
    client.send(9, 0, &rawdoc! { "ping": 1 }).await;
    assert_eq!(client.answer().await.response_to, 9);
    client.send(10, 0, &rawdoc! { "close": 1 }).await;
    assert_eq!(client.answer().await.response_to, 10);
    client.closed().await;
}

#[tokio::test]
async fn the_oldest_of_those_that_nobody_knows_makes_place() {
    let server = Server::start(Options { unauthenticated: 2, ..Options::default() }).await;
    let mut known = server.connect().await;
    known.send(1, 0, &rawdoc! { "login": 1 }).await;
    known.answer().await;
    let mut first = server.connect().await;
    first.send(1, 0, &rawdoc! { "ping": 1 }).await;
    first.answer().await;
    let _second = server.connect().await;
    let _third = server.connect().await;
    first.closed().await;
    known.send(2, 0, &rawdoc! { "ping": 1 }).await;
    assert_eq!(known.answer().await.response_to, 2);
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_has_begun() {
    let limits = Limits { grace_period: Duration::from_secs(10), ..Limits::default() };
    let mut server = Server::start(Options { limits, ..Options::default() }).await;
    let (mut idle, mut busy) = (server.connect().await, server.connect().await);
    idle.send(1, 0, &rawdoc! { "ping": 1 }).await;
    idle.answer().await;
    busy.send(2, 0, &rawdoc! { "wait": 300 }).await;
    reach(&server.seen.begun, 2).await;
    server.stop();
    idle.closed().await;
    assert_eq!(busy.answer().await.response_to, 2);
    busy.closed().await;
    server.served.await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_ever() {
    let limits = Limits { grace_period: Duration::from_millis(50), ..Limits::default() };
    let mut server = Server::start(Options { limits, ..Options::default() }).await;
    let mut client = server.connect().await;
    client.send(1, 0, &rawdoc! { "sleep": 1 }).await;
    let seen = server.seen.clone();
    reach(&seen.begun, 1).await;
    server.stop();
    client.closed().await;
    server.served.await.unwrap();
    reach(&seen.gone, 1).await;
    assert_eq!(seen.dropped.load(Ordering::SeqCst), 1);
}
