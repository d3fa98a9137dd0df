//! The pool for tokio against a real server, named by `KECOA_TEST_DSN`.
#![cfg(feature = "tokio")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;
#[path = "../examples/pool_tokio.rs"]
mod tour;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kecoa::pool::tokio::{Builder, Pool, discard_session};
use kecoa::proto::TransactionStatus;
use kecoa::retry::Policy;
use kecoa::{Client, Config, Error, ErrorKind, Isolation, TransactionOptions};
use live_support::{connect, drop_at, dsn, kill, table};

const LONG: Duration = Duration::from_secs(60);

fn build(builder: Builder) -> Option<Pool> {
    Some(builder.build(&Config::parse(&dsn()?).unwrap()).unwrap())
}

/// Waits for something that comes by itself.
async fn until(what: &str, done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(LONG, wait).await.is_ok(), "never: {what}");
}

/// That a connection is as good as new.
async fn assert_clean(client: &mut Client) {
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    let (seven,): (i32,) = client.query_one_as("SELECT $1 + 1", &[&6]).await.unwrap();
    assert_eq!(seven, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_tasks_share_five_connections() {
    let Some(pool) = build(Pool::builder().min_size(0).max_size(5)) else { return };
    let held = Arc::new(Mutex::new(HashSet::new()));
    let most = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (pool, held, most) = (pool.clone(), held.clone(), most.clone());
            tokio::spawn(async move {
                for n in 0..20_i32 {
                    let mut client = pool.get().await.unwrap();
                    let pid = client.process_id().unwrap();
                    let now = {
                        let mut held = held.lock().unwrap();
                        assert!(held.insert(pid), "checked out by one at a time");
                        held.len()
                    };
                    most.fetch_max(now, Ordering::Relaxed);
                    let row = client.query_one("SELECT $1::int4", &[&n]).await.unwrap();
                    assert_eq!(row.get::<i32>(0).unwrap(), n);
                    held.lock().unwrap().remove(&pid);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(most.load(Ordering::Relaxed) <= 5);
    let stats = pool.stats();
    assert_eq!((stats.checkouts, stats.size), (1000, stats.idle));
    assert!(stats.closed.is_empty() && stats.size <= 5, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_anywhere_comes_back_clean() {
    let Some(pool) = build(Pool::builder().max_size(1).timeout(Some(LONG))) else { return };
    let mut all_over = 0;
    for n in 1..120 {
        let mut client = pool.get().await.unwrap();
        assert_clean(&mut client).await;
        let over = match n % 4 {
            0 => {
                drop_at(
                    client.query("SELECT pg_sleep(0.0005), generate_series(1, 10)", &[]),
                    n / 40 + 1,
                )
                .await
            }
            1 => {
                let work = client.transaction(async |tx| {
                    tx.batch("CREATE TABLE pool_tokio_gone (n int)").await?;
                    tx.batch("SELECT pg_sleep(0.001)").await
                });
                let over = drop_at(work, n / 20 + 1).await;
                if over {
                    client.batch("DROP TABLE pool_tokio_gone").await.unwrap();
                }
                over
            }
            2 => {
                // A stream that would go on for hours.
                let numbers = "SELECT generate_series(1, 10000000000)";
                let mut rows = client.query_stream(numbers, &[]).await.unwrap();
                rows.next().await.unwrap().unwrap();
                false
            }
            _ => {
                client.batch("BEGIN; CREATE TEMPORARY TABLE left_open (n int)").await.unwrap();
                let mut copy = client.copy_writer("COPY left_open FROM STDIN").await.unwrap();
                copy.send(b"1\n").await.unwrap();
                false
            }
        };
        all_over += usize::from(over);
    }
    let mut client = pool.get().await.unwrap();
    assert_clean(&mut client).await;
    let row = client.query_one("SELECT to_regclass('pool_tokio_gone')::text", &[]).await.unwrap();
    assert_eq!(row.get::<Option<String>>(0).unwrap(), None);
    assert!(all_over < 119);
    // Not one of them had to be closed.
    assert_eq!(pool.stats().opened, 1, "{:?}", pool.stats());
}

#[tokio::test]
async fn those_who_leave_lose_no_connection_and_no_place() {
    let builder = Pool::builder().max_size(1).check_after(Some(Duration::ZERO));
    let Some(pool) = build(builder.timeout(Some(LONG))) else { return };
    pool.wait(LONG).await.unwrap();
    // With nobody else there: between a look, a question and its answer.
    for n in 1..30 {
        drop_at(pool.get(), n % 5 + 1).await;
    }
    let held = pool.get().await.unwrap();
    // In a line, of which every other one leaves, some when it is their turn already.
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let (pool, order) = (pool.clone(), order.clone());
            tokio::spawn(async move {
                if number % 2 == 0 {
                    drop_at(pool.get(), number / 4 + 1).await;
                } else {
                    let mut client = pool.get().await.unwrap();
                    order.lock().unwrap().push(number);
                    assert_clean(&mut client).await;
                }
            })
        })
        .collect();
    until("they wait", || pool.stats().waiting >= 10).await;
    drop(held);
    for task in tasks {
        tokio::time::timeout(LONG, task).await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (1..20).step_by(2).collect::<Vec<_>>());
    until("it came back", || pool.stats().idle == 1).await;
    assert_eq!((pool.stats().opened, pool.stats().checks_failed), (1, 0), "{:?}", pool.stats());
}

#[tokio::test]
async fn comes_back_clean() {
    let builder = Pool::builder().max_size(1).reset(|client| Box::pin(discard_session(client)));
    let Some(pool) = build(builder) else { return };
    for _ in 0..3 {
        let mut client = pool.get().await.unwrap();
        for _ in 0..3 {
            // Prepared at the second use: that must not be lost.
            let row = client.query_one("SELECT current_setting('work_mem')", &[]).await.unwrap();
            assert_ne!(row.get::<String>(0).unwrap(), "77kB");
        }
        let dirt = "BEGIN; SET work_mem TO '77kB'; CREATE TABLE pool_tokio_lost (n int)";
        client.batch(dirt).await.unwrap();
    }
    pool.get().await.unwrap().batch("SET work_mem TO '77kB'").await.unwrap();
    let mut client = pool.get().await.unwrap();
    let row = client.query_one("SELECT to_regclass('pool_tokio_lost')::text", &[]).await.unwrap();
    assert_eq!(row.get::<Option<String>>(0).unwrap(), None);
    let row = client.query_one("SELECT current_setting('work_mem')", &[]).await.unwrap();
    assert_ne!(row.get::<String>(0).unwrap(), "77kB");
    assert_eq!(pool.stats().opened, 1);
}

async fn application(client: &mut Client) -> String {
    let row = client.query_one("SELECT current_setting('application_name')", &[]).await.unwrap();
    row.get(0).unwrap()
}

#[tokio::test]
async fn a_session_that_was_changed_is_reset_and_configured_again() {
    let configured = Arc::new(Mutex::new(0));
    let count = configured.clone();
    let builder = Pool::builder().max_size(1).configure(move |client| {
        *count.lock().unwrap() += 1;
        Box::pin(
            async move { client.batch("SET application_name TO 'configured'").await.map(drop) },
        )
    });
    let Some(pool) = build(builder) else { return };
    for (dirt, times) in [
        ("SELECT 1", 1),
        ("SET application_name TO 'theirs'", 2),
        ("RESET application_name; CREATE TEMP TABLE theirs (n int)", 3),
        ("BEGIN; SET LOCAL application_name TO 'theirs'", 3),
        ("SET ROLE pg_monitor; LISTEN theirs", 4),
    ] {
        pool.get().await.unwrap().batch(dirt).await.unwrap();
        let mut client = pool.get().await.unwrap();
        assert_eq!(application(&mut client).await, "configured", "{dirt}");
        let left = "SELECT current_user = session_user AND to_regclass('theirs') IS NULL \
                    AND NOT EXISTS (SELECT FROM pg_listening_channels())";
        let row = client.query_one(left, &[]).await.unwrap();
        assert!(row.get::<bool>(0).unwrap(), "{dirt}");
        assert_eq!(*configured.lock().unwrap(), times, "{dirt}");
    }
    assert_eq!(pool.stats().opened, 1);
}

#[tokio::test]
async fn with_a_reset_the_session_is_its_own_affair() {
    let builder = Pool::builder().max_size(1).reset(|_| Box::pin(async { Ok(()) }));
    let Some(pool) = build(builder) else { return };
    pool.get().await.unwrap().batch("SET application_name TO 'theirs'").await.unwrap();
    assert_eq!(application(&mut pool.get().await.unwrap()).await, "theirs");
}

#[tokio::test]
async fn what_the_server_has_closed_is_not_checked_out() {
    let builder = Pool::builder().min_size(3).sweep_every(Some(Duration::from_millis(50)));
    let Some(pool) = build(builder) else { return };
    pool.wait(LONG).await.unwrap();
    let mut pids = Vec::new();
    {
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(pool.get().await.unwrap());
        }
        pids.extend(held.iter().map(|client| client.process_id().unwrap()));
    }
    kill(&pids);
    for _ in 0..4 {
        let mut client = pool.get().await.unwrap();
        assert!(!pids.contains(&client.process_id().unwrap()));
        client.batch("SELECT 1").await.unwrap();
    }
    let replaced = || pool.stats().opened == 6 && pool.stats().size == 3;
    until("what was lost is replaced", replaced).await;
    assert_eq!(pool.stats().open_failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_a_drain() {
    let Some(pool) = build(Pool::builder().min_size(2).max_size(4)) else { return };
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (pool, stop) = (pool.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    pool.get().await.unwrap().batch("SELECT 1").await.unwrap();
                }
            })
        })
        .collect();
    let mut drained = true;
    for _ in 0..5 {
        drained &= pool.drain(LONG).await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(drained);
    assert_eq!(pool.stats().open_failures, 0);
}

#[tokio::test]
async fn transactions_go_on_with_another_session_which_is_not_kept() {
    let Some(pool) = build(Pool::builder().max_size(1)) else { return };
    let mut pids = Vec::new();
    let mut client = pool.get().await.unwrap();
    let five: i32 = client
        .transaction_local(&TransactionOptions::default(), async |tx| {
            pids.push(tx.query_one("SELECT pg_backend_pid()", &[]).await?.get::<i32>(0)?);
            if pids.len() == 1 {
                kill(&pids);
            }
            tx.query_one("SELECT 5", &[]).await?.get(0)
        })
        .await
        .unwrap();
    drop(client);
    assert_eq!((five, pids.len()), (5, 2));
    assert!(!pids.contains(&pool.get().await.unwrap().process_id().unwrap()));
}

#[tokio::test]
async fn a_transaction_of_the_pool_takes_another_of_its_sessions() {
    let builder = Pool::builder().max_size(1).configure(|client| {
        Box::pin(async { client.batch("SET application_name TO 'pooled'").await.map(drop) })
    });
    let Some(pool) = build(builder) else { return };
    let pids = Mutex::new(Vec::new());
    let name: String = pool
        .run_transaction(&TransactionOptions::default(), async |tx| -> Result<_, Error> {
            let row = tx.query_one("SELECT pg_backend_pid()", &[]).await?;
            let lost = {
                let mut pids = pids.lock().unwrap();
                pids.push(row.get::<i32>(0)?);
                (pids.len() == 1).then(|| pids.clone())
            };
            lost.iter().for_each(|pids| kill(pids));
            tx.query_one("SELECT current_setting('application_name')", &[]).await?.get(0)
        })
        .await
        .unwrap();
    let pids = pids.into_inner().unwrap();
    assert_eq!((name.as_str(), pids.len()), ("pooled", 2));
    // It was the pool's, and is kept.
    assert_eq!(pool.get().await.unwrap().process_id(), pids.last().copied());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_a_pool_add_up_although_sessions_are_lost() {
    let Some(mut client) = connect() else { return };
    let table = table(&mut client, "n int8");
    client.batch(&format!("INSERT INTO {table} VALUES (0)")).unwrap();
    let Some(pool) = build(Pool::builder().max_size(4)) else { return };
    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        policy: Policy { max_attempts: 1000, ..Policy::default() },
        ..TransactionOptions::default()
    };
    let lost = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (pool, options, table) = (pool.clone(), options.clone(), table.clone());
            let lost = lost.clone();
            tokio::spawn(async move {
                let (mut done, mut in_doubt) = (0, 0);
                // Until sessions were lost for the last time, so that some are in use then.
                while done + in_doubt < 10 || !(lost.load(Ordering::Relaxed) || done > 10_000) {
                    let added = pool.run_transaction(&options, async |tx| -> Result<(), Error> {
                        let row = tx.query_one(&format!("SELECT n FROM {table}"), &[]).await?;
                        let more = row.get::<i64>(0)? + 1;
                        tx.execute(&format!("UPDATE {table} SET n = $1"), &[&more]).await?;
                        Ok(())
                    });
                    match added.await {
                        Ok(()) => done += 1,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
                            in_doubt += 1;
                        }
                    }
                }
                (done, in_doubt)
            })
        })
        .collect();
    let found = format!("SELECT n FROM {table}");
    let end_all = format!(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE pid <> pg_backend_pid() AND query LIKE '%{table}%'"
    );
    let losing = tokio::task::spawn_blocking(move || {
        for at_least in [5, 20, 40] {
            let deadline = Instant::now() + LONG;
            while client.query_one(&found, &[]).unwrap().get::<i64>(0).unwrap() < at_least {
                assert!(Instant::now() < deadline, "never: {at_least}");
            }
            // Again where every transaction was between two statements on the table.
            while client.query_one(&end_all, &[]).unwrap().get::<i64>(0).unwrap() == 0 {
                assert!(Instant::now() < deadline, "none in use: {at_least}");
            }
        }
        lost.store(true, Ordering::Relaxed);
        client
    });
    let (mut done, mut in_doubt) = (0, 0);
    for task in tasks {
        let (more, unknown) = task.await.unwrap();
        (done, in_doubt) = (done + more, in_doubt + unknown);
    }
    let mut client = losing.await.unwrap();
    let n: i64 = client.query_one(&format!("SELECT n FROM {table}"), &[]).unwrap().get(0).unwrap();
    assert!(done + in_doubt >= 80);
    assert!((done..=done + in_doubt).contains(&n), "{done} done, {in_doubt} in doubt, found {n}");
    assert!(pool.stats().closed.values().sum::<u64>() > 0);
}

#[tokio::test]
async fn a_transaction_of_the_pool_that_is_dropped_leaves_a_clean_session() {
    let Some(pool) = build(Pool::builder().max_size(1)) else { return };
    let sleeps = AtomicBool::new(false);
    for n in 1.. {
        let options = TransactionOptions::default();
        let work = pool.run_transaction(&options, async |tx| -> Result<(), Error> {
            tx.batch("CREATE TEMPORARY TABLE never (n int)").await?;
            sleeps.store(true, Ordering::Relaxed);
            tx.batch("SELECT pg_sleep(60)").await.map(drop)
        });
        assert!(!drop_at(work, n).await, "it sleeps");
        let mut client = pool.get().await.unwrap();
        assert_clean(&mut client).await;
        let row = client.query_one("SELECT to_regclass('never') IS NULL", &[]).await.unwrap();
        assert!(row.get::<bool>(0).unwrap());
        if sleeps.load(Ordering::Relaxed) {
            break;
        }
    }
}

#[tokio::test]
async fn hooks_and_leaks() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let (seen, checks) = (events.clone(), AtomicUsize::new(0));
    let builder = Pool::builder()
        .max_size(1)
        .configure(|client| {
            Box::pin(async { client.batch("SET application_name TO 'pooled'").await.map(drop) })
        })
        .check(move |client| {
            let number = checks.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                match number {
                    0 => Err(Error::usage("not this one")),
                    // It leaves a transaction open: not good either.
                    1 => client.batch("BEGIN").await.map(drop),
                    _ => Ok(()),
                }
            })
        })
        .leak_after(Some(Duration::from_millis(20)))
        .on_event(move |event| seen.lock().unwrap().push(format!("{event:?}")));
    let Some(pool) = build(builder) else { return };
    let mut client = pool.get().await.unwrap();
    let row = client.query_one("SELECT current_setting('application_name')", &[]).await.unwrap();
    assert_eq!(row.get::<String>(0).unwrap(), "pooled");
    until("a leak is found", || pool.stats().leaks == 1).await;
    let reported =
        || events.lock().unwrap().iter().any(|event| event.contains("live_pool_tokio.rs"));
    until("and reported", reported).await;
    assert_eq!(pool.stats().checks_failed, 2);
    assert!(events.lock().unwrap().iter().any(|event| event.contains("not this one")));
}

#[tokio::test]
async fn hooks_that_panic_are_errors_of_connecting() {
    let first = AtomicBool::new(true);
    let builder = Pool::builder().max_size(1).configure(move |_| {
        let fails = first.swap(false, Ordering::Relaxed);
        Box::pin(async move {
            assert!(!fails, "the test's own");
            Ok(())
        })
    });
    let Some(pool) = build(builder) else { return };
    let error = pool.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert_clean(&mut pool.get().await.unwrap()).await;
}

#[tokio::test]
async fn closing() {
    let Some(pool) = build(Pool::builder().max_size(2).min_size(1)) else { return };
    let held = pool.get().await.unwrap();
    assert!(!pool.close(Duration::ZERO).await);
    let error = pool.get().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, "pool is closed"));
    drop(held);
    assert!(pool.close(LONG).await);
    assert_eq!(pool.stats().size, 0);
}

#[tokio::test]
async fn the_last_handle_closes_it() {
    let Some(pool) = build(Pool::builder().max_size(1)) else { return };
    let mut held = pool.get().await.unwrap();
    let more = pool.clone();
    drop(pool);
    assert!(more.get_timeout(Duration::from_millis(5)).await.is_err());
    drop(more);
    // What is checked out is good to the end.
    assert_clean(&mut held).await;
}

#[test]
fn a_pool_without_its_runtime_is_closed() {
    let Some(dsn) = dsn() else { return };
    let config = Config::parse(&dsn).unwrap();
    let error = Pool::builder().build(&config).unwrap_err();
    assert!(error.to_string().contains("expected a tokio runtime"), "{error}");
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let pool = first.block_on(async {
        let pool = Pool::builder().max_size(2).build(&config).unwrap();
        pool.wait(LONG).await.unwrap();
        pool
    });
    let (mut dirty, kept) = first.block_on(async { (pool.get().await.unwrap(), pool.get().await) });
    first.block_on(dirty.batch("BEGIN")).unwrap();
    drop(first);
    drop(dirty);
    drop(kept);
    runtime().block_on(async {
        let error = pool.get_timeout(LONG).await.unwrap_err();
        assert!(error.to_string().contains("closed"), "{error}");
    });
}

#[tokio::test]
async fn sizes_change() {
    let Some(pool) = build(Pool::builder().min_size(1).max_size(4)) else { return };
    pool.resize(3, 3).unwrap();
    pool.wait(LONG).await.unwrap();
    pool.resize(0, 1).unwrap();
    assert_eq!(pool.stats().size, 1);
    let error = pool.resize(2, 1).unwrap_err();
    assert!(error.to_string().contains("found 2, 1"), "{error}");
}

#[tokio::test]
async fn the_tour_of_the_documents() {
    let Some(dsn) = dsn() else { return };
    tour::run(&dsn).await.unwrap();
}
