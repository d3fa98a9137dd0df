//! Replies taken one by one, without waiting.

use kecoa_pgmock::Script;
use kecoa_proto::{Reply, Request, RequestId};

use super::harness::Net;
use crate::client::blocking::Client;
use crate::error::ErrorKind;
use crate::interrupt::Never;
use crate::session::NextReply;

/// The next reply; the scripted server answers at once, if at all.
fn reply(client: &mut Client, id: RequestId) -> Reply {
    for _ in 0..10_000 {
        if let NextReply::Reply(reply) = client.try_reply(id).unwrap() {
            return reply;
        }
    }
    panic!("the server has nothing to say")
}

#[test]
fn rows_come_as_they_are_asked_for() {
    let script = Script::new()
        .query("SELECT")
        .notice("00000", "hello")
        .row_description(&[("a", 23, 0)])
        .row(&[Some(b"1")])
        .row(&[Some(b"2")])
        .complete("SELECT 2")
        .ready('T');
    let net = Net::in_chunks(script, 5);
    let mut client = net.client();
    let id = client.submit(&Request::Query(b"SELECT")).unwrap();
    assert!(matches!(reply(&mut client, id), Reply::RowDescription(_)));
    let mut rows = 0;
    let tag = loop {
        match reply(&mut client, id) {
            Reply::Rows(run) => rows += run.len(),
            Reply::CommandComplete(tag) => break tag,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((rows, tag.rows()), (2, Some(2)));
    assert!(matches!(reply(&mut client, id), Reply::Ready(_)));
    assert_eq!(client.take_notices().len(), 1);
    assert_eq!(client.try_reply(id).unwrap_err().kind(), ErrorKind::Usage);
    net.finish();
}

#[test]
fn copy_data_goes_both_ways() {
    let script = Script::new()
        .query("COPY t FROM STDIN")
        .copy_response('G', 1)
        .expect_exactly('d', b"1\n")
        .expect_exactly('c', b"")
        .complete("COPY 1")
        .ready('I')
        .query("COPY t TO STDOUT")
        .copy_response('H', 1)
        .send_message('d', b"1\n")
        .send_message('c', b"")
        .complete("COPY 1")
        .ready('I');
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let id = client.submit(&Request::Query(b"COPY t FROM STDIN")).unwrap();
    assert!(matches!(reply(&mut client, id), Reply::CopyIn(_)));
    client.copy_data(b"1\n").unwrap();
    client.copy_done().unwrap();
    assert!(client.try_send().unwrap().is_none());
    assert!(matches!(reply(&mut client, id), Reply::CommandComplete(_)));
    assert!(matches!(reply(&mut client, id), Reply::Ready(_)));
    assert_eq!(client.copy_data(b"late").unwrap_err().kind(), ErrorKind::Usage);

    let id = client.submit(&Request::Query(b"COPY t TO STDOUT")).unwrap();
    assert!(matches!(reply(&mut client, id), Reply::CopyOut(_)));
    assert!(matches!(reply(&mut client, id), Reply::CopyData(data) if data == b"1\n"[..]));
    assert!(matches!(reply(&mut client, id), Reply::CopyDone));
    assert!(matches!(reply(&mut client, id), Reply::CommandComplete(_)));
    assert!(matches!(reply(&mut client, id), Reply::Ready(_)));
    net.finish();
}

#[test]
fn a_copy_can_be_given_up_and_a_lost_connection_is_told() {
    let script = Script::new()
        .query("COPY t FROM STDIN")
        .copy_response('G', 1)
        .expect_exactly('f', b"enough\0")
        .error("57014", "COPY from stdin failed: enough")
        .ready('I')
        .query("SELECT 1")
        .close();
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let id = client.submit(&Request::Query(b"COPY t FROM STDIN")).unwrap();
    assert!(matches!(reply(&mut client, id), Reply::CopyIn(_)));
    client.copy_fail("enough").unwrap();
    assert!(matches!(reply(&mut client, id), Reply::Error(_)));
    assert!(matches!(reply(&mut client, id), Reply::Ready(_)));

    let id = client.submit(&Request::Query(b"SELECT 1")).unwrap();
    let error = loop {
        match client.try_reply(id) {
            Ok(NextReply::Waiting(_)) => {}
            Ok(NextReply::Reply(reply)) => panic!("{reply:?}"),
            Err(error) => break error,
        }
    };
    assert!(error.is_connection_lost());
    assert!(client.is_closed());
    assert!(client.try_send().unwrap_err().is_connection_lost());
    assert!(client.run(&Request::Query(b"SELECT 1"), &mut Never).is_err());
    net.finish();
}
