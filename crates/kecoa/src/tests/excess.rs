//! Results beyond their limit, where the server or the caller makes it hard.

use kecoa_pgmock::Script;
use kecoa_proto::Request;

use super::harness::Net;
use crate::error::ErrorKind;
use crate::interrupt::Never;

const ROW: &[u8] = b"D\0\0\0\x0e\0\x01\0\0\0\x04rows";
const QUERY: Request<'static> = Request::Query(b"SELECT 1");

fn rows() -> Vec<u8> {
    ROW.repeat(200)
}

fn described() -> Script {
    Script::new().query("SELECT 1").row_description(&[("a", 25, 0)])
}

#[test]
fn a_server_that_does_not_stop_is_given_up() {
    let net = Net::postgres(vec![described().endless(&rows(), "never")]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    let error = client.run(&QUERY, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    assert!(error.is_connection_lost() && client.is_closed());
    assert_eq!(net.cancels(), 1);
    for part in ["at most 10000 bytes", "did not end the request", "the connection was closed"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn what_cannot_be_cancelled_is_given_up() {
    let script = Script::new().signal("unreachable").then(described());
    let net = Net::postgres(vec![script.endless(&rows(), "never")]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    let error = client.run(&QUERY, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    assert!(error.is_connection_lost() && client.is_closed());
    assert!(error.to_string().contains("could not be cancelled"), "{error}");
    assert!(error.to_string().contains("nobody listens"), "{error}");
}

#[test]
fn a_caller_that_waits_by_itself_is_told_once() {
    let net = Net::postgres(vec![
        described()
            .endless(&rows(), "cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 2", "SELECT 1", 'I'),
    ]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    let request = client.submit(&QUERY).unwrap();
    let mut told = 0;
    while client.advance().unwrap().is_some() {
        if client.has_excess() {
            told += 1;
            client.canceller().cancel().unwrap();
        }
    }
    assert_eq!((told, net.cancels()), (1, 1));
    let error = client.finish(request, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge, "{error}");
    assert!(!client.is_closed());
    client.batch("SELECT 2").unwrap();
    net.finish();
}

#[test]
fn a_server_that_goes_on_for_a_while_is_asked_to_cancel_once() {
    let net = Net::postgres(vec![
        described()
            .send(&rows().repeat(1_000))
            .error("57014", "canceling statement due to user request")
            .ready('I'),
    ]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    client.submit(&QUERY).unwrap();
    let (mut told, mut steps) = (0, 0);
    while client.advance().unwrap().is_some() {
        steps += 1;
        told += usize::from(client.has_excess());
    }
    assert_eq!(told, 1, "in {steps} steps");
    assert!(steps > 2, "{steps}");
    net.finish();
}

#[test]
fn what_is_taken_as_it_comes_is_not_counted() {
    let net = Net::postgres(vec![
        described().send(&rows().repeat(50)).complete("SELECT 10000").ready('I'),
    ]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    let request = client.submit(&QUERY).unwrap();
    let mut count = 0;
    loop {
        match client.try_reply(request).unwrap() {
            crate::session::NextReply::Reply(kecoa_proto::Reply::Rows(rows)) => count += rows.len(),
            crate::session::NextReply::Reply(kecoa_proto::Reply::Ready(_)) => break,
            _ => {}
        }
    }
    assert_eq!(count, 10_000);
    net.finish();
}

#[test]
fn one_that_came_whole_before_it_could_be_cancelled_is_too_large_all_the_same() {
    let net = Net::postgres(vec![
        described()
            .send(&rows().repeat(3))
            .complete("SELECT 600")
            .ready('I')
            .simple("COMMIT", "COMMIT", 'I'),
    ]);
    let mut client = net.client();
    client.session().limit_results(Some(10_000));
    let error = client.run(&QUERY, &mut Never).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge, "{error}");
    client.batch("COMMIT").unwrap();
    assert_eq!(client.commits(), 1);
    net.finish();
}
