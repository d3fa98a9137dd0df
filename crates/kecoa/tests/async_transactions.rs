//! Transactions of the client for tokio: in spawned tasks, begun and ended by the program, and left
//! half-way; against scripted servers.
#![cfg(feature = "tokio")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kecoa::config::Environment;
use kecoa::retry::{Jitter, Policy};
use kecoa::{
    Client, Config, Error, ErrorKind, Pool, Pooled, Transaction, TransactionError,
    TransactionOptions,
};
use kecoa_pgmock::{Script, Server};

async fn connect(server: &Server) -> Client {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    let config = Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap();
    Client::connect(&config).await.unwrap()
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

fn begun() -> Script {
    Script::new().simple("BEGIN", "BEGIN", 'T')
}

fn updated() -> Script {
    begun().simple("UPDATE a", "UPDATE 1", 'T')
}

fn refused() -> Script {
    begun().failing("UPDATE a", "40001", 'E')
}

async fn update(tx: &mut Transaction<'_>) -> Result<(), Error> {
    tx.batch("UPDATE a").await.map(drop)
}

// What must compile: futures that are handed to another thread, whatever the body borrows.

fn is_send<T>(work: impl Future<Output = T> + Send + 'static) -> impl Future<Output = T> {
    work
}

enum BankError {
    Database(Error),
    Poor(String),
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        BankError::Database(error)
    }
}

impl TransactionError for BankError {
    fn into_database_error(self) -> Result<Error, Self> {
        match self {
            BankError::Database(error) => Ok(error),
            other => Err(other),
        }
    }
}

async fn transfer(client: &mut Client, from: i64, to: i64, cents: i64) -> Result<(), Error> {
    client
        .transaction(async |tx| {
            let debit = "UPDATE accounts SET balance = balance - $1 WHERE id = $2";
            let credit = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
            tx.execute(debit, &[&cents, &from]).await?;
            tx.execute(credit, &[&cents, &to]).await?;
            Ok(())
        })
        .await
}

async fn debit(tx: &mut Transaction<'_>, name: &str, cents: &i64) -> Result<u64, Error> {
    tx.execute("UPDATE accounts SET balance = balance - $1 WHERE name = $2", &[cents, &name]).await
}

/// Borrowed text, an own error, savepoints in savepoints, functions that take the transaction, streams.
async fn many_ways(client: &mut Client, name: &str, ids: &[i64]) -> Result<String, BankError> {
    let (owned, cents, runs) = (name.to_owned(), 7_i64, AtomicU32::new(0));
    client
        .transaction_with(&at_once(false), async |tx: &mut Transaction<'_>| {
            runs.fetch_add(1, Ordering::Relaxed);
            debit(tx, &owned, &cents).await?;
            let inner: Result<(), BankError> = tx
                .savepoint(async |tx| {
                    debit(tx, name, &cents).await?;
                    tx.savepoint(async |tx| debit(tx, &owned, &cents).await).await?;
                    Err(BankError::Poor(owned.clone()))
                })
                .await;
            for id in ids {
                tx.execute("DELETE FROM t WHERE id = $1", &[id]).await?;
            }
            let mut rows = tx.query_stream("SELECT $1::int8", &[&cents]).await?;
            while let Some(row) = rows.next().await {
                row?.get::<i64>(0)?;
            }
            drop(rows);
            tx.execute_many("INSERT INTO t VALUES ($1)", &[&[&cents], &[&cents]]).await?;
            match inner {
                Err(BankError::Poor(who)) => Err(BankError::Poor(who)),
                _ => Ok(owned.clone()),
            }
        })
        .await
}

async fn by_hand(client: &mut Client, name: &str) -> Result<u64, Error> {
    let cents = 7_i64;
    let mut tx = client.begin(&TransactionOptions::default()).await?;
    debit(&mut tx, name, &cents).await?;
    tx.savepoint(async |tx| debit(tx, name, &cents).await).await?;
    tx.commit().await?;
    let mut attempts = client.attempts(&at_once(true)).await?;
    loop {
        let attempt = async {
            let mut tx = attempts.begin().await?;
            let count = debit(&mut tx, name, &cents).await?;
            tx.commit().await.map(|()| count)
        };
        match attempt.await {
            Ok(count) => return Ok(count),
            Err(error) => attempts.failed(error).await?,
        }
    }
}

#[tokio::test]
async fn transactions_can_be_spawned_with_what_they_borrow() {
    let never = Config::parse("host=127.0.0.1 port=1").unwrap();
    let pool = Pool::builder().min_size(0).max_size(4).build(&never).unwrap();
    let checked_out = async move |pool: Pool| -> Result<Pooled, Error> { pool.get().await };
    let (one, two, three) = (pool.clone(), pool.clone(), pool);
    let tasks = [
        tokio::spawn(is_send(async move {
            transfer(&mut *one.get().await?, 1, 2, 100).await.map(drop)
        })),
        tokio::spawn(is_send(async move {
            let (mut client, name, ids) = (two.get().await?, String::from("x"), vec![1, 2]);
            match many_ways(&mut client, &name, &ids).await {
                Err(BankError::Database(error)) => Err(error),
                _ => Ok(()),
            }
        })),
        tokio::spawn(is_send(async move {
            let (mut client, name) = (checked_out(three).await?, String::from("x"));
            by_hand(&mut client, &name).await.map(drop)
        })),
    ];
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::Connect);
    }
}

// Begun and ended by the program.

#[tokio::test]
async fn a_transaction_is_begun_and_ended_by_the_program() {
    let script = Script::new()
        .startup()
        .then(updated())
        .simple("COMMIT", "COMMIT", 'I')
        .then(updated())
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .then(updated())
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    let plain = TransactionOptions::default();
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    drop(tx);
    client.batch("SELECT 1").await.unwrap();
    // Nothing was sent: there is nothing to end.
    client.begin(&plain).await.unwrap().commit().await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_commit_by_the_program_says_what_became_of_it() {
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
    let mut client = connect(&server).await;
    let plain = TransactionOptions::default();
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    assert!(tx.commit().await.unwrap_err().is_retryable());
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    tx.batch("UPDATE b").await.unwrap_err();
    assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::RolledBack);
    let mut tx = client.begin(&plain).await.unwrap();
    update(&mut tx).await.unwrap();
    assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::AmbiguousCommit);
    let error = client.begin(&plain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    server.finish();
}

async fn in_a_loop(client: &mut Client, options: &TransactionOptions) -> Result<u32, Error> {
    let mut runs = 0;
    let mut attempts = client.attempts(options).await?;
    loop {
        runs += 1;
        let attempt = async {
            let mut tx = attempts.begin().await?;
            update(&mut tx).await?;
            tx.commit().await
        };
        match attempt.await {
            Ok(()) => return Ok(runs),
            Err(error) => attempts.failed(error).await?,
        }
    }
}

#[tokio::test]
async fn attempts_are_made_until_one_commits() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .then(refused())
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(begun())
            .query("UPDATE a")
            .fatal("57P01", "bye")
            .close(),
        Script::new().startup().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate(),
    ]);
    let mut client = connect(&server).await;
    assert_eq!(in_a_loop(&mut client, &at_once(false)).await.unwrap(), 3);
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_session_that_is_ended_between_two_statements_is_replaced() {
    let server = Server::start(vec![
        // The end of the stream has not come yet.
        Script::new().startup().then(updated()).fatal("57P01", "bye").may_leave(),
        Script::new()
            .startup()
            .then(updated())
            .simple("UPDATE a", "UPDATE 1", 'T')
            .simple("COMMIT", "COMMIT", 'I')
            .terminate(),
    ]);
    let mut client = connect(&server).await;
    client
        .transaction_with(&at_once(false), async |tx: &mut Transaction<'_>| {
            update(tx).await?;
            update(tx).await
        })
        .await
        .unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn attempts_run_out() {
    let refused = || refused().simple("ROLLBACK", "ROLLBACK", 'I');
    let script = (0..3).fold(Script::new().startup(), |script, _| script.then(refused()));
    let server = Server::start(vec![script.terminate()]);
    let mut client = connect(&server).await;
    let error = in_a_loop(&mut client, &at_once(false)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RetriesExhausted { attempts: 3, .. }), "{error}");
    drop(client);
    server.finish();
}

#[tokio::test]
async fn attempts_go_on_behind_cockroachs_savepoint() {
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
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    assert_eq!(in_a_loop(&mut client, &at_once(true)).await.unwrap(), 2);
    let mut attempts = client.attempts(&at_once(true)).await.unwrap();
    let mut tx = attempts.begin().await.unwrap();
    let error = update(&mut tx).await.unwrap_err();
    drop(tx);
    attempts.failed(error).await.unwrap();
    drop(attempts);
    client.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn what_was_committed_is_not_begun_again() {
    let script =
        Script::new().startup().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    let mut attempts = client.attempts(&at_once(false)).await.unwrap();
    let mut tx = attempts.begin().await.unwrap();
    update(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(attempts.begin().await.unwrap_err().kind(), ErrorKind::Usage);
    drop(attempts);
    drop(client);
    server.finish();
}

// Left half-way.

#[tokio::test]
async fn a_body_that_panics_is_rolled_back() {
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
    let client = std::sync::Arc::new(tokio::sync::Mutex::new(connect(&server).await));
    for inside in [false, true] {
        let client = client.clone();
        let task = tokio::spawn(async move {
            let mut client = client.lock().await;
            client
                .transaction(async |tx| {
                    update(tx).await?;
                    if inside {
                        tx.savepoint(async |_| -> Result<(), Error> { panic!("expected") }).await?;
                    }
                    if true { panic!("expected") } else { Ok(()) }
                })
                .await
        });
        assert!(task.await.unwrap_err().is_panic());
    }
    client.lock().await.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn an_observer_that_panics_leaves_no_transaction_open() {
    let script = Script::new()
        .startup_cockroach()
        .simple("BEGIN;SAVEPOINT cockroach_restart", "SAVEPOINT", 'T')
        .failing("UPDATE a", "40001", 'E')
        .simple("ROLLBACK TO SAVEPOINT cockroach_restart", "ROLLBACK", 'T')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let client = std::sync::Arc::new(tokio::sync::Mutex::new(connect(&server).await));
    let observer = std::sync::Arc::new(|_: &kecoa::FailedAttempt<'_>| {
        panic!("expected");
    });
    let options = TransactionOptions { observer: Some(observer), ..at_once(true) };
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.lock().await.transaction_with(&options, update).await }
    });
    assert!(task.await.unwrap_err().is_panic());
    client.lock().await.batch("SELECT 1").await.unwrap();
    drop(client);
    server.finish();
}

#[tokio::test]
async fn a_body_that_committed_by_itself_is_not_run_again() {
    let script = Script::new()
        .startup()
        .then(updated())
        .simple("COMMIT AND CHAIN", "COMMIT", 'T')
        .query("UPDATE b")
        .close();
    let server = Server::start(vec![script]);
    let mut client = connect(&server).await;
    let mut runs = 0;
    let error = client
        .transaction_local(&at_once(false), async |tx| {
            runs += 1;
            update(tx).await?;
            tx.batch("COMMIT AND CHAIN").await?;
            tx.batch("UPDATE b").await.map(drop)
        })
        .await
        .unwrap_err();
    assert_eq!((error.kind(), runs), (ErrorKind::ConnectionLost, 1), "{error}");
    server.finish();
}

#[tokio::test]
async fn a_body_that_hides_the_doubt_of_its_own_commit_is_not_run_again() {
    for goes_on in [false, true] {
        let script = Script::new().startup().then(updated()).query("COMMIT").close();
        let server = Server::start(vec![script]);
        let mut client = connect(&server).await;
        let error = client
            .transaction_local(&at_once(false), async |tx| {
                update(tx).await?;
                let _ = tx.batch("COMMIT").await;
                if goes_on { update(tx).await } else { Ok(()) }
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
        server.finish();
    }
}
