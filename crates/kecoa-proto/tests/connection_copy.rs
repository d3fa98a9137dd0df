//! COPY on an open connection, against scripted answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use bytes::Bytes;
use kecoa_proto::message::backend::Message;
use kecoa_proto::{ProtocolError, Request, UsageError};
use support::{
    BIND, EXECUTE, PARSE, copy, events, failure, open, ready, receive, replies, sent_tags, tag,
};

#[test]
fn copy_in_of_a_simple_query_needs_no_sync() {
    let mut connection = open();
    assert_eq!(connection.copy_data(b"x"), Err(UsageError::NotCopying));
    let id = connection.submit(&Request::Query(b"COPY t FROM STDIN")).unwrap();
    assert_eq!(sent_tags(&mut connection), "Q");
    assert_eq!(connection.copy_done(), Err(UsageError::NotCopying));
    assert_eq!(replies(&mut connection, id, &[Message::CopyInResponse(copy())]), ["copy in"]);
    assert_eq!(connection.submit(&Request::Query(b"q")), Err(UsageError::CopyInProgress));
    connection.copy_data(b"1\n").unwrap();
    connection.copy_data(&vec![b'x'; (2 << 20) + 1]).unwrap();
    connection.copy_data(b"").unwrap();
    connection.copy_done().unwrap();
    assert_eq!(sent_tags(&mut connection), "ddddc");
    assert_eq!(connection.copy_data(b"x"), Err(UsageError::NotCopying));
    assert_eq!(replies(&mut connection, id, &[tag("COPY 1"), ready()]), ["COPY 1", "ready I"]);
}

#[test]
fn copy_in_of_an_extended_request_needs_another_sync() {
    let mut connection = open();
    let id = connection.submit(&Request::Extended(&[PARSE, BIND, EXECUTE])).unwrap();
    let got = replies(
        &mut connection,
        id,
        &[Message::ParseComplete, Message::BindComplete, Message::CopyInResponse(copy())],
    );
    assert_eq!(got, ["parsed", "bound", "copy in"]);
    assert_eq!(sent_tags(&mut connection), "PBES");
    connection.copy_data(b"1\n").unwrap();
    connection.copy_fail(b"changed my mind").unwrap();
    assert_eq!(sent_tags(&mut connection), "dfS");
    assert_eq!(replies(&mut connection, id, &[failure(), ready()]), ["error 42601", "ready I"]);
}

#[test]
fn copy_data_is_dropped_once_the_server_gave_up() {
    for extended in [false, true] {
        let mut connection = open();
        let id = if extended {
            connection.submit(&Request::Extended(&[EXECUTE])).unwrap()
        } else {
            connection.submit(&Request::Query(b"COPY t FROM STDIN")).unwrap()
        };
        replies(&mut connection, id, &[Message::CopyInResponse(copy())]);
        connection.copy_data(b"1\n").unwrap();
        sent_tags(&mut connection);
        assert_eq!(replies(&mut connection, id, &[failure()]), ["error 42601"]);
        connection.copy_data(b"2\n").unwrap();
        connection.copy_done().unwrap();
        assert_eq!(sent_tags(&mut connection), if extended { "S" } else { "" });
        assert_eq!(replies(&mut connection, id, &[ready()]), ["ready I"]);
        assert_eq!(connection.copy_data(b"3\n"), Err(UsageError::NotCopying));
        let next = connection.submit(&Request::Query(b"q")).unwrap();
        assert_eq!(replies(&mut connection, next, &[tag("X"), ready()]), ["X", "ready I"]);
    }
}

#[test]
fn both_syncs_of_a_failed_copy_may_be_answered() {
    // The COPY failed before the server read the Sync after Execute: that Sync is answered, and
    // so is the one that we send because of the error.
    for late in [false, true] {
        let mut connection = open();
        let id = connection.submit(&Request::Extended(&[EXECUTE])).unwrap();
        replies(&mut connection, id, &[Message::CopyInResponse(copy())]);
        assert_eq!(replies(&mut connection, id, &[failure(), ready()]), ["error 42601", "ready I"]);
        if !late {
            receive(&mut connection, &[ready()]);
            assert_eq!(events(&mut connection), []);
        }
        let next = connection.submit(&Request::Query(b"q")).unwrap();
        if late {
            receive(&mut connection, &[ready()]);
            assert_eq!(events(&mut connection), []);
        }
        assert_eq!(replies(&mut connection, next, &[tag("X"), ready()]), ["X", "ready I"]);
        receive(&mut connection, &[ready()]);
        assert!(connection.poll_event().is_err(), "only one may come on top");
    }
}

#[test]
fn no_ready_may_come_on_top_once_the_next_request_is_answered() {
    let mut connection = open();
    let id = connection.submit(&Request::Extended(&[EXECUTE])).unwrap();
    replies(&mut connection, id, &[Message::CopyInResponse(copy())]);
    connection.copy_done().unwrap();
    assert_eq!(replies(&mut connection, id, &[tag("COPY 0"), ready()]), ["COPY 0", "ready I"]);
    let next = connection.submit(&Request::Query(b"q")).unwrap();
    assert_eq!(replies(&mut connection, next, &[tag("X"), ready()]), ["X", "ready I"]);
    receive(&mut connection, &[ready()]);
    assert!(connection.poll_event().is_err());
}

#[test]
fn copy_in_with_requests_behind_it_is_refused() {
    let mut connection = open();
    connection.submit(&Request::Query(b"COPY t FROM STDIN")).unwrap();
    connection.submit(&Request::Query(b"q")).unwrap();
    receive(&mut connection, &[Message::CopyInResponse(copy())]);
    assert_eq!(connection.poll_event(), Err(ProtocolError::CopyInPipeline { behind: 1 }));
}

#[test]
fn copy_out() {
    let mut connection = open();
    let id = connection.submit(&Request::Query(b"COPY t TO STDOUT")).unwrap();
    let data = || Message::CopyData(Bytes::from_static(b"1\n"));
    let got = replies(
        &mut connection,
        id,
        &[
            Message::CopyOutResponse(copy()),
            data(),
            data(),
            Message::CopyDone,
            tag("COPY 2"),
            ready(),
        ],
    );
    assert_eq!(got, ["copy out", "data 2", "data 2", "copy done", "COPY 2", "ready I"]);
    assert_eq!(connection.copy_data(b"x"), Err(UsageError::NotCopying));
}

#[test]
fn copy_both_ends_when_both_sides_are_done() {
    for ours_first in [false, true] {
        let mut connection = open();
        let id = connection.submit(&Request::Query(b"START_REPLICATION")).unwrap();
        let data = Message::CopyData(Bytes::from_static(b"w"));
        let got = replies(&mut connection, id, &[Message::CopyBothResponse(copy()), data]);
        assert_eq!(got, ["copy both", "data 1"]);
        connection.copy_data(b"r").unwrap();
        if ours_first {
            connection.copy_done().unwrap();
        }
        assert_eq!(replies(&mut connection, id, &[Message::CopyDone]), ["copy done"]);
        if !ours_first {
            connection.copy_done().unwrap();
        }
        assert_eq!(sent_tags(&mut connection), "Qdc");
        assert_eq!(replies(&mut connection, id, &[tag("COPY 0"), ready()]), ["COPY 0", "ready I"]);
    }
}
