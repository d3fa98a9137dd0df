//! The scenarios on the client for tokio, and what its futures must be.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ::tokio::sync::Mutex;
use kecoa::{
    Client, Config, Error, ErrorKind, FailedAttempt, Pool, Pooled, Transaction, TransactionError,
    TransactionOptions,
};
use kecoa_pgmock::Server;

use super::scenarios::{Committed, End, Scenario, Step, Work, at_once, config};

pub(crate) async fn play(scenario: Scenario) {
    let server = Server::start(scenario.servers);
    let client = Arc::new(Mutex::new(Client::connect(&config(&server)).await.unwrap()));
    for step in scenario.steps {
        match step {
            Step::Panics { restart, observer, work } => {
                let client = client.clone();
                let mut options = at_once(restart);
                if observer {
                    options.observer = Some(Arc::new(|_: &FailedAttempt<'_>| panic!("expected")));
                }
                let task = ::tokio::spawn(async move {
                    let mut client = client.lock().await;
                    client.transaction_with(&options, async |tx| perform(tx, work).await).await
                });
                assert!(task.await.unwrap_err().is_panic());
            }
            step => take(&mut *client.lock().await, step).await,
        }
    }
    drop(client);
    server.finish();
}

async fn take(client: &mut Client, step: Step) {
    let plain = TransactionOptions::default();
    match step {
        Step::Transaction(work, end) => {
            let mut tx = client.begin(&plain).await.unwrap();
            perform(&mut tx, work).await.unwrap();
            match end {
                End::Commit(Committed::Done) => tx.commit().await.unwrap(),
                End::Commit(Committed::Retryable) => {
                    assert!(tx.commit().await.unwrap_err().is_retryable());
                }
                End::Commit(Committed::Failed(kind)) => {
                    assert_eq!(tx.commit().await.unwrap_err().kind(), kind);
                }
                End::RollBack => tx.rollback().await.unwrap(),
                End::Drop => drop(tx),
            }
        }
        Step::CannotBegin(kind) => {
            assert_eq!(client.begin(&plain).await.unwrap_err().kind(), kind);
        }
        Step::Loop { restart, outcome } => {
            match (in_a_loop(client, &at_once(restart)).await, outcome) {
                (Ok(runs), Ok(expected)) => assert_eq!(runs, expected),
                (Err(error), Err(expected)) => assert!(expected(&error.kind()), "{error}"),
                (found, _) => panic!("found {found:?}"),
            }
        }
        Step::LeftLoop { restart, work, outcome } => {
            let mut attempts = client.attempts(&at_once(restart)).await.unwrap();
            let error = perform(&mut attempts.begin().await.unwrap(), work).await.unwrap_err();
            assert_eq!(attempts.failed(error).await.map_err(|error| error.kind()), outcome);
        }
        Step::AnotherAttempt(kind) => {
            let mut attempts = client.attempts(&at_once(false)).await.unwrap();
            let mut tx = attempts.begin().await.unwrap();
            perform(&mut tx, &[Work::Do("UPDATE a")]).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(attempts.begin().await.unwrap_err().kind(), kind);
        }
        Step::Commits(work) => {
            let body = async |tx: &mut Transaction<'_>| perform(tx, work).await;
            client.transaction_with(&at_once(false), body).await.unwrap();
        }
        Step::Body { work, error, runs } => {
            let mut count = 0;
            let body = async |tx: &mut Transaction<'_>| {
                count += 1;
                perform(tx, work).await
            };
            let found = client.transaction_local(&at_once(false), body).await.unwrap_err();
            assert_eq!((found.kind(), count), (error, runs), "{found}");
        }
        Step::Panics { .. } => panic!("expected a step without a panic: it is run in a task"),
        Step::Select => assert_eq!(client.batch("SELECT 1").await.unwrap().len(), 1),
    }
}

async fn perform(tx: &mut Transaction<'_>, work: &[Work]) -> Result<(), Error> {
    for work in work {
        match work {
            Work::Do(sql) => drop(tx.batch(sql).await?),
            Work::Try(sql) => drop(tx.batch(sql).await.unwrap_err()),
            Work::Panic => panic!("expected"),
            Work::PanicBehindSavepoint => {
                tx.savepoint(async |_| -> Result<(), Error> { panic!("expected") }).await?;
            }
        }
    }
    Ok(())
}

async fn in_a_loop(client: &mut Client, options: &TransactionOptions) -> Result<u32, Error> {
    let mut runs = 0;
    let mut attempts = client.attempts(options).await?;
    loop {
        runs += 1;
        let attempt = async {
            let mut tx = attempts.begin().await?;
            perform(&mut tx, &[Work::Do("UPDATE a")]).await?;
            tx.commit().await
        };
        match attempt.await {
            Ok(()) => return Ok(runs),
            Err(error) => attempts.failed(error).await?,
        }
    }
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

#[::tokio::test]
async fn transactions_can_be_spawned_with_what_they_borrow() {
    let never = Config::parse("host=127.0.0.1 port=1").unwrap();
    let pool = Pool::builder().min_size(0).max_size(4).build(&never).unwrap();
    let checked_out = async move |pool: Pool| -> Result<Pooled, Error> { pool.get().await };
    let (one, two, three) = (pool.clone(), pool.clone(), pool);
    let tasks = [
        ::tokio::spawn(is_send(async move {
            transfer(&mut *one.get().await?, 1, 2, 100).await.map(drop)
        })),
        ::tokio::spawn(is_send(async move {
            let (mut client, name, ids) = (two.get().await?, String::from("x"), vec![1, 2]);
            match many_ways(&mut client, &name, &ids).await {
                Err(BankError::Database(error)) => Err(error),
                _ => Ok(()),
            }
        })),
        ::tokio::spawn(is_send(async move {
            let (mut client, name) = (checked_out(three).await?, String::from("x"));
            by_hand(&mut client, &name).await.map(drop)
        })),
    ];
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::Connect);
    }
}
