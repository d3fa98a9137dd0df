//! The client for tokio against a real server, named by `KECOA_TEST_DSN`.
#![cfg(feature = "tokio")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use kecoa::proto::TransactionStatus;
use kecoa::retry::Policy;
use kecoa::{
    Client, Config, Error, ErrorKind, Isolation, Pipeline, Transaction, TransactionOptions,
};
use live_support::{drop_at, dsn};

async fn connect() -> Option<Client> {
    Some(Client::connect(&Config::parse(&dsn()?).unwrap()).await.unwrap())
}

async fn number(client: &mut Client, sql: &str) -> i64 {
    client.query_one_as::<(i64,)>(sql, &[]).await.unwrap().0
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn statements_and_their_errors() {
    let Some(mut client) = connect().await else { return };
    for _ in 0..4 {
        // Unnamed, prepared, by its name, by its name.
        let rows = client.query("SELECT n, n * $1 FROM generate_series(1, 3) n", &[&2]).await;
        let rows: Vec<(i32, i32)> = rows.unwrap().iter().map(|row| row.read().unwrap()).collect();
        assert_eq!(rows, [(1, 2), (2, 4), (3, 6)]);
    }
    let error = client.query("SELECT 1 / $1", &[&0]).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"));
    let error = client.query("SELECT 1\0", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.nothing_was_sent()), (ErrorKind::Usage, true));
    let error = client.query_one("SELECT 1 WHERE false", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(client.query_opt("SELECT 1 WHERE false", &[]).await.unwrap().is_none());
    let error = client.batch("COPY (SELECT 1) TO STDOUT").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    client.batch("CREATE TEMPORARY TABLE t (n int8)").await.unwrap();
    let error = client.batch("COPY t FROM STDIN").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let rows: [&[&dyn kecoa::types::ToSql]; 3] = [&[&1_i64], &[&2_i64], &[&3_i64]];
    assert_eq!(client.execute_many("INSERT INTO t VALUES ($1)", &rows).await.unwrap(), 3);
    let mixed: [&[&dyn kecoa::types::ToSql]; 2] = [&[&1_i64], &[&2_i32]];
    let error = client.execute_many("INSERT INTO t VALUES ($1)", &mixed).await.unwrap_err();
    assert!(error.to_string().contains("row 2"), "{error}");
    assert_eq!(client.execute_many("INSERT INTO t VALUES ($1)", &[]).await.unwrap(), 0);
    assert_eq!(number(&mut client, "SELECT sum(n)::int8 FROM t").await, 6);
    let statement = client.prepare("SELECT n FROM t WHERE n = $1").await.unwrap();
    assert_eq!(client.query(statement.sql(), &[&2_i64]).await.unwrap().len(), 1);
    assert!(client.prepare("SELECT nothing FROM t").await.is_err());
    client.close();
    assert!(client.is_closed());
    assert!(client.query("SELECT 1", &[]).await.unwrap_err().nothing_was_sent());
    client.reconnect().await.unwrap();
    assert_eq!(number(&mut client, "SELECT 7::int8").await, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn futures_can_be_spawned() {
    let Some(mut client) = connect().await else { return };
    let work = tokio::spawn(is_send(async move {
        let mut sum = 0_i64;
        // Parameters that are written where they are used live as long as the waiting.
        let mut rows =
            client.query_stream("SELECT generate_series(1, $1::int8)", &[&10_i64]).await?;
        while let Some(row) = rows.next().await {
            sum += row?.get::<i64>(0)?;
        }
        drop(rows);
        let more: i64 = client
            .transaction(async |tx| tx.query_one("SELECT $1::int8", &[&45_i64]).await?.get(0))
            .await?;
        Ok::<_, Error>(sum + more)
    }));
    assert_eq!(work.await.unwrap().unwrap(), 100);
}

#[tokio::test]
async fn many_rows_come_whole_by_every_way() {
    let Some(mut client) = connect().await else { return };
    let sql = "SELECT n::int8, repeat('x', (n % 100)::int) FROM generate_series(1, $1) n";
    let rows: Vec<(i64, String)> = client.query_as(sql, &[&50_000]).await.unwrap();
    assert_eq!(rows.len(), 50_000);
    assert!(
        rows.iter().zip(1..).all(|((n, x), i)| *n == i && i64::try_from(x.len()) == Ok(i % 100))
    );
    let mut stream = pin!(client.query_stream(sql, &[&50_000]).await.unwrap());
    let mut seen = 0_i64;
    while let Some(row) = poll_fn(|cx| futures_core::Stream::poll_next(stream.as_mut(), cx)).await {
        seen += 1;
        assert_eq!(row.unwrap().get::<i64>(0).unwrap(), seen);
    }
    assert_eq!((seen, stream.count_so_far()), (50_000, Some(50_000)));
}

#[tokio::test]
async fn a_stream_gives_its_error_behind_its_rows() {
    let Some(mut client) = connect().await else { return };
    let sql = "SELECT 10 / (100000 - n) FROM generate_series(1, 100000) n";
    let mut rows = client.query_stream(sql, &[]).await.unwrap();
    let mut seen = 0;
    let error = loop {
        match rows.next().await.unwrap() {
            Ok(_) => seen += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), Some("22012"));
    assert!(seen > 10_000 && rows.next().await.is_none());
    drop(rows);
    assert_eq!(number(&mut client, "SELECT 1::int8").await, 1);
}

#[tokio::test]
async fn dropped_futures_leave_the_client_usable() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8)").await.unwrap();
    let pid = client.process_id();
    for n in 1..4 {
        drop_at(client.query("SELECT generate_series(1, 100000)", &[]), n).await;
        drop_at(client.batch("SELECT 1; SELECT 2"), n).await;
        drop_at(client.execute("INSERT INTO t VALUES ($1)", &[&1_i64]), n).await;
        let over = drop_at(client.query("SELECT pg_sleep(600)", &[]), 1).await;
        assert!(!over);
        assert_eq!(number(&mut client, "SELECT 1::int8").await, 1);
        let mut rows = client.query_stream("SELECT generate_series(1, 100000)", &[]).await.unwrap();
        rows.next().await.unwrap().unwrap();
        drop(rows);
        assert_eq!(number(&mut client, "SELECT 2::int8").await, 2);
        let slow = "SELECT 1, pg_sleep(n) FROM generate_series(0, 600) n";
        let mut rows = client.query_stream(slow, &[]).await.unwrap();
        drop_at(rows.next(), 1).await;
        rows.cancel();
        assert_eq!(number(&mut client, "SELECT 3::int8").await, 3);
        let mut copy = client.copy_writer("COPY t FROM STDIN").await.unwrap();
        copy.send(b"7\n").await.unwrap();
        drop(copy);
        let copied = "SELECT count(*) FROM t WHERE n = 7";
        assert_eq!(number(&mut client, copied).await, 0);
        let copy = "COPY (SELECT generate_series(1, 100000)) TO STDOUT";
        let mut copy = client.copy_reader(copy).await.unwrap();
        copy.next().await.unwrap().unwrap();
        drop(copy);
        assert_eq!(number(&mut client, "SELECT 4::int8").await, 4);
    }
    assert_eq!(client.process_id(), pid, "one connection did for all of it");
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8)").await.unwrap();
    for n in 1..6 {
        let work = client.transaction(async |tx| {
            tx.execute("INSERT INTO t VALUES (1)", &[]).await?;
            tx.query_one("SELECT count(*) FROM t", &[]).await?;
            std::future::pending::<()>().await;
            Ok(())
        });
        assert!(!drop_at(work, n.min(3)).await);
        assert_eq!(number(&mut client, "SELECT count(*) FROM t").await, 0);
        assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    }
    // A statement that is dropped within: it was cancelled, and the transaction has failed.
    let failed = client
        .transaction(async |tx| {
            tx.execute("INSERT INTO t VALUES (2)", &[]).await?;
            let slow = tx.query("SELECT pg_sleep(600)", &[]);
            assert!(tokio::time::timeout(Duration::from_millis(10), slow).await.is_err());
            tx.execute("INSERT INTO t VALUES (3)", &[]).await
        })
        .await;
    assert_eq!(failed.unwrap_err().sqlstate(), Some("25P02"));
    assert_eq!(number(&mut client, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_transaction_of_the_programs_may_be_dropped_at_any_await() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8)").await.unwrap();
    let (plain, mut ended) = (TransactionOptions::default(), [false; 2]);
    for polls in 1..40 {
        let by_hand = async {
            let mut tx = client.begin(&plain).await?;
            tx.execute("INSERT INTO t VALUES ($1)", &[&1_i64]).await?;
            tx.savepoint(async |tx| tx.execute("INSERT INTO t VALUES (1)", &[]).await).await?;
            tx.commit().await
        };
        ended[0] |= drop_at(by_hand, polls).await;
        assert_eq!(number(&mut client, "SELECT count(*) % 2 FROM t").await, 0, "both or none");
        assert_eq!(client.transaction_status(), TransactionStatus::Idle);
        let in_a_loop = async {
            let mut attempts = client.attempts(&plain).await?;
            for _ in 0..2 {
                let mut tx = attempts.begin().await?;
                tx.execute("INSERT INTO t VALUES (2)", &[]).await?;
                let failed = tx.execute("SELECT 1 / 0", &[]).await;
                drop(tx);
                if let Err(error) = failed {
                    let _ = attempts.failed(error).await;
                }
            }
            let mut tx = attempts.begin().await?;
            tx.execute("INSERT INTO t VALUES (1), (1)", &[]).await?;
            tx.rollback().await
        };
        ended[1] |= drop_at(in_a_loop, polls).await;
        assert_eq!(number(&mut client, "SELECT count(*) % 2 FROM t").await, 0, "nothing of it");
        assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    }
    assert_eq!(ended, [true; 2], "also without being dropped");
}

#[tokio::test]
async fn copies_in_both_directions() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8)").await.unwrap();
    let lines: String = (0..100_000).map(|n| format!("{n}\n")).collect();
    let copied = client.copy_in("COPY t FROM STDIN", lines.as_bytes()).await.unwrap();
    assert_eq!(copied, Some(100_000));
    let mut back = Vec::new();
    let copied = client.copy_out("COPY t TO STDOUT", &mut back).await.unwrap();
    assert_eq!((copied, back.len()), (Some(100_000), lines.len()));
    // What the server refuses; early in a lot of data, and at its end.
    for bad in [format!("not a number\n{lines}"), format!("{lines}not a number\n")] {
        let error = client.copy_in("COPY t FROM STDIN", bad.as_bytes()).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("22P02"));
    }
    // What the reader refuses.
    let broken = Chunks(vec![Err(std::io::Error::other("the disk is gone")), Ok(b"1\n".to_vec())]);
    let error = client.copy_in_stream("COPY t FROM STDIN", broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let good = Chunks(vec![Ok(b"\n3\n".to_vec()), Ok(b"1\n2".to_vec())]);
    let copied = client.copy_in_stream("COPY t FROM STDIN", good).await.unwrap();
    assert_eq!(copied, Some(3));
    // What is no COPY, or the other one.
    for sql in ["SELECT 1", "COPY t TO STDOUT", "nonsense"] {
        let error = client.copy_writer(sql).await.unwrap_err();
        let kind = if sql == "nonsense" { ErrorKind::Server } else { ErrorKind::Usage };
        assert_eq!(error.kind(), kind, "{sql}");
    }
    for sql in ["SELECT 1", "COPY t FROM STDIN", "nonsense"] {
        let error = client.copy_reader(sql).await.unwrap_err();
        let kind = if sql == "nonsense" { ErrorKind::Server } else { ErrorKind::Usage };
        assert_eq!(error.kind(), kind, "{sql}");
    }
    assert_eq!(number(&mut client, "SELECT count(*) FROM t").await, 100_003);
}

/// A stream of what it holds, last first.
struct Chunks(Vec<std::io::Result<Vec<u8>>>);

impl futures_core::Stream for Chunks {
    type Item = std::io::Result<Vec<u8>>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop())
    }
}

#[tokio::test]
async fn pipelines_have_an_outcome_for_each() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8 PRIMARY KEY)").await.unwrap();
    for _ in 0..3 {
        client.batch("DELETE FROM t").await.unwrap();
        let mut pipeline = Pipeline::new();
        let insert = "INSERT INTO t VALUES ($1)";
        let slots: Vec<_> = [1_i64, 2, 1, 3].map(|n| pipeline.add(insert, &[&n]).unwrap()).to_vec();
        let count = pipeline.add("SELECT count(*) FROM t", &[]).unwrap();
        let mut answers = client.run_pipeline(&pipeline).await.unwrap();
        let inserted: Vec<_> = slots.iter().map(|slot| answers.count(*slot).ok()).collect();
        assert_eq!(inserted, [Some(1), Some(1), None, Some(1)]);
        assert_eq!(answers.rows_as::<(i64,)>(count).unwrap(), [(3,)]);
        assert_eq!(answers.rows(count).unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(!drop_at(client.run_pipeline(&endless()), 1).await);
    assert_eq!(number(&mut client, "SELECT 1::int8").await, 1);
}

#[tokio::test]
async fn an_atomic_pipeline_is_done_or_not() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8 PRIMARY KEY)").await.unwrap();
    let insert = "INSERT INTO t VALUES ($1)";
    for framed in [false, true, false, true, false, true] {
        // 0: BEGIN fails; 1 to 4: the statement with this number; 5: none.
        for failing in 0..=5_i64 {
            client.batch("ROLLBACK; DELETE FROM t").await.unwrap();
            let mut pipeline = Pipeline::atomic();
            if framed {
                let wrong = ["BEGIN", "BEGIN ISOLATION LEVEL NONE"];
                pipeline.add(wrong[usize::from(failing == 0)], &[]).unwrap();
            }
            for n in 1..=4 {
                pipeline.add(insert, &[&if n == failing { 1 } else { 10 + n }]).unwrap();
                if n == failing {
                    pipeline.add(insert, &[&1_i64]).unwrap();
                }
            }
            if framed {
                pipeline.add("COMMIT", &[]).unwrap();
            }
            let done = client.run_pipeline(&pipeline).await;
            client.batch("ROLLBACK").await.unwrap();
            let fails = if framed { failing < 5 } else { (1..5).contains(&failing) };
            assert_eq!(done.is_err(), fails, "framed: {framed}, at {failing}");
            let there = number(&mut client, "SELECT count(*) FROM t").await;
            assert_eq!(there, if fails { 0 } else { 4 }, "framed: {framed}, at {failing}");
        }
    }
    let mut endless = Pipeline::atomic();
    endless.add("INSERT INTO t VALUES (100)", &[]).unwrap();
    endless.add("SELECT pg_sleep(600)", &[]).unwrap();
    for _ in 0..3 {
        assert!(!drop_at(client.run_pipeline(&endless), 1).await);
        assert_eq!(number(&mut client, "SELECT count(*) FROM t WHERE n = 100").await, 0);
    }
}

fn endless() -> Pipeline {
    let mut pipeline = Pipeline::new();
    pipeline.add("SELECT pg_sleep(600)", &[]).unwrap();
    pipeline.add("SELECT 1", &[]).unwrap();
    pipeline
}

fn serializable() -> TransactionOptions {
    let policy = Policy { first_delay: Duration::from_secs(3600), ..Policy::default() };
    let policy = Policy { max_delay: Duration::from_secs(3600), total: None, ..policy };
    let isolation = Some(Isolation::Serializable);
    TransactionOptions { isolation, policy, ..TransactionOptions::default() }
}

/// Waits for an hour where it waits: in virtual time.
#[tokio::test]
async fn a_real_serialization_failure_is_retried() {
    let (Some(mut one), Some(mut other)) = (connect().await, connect().await) else { return };
    let name = format!("kecoa_async_{}", std::process::id());
    let table = format!(
        "DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (id int8 PRIMARY KEY, balance int8);
         INSERT INTO {name} VALUES (1, 1000)"
    );
    one.batch(&table).await.unwrap();
    let read = format!("SELECT balance FROM {name} WHERE id = 1");
    let write = format!("UPDATE {name} SET balance = $1 WHERE id = 1");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let options = TransactionOptions {
        observer: Some(Arc::new(move |failed| {
            log.lock().unwrap().push((failed.attempt, failed.error.sqlstate().map(str::to_owned)));
            // From here on time passes as soon as nobody has anything to do.
            tokio::time::pause();
        })),
        ..serializable()
    };
    let mut runs = 0;
    let balance: Result<i64, Error> = one
        .transaction_local(&options, async |tx: &mut Transaction<'_>| {
            runs += 1;
            if runs == 2 {
                tokio::time::resume();
            }
            let balance: i64 = tx.query_one(&read, &[]).await?.get(0)?;
            if runs == 1 {
                other.execute(&write, &[&900_i64]).await.unwrap();
            }
            tx.execute(&write, &[&(balance - 100)]).await?;
            Ok(balance - 100)
        })
        .await;
    assert_eq!(balance.unwrap(), 800, "the second run saw the other session's 900");
    assert_eq!(runs, 2);
    assert_eq!(*seen.lock().unwrap(), [(1, Some("40001".to_owned()))]);
    one.batch(&format!("DROP TABLE {name}")).await.unwrap();
}

#[tokio::test]
async fn a_terminated_session_is_replaced_before_commit() {
    let (Some(mut one), Some(mut other)) = (connect().await, connect().await) else { return };
    let first = one.process_id().unwrap();
    let policy = Policy { first_delay: Duration::from_millis(1), ..Policy::default() };
    let options = TransactionOptions { policy, ..TransactionOptions::default() };
    let end = "SELECT pg_terminate_backend($1, 5000)";
    other.execute(end, &[&first]).await.unwrap();
    let mut runs = 0;
    let value: Result<i32, Error> = one
        .transaction_local(&options, async |tx| {
            runs += 1;
            let pid: i32 = tx.query_one("SELECT pg_backend_pid()", &[]).await?.get(0)?;
            if runs == 2 {
                other.execute(end, &[&pid]).await.unwrap();
            }
            tx.query_one("SELECT 7", &[]).await?.get(0)
        })
        .await;
    assert_eq!((value.unwrap(), runs), (7, 3));
    assert_ne!(one.process_id(), Some(first));
}

#[tokio::test]
async fn bodies_fail_with_errors_of_their_own_and_are_rolled_back() {
    let Some(mut client) = connect().await else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8 PRIMARY KEY)").await.unwrap();
    type Any = Box<dyn std::error::Error + Send + Sync>;
    let options = TransactionOptions::default();
    let failed: Result<(), Any> = client
        .transaction_with(&options, async |tx| {
            tx.execute("INSERT INTO t VALUES (1)", &[]).await?;
            Err("not enough money".into())
        })
        .await;
    assert_eq!(failed.unwrap_err().to_string(), "not enough money");
    let ignored = client
        .transaction(async |tx| {
            tx.execute("INSERT INTO t VALUES (1)", &[]).await?;
            let _ = tx.execute("INSERT INTO t VALUES (1)", &[]).await;
            Ok(())
        })
        .await;
    assert_eq!(ignored.unwrap_err().kind(), ErrorKind::RolledBack);
    let ended = client.transaction(async |tx| tx.batch("SELECT 1; COMMIT").await.map(drop)).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Usage);
    let nothing = client.transaction(async |_| Ok(5)).await;
    assert_eq!(nothing.unwrap(), 5);
    client
        .transaction(async |tx| {
            tx.execute_many("INSERT INTO t VALUES ($1)", &[&[&10_i64], &[&11_i64]]).await?;
            let inner = tx
                .savepoint(async |tx| {
                    tx.execute("INSERT INTO t VALUES (12)", &[]).await?;
                    tx.execute("INSERT INTO t VALUES (12)", &[]).await
                })
                .await;
            assert_eq!(inner.unwrap_err().sqlstate(), Some("23505"));
            tx.savepoint(async |tx| tx.execute("INSERT INTO t VALUES (13)", &[]).await).await?;
            let mut rows = tx.query_stream("SELECT n FROM t ORDER BY n", &[]).await?;
            let mut seen = Vec::new();
            while let Some(row) = rows.next().await {
                seen.push(row?.get::<i64>(0)?);
            }
            assert_eq!(seen, [10, 11, 13]);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(number(&mut client, "SELECT count(*) FROM t").await, 3);
}

#[tokio::test]
async fn notifications_are_waited_for() {
    let (Some(mut one), Some(mut other)) = (connect().await, connect().await) else { return };
    one.batch("LISTEN kecoa_async").await.unwrap();
    assert!(!drop_at(one.notification(), 1).await, "nobody has said anything");
    let tell = async {
        other.batch("NOTIFY kecoa_async, 'one'; NOTIFY kecoa_async, 'two'").await.unwrap();
    };
    let ((), first) = tokio::join!(tell, one.notification());
    assert_eq!(first.unwrap().payload, "one");
    assert_eq!(one.notification().await.unwrap().payload, "two");
    assert!(one.take_notifications().is_empty());
    let pid = one.process_id().unwrap();
    other.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).await.unwrap();
    let error = one.notification().await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"));
    assert!(one.is_closed());
}
