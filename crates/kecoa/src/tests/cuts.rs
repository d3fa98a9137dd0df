//! The connection may end at any byte: that is always an error, and never a hang or a wrong result.

use kecoa_pgmock::Script;
use kecoa_proto::Request;

use super::harness::Net;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;

fn reply() -> Script {
    Script::new()
        .notice("00000", "hello")
        .row_description(&[("a", 23, 0), ("b", 25, 0)])
        .row(&[Some(b"1"), None])
        .row(&[Some(b"2"), Some(b"text")])
        .parameter_status("TimeZone", "UTC")
        .complete("SELECT 2")
        .complete("UPDATE 1")
        .ready('I')
}

fn check(error: &Error, at: usize) {
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut at {at}: {error}");
    assert!(error.is_connection_lost() && !error.nothing_was_sent(), "cut at {at}");
    assert!(error.to_string().contains("in flight"), "cut at {at}: {error}");
}

#[test]
fn every_cut_of_a_simple_reply_is_a_lost_connection() {
    let length = reply().sent_bytes();
    for at in 0..length {
        // A budget of 0 ends with the next byte that would be sent.
        let script = Script::new().query("SELECT").cut_after(at).then(reply());
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        let error = client.run(&Request::Query(b"SELECT"), &mut Never).unwrap_err();
        check(&error, at);
        assert!(client.is_closed());
        let error = client.batch("SELECT").unwrap_err();
        assert!(error.nothing_was_sent() && error.is_connection_lost(), "cut at {at}");
        net.finish();
    }
    let script = Script::new().query("SELECT").then(reply());
    let net = Net::postgres(vec![script]);
    let sets = net.client().run(&Request::Query(b"SELECT"), &mut Never).unwrap();
    assert_eq!((sets.len(), sets[0].row_count()), (2, 2));
}

#[test]
fn every_cut_of_an_extended_reply_is_a_lost_connection() {
    let reply = || {
        Script::new()
            .send_message('1', b"")
            .send_message('2', b"")
            .row_description(&[("a", 20, 1)])
            .row(&[Some(&7_i64.to_be_bytes())])
            .complete("SELECT 1")
            .ready('I')
    };
    for at in 0..reply().sent_bytes() {
        let script = Script::new().expect_until_sync().cut_after(at).then(reply());
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        check(&client.query("SELECT $1", &[&7_i64]).unwrap_err(), at);
        assert!(client.is_closed());
        net.finish();
    }
    let net = Net::postgres(vec![Script::new().expect_until_sync().then(reply())]);
    let row = net.client().query_one("SELECT $1", &[&7_i64]).unwrap();
    assert_eq!(row.get::<i64>("a").unwrap(), 7);
}

#[test]
fn a_reply_in_single_bytes_is_the_same_reply() {
    let script = Script::new().query("SELECT").then(reply());
    let net = Net::in_chunks(script, 1);
    let mut client = net.client();
    let sets = client.run(&Request::Query(b"SELECT"), &mut Never).unwrap();
    assert_eq!((sets.len(), sets[0].row_count()), (2, 2));
    assert_eq!(client.parameter("TimeZone"), Some("UTC"));
    assert_eq!(client.take_notices().len(), 1);
    net.finish();
}

#[test]
fn a_reset_is_a_lost_connection() {
    let net = Net::postgres(vec![Script::new().query("SELECT 1").reset()]);
    let error = net.client().batch("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(std::error::Error::source(&error).is_some(), "the cause is kept");
}

#[test]
fn an_idle_shutdown_is_reported_with_its_reason() {
    // The server ended the session while nothing was asked of it; the request was never read.
    let net = Net::postgres(vec![Script::new().fatal("57P01", "server is shutting down").close()]);
    let mut client = net.client();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(error.is_connection_lost() && client.is_closed());
    let again = client.batch("SELECT 1").unwrap_err();
    assert_eq!(again.kind(), ErrorKind::ConnectionLost);
    net.finish();
}

#[test]
fn when_writing_fails_the_servers_last_words_are_read() {
    let script = Script::new().wait("drain").fatal("57P01", "server is shutting down").close();
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    net.signal("drain");
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"), "{error}");
    assert!(error.nothing_was_sent() && error.is_connection_lost() && client.is_closed());
    net.finish();
}

#[test]
fn last_words_are_not_waited_for() {
    // A peer that says its last words a little at a time must not hold an event loop up.
    let script = Script::new().wait("drain").fatal("57P01", "server is shutting down").close();
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    net.signal("drain");
    let _ = net.take_calls();
    client.batch("SELECT 1").unwrap_err();
    let (reads, _, looks) = net.take_calls();
    assert!(reads == 0 && looks > 0, "{reads} reads that may wait");
}

#[test]
fn after_fatal_and_panic_nothing_is_waited_for() {
    // The server's words are enough: a peer that forgets to hang up keeps nobody.
    let fatal = |script: Script| script.fatal("57P01", "shutting down").wait("never");
    let net = Net::postgres(vec![fatal(Script::new().query("SELECT 1"))]);
    let mut client = net.client();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(error.is_connection_lost() && client.is_closed());

    let net = Net::postgres(vec![fatal(Script::new())]);
    let mut client = net.client();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(error.is_connection_lost() && client.is_closed());
}

#[test]
fn polling_sees_the_end_too() {
    let net = Net::postgres(vec![
        Script::new().notification(9, "news", "x").fatal("57P01", "shutting down").close(),
    ]);
    let mut client = net.client();
    let error = loop {
        if let Err(error) = client.poll() {
            break error;
        }
    };
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert_eq!(client.take_notifications().len(), 1);
    assert!(client.is_closed());
}
