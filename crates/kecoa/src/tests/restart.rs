//! CockroachDB's restart protocol, emulated after the table of events in its documentation.

use kecoa_pgmock::Script;

use super::harness::{Net, Virtual};
use crate::client::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::transaction::TransactionOptions;

const BEGIN: &str = "BEGIN;SAVEPOINT cockroach_restart";
const BACK: &str = "ROLLBACK TO SAVEPOINT cockroach_restart";
const RELEASE: &str = "RELEASE SAVEPOINT cockroach_restart";

fn transfer(client: &mut Client, runtime: &mut Virtual) -> Result<(), Error> {
    let options = TransactionOptions { cockroach_restart: true, ..TransactionOptions::default() };
    client.transaction_on(&options, runtime, |tx| tx.batch("UPDATE a").map(drop))
}

fn begun() -> Script {
    Script::new().query(BEGIN).complete("BEGIN").complete("SAVEPOINT").ready('T')
}

fn ran() -> Script {
    Script::new().simple("UPDATE a", "UPDATE 1", 'T')
}

/// RELEASE answers with the tag COMMIT: the work is committed.
fn released() -> Script {
    Script::new().simple(RELEASE, "COMMIT", 'T')
}

fn committed() -> Script {
    ran().then(released()).simple("COMMIT", "COMMIT", 'I')
}

#[test]
fn released_and_committed() {
    let net = Net::cockroach(vec![begun().then(committed())]);
    transfer(&mut net.client(), &mut Virtual::new()).unwrap();
    net.finish();
}

#[test]
fn a_retry_goes_back_to_the_savepoint() {
    let net = Net::cockroach(vec![
        begun()
            .failing("UPDATE a", "40001", 'E')
            .simple(BACK, "ROLLBACK", 'T')
            .then(ran())
            .failing(RELEASE, "40001", 'E')
            .simple(BACK, "ROLLBACK", 'T')
            .then(committed()),
    ]);
    let mut runtime = Virtual::new();
    transfer(&mut net.client(), &mut runtime).unwrap();
    assert_eq!(runtime.slept_ms(), [50, 100]);
    net.finish();
}

#[test]
fn another_error_on_release_is_ambiguous() {
    let net = Net::cockroach(vec![
        begun().then(ran()).failing(RELEASE, "XX000", 'E').simple("ROLLBACK", "ROLLBACK", 'I'),
    ]);
    let mut runtime = Virtual::new();
    let error = transfer(&mut net.client(), &mut runtime).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::AmbiguousCommit, Some("XX000")));
    assert!(runtime.sleeps.is_empty());
    net.finish();
}

#[test]
fn lost_on_release_is_ambiguous() {
    let net = Net::cockroach(vec![begun().then(ran()).query(RELEASE).close()]);
    let error = transfer(&mut net.client(), &mut Virtual::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AmbiguousCommit);
    net.finish();
}

#[test]
fn after_release_the_work_is_committed_whatever_becomes_of_commit() {
    for end in [
        Script::new().query("COMMIT").close(),
        Script::new().close(),
        Script::new().failing("COMMIT", "XX000", 'I'),
    ] {
        let net = Net::cockroach(vec![begun().then(ran()).then(released()).then(end)]);
        transfer(&mut net.client(), &mut Virtual::new()).unwrap();
        net.finish();
    }
}

#[test]
fn without_a_way_back_the_whole_transaction_is_run_again() {
    let net = Net::cockroach(vec![
        begun()
            .failing("UPDATE a", "40001", 'E')
            .failing(BACK, "3B001", 'E')
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(begun())
            .then(committed()),
    ]);
    transfer(&mut net.client(), &mut Virtual::new()).unwrap();
    net.finish();
}

#[test]
fn lost_on_the_way_back_is_retried_on_a_fresh_connection() {
    let net = Net::cockroach(vec![
        begun().failing("UPDATE a", "40001", 'E').query(BACK).close(),
        begun().then(committed()),
    ]);
    transfer(&mut net.client(), &mut Virtual::new()).unwrap();
    net.finish();
}

#[test]
fn a_final_error_leaves_the_transaction() {
    let net = Net::cockroach(vec![
        begun().failing("UPDATE a", "23505", 'E').simple("ROLLBACK", "ROLLBACK", 'I'),
    ]);
    let error = transfer(&mut net.client(), &mut Virtual::new()).unwrap_err();
    assert_eq!(error.sqlstate(), Some("23505"));
    net.finish();
}

#[test]
fn exhausted_attempts_leave_the_transaction() {
    let options = TransactionOptions {
        cockroach_restart: true,
        policy: crate::retry::Policy::once(),
        ..TransactionOptions::default()
    };
    let net = Net::cockroach(vec![
        begun()
            .failing("UPDATE a", "40001", 'E')
            .simple(BACK, "ROLLBACK", 'T')
            .simple("ROLLBACK", "ROLLBACK", 'I'),
    ]);
    let error = net
        .client()
        .transaction_on(&options, &mut Virtual::new(), |tx| tx.batch("UPDATE a").map(drop))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RetriesExhausted { attempts: 1, .. }));
    net.finish();
}

#[test]
fn postgresql_has_no_restart_protocol() {
    let net = Net::postgres(vec![
        Script::new()
            .query("BEGIN;UPDATE a")
            .complete("BEGIN")
            .complete("UPDATE 1")
            .ready('T')
            .simple("COMMIT", "COMMIT", 'I'),
    ]);
    transfer(&mut net.client(), &mut Virtual::new()).unwrap();
    net.finish();
}
