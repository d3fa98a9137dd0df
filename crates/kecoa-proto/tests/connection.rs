//! The state machine of an open connection, against scripted answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use bytes::Bytes;
use kecoa_proto::message::backend::Message;
use kecoa_proto::message::frontend;
use kecoa_proto::{
    Event, Format, Parameter, Reply, Request, Step, Target, TransactionStatus, UsageError,
};
use support::{
    BIND, DESCRIBE, EXECUTE, PARSE, columns, copy, encode, events, failure, fatal, names, notice,
    notification, open, parameter, ready, receive, replies, row, sent, sent_tags, tag,
};

#[test]
fn a_simple_query() {
    let mut connection = open();
    let id = connection.submit(&Request::Query(b"SELECT 1")).unwrap();
    assert_eq!(connection.pending(), 1);
    assert_eq!(
        sent(&mut connection),
        [frontend::Message::Query(frontend::Query { sql: Bytes::from_static(b"SELECT 1") })]
    );
    let got = replies(
        &mut connection,
        id,
        &[
            columns(2),
            row(&[Some("1"), None]),
            row(&[Some(""), Some("x")]),
            tag("SELECT 2"),
            Message::ReadyForQuery(TransactionStatus::InTransaction),
        ],
    );
    assert_eq!(got, ["columns 2", "rows 2", "SELECT 2", "ready T"]);
    assert_eq!(connection.pending(), 0);
    assert_eq!(connection.transaction_status(), TransactionStatus::InTransaction);
}

#[test]
fn rows_are_where_they_arrived() {
    let mut connection = open();
    connection.submit(&Request::Query(b"q")).unwrap();
    receive(&mut connection, &[columns(2), row(&[Some("1"), None]), row(&[Some(""), Some("xy")])]);
    let mut events = events(&mut connection);
    let Some(Event::Reply(_, Reply::Rows(rows))) = events.pop() else { panic!("no rows") };
    assert_eq!((rows.len(), rows.columns(), rows.is_empty()), (2, 2, false));
    let values: Vec<Vec<_>> = rows.iter().map(|row| row.fields().collect()).collect();
    assert_eq!(values, [vec![Some(&b"1"[..]), None], vec![Some(&b""[..]), Some(&b"xy"[..])]]);
    let (first, next) = rows.row_at(0).unwrap();
    assert_eq!(
        (first.get(0), first.get(1), first.get(2)),
        (Some(Some(&b"1"[..])), Some(None), None)
    );
    let (second, end) = rows.row_at(next).unwrap();
    assert_eq!(second.get(1), Some(Some(&b"xy"[..])));
    assert_eq!(end, rows.bytes().len());
    assert!(rows.row_at(end).is_none());
    assert!(rows.row_at(end + 1).is_none());
    let again = kecoa_proto::Rows::from_bytes(rows.bytes().clone()).unwrap();
    assert_eq!(again, rows);
    let indexed = kecoa_proto::IndexedRows::new(rows);
    assert_eq!((indexed.len(), indexed.is_empty()), (2, false));
    let found = [(1, 1), (0, 0), (0, 1), (1, 0)].map(|(row, column)| indexed.value(row, column));
    assert_eq!(found, [Some(Some(&b"xy"[..])), Some(Some(b"1")), Some(None), Some(Some(b""))]);
    let outside = [(0, 2), (2, 0), (usize::MAX, 1), (0, usize::MAX)];
    assert!(outside.iter().all(|(row, column)| indexed.value(*row, *column).is_none()));
}

#[test]
fn long_runs_are_not_copied_and_short_ones_are() {
    let mut connection = open();
    connection.submit(&Request::Query(b"q")).unwrap();
    let text: &'static str = "y".repeat(1000).leak();
    let mut messages = vec![columns(1)];
    messages.extend((0..10).map(|_| row(&[Some(text)])));
    receive(&mut connection, &messages);
    assert!(matches!(
        connection.poll_event().unwrap(),
        Some(Event::Reply(_, Reply::RowDescription(_)))
    ));
    let at = connection.read_buffer().as_ptr() as usize;
    let Some(Event::Reply(_, Reply::Rows(rows))) = connection.poll_event().unwrap() else {
        panic!("no rows")
    };
    assert_eq!(rows.len(), 10);
    assert_eq!(rows.bytes().as_ptr() as usize, at);
    receive(&mut connection, &[row(&[Some("z")])]);
    let at = connection.read_buffer().as_ptr() as usize;
    let Some(Event::Reply(_, Reply::Rows(rows))) = connection.poll_event().unwrap() else {
        panic!("no rows")
    };
    assert_ne!(rows.bytes().as_ptr() as usize, at);
}

#[test]
fn a_long_message_does_not_keep_its_memory() {
    let mut connection = open();
    connection.submit(&Request::Query(&vec![b' '; 3 << 20])).unwrap();
    let length = connection.poll_transmit().unwrap().len();
    connection.transmitted(length);
    assert_eq!(connection.poll_transmit(), None);
    let text: &'static str = "y".repeat(3 << 20).leak();
    receive(&mut connection, &[columns(1), row(&[Some(text)]), tag("SELECT 1"), ready()]);
    let at = connection.read_buffer().as_ptr() as usize;
    let end = at + connection.read_buffer().len();
    connection.poll_event().unwrap();
    let rows = connection.poll_event().unwrap();
    let now = connection.read_buffer().as_ptr() as usize;
    assert!(!(at..end).contains(&now), "the rest moved out");
    assert!(matches!(rows, Some(Event::Reply(_, Reply::Rows(_)))));
    assert_eq!(events(&mut connection).len(), 2);
}

#[test]
fn several_statements_and_an_empty_query() {
    let mut connection = open();
    let id = connection.submit(&Request::Query(b"a; b; c")).unwrap();
    let got = replies(
        &mut connection,
        id,
        &[
            tag("SET"),
            columns(1),
            tag("SELECT 0"),
            columns(2),
            row(&[None, None]),
            tag("X"),
            ready(),
        ],
    );
    assert_eq!(got, ["SET", "columns 1", "SELECT 0", "columns 2", "rows 1", "X", "ready I"]);
    let id = connection.submit(&Request::Query(b"")).unwrap();
    let got = replies(&mut connection, id, &[Message::EmptyQueryResponse, ready()]);
    assert_eq!(got, ["empty", "ready I"]);
}

#[test]
fn extended_steps_are_answered_in_order() {
    let mut connection = open();
    let parameters = [
        Parameter { format: Format::Text, value: Some(b"7") },
        Parameter { format: Format::Binary, value: None },
    ];
    let steps = [
        Step::Parse { name: b"s", sql: b"SELECT $1, $2", types: &[23, 0] },
        Step::Describe(Target::Statement(b"s")),
        Step::Bind {
            portal: b"p",
            statement: b"s",
            parameters: &parameters,
            results: &[Format::Binary],
        },
        Step::Describe(Target::Portal(b"p")),
        Step::Execute { portal: b"p", max_rows: 1 },
        Step::Flush,
        Step::Execute { portal: b"p", max_rows: 0 },
        Step::Close(Target::Portal(b"p")),
    ];
    let id = connection.submit(&Request::Extended(&steps)).unwrap();
    assert_eq!(sent_tags(&mut connection), "PDBDEHECS");
    let got = replies(
        &mut connection,
        id,
        &[
            Message::ParseComplete,
            Message::ParameterDescription(vec![23, 25]),
            columns(2),
            Message::BindComplete,
            columns(2),
            row(&[None, None]),
            Message::PortalSuspended,
            row(&[None, None]),
            tag("SELECT 1"),
            Message::CloseComplete,
            ready(),
        ],
    );
    assert_eq!(
        got,
        [
            "parsed",
            "parameters [23, 25]",
            "columns 2",
            "bound",
            "columns 2",
            "rows 1",
            "suspended",
            "rows 1",
            "SELECT 1",
            "closed",
            "ready I"
        ]
    );
}

#[test]
fn a_bare_sync_is_answered() {
    let mut connection = open();
    let id = connection.submit(&Request::Extended(&[])).unwrap();
    assert_eq!(sent_tags(&mut connection), "S");
    assert_eq!(replies(&mut connection, id, &[ready()]), ["ready I"]);
}

#[test]
fn an_error_skips_the_rest_of_its_request_only() {
    let mut connection = open();
    let steps = [PARSE, BIND, DESCRIBE, EXECUTE];
    let first = connection.submit(&Request::Extended(&steps)).unwrap();
    let second = connection.submit(&Request::Extended(&steps)).unwrap();
    let third = connection.submit(&Request::Query(b"q")).unwrap();
    receive(
        &mut connection,
        &[
            Message::ParseComplete,
            failure(),
            ready(),
            Message::ParseComplete,
            Message::BindComplete,
            Message::NoData,
            tag("SET"),
            failure(), // at the Sync: a deferred constraint
            ready(),
            failure(),
            ready(),
        ],
    );
    let got = names(&events(&mut connection));
    let expected = [
        (first, "parsed"),
        (first, "error 42601"),
        (first, "ready I"),
        (second, "parsed"),
        (second, "bound"),
        (second, "no data"),
        (second, "SET"),
        (second, "error 42601"),
        (second, "ready I"),
        (third, "error 42601"),
        (third, "ready I"),
    ]
    .map(|(id, name)| (Some(id), name.to_owned()));
    assert_eq!(got, expected);
    assert!(first < second && second < third);
}

#[test]
fn notices_notifications_and_parameters_come_at_any_time() {
    let mut connection = open();
    let any = || [notice(), notification(), parameter("TimeZone", "UTC")];
    let expected = ["notice", "notification", "TimeZone=UTC"];
    let check = |connection: &mut kecoa_proto::Connection| {
        receive(connection, &any());
        let got: Vec<_> = names(&events(connection)).into_iter().map(|(_, name)| name).collect();
        assert_eq!(got, expected);
    };
    check(&mut connection);
    let id = connection.submit(&Request::Query(b"q")).unwrap();
    check(&mut connection);
    for messages in [vec![columns(1)], vec![row(&[None])], vec![tag("X")]] {
        replies(&mut connection, id, &messages);
        check(&mut connection);
    }
    replies(&mut connection, id, &[failure()]);
    check(&mut connection);
    replies(&mut connection, id, &[ready()]);
    assert_eq!(connection.parameter("TimeZone"), Some("UTC"));
    assert_eq!(connection.parameter("timezone"), None);
}

#[test]
fn a_function_call() {
    let mut connection = open();
    let args = [Parameter { format: Format::Binary, value: Some(b"a") }; 2];
    let call = Request::FunctionCall { oid: 5, args: &args, result: Format::Text };
    let id = connection.submit(&call).unwrap();
    let [frontend::Message::FunctionCall(call)] = &sent(&mut connection)[..] else {
        panic!("no call")
    };
    assert_eq!((call.oid, call.formats.len(), call.arguments.len()), (5, 1, 2));
    let answer = Message::FunctionCallResponse(Some(Bytes::from_static(b"1")));
    assert_eq!(
        replies(&mut connection, id, &[answer, ready()]),
        ["function Some(b\"1\")", "ready I"]
    );
}

#[test]
fn an_error_that_nobody_asked_for() {
    let mut connection = open();
    receive(&mut connection, &[fatal()]);
    assert_eq!(names(&events(&mut connection)), [(None, "unsolicited 57P01".to_owned())]);
    assert_eq!(connection.submit(&Request::Query(b"q")), Err(UsageError::Closed));
    assert!(connection.is_closed());
    let eof = connection.handle_eof();
    assert!(eof.after_fatal && eof.clean && eof.in_flight.is_none());
}

#[test]
fn a_fatal_error_leaves_its_request_in_flight() {
    let mut connection = open();
    let id = connection.submit(&Request::Query(b"q")).unwrap();
    sent(&mut connection);
    assert_eq!(replies(&mut connection, id, &[fatal()]), ["error 57P01"]);
    let eof = connection.handle_eof();
    assert!(eof.after_fatal && !eof.clean && !eof.terminated && eof.in_flight_sent);
    assert_eq!((eof.in_flight, eof.pending, eof.unread), (Some(id), 1, 0));
}

#[test]
fn the_end_of_the_stream_tells_what_was_in_flight() {
    let mut connection = open();
    let first = connection.submit(&Request::Query(b"first")).unwrap();
    let second = connection.submit(&Request::Query(b"second")).unwrap();
    assert!(connection.nothing_sent(first) && connection.nothing_sent(second));
    connection.transmitted(1);
    assert!(!connection.nothing_sent(first) && connection.nothing_sent(second));
    connection.read_buffer().extend_from_slice(b"T\0\0");
    assert_eq!(events(&mut connection), []);
    assert_eq!(connection.read_hint(), 2);
    let eof = connection.handle_eof();
    assert!(!eof.clean && eof.in_flight_sent);
    assert_eq!((eof.in_flight, eof.pending, eof.unread), (Some(first), 2, 3));

    let mut connection = open();
    connection.submit(&Request::Query(b"never sent")).unwrap();
    assert!(!connection.handle_eof().in_flight_sent);

    let mut connection = open();
    connection.terminate();
    connection.terminate();
    assert_eq!(sent_tags(&mut connection), "X");
    assert_eq!(connection.submit(&Request::Query(b"q")), Err(UsageError::Closed));
    let eof = connection.handle_eof();
    assert!(eof.clean && eof.terminated && !eof.after_fatal);
}

#[test]
fn every_way_of_splitting_the_stream_gives_the_same_events() {
    let make = || {
        let mut connection = open();
        connection.submit(&Request::Query(b"q")).unwrap();
        connection.submit(&Request::Extended(&[PARSE, BIND, DESCRIBE, EXECUTE])).unwrap();
        connection.submit(&Request::Extended(&[EXECUTE])).unwrap();
        connection
    };
    let bytes = encode(&[
        columns(2),
        row(&[Some("1"), None]),
        row(&[None, Some("22")]),
        notice(),
        row(&[None, Some("333")]),
        tag("SELECT 3"),
        ready(),
        Message::ParseComplete,
        parameter("a", "b"),
        failure(),
        ready(),
        Message::CopyOutResponse(copy()),
        Message::CopyData(Bytes::from_static(b"1\n")),
        Message::CopyDone,
        tag("COPY 1"),
        ready(),
        fatal(),
    ]);
    let whole = {
        let mut connection = make();
        connection.read_buffer().extend_from_slice(&bytes);
        flat(&events(&mut connection))
    };
    for first in 0..=bytes.len() {
        for second in [first, first + 1, first + 7, bytes.len()] {
            let second = second.min(bytes.len());
            let mut connection = make();
            let mut got = Vec::new();
            for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                connection.read_buffer().extend_from_slice(part);
                got.extend(events(&mut connection));
            }
            assert_eq!(flat(&got), whole, "split at {first} and {second}");
        }
    }
}

/// Events, rows one by one: how many come together depends on the reads.
fn flat(events: &[Event]) -> Vec<String> {
    let mut out = Vec::new();
    for event in events {
        match event {
            Event::Reply(id, Reply::Rows(rows)) => {
                for row in rows {
                    out.push(format!("{id:?} row {:?}", row.fields().collect::<Vec<_>>()));
                }
            }
            other => out.push(format!("{other:?}")),
        }
    }
    out
}
