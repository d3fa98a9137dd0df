//! The client for tokio over real sockets, against scripted servers; where it waits by itself, in
//! virtual time.
#![cfg(feature = "tokio")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use kecoa::config::Environment;
use kecoa::retry::{Jitter, Policy};
use kecoa::{Client, Config, Error, ErrorKind, Transaction, TransactionOptions};
use kecoa_pgmock::{Script, Server};
use tokio::time::Instant;

async fn connect_with(server: &Server, more: &str) -> Result<Client, Error> {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable {more}",
        server.port()
    );
    let config = Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap();
    Client::connect(&config).await
}

async fn connect(server: &Server) -> Client {
    connect_with(server, "").await.unwrap()
}

/// Waits of an hour, two, four.
fn many_attempts() -> TransactionOptions {
    let hour = Duration::from_secs(3600);
    let policy = Policy {
        max_attempts: 4,
        first_delay: hour,
        max_delay: 10 * hour,
        total: None,
        jitter: Jitter::None,
        ..Policy::default()
    };
    TransactionOptions { policy, ..TransactionOptions::default() }
}

async fn update(tx: &mut Transaction<'_>) -> Result<(), Error> {
    tx.batch("UPDATE a").await.map(drop)
}

fn begun() -> Script {
    Script::new().simple("BEGIN", "BEGIN", 'T')
}

fn updated() -> Script {
    begun().simple("UPDATE a", "UPDATE 1", 'T')
}

fn refused() -> Script {
    begun().failing("UPDATE a", "40001", 'E').simple("ROLLBACK", "ROLLBACK", 'I')
}

#[tokio::test(start_paused = true)]
async fn attempts_wait_on_tokios_clock_and_run_out() {
    let script = (0..4).fold(Script::new().startup(), |script, _| script.then(refused()));
    let server = Server::start(vec![script.terminate()]);
    let mut client = connect(&server).await;
    let started = Instant::now();
    let error = client.transaction_with(&many_attempts(), update).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RetriesExhausted { attempts: 4, .. }), "{error}");
    let hours = started.elapsed().as_secs() / 3600;
    assert_eq!(hours, 1 + 2 + 4);
    drop(client);
    server.finish();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_replaced_before_commit() {
    let server = Server::start(vec![
        Script::new().startup().then(begun()).query("UPDATE a").fatal("57P01", "bye").close(),
        Script::new().startup().then(updated()).close(),
        Script::new().startup().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate(),
    ]);
    let mut client = connect(&server).await;
    let mut runs = 0;
    let done: Result<(), Error> = client
        .transaction_local(&many_attempts(), async |tx| {
            runs += 1;
            update(tx).await?;
            if runs == 2 {
                // The server ends the session before COMMIT is on its way: that is seen in time.
                tx.batch("SELECT 1").await?;
            }
            Ok(())
        })
        .await;
    done.unwrap();
    assert_eq!(runs, 3);
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_commit_that_is_not_answered_is_ambiguous() {
    let server =
        Server::start(vec![Script::new().startup().then(updated()).query("COMMIT").close()]);
    let mut client = connect(&server).await;
    let error = client.transaction(update).await.unwrap_err();
    assert_eq!((error.kind(), error.is_ambiguous()), (ErrorKind::AmbiguousCommit, true));
    assert!(client.is_closed());
    server.finish();
}

#[tokio::test]
async fn a_commit_that_was_answered_is_done_whatever_comes_behind() {
    let script = Script::new().startup().then(updated()).query("COMMIT").complete("COMMIT").close();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    client.transaction(update).await.unwrap();
    assert!(client.is_closed());
    server.finish();
}

#[tokio::test]
async fn a_commit_that_rolled_back_is_an_error() {
    let script = Script::new()
        .startup()
        .then(updated())
        .simple("COMMIT", "ROLLBACK", 'I')
        .simple("SELECT 1", "SELECT 0", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    let error = client.transaction(update).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    client.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test(start_paused = true)]
async fn cockroachs_restart_protocol_goes_back_to_the_savepoint() {
    let (back, release) =
        ("ROLLBACK TO SAVEPOINT cockroach_restart", "RELEASE SAVEPOINT cockroach_restart");
    let ran = || Script::new().simple("UPDATE a", "UPDATE 1", 'T');
    let script = Script::new()
        .startup_cockroach()
        .query("BEGIN;SAVEPOINT cockroach_restart")
        .complete("BEGIN")
        .complete("SAVEPOINT")
        .ready('T')
        .failing("UPDATE a", "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .then(ran())
        .failing(release, "40001", 'E')
        .simple(back, "ROLLBACK", 'T')
        .then(ran())
        .simple(release, "COMMIT", 'T')
        .simple("COMMIT", "COMMIT", 'I');
    let again = Script::new()
        .query("BEGIN;SAVEPOINT cockroach_restart")
        .complete("BEGIN")
        .complete("SAVEPOINT")
        .ready('T')
        .then(ran())
        .failing(release, "40003", 'E')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .terminate();
    let server = Server::start(vec![script.then(again)]);
    let mut client = connect(&server).await;
    let options = TransactionOptions { cockroach_restart: true, ..many_attempts() };
    let started = Instant::now();
    client.transaction_with::<_, Error>(&options, update).await.unwrap();
    assert_eq!(started.elapsed().as_secs() / 3600, 3);
    let error = client.transaction_with::<_, Error>(&options, update).await.unwrap_err();
    assert!(error.is_ambiguous(), "{error}");
    drop(client);
    server.finish();
}

/// A statement that is dropped at once.
async fn dropped(client: &mut Client, sql: &str) {
    let over = tokio::time::timeout(Duration::from_millis(1), client.batch(sql)).await;
    assert!(over.is_err());
}

#[tokio::test]
async fn what_was_dropped_is_cancelled_before_the_next_statement_is_sent() {
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
    let mut client = connect(&server).await;
    dropped(&mut client, "SELECT pg_sleep(100)").await;
    client.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_server_that_overheard_the_cancel_request_is_asked_again() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .query("SELECT pg_sleep(100)")
            .wait("cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I')
            .terminate(),
        Script::new().expect_cancel().close(),
        Script::new().expect_cancel().signal("cancelled").close(),
    ]);
    let mut client = connect(&server).await;
    dropped(&mut client, "SELECT pg_sleep(100)").await;
    client.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_server_that_does_not_end_what_was_dropped_is_given_up() {
    let mut scripts =
        vec![Script::new().startup().query("SELECT pg_sleep(100)").wait("given up").close()];
    scripts.extend((0..10).map(|_| Script::new().expect_cancel().close()));
    scripts.push(Script::new().startup().signal("given up").terminate());
    let server = Server::start(scripts);
    let mut client = connect(&server).await;
    dropped(&mut client, "SELECT pg_sleep(100)").await;
    tokio::time::pause();
    let started = Instant::now();
    let error = client.batch("SELECT 1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(started.elapsed().as_secs(), 10);
    assert!(client.is_closed());
    client.reconnect().await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_connection_in_the_making_may_be_dropped() {
    let server = Server::start(vec![
        Script::new().expect_startup().stall(),
        Script::new().startup().terminate(),
    ]);
    let connecting = connect_with(&server, "");
    assert!(tokio::time::timeout(Duration::from_millis(20), connecting).await.is_err());
    drop(connect(&server).await);
    server.finish();
}

#[tokio::test]
async fn results_that_are_too_large_are_cancelled() {
    let row = [b'x'; 1000];
    let rows = |script: Script| (0..50).fold(script, |script, _| script.row(&[Some(&row)]));
    let script = Script::new().startup().query("SELECT x").row_description(&[("x", 25, 0)]);
    let server = Server::start(vec![
        rows(script)
            .wait("cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 1", "SELECT 1", 'I')
            .terminate(),
        Script::new().expect_cancel().signal("cancelled").close(),
    ]);
    let mut client = connect_with(&server, "max_result_size=20000").await.unwrap();
    let error = client.batch("SELECT x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge);
    client.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}
