//! One request at a time: results, COPY, interrupts, misuse.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Duration;

use kecoa_pgmock::Script;
use kecoa_proto::{Request, Step, Target, TransactionStatus};

use super::harness::Net;
use crate::error::ErrorKind;
use crate::interrupt::{Interrupt, Never};

#[test]
fn an_interrupt_cancels_and_the_connection_stays_usable() {
    let net = Net::postgres(vec![
        Script::new()
            .query("SELECT pg_sleep(100)")
            .wait("cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    let mut checks = 0;
    let mut hook = || {
        checks += 1;
        if checks < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let error = client.run(&Request::Query(b"SELECT pg_sleep(100)"), &mut hook).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Interrupted, Some("57014")));
    assert!(!error.is_connection_lost());
    assert_eq!((checks, net.cancels()), (3, 1), "asked until it broke, cancelled once");
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn every_confirmed_commit_is_counted() {
    let net = Net::postgres(vec![
        Script::new()
            .query("COMMIT; SELECT 1/0")
            .complete("COMMIT")
            .error("22012", "division by zero")
            .ready('I')
            .simple("COMMIT", "ROLLBACK", 'I')
            .simple("END", "COMMIT", 'I'),
    ]);
    let mut client = net.client();
    client.batch("COMMIT; SELECT 1/0").unwrap_err();
    assert_eq!(client.commits(), 1, "also when what follows it fails");
    client.batch("COMMIT").unwrap();
    assert_eq!(client.commits(), 1, "a failed transaction was rolled back instead");
    client.batch("END").unwrap();
    assert_eq!(client.commits(), 2);
    net.finish();
}

#[test]
fn an_interrupt_that_came_too_late_says_so() {
    let net = Net::postgres(vec![
        Script::new().query("INSERT").wait("cancelled").complete("INSERT 0 1").ready('I'),
    ]);
    let mut hook = || ControlFlow::Break(());
    let error = net.client().run(&Request::Query(b"INSERT"), &mut hook).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.to_string().contains("had already succeeded"), "{error}");
}

#[test]
fn a_server_that_does_not_end_the_cancelled_request_is_given_up() {
    let net = Net::postgres(vec![Script::new().query("SELECT 1").stall()]);
    let mut client = net.client();
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT 1"), &mut hook).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.to_string().contains("the connection was closed"), "{error}");
    assert!(error.is_connection_lost() && client.is_closed());
}

/// Somebody who presses Ctrl-C, and again.
#[derive(Default)]
struct Presses {
    asked: u32,
    asked_to_give_up: Cell<u32>,
}

impl Interrupt for Presses {
    fn check(&mut self) -> ControlFlow<()> {
        self.asked += 1;
        ControlFlow::Break(())
    }

    fn gives_up(&self) -> bool {
        self.asked_to_give_up.replace(self.asked_to_give_up.get() + 1) > 0
    }
}

#[test]
fn who_interrupts_again_waits_for_no_answer() {
    // The first wait for the end of the request, the other for the cancel request itself.
    for event in ["", "stopped"] {
        let script = match event {
            "" => Script::new(),
            event => Script::new().signal(event),
        };
        let net = Net::postgres(vec![script.query("SELECT 1").stall()]);
        let mut client = net.client();
        let mut hook = Presses::default();
        let error = client.run(&Request::Query(b"SELECT 1"), &mut hook).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert!(!error.to_string().contains("within"), "{error}");
        assert!(error.to_string().contains("the connection was closed"), "{error}");
        assert!(error.is_connection_lost() && client.is_closed());
        assert_eq!(hook.asked, 2, "{error}");
    }
}

#[test]
fn a_cancel_that_cannot_be_made_closes_the_connection() {
    let script = Script::new().signal("unreachable").query("SELECT 1").stall();
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT 1"), &mut hook).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(error.to_string().contains("nobody listens"), "{error}");
    assert!(error.is_connection_lost() && client.is_closed());
    // At COMMIT that leaves the outcome open.
    assert_eq!(crate::retry::classify(&error, true), crate::retry::Failure::Ambiguous);
}

#[test]
fn a_connection_lost_while_draining_is_lost() {
    let net = Net::postgres(vec![Script::new().query("SELECT 1").wait("cancelled").close()]);
    let mut client = net.client();
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT 1"), &mut hook).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(client.is_closed());
}

#[test]
fn another_threads_canceller_reaches_the_server() {
    let net = Net::postgres(vec![Script::new()]);
    let client = net.client();
    client.canceller().cancel().unwrap();
    assert_eq!(net.cancels(), 1);
    assert!(!format!("{:?}", client.canceller()).contains("secret"));
}

#[test]
fn the_first_error_is_reported_and_the_connection_goes_on() {
    let net = Net::postgres(vec![
        Script::new()
            .query("SELECT 1; SELECT 1/0; SELECT 2")
            .row_description(&[("x", 23, 0)])
            .row(&[Some(b"1")])
            .complete("SELECT 1")
            .error("22012", "division by zero")
            .ready('I')
            .simple("SELECT 3", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    let error = client.batch("SELECT 1; SELECT 1/0; SELECT 2").unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Server, Some("22012")));
    assert!(!client.is_closed());
    client.batch("SELECT 3").unwrap();
    net.finish();
}

#[test]
fn nul_in_sql_is_refused_before_anything_is_sent() {
    let net = Net::postgres(vec![Script::new()]);
    let error = net.client().batch("SELECT '\0'").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.nothing_was_sent());
    net.finish();
}

#[test]
fn a_described_statement_is_a_result_without_a_tag() {
    let net = Net::postgres(vec![
        Script::new()
            .expect_until_sync()
            .send_message('1', b"")
            .send_message('t', &[0, 1, 0, 0, 0, 23])
            .row_description(&[("x", 23, 0)])
            .ready('I'),
    ]);
    let steps = [
        Step::Parse { name: b"s", sql: b"SELECT $1", types: &[] },
        Step::Describe(Target::Statement(b"s")),
    ];
    let sets = net.client().run(&Request::Extended(&steps), &mut Never).unwrap();
    assert_eq!(sets[0].parameters.as_deref(), Some(&[23][..]));
    assert!(sets[0].description.is_some() && sets[0].tag.is_none());
}

#[test]
fn requests_submitted_together_are_answered_in_order() {
    let net = Net::postgres(vec![
        Script::new()
            .simple("SELECT 1", "SELECT 1", 'I')
            .failing("SELECT nix", "42703", 'I')
            .simple("SELECT 3", "SELECT 3", 'I'),
    ]);
    let mut client = net.client();
    let ids: Vec<_> = [&b"SELECT 1"[..], b"SELECT nix", b"SELECT 3"]
        .iter()
        .map(|sql| client.submit(&Request::Query(sql)).unwrap())
        .collect();
    client.finish(ids[0], &mut Never).unwrap();
    assert_eq!(client.finish(ids[1], &mut Never).unwrap_err().sqlstate(), Some("42703"));
    client.finish(ids[2], &mut Never).unwrap();
    let over = client.finish(ids[2], &mut Never).unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Usage, "asking again is no hang");
    net.finish();
}

#[test]
fn copy_through_run_is_refused_and_the_connection_goes_on() {
    let net = Net::postgres(vec![
        Script::new()
            .query("COPY t FROM STDIN")
            .copy_response('G', 1)
            .expect('f')
            .error("57014", "COPY from stdin failed")
            .ready('I')
            .query("COPY t TO STDOUT")
            .copy_response('H', 1)
            .send_message('d', b"1\n")
            .send_message('c', b"")
            .complete("COPY 1")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    let error = client.batch("COPY t FROM STDIN").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("copy_in") && !error.nothing_was_sent(), "{error}");
    let error = client.batch("COPY t TO STDOUT").unwrap_err();
    assert!(error.to_string().contains("copy_out"), "{error}");
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn copy_both_ways() {
    let net = Net::postgres(vec![
        Script::new()
            .query("COPY t FROM STDIN")
            .copy_response('G', 1)
            .expect_exactly('d', b"1\n2\n")
            .expect_exactly('c', b"")
            .complete("COPY 2")
            .ready('I')
            .query("COPY t TO STDOUT")
            .copy_response('H', 1)
            .send_message('d', b"1\n")
            .send_message('d', b"2\n")
            .send_message('c', b"")
            .complete("COPY 2")
            .ready('I'),
    ]);
    let mut client = net.client();
    let mut data = &b"1\n2\n"[..];
    assert_eq!(client.copy_in("COPY t FROM STDIN", &mut data, &mut Never).unwrap(), Some(2));
    let mut sink = Vec::new();
    assert_eq!(client.copy_out("COPY t TO STDOUT", &mut sink, &mut Never).unwrap(), Some(2));
    assert_eq!(sink, b"1\n2\n");
    net.finish();
}

#[test]
fn a_copy_that_the_server_refuses_early_stops() {
    let net = Net::postgres(vec![
        Script::new()
            .query("COPY t FROM STDIN")
            .copy_response('G', 1)
            .expect('d')
            .error("22P02", "invalid input")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    let mut endless = std::io::repeat(b'x');
    let error = client.copy_in("COPY t FROM STDIN", &mut endless, &mut Never).unwrap_err();
    assert_eq!(error.sqlstate(), Some("22P02"));
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn polling_never_waits_and_says_when_the_server_has_gone() {
    let net = Net::postgres(vec![
        Script::new()
            .wait("news")
            .notification(7, "channel", "payload")
            .wait("end")
            .fatal("57P01", "terminating connection")
            .wait("never"),
    ]);
    let mut client = net.client();
    client.poll().unwrap();
    assert!(client.take_notifications().is_empty());
    net.signal("news");
    client.poll().unwrap();
    assert_eq!(client.take_notifications().len(), 1);
    net.signal("end");
    let error = client.poll().unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(error.is_connection_lost() && error.nothing_was_sent() && client.is_closed());
}

#[test]
fn polling_loses_no_reply_of_a_pipeline() {
    let net = Net::postgres(vec![
        Script::new().simple("SELECT 1", "SELECT 1", 'I').simple("SELECT 2", "SELECT 2", 'I'),
    ]);
    let mut client = net.client();
    let one = client.submit(&Request::Query(b"SELECT 1")).unwrap();
    let two = client.submit(&Request::Query(b"SELECT 2")).unwrap();
    assert_eq!(client.finish(one, &mut Never).unwrap().len(), 1);
    client.poll().unwrap();
    assert_eq!(client.finish(two, &mut Never).unwrap().len(), 1);
    net.finish();
}

/// Reads and writes fail at once.
struct Failing;

impl std::io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the disk is gone"))
    }
}

impl std::io::Write for Failing {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the disk is full"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_copy_whose_caller_fails_leaves_a_usable_connection() {
    let net = Net::postgres(vec![
        Script::new()
            .query("COPY t FROM STDIN")
            .copy_response('G', 1)
            .expect('f')
            .error("57014", "COPY from stdin failed")
            .ready('I')
            .query("COPY t TO STDOUT")
            .copy_response('H', 1)
            .send_message('d', b"1\n")
            .send_message('d', b"2\n")
            .send_message('c', b"")
            .complete("COPY 2")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    let error = client.copy_in("COPY t FROM STDIN", &mut Failing, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(error.sqlstate(), Some("57014"));
    let error = client.copy_out("COPY t TO STDOUT", &mut Failing, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn what_is_no_copy_is_said_to_be_none() {
    let net = Net::postgres(vec![Script::new().simple("SELECT 1", "SELECT 1", 'I')]);
    let error = net.client().copy_in("SELECT 1", &mut &b""[..], &mut Never).unwrap_err();
    assert!(error.to_string().contains("expected COPY"), "{error}");
}

#[test]
fn a_protocol_error_closes_the_connection() {
    let net = Net::postgres(vec![Script::new().query("SELECT 1").send_message('?', b"")]);
    let mut client = net.client();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(client.is_closed() && error.is_connection_lost());
}

#[test]
fn closing_says_good_bye() {
    let net = Net::postgres(vec![Script::new().terminate()]);
    let mut client = net.client();
    client.close();
    assert!(client.is_closed());
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    let error = client.batch("SELECT 1").unwrap_err();
    assert!(error.nothing_was_sent());
    net.finish();
}

#[test]
fn rows_are_read_by_number_and_name_with_typed_errors() {
    let net = Net::postgres(vec![
        Script::new()
            .expect_until_sync()
            .send_message('1', b"")
            .send_message('2', b"")
            .row_description(&[("id", 20, 1), ("name", 25, 1), ("none", 25, 1)])
            .row(&[Some(&5_i64.to_be_bytes()), Some(b"Ana"), None])
            .complete("SELECT 1")
            .ready('I'),
    ]);
    let row = net.client().query_one("SELECT …", &[]).unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 5);
    assert_eq!(row.get::<String>("name").unwrap(), "Ana");
    assert_eq!(row.get::<Option<String>>("none").unwrap(), None);
    let error = row.get::<String>("none").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conversion);
    assert!(error.to_string().contains("column \"none\""), "{error}");
    let error = row.get::<bool>("name").unwrap_err();
    assert!(error.to_string().contains("text (oid 25)"), "{error}");
    let error = row.get::<i64>("missing").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(row.get::<i64>(3).is_err());
}

#[test]
fn the_number_of_rows_is_checked() {
    let answer = |script: Script, rows: usize| {
        let script = script
            .expect_until_sync()
            .send_message('1', b"")
            .send_message('2', b"")
            .row_description(&[("x", 25, 1)]);
        let script = (0..rows).fold(script, |script, _| script.row(&[Some(b"x")]));
        script.complete(&format!("SELECT {rows}")).ready('I')
    };
    let script = [0, 0, 2, 2].into_iter().fold(Script::new(), answer);
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    client.set_statement_cache_capacity(0);
    assert_eq!(client.query_one("q", &[]).unwrap_err().kind(), ErrorKind::Usage);
    assert!(client.query_opt("q", &[]).unwrap().is_none());
    assert!(client.query_opt("q", &[]).is_err());
    assert_eq!(client.execute("q", &[]).unwrap(), 2);
    net.finish();
}

#[test]
fn a_request_is_driven_step_by_step() {
    let net = Net::postgres(vec![
        Script::new()
            .query("SELECT 1; SELECT 2")
            .complete("SELECT 1")
            .complete("SELECT 1")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    assert_eq!(client.advance().unwrap(), None, "nothing was asked for");
    let request = client.submit(&Request::Query(b"SELECT 1; SELECT 2")).unwrap();
    let mut steps = 0;
    while client.advance().unwrap().is_some() {
        std::thread::sleep(std::time::Duration::from_millis(1));
        steps += 1;
        assert!(steps < 10_000, "the request did not end");
    }
    assert_eq!(client.finish(request, &mut Never).unwrap().len(), 2);
    client.batch("SELECT 1").unwrap();
    net.finish();
}

#[test]
fn a_look_meets_the_answer_and_spares_the_sleep() {
    let answers =
        (0..67).fold(Script::new(), |script, _| script.simple("SELECT 1", "SELECT 1", 'I'));
    let net = Net::postgres(vec![answers]);
    let mut client = net.client();
    net.take_calls();
    client.batch("SELECT 1").unwrap();
    assert_eq!(net.take_calls(), (1, 1, 0), "nobody has asked to look");
    client.session().poll_for(Duration::from_secs(1));
    for _ in 0..64 {
        client.batch("SELECT 1").unwrap();
    }
    assert_eq!(net.take_calls(), (64, 64, 0), "what a sleep takes is measured first");
    client.batch("SELECT 1").unwrap();
    assert_eq!(net.take_calls(), (0, 1, 1));
    client.session().poll_for(Duration::ZERO);
    client.batch("SELECT 1").unwrap();
    assert_eq!(net.take_calls(), (1, 1, 0));
}

#[test]
fn a_look_in_vain_ends_in_a_sleep_that_the_hook_can_break() {
    let quick = (0..64).fold(Script::new(), |script, _| script.simple("SELECT 1", "SELECT 1", 'I'));
    let slow = quick
        .query("SELECT pg_sleep(100)")
        .wait("cancelled")
        .error("57014", "canceling statement due to user request")
        .ready('I');
    let net = Net::postgres(vec![slow]);
    let mut client = net.client();
    client.session().poll_for(Duration::from_micros(1));
    for _ in 0..64 {
        client.batch("SELECT 1").unwrap();
    }
    let mut hook = || ControlFlow::Break(());
    net.take_calls();
    let error = client.run(&Request::Query(b"SELECT pg_sleep(100)"), &mut hook).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Interrupted, Some("57014")));
    let (reads, _, looks) = net.take_calls();
    assert!(looks >= 1 && reads == 2, "{looks} looks, {reads} reads");
    assert!(!error.is_connection_lost());
}
