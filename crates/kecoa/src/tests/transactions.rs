//! Retry of whole transactions, in virtual time.

use std::time::Duration;

use kecoa_pgmock::Script;

use super::harness::{Net, Virtual};
use crate::client::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::retry::Policy;
use crate::transaction::TransactionOptions;

/// A transaction of one statement, in virtual time.
pub(super) fn transfer(client: &mut Client, runtime: &mut Virtual) -> Result<(), Error> {
    client.transaction_on(&TransactionOptions::default(), runtime, |tx| {
        tx.batch("UPDATE a").map(drop)
    })
}

pub(super) fn first_statement() -> Script {
    Script::new().query("BEGIN;UPDATE a")
}

pub(super) fn ran() -> Script {
    first_statement().complete("BEGIN").complete("UPDATE 1").ready('T')
}

pub(super) fn retry_error() -> Script {
    first_statement()
        .complete("BEGIN")
        .error("40001", "restart transaction: TransactionRetryWithProtoRefreshError")
        .ready('E')
        .simple("ROLLBACK", "ROLLBACK", 'I')
}

pub(super) fn committed() -> Script {
    ran().simple("COMMIT", "COMMIT", 'I')
}

#[test]
fn a_transaction_commits() {
    let net = Net::postgres(vec![committed()]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert!(runtime.sleeps.is_empty());
    net.finish();
}

#[test]
fn one_write_and_one_read_a_round_trip() {
    let net = Net::postgres(vec![committed()]);
    let mut client = net.client();
    net.take_calls();
    transfer(&mut client, &mut Virtual::new()).unwrap();
    assert_eq!(net.take_calls(), (2, 2, 1), "BEGIN with the statement, a look, and COMMIT");
    net.finish();
}

#[test]
fn retried_on_40001_of_a_statement() {
    let net = Net::postgres(vec![retry_error().then(retry_error()).then(committed())]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.slept_ms(), [50, 100], "full jitter, at 0.5");
    net.finish();
}

#[test]
fn retried_on_40001_at_commit_without_a_rollback() {
    let net = Net::postgres(vec![ran().failing("COMMIT", "40001", 'I').then(committed())]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.slept_ms(), [50]);
    net.finish();
}

#[test]
fn retried_on_a_fresh_connection_when_lost_before_commit() {
    for lost in [
        Script::new().close(),
        first_statement().close(),
        first_statement().complete("BEGIN").reset(),
        first_statement().fatal("57P01", "server is shutting down").close(),
        Script::new().fatal("57P01", "server is shutting down").close(),
        first_statement().complete("BEGIN").fatal("57P01", "terminating connection").close(),
    ] {
        let net = Net::postgres(vec![lost.clone(), committed()]);
        let mut runtime = Virtual::new();
        let mut client = net.client();
        transfer(&mut client, &mut runtime).unwrap_or_else(|error| panic!("{lost:?}: {error}"));
        assert_eq!(runtime.slept_ms(), [50], "{lost:?}");
        assert!(!client.is_closed());
        net.finish();
    }
}

#[test]
fn a_drain_that_ends_the_statement_first_is_a_lost_connection() {
    // CockroachDB, emulated: 57014 for the query, then 57P01 for the session.
    let net = Net::cockroach(vec![
        first_statement()
            .complete("BEGIN")
            .error("57014", "query execution canceled")
            .ready('E')
            .fatal("57P01", "server is shutting down")
            .close(),
        committed(),
    ]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.sleeps.len(), 1);
    net.finish();
}

#[test]
fn lost_during_commit_is_ambiguous_and_never_retried() {
    let commit = || ran().query("COMMIT");
    for lost in [
        commit().close(),
        commit().reset(),
        commit().cut_after(11).complete("COMMIT").ready('I'),
        commit().fatal("57P01", "terminating connection").close(),
        commit().error("40003", "result is ambiguous").ready('I'),
    ] {
        let net = Net::postgres(vec![lost.clone()]);
        let mut runtime = Virtual::new();
        let error = transfer(&mut net.client(), &mut runtime).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{lost:?}");
        assert!(error.is_ambiguous() && !error.is_retryable(), "{lost:?}");
        assert!(error.last_attempt().is_some() && error.to_string().contains("COMMIT was sent"));
        assert!(runtime.sleeps.is_empty(), "{lost:?}");
        net.finish();
    }
}

#[test]
fn every_byte_is_before_commit_or_leaves_it_open() {
    let statement = Script::new().complete("BEGIN").complete("UPDATE 1").ready('T').sent_bytes();
    let said = statement + Script::new().complete("COMMIT").sent_bytes();
    for cut in 0..said + Script::new().ready('I').sent_bytes() {
        let first = Script::new().query("BEGIN;UPDATE a").cut_after(cut);
        let first = first.complete("BEGIN").complete("UPDATE 1").ready('T');
        let first = first.simple("COMMIT", "COMMIT", 'I');
        let mut runtime = Virtual::new();
        if cut <= statement {
            // COMMIT was never sent: run again, once.
            let net = Net::postgres(vec![first, committed()]);
            transfer(&mut net.client(), &mut runtime).unwrap();
            assert_eq!(runtime.sleeps.len(), 1, "cut after {cut}");
            net.finish();
        } else if cut >= said {
            // The server said COMMIT: nothing is open, only the connection is gone.
            let net = Net::postgres(vec![first]);
            let mut client = net.client();
            transfer(&mut client, &mut runtime).unwrap();
            assert!(client.is_closed() && runtime.sleeps.is_empty(), "cut after {cut}");
            net.finish();
        } else {
            let net = Net::postgres(vec![first]);
            let error = transfer(&mut net.client(), &mut runtime).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "cut after {cut}");
            assert!(runtime.sleeps.is_empty(), "cut after {cut}");
            net.finish();
        }
    }
}

#[test]
fn lost_after_commit_is_committed() {
    // COMMIT's whole reply arrived: the end behind it is the next request's business.
    let net = Net::postgres(vec![ran().simple("COMMIT", "COMMIT", 'I').close(), committed()]);
    let mut client = net.client();
    let mut runtime = Virtual::new();
    transfer(&mut client, &mut runtime).unwrap();
    transfer(&mut client, &mut runtime).unwrap();
    assert_eq!(runtime.sleeps.len(), 1, "the second transaction found the connection lost");
    net.finish();
}

#[test]
fn commit_that_could_not_be_sent_is_retried() {
    // The server ended the session between the statement and COMMIT. The write fails, so that
    // COMMIT was never sent: nothing can have been committed.
    let net = Net::postgres(vec![ran().close(), committed()]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.sleeps.len(), 1);
    net.finish();
}

#[test]
fn an_end_that_was_said_before_commit_is_seen_before_commit() {
    for end in [
        ran().fatal("57P01", "terminating connection").close(),
        // The end of the stream may be some time off.
        ran().fatal("57P01", "terminating connection").wait("never"),
        ran().reset(),
    ] {
        let net = Net::postgres(vec![end.clone(), committed()]);
        let mut runtime = Virtual::new();
        transfer(&mut net.client(), &mut runtime).unwrap_or_else(|e| panic!("{end:?}: {e}"));
        assert_eq!(runtime.slept_ms(), [50], "{end:?}");
    }
}

#[test]
fn what_is_said_before_commit_and_is_no_end_is_kept() {
    let talkative = ran().notice("01000", "hurry").parameter_status("TimeZone", "UTC");
    let net = Net::postgres(vec![talkative.simple("COMMIT", "COMMIT", 'I')]);
    let mut client = net.client();
    let mut runtime = Virtual::new();
    transfer(&mut client, &mut runtime).unwrap();
    assert!(runtime.sleeps.is_empty());
    assert_eq!((client.take_notices().len(), client.parameter("TimeZone")), (1, Some("UTC")));
    net.finish();
}

#[test]
fn attempts_run_out() {
    let net = Net::postgres(vec![
        retry_error().then(retry_error()).then(ran().failing("COMMIT", "40001", 'I')),
    ]);
    let policy = Policy { max_attempts: 3, ..Policy::default() };
    let options = TransactionOptions { policy, ..TransactionOptions::default() };
    let mut runtime = Virtual::new();
    let mut client = net.client();
    let error = client
        .transaction_on(&options, &mut runtime, |tx| -> Result<(), Error> {
            tx.batch("UPDATE a").map(drop)
        })
        .unwrap_err();
    let elapsed = Duration::from_millis(150);
    assert_eq!(error.kind(), ErrorKind::RetriesExhausted { attempts: 3, elapsed });
    assert_eq!(error.sqlstate(), Some("40001"));
    assert!(!error.is_retryable() && !client.is_closed());
    net.finish();
}

#[test]
fn a_server_that_is_away_uses_up_attempts_too() {
    let net = Net::postgres(vec![first_statement().close(), committed()])
        .refuse(1, Error::connect("nobody listens"))
        .refuse(2, Error::connect("nobody listens"));
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.slept_ms(), [50, 100, 200]);
    net.finish();
}

#[test]
fn a_final_error_rolls_back_and_returns() {
    let net = Net::postgres(vec![
        first_statement()
            .complete("BEGIN")
            .error("23505", "duplicate key")
            .ready('E')
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(committed()),
    ]);
    let mut client = net.client();
    let mut runtime = Virtual::new();
    let error = transfer(&mut client, &mut runtime).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Server, Some("23505")));
    assert!(runtime.sleeps.is_empty());
    transfer(&mut client, &mut runtime).unwrap();
    net.finish();
}

#[test]
fn an_ambiguous_statement_is_not_retried() {
    let net = Net::postgres(vec![
        first_statement()
            .complete("BEGIN")
            .error("40003", "result is ambiguous")
            .ready('E')
            .simple("ROLLBACK", "ROLLBACK", 'I'),
    ]);
    let mut runtime = Virtual::new();
    let error = transfer(&mut net.client(), &mut runtime).unwrap_err();
    assert!(error.is_ambiguous() && runtime.sleeps.is_empty());
    net.finish();
}

#[test]
fn a_commit_that_answers_rollback_is_an_error() {
    let net = Net::postgres(vec![ran().simple("COMMIT", "ROLLBACK", 'I')]);
    let error = transfer(&mut net.client(), &mut Virtual::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    assert!(!error.is_retryable());
    net.finish();
}
