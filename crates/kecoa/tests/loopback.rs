//! The client over real sockets, against a scripted server on the loopback interface.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::config::Environment;
use kecoa::proto::Request;
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, Error, ErrorKind, Never, TransactionOptions};
use kecoa_pgmock::{Script, Server};

fn connect(server: &Server) -> Client {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    let config = Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap();
    Client::connect(&config).unwrap()
}

#[test]
fn an_interrupt_sends_a_cancel_request_and_the_connection_stays_usable() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .query("SELECT pg_sleep(100)")
            .wait("cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I')
            .terminate(),
        Script::new().expect_cancel().signal("cancelled").close(),
    ]);
    let mut client = connect(&server);
    let started = Instant::now();
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT pg_sleep(100)"), &mut hook).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Interrupted, Some("57014")));
    assert!(started.elapsed() < Duration::from_secs(10), "the hook is asked while it waits");
    client.batch("SELECT 1").unwrap();
    drop(client);
    server.finish();
}

#[test]
fn a_cancel_that_cannot_be_sent_closes_the_connection() {
    // The second connection meets a server that hangs up before it has read the request: the
    // cancel is as good as sent. Silence on the first then ends by the server closing it.
    let server = Server::start(vec![
        Script::new().startup().query("SELECT pg_sleep(100)").wait("hung up").close(),
        Script::new().expect_cancel().signal("hung up").close(),
    ]);
    let mut client = connect(&server);
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT pg_sleep(100)"), &mut hook).unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    assert!(client.is_closed());
}

#[test]
fn a_transaction_finds_its_way_to_a_fresh_connection() {
    let server = Server::start(vec![
        Script::new().startup().query("BEGIN;UPDATE a").fatal("57P01", "shutting down").close(),
        Script::new()
            .startup()
            .query("BEGIN;UPDATE a")
            .complete("BEGIN")
            .complete("UPDATE 1")
            .ready('T')
            .simple("COMMIT", "COMMIT", 'I')
            .terminate(),
    ]);
    let policy = Policy { jitter: Jitter::None, first_delay: Duration::ZERO, ..Policy::default() };
    let options = TransactionOptions { policy, ..TransactionOptions::default() };
    let mut client = connect(&server);
    let result: Result<(), Error> =
        client.transaction_with(&options, |tx| tx.batch("UPDATE a").map(drop));
    result.unwrap();
    drop(client);
    server.finish();
}

#[test]
fn an_end_in_the_middle_of_a_reply_is_a_lost_connection() {
    for cut in [1, 5, 20] {
        let server = Server::start(vec![
            Script::new()
                .startup()
                .query("SELECT 1")
                .cut_after(cut)
                .row_description(&[("x", 25, 0)])
                .row(&[Some(b"1")])
                .complete("SELECT 1")
                .ready('I'),
        ]);
        let mut client = connect(&server);
        let error = client.run(&Request::Query(b"SELECT 1"), &mut Never).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "cut after {cut}");
        assert!(client.is_closed() && client.raw_fd().is_none());
    }
}
