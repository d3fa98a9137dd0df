//! What a peer or a caller may not do on an open connection.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use kecoa_proto::message::backend::Message;
use kecoa_proto::{ProtocolError, Request, Step, Target, UsageError};
use support::{
    BIND, DESCRIBE, EXECUTE, PARSE, columns, copy, failure, names, open, ready, receive, replies,
    row, tag,
};

#[test]
fn a_message_out_of_turn_poisons() {
    let cases: &[(&[Message], &str)] = &[
        (
            &[row(&[None])],
            "expected the result of a statement or ReadyForQuery from the server during a simple \
             query, found DataRow",
        ),
        (
            &[columns(1), ready()],
            "expected DataRow or CommandComplete from the server while a result's rows arrive, \
             found ReadyForQuery",
        ),
        (
            &[ready()],
            "expected the result of a statement or ReadyForQuery from the server during a simple \
             query, found ReadyForQuery",
        ),
        (
            &[failure(), tag("X")],
            "expected ReadyForQuery from the server after a request failed, found CommandComplete",
        ),
        (
            &[Message::CopyOutResponse(copy()), tag("X")],
            "expected CopyData or CopyDone from the server while a COPY's data arrived, found \
             CommandComplete",
        ),
        (
            &[Message::CopyInResponse(copy()), tag("X")],
            "expected nothing but an error from the server while a COPY waited for our data, \
             found CommandComplete",
        ),
        (
            &[tag("X"), ready(), ready()],
            "expected nothing but notices and notifications from the server while no request was \
             waiting, found ReadyForQuery",
        ),
        (
            &[columns(1), row(&[None, None])],
            "malformed DataRow message: expected 1 columns, found 2",
        ),
    ];
    for (messages, expected) in cases {
        let mut connection = open();
        connection.submit(&Request::Query(b"q")).unwrap();
        receive(&mut connection, messages);
        let error = loop {
            match connection.poll_event() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no error for {messages:?}"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), *expected);
        assert_eq!(connection.poll_event(), Err(ProtocolError::Poisoned));
        assert_eq!(connection.submit(&Request::Query(b"q")), Err(UsageError::Closed));
        assert_eq!(connection.copy_data(b"q"), Err(UsageError::Closed));
    }
}

#[test]
fn extended_steps_are_held_to_their_order() {
    for (steps, message) in [
        (&[PARSE][..], Message::BindComplete),
        (&[PARSE], ready()),
        (&[BIND], Message::ParseComplete),
        (&[DESCRIBE], Message::ParameterDescription(vec![])),
        (&[Step::Describe(Target::Statement(b""))], Message::NoData),
        (&[EXECUTE], ready()),
        (&[EXECUTE], columns(1)),
        (&[Step::Close(Target::Portal(b""))], tag("X")),
        (&[], tag("X")),
    ] {
        let mut connection = open();
        connection.submit(&Request::Extended(steps)).unwrap();
        receive(&mut connection, &[message]);
        assert!(matches!(connection.poll_event(), Err(ProtocolError::Unexpected { .. })));
    }
}

#[test]
fn rows_are_held_to_their_portals_description() {
    let described = [DESCRIBE, EXECUTE];
    let other = [Step::Describe(Target::Portal(b"other")), EXECUTE];
    for (steps, fails) in [(&described[..], true), (&other, false)] {
        let mut connection = open();
        connection.submit(&Request::Extended(steps)).unwrap();
        receive(&mut connection, &[columns(2), row(&[None])]);
        assert!(connection.poll_event().is_ok());
        assert_eq!(connection.poll_event().is_err(), fails);
    }
    // Undescribed: equal among themselves.
    let mut connection = open();
    connection.submit(&Request::Extended(&[EXECUTE])).unwrap();
    receive(&mut connection, &[row(&[None]), row(&[None, None])]);
    assert!(connection.poll_event().is_ok());
    assert!(connection.poll_event().is_err());
}

#[test]
fn malformed_rows_are_refused_behind_the_good_ones() {
    for bad in [
        &b"D\0\0\0\x04"[..],
        b"D\0\0\0\x05\0",
        b"D\0\0\0\x06\0\x01",
        b"D\0\0\0\x0a\0\x01\0\0\0\x01",
        b"D\0\0\0\x0a\0\x01\xff\xff\xff\xfe",
        b"D\0\0\0\x0a\0\x01\x7f\xff\xff\xff",
        b"D\0\0\0\x0b\0\x01\xff\xff\xff\xff\0",
        b"D\0\0\0\x03",
        b"D\xff\xff\xff\xff",
    ] {
        let mut connection = open();
        let id = connection.submit(&Request::Query(b"q")).unwrap();
        receive(&mut connection, &[columns(1), row(&[None])]);
        connection.read_buffer().extend_from_slice(bad);
        connection.poll_event().unwrap();
        let rows = connection.poll_event().unwrap().unwrap();
        assert_eq!(names(&[rows]), [(Some(id), "rows 1".to_owned())]);
        assert!(connection.poll_event().is_err(), "{bad:?}");
    }
}

#[test]
fn unknown_messages_are_refused_without_waiting_for_their_length() {
    let mut connection = open();
    connection.read_buffer().extend_from_slice(b"h");
    assert!(matches!(connection.poll_event(), Err(ProtocolError::Unexpected { .. })));
}

#[test]
fn claims_are_capped() {
    let mut connection = open();
    connection.read_buffer().extend_from_slice(b"C\x7f\0\0\0");
    let error = connection.poll_event().unwrap_err();
    assert_eq!(
        error.to_string(),
        "CommandComplete message too long: expected at most 1048576 bytes, found 2130706432"
    );
    // A claim that is allowed is not believed ahead of its bytes either.
    let mut connection = open();
    connection.submit(&Request::Query(b"q")).unwrap();
    assert_eq!(connection.read_hint(), 5);
    connection.read_buffer().extend_from_slice(b"D\x3f\xff\xff\xff");
    assert_eq!(connection.poll_event(), Ok(None));
    assert_eq!(connection.read_hint(), 64 * 1024);
    connection.read_buffer().resize(100_000, 0);
    assert_eq!(connection.read_hint(), 100_000);
}

#[test]
fn a_cap_counts_to_the_byte() {
    let mut limits = kecoa_proto::Limits::default();
    limits.control = 4 + 9;
    for (text, fits) in [("SELECT 1", true), ("SELECT 12", false)] {
        let mut connection = kecoa_proto::Connection::new(limits.clone());
        connection.submit(&Request::Query(b"q")).unwrap();
        receive(&mut connection, &[tag(text)]);
        assert_eq!(connection.poll_event().is_ok(), fits);
    }
}

#[test]
fn a_request_that_cannot_be_sent_leaves_nothing_behind() {
    let mut connection = open();
    let nul = Step::Parse { name: b"", sql: b"SELECT '\0'", types: &[] };
    for request in [Request::Query(b"a\0"), Request::Extended(&[PARSE, BIND, nul])] {
        assert!(matches!(connection.submit(&request), Err(UsageError::Nul { .. })));
        assert_eq!(connection.poll_transmit(), None);
        assert_eq!(connection.pending(), 0);
    }
    let id = connection.submit(&Request::Query(b"q")).unwrap();
    assert_eq!(replies(&mut connection, id, &[tag("X"), ready()]), ["X", "ready I"]);
}
