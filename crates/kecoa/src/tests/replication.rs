//! Replication streams, against a scripted walsender.

use std::sync::Arc;
use std::time::Duration;

use kecoa_pgmock::Script;
use kecoa_proto::Request;

use super::harness::Net;
use crate::client::blocking::Client;
use crate::error::ErrorKind;
use crate::interrupt::{Never, Readiness};
use crate::session::replication::{Progress, StreamEvent};

const START: &str = "START_REPLICATION SLOT s LOGICAL 0/0";

fn numbers(kind: u8, numbers: &[u64], rest: &[u8]) -> Vec<u8> {
    let mut body = vec![kind];
    numbers.iter().for_each(|number| body.extend(number.to_be_bytes()));
    body.extend(rest);
    body
}

fn data(start: u64, wal_end: u64, payload: &str) -> Vec<u8> {
    numbers(b'w', &[start, wal_end, 0], payload.as_bytes())
}

fn keepalive(wal_end: u64, reply: bool) -> Vec<u8> {
    numbers(b'k', &[wal_end, 0], &[u8::from(reply)])
}

/// A walsender behind its start-up that begins a stream.
fn stream() -> Script {
    Script::new().query(START).copy_response('W', 0)
}

fn client(net: &Arc<Net>) -> Client {
    let mut client = net.client();
    client.session().accept_streams(true);
    client
}

/// A progress that owes no status update for a long time.
fn quiet() -> Progress {
    let mut progress = Progress::new();
    progress.set_status_interval(Duration::from_secs(1_000_000));
    progress.sent();
    progress
}

fn started(net: &Arc<Net>, progress: &mut Progress) -> Client {
    let mut client = client(net);
    client.start_stream(START, progress, &mut Never).unwrap();
    client
}

fn payload(event: StreamEvent) -> String {
    match event {
        StreamEvent::Data(data) => String::from_utf8(data.payload.to_vec()).unwrap(),
        other => panic!("expected data, found {other:?}"),
    }
}

#[test]
fn gives_data_in_order_and_nothing_in_between() {
    let net = Net::postgres(vec![
        stream()
            .send_message('d', &data(10, 20, "BEGIN"))
            .send_message('d', &data(20, 30, ""))
            .wait("more")
            .send_message('d', &data(30, 40, "COMMIT")),
    ]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    assert!(client.is_streaming());
    assert_eq!(payload(client.read_stream(&mut progress, &mut Never).unwrap()), "BEGIN");
    assert_eq!(progress.wal_end(), 20);
    assert_eq!(payload(client.read_stream(&mut progress, &mut Never).unwrap()), "");
    let nothing = client.read_stream(&mut progress, &mut Never).unwrap();
    assert!(matches!(nothing, StreamEvent::Nothing));
    net.signal("more");
    let last = client.next_streamed(&mut progress, &mut Never).unwrap().unwrap();
    assert_eq!((last.start, last.wal_end, &last.payload[..]), (30, 40, &b"COMMIT"[..]));
    net.finish();
}

#[test]
fn says_how_far_it_is_when_due_when_asked_and_when_told_to() {
    let net = Net::postgres(vec![
        stream()
            .expect('d')
            .send_message('d', &keepalive(50, true))
            .expect('d')
            .send_message('d', &data(10, 60, "x"))
            .expect('d')
            .send_message('d', &keepalive(70, false)),
    ]);
    let mut progress = Progress::new();
    let mut client = started(&net, &mut progress);
    assert!(progress.last_feedback().is_none());
    // The first update is due at once; the keepalive asks for the second.
    let first = client.next_streamed(&mut progress, &mut Never).unwrap().unwrap();
    assert_eq!(first.payload, "x");
    assert!(progress.last_feedback().is_some());
    progress.confirm(0, 60, 0);
    client.send_status(&mut progress, true, &mut Never).unwrap();
    let nothing = client.read_stream(&mut progress, &mut Never).unwrap();
    assert!(matches!(nothing, StreamEvent::Nothing));
    assert_eq!((progress.wal_end(), progress.flushed()), (70, 70));
    net.finish();
}

#[test]
fn no_statement_runs_meanwhile() {
    let net = Net::postgres(vec![stream()]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    let error = client.batch("SELECT 1").unwrap_err();
    assert!(error.kind() == ErrorKind::Streaming && error.nothing_was_sent(), "{error}");
    assert!(client.is_streaming() && !client.is_closed());
    client.poll().unwrap();
    net.finish();
}

#[test]
fn an_error_ends_the_stream_and_leaves_the_connection() {
    let net = Net::postgres(vec![
        stream()
            .send_message('d', &data(1, 2, "x"))
            .error("22023", "option is unknown")
            .wait("ready")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    client.next_streamed(&mut progress, &mut Never).unwrap().unwrap();
    // Not over before the server is ready for the next statement.
    let nothing = client.read_stream(&mut progress, &mut Never).unwrap();
    assert!(matches!(nothing, StreamEvent::Nothing));
    // What is sent to a stream that has failed is dropped.
    client.send_status(&mut progress, false, &mut Never).unwrap();
    net.signal("ready");
    let error = client.read_stream(&mut progress, &mut Never).unwrap_err();
    assert_eq!(error.sqlstate(), Some("22023"));
    assert!(!client.is_streaming());
    let error = client.read_stream(&mut progress, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn the_end_of_a_timeline_names_the_next() {
    let net = Net::postgres(vec![
        stream()
            .send_message('c', b"")
            .expect_exactly('c', b"")
            .row_description(&[("next_tli", 20, 0), ("next_tli_startpos", 25, 0)])
            .row(&[Some(b"2"), Some(b"0/5")])
            .complete("SELECT")
            .complete("START_STREAMING")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    match client.read_stream(&mut progress, &mut Never).unwrap() {
        StreamEvent::Ended(results) => {
            assert_eq!(results.len(), 2);
            let row = results[0].rows[0].iter().next().unwrap();
            let fields: Vec<_> = row.fields().collect();
            assert_eq!(fields, [Some(&b"2"[..]), Some(&b"0/5"[..])]);
        }
        other => panic!("expected the end, found {other:?}"),
    }
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn a_server_that_shuts_down_says_so() {
    let net = Net::postgres(vec![stream().fatal("57P01", "terminating connection").close()]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    let error = client.next_streamed(&mut progress, &mut Never).unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(error.is_connection_lost() && client.is_closed());
    let error = client.read_stream(&mut progress, &mut Never).unwrap_err();
    assert!(error.is_connection_lost());
    assert!(!client.is_streaming());
    net.finish();
}

#[test]
fn a_message_that_is_none_of_a_stream_ends_the_connection() {
    let net = Net::postgres(vec![stream().send_message('d', b"x123")]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    let error = client.read_stream(&mut progress, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("expected w or k"), "{error}");
    assert!(client.is_closed());
}

#[test]
fn begins_step_by_step_for_callers_that_wait_themselves() {
    let net = Net::postgres(vec![
        Script::new()
            .query(START)
            .wait("begin")
            .copy_response('W', 0)
            .send_message('d', &data(1, 2, "x")),
    ]);
    let mut progress = quiet();
    let mut client = client(&net);
    let id = client.submit(&Request::Query(START.as_bytes())).unwrap();
    assert_eq!(client.advance().unwrap(), Some(Readiness::Readable));
    net.signal("begin");
    assert_eq!(client.advance().unwrap(), None);
    let results = client.finish(id, &mut Never).unwrap();
    assert!(results.last().unwrap().copy_both && client.is_streaming());
    assert_eq!(payload(client.read_stream(&mut progress, &mut Never).unwrap()), "x");
    net.finish();
}

#[test]
fn a_statement_that_begins_none_is_no_stream() {
    let net = Net::postgres(vec![Script::new().simple("SELECT 1", "SELECT 1", 'I')]);
    let mut client = client(&net);
    let mut progress = Progress::new();
    let error = client.start_stream("SELECT 1", &mut progress, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(progress.last_io().is_none());
    net.finish();
}

#[test]
fn a_connection_that_was_not_made_for_it_is_closed() {
    let net = Net::postgres(vec![stream()]);
    let mut client = net.client();
    let error = client.batch(START).unwrap_err();
    assert!(error.to_string().contains("replication=database"), "{error}");
    assert!(client.is_closed());
}

#[test]
fn closing_says_good_bye() {
    let net = Net::postgres(vec![stream().terminate()]);
    let mut progress = quiet();
    let mut client = started(&net, &mut progress);
    client.close();
    net.finish();
}
