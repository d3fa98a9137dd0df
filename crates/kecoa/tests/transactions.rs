//! Transactions of the blocking client that the program begins and ends, or leaves half-way; against
//! scripted servers.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use kecoa::blocking::{Client, Transaction};
use kecoa::config::Environment;
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, Error, ErrorKind, FailedAttempt, TransactionOptions};
use kecoa_pgmock::{Script, Server};

fn connect(server: &Server) -> Client {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    Client::connect(&Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap()).unwrap()
}

fn at_once(cockroach_restart: bool) -> TransactionOptions {
    let policy = Policy {
        max_attempts: 3,
        first_delay: Duration::ZERO,
        jitter: Jitter::None,
        ..Policy::default()
    };
    TransactionOptions { policy, cockroach_restart, ..TransactionOptions::default() }
}

fn updated() -> Script {
    Script::new().query("BEGIN;UPDATE a").complete("BEGIN").complete("UPDATE 1").ready('T')
}

fn refused() -> Script {
    Script::new().query("BEGIN;UPDATE a").complete("BEGIN").error("40001", "restart").ready('E')
}

fn update(tx: &mut Transaction<'_>) -> Result<(), Error> {
    tx.batch("UPDATE a").map(drop)
}

#[test]
fn a_transaction_is_begun_and_ended_by_the_program() {
    let script = Script::new()
        .startup()
        .then(updated())
        .simple("COMMIT", "COMMIT", 'I')
        .then(updated())
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .then(updated())
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    let plain = TransactionOptions::default();
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    tx.commit().unwrap();
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    tx.rollback().unwrap();
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    drop(tx);
    // Nothing was sent: there is nothing to end.
    client.begin(&plain).unwrap().commit().unwrap();
    drop(client);
    server.finish();
}

#[test]
fn a_commit_by_the_program_says_what_became_of_it() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .then(updated())
            .failing("COMMIT", "40001", 'I')
            .then(updated())
            .failing("UPDATE b", "42P01", 'E')
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(updated())
            .query("COMMIT")
            .close(),
    ]);
    let mut client = connect(&server);
    let plain = TransactionOptions::default();
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    assert!(tx.commit().unwrap_err().is_retryable());
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    tx.batch("UPDATE b").unwrap_err();
    assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::RolledBack);
    let mut tx = client.begin(&plain).unwrap();
    update(&mut tx).unwrap();
    assert_eq!(tx.commit().unwrap_err().kind(), ErrorKind::AmbiguousCommit);
    assert_eq!(client.begin(&plain).unwrap_err().kind(), ErrorKind::ConnectionLost);
    server.finish();
}

fn in_a_loop(client: &mut Client, options: &TransactionOptions) -> Result<u32, Error> {
    let mut runs = 0;
    let mut attempts = client.attempts(options)?;
    loop {
        runs += 1;
        let attempt = attempts.begin().and_then(|mut tx| {
            update(&mut tx)?;
            tx.commit()
        });
        match attempt {
            Ok(()) => return Ok(runs),
            Err(error) => attempts.failed(error)?,
        }
    }
}

#[test]
fn attempts_are_made_until_one_commits() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .then(refused())
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .query("BEGIN;UPDATE a")
            .fatal("57P01", "bye")
            .close(),
        Script::new().startup().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate(),
    ]);
    let mut client = connect(&server);
    assert_eq!(in_a_loop(&mut client, &at_once(false)).unwrap(), 3);
    drop(client);
    server.finish();
}

#[test]
fn attempts_run_out() {
    let refused = || refused().simple("ROLLBACK", "ROLLBACK", 'I');
    let script = (0..3).fold(Script::new().startup(), |script, _| script.then(refused()));
    let server = Server::start(vec![script.terminate()]);
    let mut client = connect(&server);
    let error = in_a_loop(&mut client, &at_once(false)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RetriesExhausted { attempts: 3, .. }), "{error}");
    drop(client);
    server.finish();
}

#[test]
fn attempts_go_on_behind_cockroachs_savepoint() {
    let begun = || Script::new().simple("BEGIN;SAVEPOINT cockroach_restart", "SAVEPOINT", 'T');
    let back = "ROLLBACK TO SAVEPOINT cockroach_restart";
    let script = Script::new()
        .startup_cockroach()
        .then(begun())
        .failing("UPDATE a", "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .simple("UPDATE a", "UPDATE 1", 'T')
        .simple("RELEASE SAVEPOINT cockroach_restart", "RELEASE", 'T')
        .simple("COMMIT", "COMMIT", 'I')
        // A loop that is left behind the savepoint leaves the transaction.
        .then(begun())
        .failing("UPDATE a", "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    assert_eq!(in_a_loop(&mut client, &at_once(true)).unwrap(), 2);
    let mut attempts = client.attempts(&at_once(true)).unwrap();
    let mut tx = attempts.begin().unwrap();
    let error = update(&mut tx).unwrap_err();
    drop(tx);
    attempts.failed(error).unwrap();
    drop(attempts);
    drop(client);
    server.finish();
}

#[test]
fn what_was_committed_is_not_begun_again() {
    let script =
        Script::new().startup().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    let mut attempts = client.attempts(&at_once(false)).unwrap();
    let mut tx = attempts.begin().unwrap();
    update(&mut tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(attempts.begin().unwrap_err().kind(), ErrorKind::Usage);
    drop(attempts);
    drop(client);
    server.finish();
}

#[test]
fn a_body_that_panics_is_rolled_back() {
    let script = Script::new()
        .startup()
        .then(updated())
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .then(updated())
        .simple("SAVEPOINT kecoa_1", "SAVEPOINT", 'T')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    for inside in [false, true] {
        let body = |tx: &mut Transaction<'_>| -> Result<(), Error> {
            update(tx)?;
            if inside {
                tx.savepoint(|_| -> Result<(), Error> { panic!("expected") })?;
            }
            panic!("expected")
        };
        catch_unwind(AssertUnwindSafe(|| client.transaction(body))).unwrap_err();
    }
    client.batch("SELECT 1").unwrap();
    drop(client);
    server.finish();
}

#[test]
fn an_observer_that_panics_leaves_no_transaction_open() {
    let script = Script::new()
        .startup_cockroach()
        .simple("BEGIN;SAVEPOINT cockroach_restart", "SAVEPOINT", 'T')
        .failing("UPDATE a", "40001", 'E')
        .simple("ROLLBACK TO SAVEPOINT cockroach_restart", "ROLLBACK", 'T')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    let observer = Arc::new(|_: &FailedAttempt<'_>| panic!("expected"));
    let options = TransactionOptions { observer: Some(observer), ..at_once(true) };
    catch_unwind(AssertUnwindSafe(|| client.transaction_with(&options, update))).unwrap_err();
    client.batch("SELECT 1").unwrap();
    drop(client);
    server.finish();
}

#[test]
fn a_reader_or_a_writer_that_panics_leaves_the_connection_usable() {
    struct Panics;
    impl std::io::Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            panic!("expected")
        }
    }
    impl std::io::Write for Panics {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            panic!("expected")
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let script = Script::new()
        .startup()
        .query("COPY t FROM STDIN")
        .copy_response('G', 1)
        .expect('f')
        .error("57014", "COPY from stdin failed")
        .ready('I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .query("COPY t TO STDOUT")
        .copy_response('H', 1)
        .send_message('d', b"1\n")
        .send_message('d', b"2\n")
        .send_message('c', b"")
        .complete("COPY 2")
        .ready('I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server);
    let never = &mut kecoa::Never;
    let copy = || client.copy_in("COPY t FROM STDIN", &mut Panics, never);
    catch_unwind(AssertUnwindSafe(copy)).unwrap_err();
    assert_eq!(client.batch("SELECT 1").unwrap().len(), 1);
    let copy = || client.copy_out("COPY t TO STDOUT", &mut Panics, never);
    catch_unwind(AssertUnwindSafe(copy)).unwrap_err();
    assert_eq!(client.batch("SELECT 1").unwrap().len(), 1);
    drop(client);
    server.finish();
}

/// A body that commits by hand, and what comes behind it is lost.
fn commits_by_hand() -> Script {
    updated().query("COMMIT AND CHAIN").complete("COMMIT").ready('T').query("UPDATE b").close()
}

#[test]
fn a_body_that_committed_by_itself_is_not_run_again() {
    for by_loop in [false, true] {
        let server = Server::start(vec![Script::new().startup().then(commits_by_hand())]);
        let mut client = connect(&server);
        let mut runs = 0;
        let mut body = |tx: &mut Transaction<'_>| {
            runs += 1;
            update(tx)?;
            tx.batch("COMMIT AND CHAIN")?;
            tx.batch("UPDATE b").map(drop)
        };
        let error = if by_loop {
            let mut attempts = client.attempts(&at_once(false)).unwrap();
            let error = body(&mut attempts.begin().unwrap()).unwrap_err();
            attempts.failed(error).unwrap_err()
        } else {
            client.transaction_with(&at_once(false), &mut body).unwrap_err()
        };
        assert_eq!((error.kind(), runs), (ErrorKind::ConnectionLost, 1), "{error}");
        server.finish();
    }
}

#[test]
fn a_body_that_hides_the_doubt_of_its_own_commit_is_not_run_again() {
    for goes_on in [false, true] {
        let script = Script::new().startup().then(updated()).query("COMMIT").close();
        let server = Server::start(vec![script]);
        let mut client = connect(&server);
        let error = client
            .transaction_with(&at_once(false), |tx| {
                update(tx)?;
                let _ = tx.batch("COMMIT");
                if goes_on { update(tx) } else { Ok(()) }
            })
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
        server.finish();
    }
}
