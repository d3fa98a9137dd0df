//! The pool against a real server, named by `KECOA_TEST_DSN`.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;
#[path = "../examples/pool.rs"]
mod tour;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::pool::blocking::{Builder, Pool, discard_session};
use kecoa::{Config, Error, ErrorKind, TransactionOptions};
use live_support::kill;

const LONG: Duration = Duration::from_secs(60);

fn build(builder: Builder) -> Option<Pool> {
    let Ok(dsn) = std::env::var("KECOA_TEST_DSN") else {
        println!("skipped: KECOA_TEST_DSN is not set");
        return None;
    };
    Some(builder.build(&Config::parse(&dsn).unwrap()).unwrap())
}

/// Waits for something that comes by itself.
fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn fifty_threads_share_five_connections() {
    let Some(pool) = build(Pool::builder().min_size(0).max_size(5)) else { return };
    let held = Arc::new(Mutex::new(HashSet::new()));
    let most = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..50)
        .map(|_| {
            let (pool, held, most) = (pool.clone(), held.clone(), most.clone());
            thread::spawn(move || {
                for n in 0..20_i32 {
                    let mut client = pool.get().unwrap();
                    let pid = client.process_id().unwrap();
                    let now = {
                        let mut held = held.lock().unwrap();
                        assert!(held.insert(pid), "checked out by one at a time");
                        held.len()
                    };
                    most.fetch_max(now, Ordering::Relaxed);
                    let row = client.query_one("SELECT $1::int4", &[&n]).unwrap();
                    assert_eq!(row.get::<i32>(0).unwrap(), n);
                    held.lock().unwrap().remove(&pid);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(most.load(Ordering::Relaxed) <= 5);
    let stats = pool.stats();
    assert_eq!((stats.checkouts, stats.size), (1000, stats.idle));
    assert!(stats.closed.is_empty() && stats.size <= 5, "{stats:?}");
}

#[test]
fn waits_in_order_and_not_for_ever() {
    let builder = Pool::builder().max_size(1).max_waiting(3).name("orders");
    let Some(pool) = build(builder.timeout(Some(LONG))) else { return };
    pool.wait(LONG).unwrap();
    let held = pool.get().unwrap();
    let error = pool.get_timeout(Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(text.starts_with("orders: no connection came free in 0.02 s: waited 0.0"), "{text}");
    assert!(text.contains("size 1 of at most 1, 1 in use, 0 more wait; held longest: "), "{text}");
    assert!(text.contains("live_pool.rs:"), "{text}");
    let order = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = (0..3)
        .map(|number| {
            let (waiting, order) = (pool.clone(), order.clone());
            let thread = thread::spawn(move || {
                let _client = waiting.get().unwrap();
                order.lock().unwrap().push(number);
            });
            until("it waits", || pool.stats().waiting == number + 1);
            thread
        })
        .collect();
    let error = pool.get().unwrap_err();
    assert!(error.to_string().contains("3 callers wait for a connection already"), "{error}");
    drop(held);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(*order.lock().unwrap(), [0, 1, 2]);
    assert_eq!((pool.stats().timeouts, pool.stats().refused, pool.stats().waits), (1, 1, 4));
}

#[test]
fn comes_back_clean() {
    let builder = Pool::builder().max_size(1).reset(discard_session);
    let Some(pool) = build(builder) else { return };
    for _ in 0..3 {
        let mut client = pool.get().unwrap();
        for _ in 0..3 {
            // Prepared at the second use: that must not be lost.
            let row = client.query_one("SELECT current_setting('work_mem')", &[]).unwrap();
            assert_ne!(row.get::<String>(0).unwrap(), "77kB");
        }
        client.batch("BEGIN; SET work_mem TO '77kB'; CREATE TABLE pool_rust_gone (n int)").unwrap();
    }
    {
        let mut client = pool.get().unwrap();
        client.batch("SET work_mem TO '77kB'").unwrap();
    }
    let mut client = pool.get().unwrap();
    let row = client.query_one("SELECT to_regclass('pool_rust_gone')::text", &[]).unwrap();
    assert_eq!(row.get::<Option<String>>(0).unwrap(), None);
    let row = client.query_one("SELECT current_setting('work_mem')", &[]).unwrap();
    assert_ne!(row.get::<String>(0).unwrap(), "77kB");
    assert_eq!(pool.stats().opened, 1);
}

fn application(client: &mut Client) -> String {
    let row = client.query_one("SELECT current_setting('application_name')", &[]).unwrap();
    row.get(0).unwrap()
}

#[test]
fn a_session_that_was_changed_is_reset_and_configured_again() {
    let configured = Arc::new(Mutex::new(0));
    let count = configured.clone();
    let builder = Pool::builder().max_size(1).configure(move |client| {
        *count.lock().unwrap() += 1;
        client.batch("SET application_name TO 'configured'").map(drop)
    });
    let Some(pool) = build(builder) else { return };
    for (dirt, times) in [
        ("SELECT 1", 1),
        ("SET application_name TO 'theirs'", 2),
        ("RESET application_name; CREATE TEMP TABLE theirs (n int)", 3),
        ("BEGIN; SET LOCAL application_name TO 'theirs'", 3),
        ("SET ROLE pg_monitor; LISTEN theirs", 4),
    ] {
        pool.get().unwrap().batch(dirt).unwrap();
        let mut client = pool.get().unwrap();
        assert_eq!(application(&mut client), "configured", "{dirt}");
        let left = "SELECT current_user = session_user AND to_regclass('theirs') IS NULL \
                    AND NOT EXISTS (SELECT FROM pg_listening_channels())";
        assert!(client.query_one(left, &[]).unwrap().get::<bool>(0).unwrap(), "{dirt}");
        assert_eq!(*configured.lock().unwrap(), times, "{dirt}");
    }
    assert_eq!(pool.stats().opened, 1);
}

#[test]
fn with_a_reset_the_session_is_its_own_affair() {
    let Some(pool) = build(Pool::builder().max_size(1).reset(|_| Ok(()))) else { return };
    pool.get().unwrap().batch("SET application_name TO 'theirs'").unwrap();
    assert_eq!(application(&mut pool.get().unwrap()), "theirs");
}

#[test]
fn what_the_server_has_closed_is_not_checked_out() {
    let builder = Pool::builder().min_size(3).sweep_every(Some(Duration::from_millis(50)));
    let Some(pool) = build(builder) else { return };
    pool.wait(LONG).unwrap();
    let pids: Vec<i32> = {
        let held: Vec<_> = (0..3).map(|_| pool.get().unwrap()).collect();
        held.iter().map(|client| client.process_id().unwrap()).collect()
    };
    kill(&pids);
    for _ in 0..4 {
        let mut client = pool.get().unwrap();
        assert!(!pids.contains(&client.process_id().unwrap()));
        client.batch("SELECT 1").unwrap();
    }
    until("what was lost is replaced", || pool.stats().opened == 6 && pool.stats().size == 3);
    assert_eq!(pool.stats().open_failures, 0);
}

#[test]
fn nobody_notices_a_drain() {
    let Some(pool) = build(Pool::builder().min_size(2).max_size(4)) else { return };
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (pool, stop) = (pool.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    pool.get().unwrap().batch("SELECT 1").unwrap();
                }
            })
        })
        .collect();
    let drained = (0..5).all(|_| pool.drain(LONG));
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(drained);
    assert_eq!(pool.stats().open_failures, 0);
}

#[test]
fn transactions_go_on_with_another_session_which_is_not_kept() {
    let Some(pool) = build(Pool::builder().max_size(1)) else { return };
    let mut pids = Vec::new();
    let five: i32 = pool
        .get()
        .unwrap()
        .transaction(|tx| {
            let row = tx.query_one("SELECT pg_backend_pid()", &[])?;
            pids.push(row.get::<i32>(0)?);
            if pids.len() == 1 {
                kill(&pids);
            }
            tx.query_one("SELECT 5", &[])?.get(0)
        })
        .unwrap();
    assert_eq!((five, pids.len()), (5, 2));
    assert!(!pids.contains(&pool.get().unwrap().process_id().unwrap()));
}

#[test]
fn a_transaction_of_the_pool_takes_another_of_its_sessions() {
    let builder = Pool::builder()
        .max_size(1)
        .configure(|client| client.batch("SET application_name TO 'pooled'").map(drop));
    let Some(pool) = build(builder) else { return };
    let mut pids = Vec::new();
    let name = pool
        .run_transaction(&TransactionOptions::default(), |tx| -> Result<String, Error> {
            pids.push(tx.query_one("SELECT pg_backend_pid()", &[])?.get::<i32>(0)?);
            if pids.len() == 1 {
                kill(&pids);
            }
            tx.query_one("SELECT current_setting('application_name')", &[])?.get(0)
        })
        .unwrap();
    assert_eq!((name.as_str(), pids.len()), ("pooled", 2));
    // It was the pool's, and is kept.
    assert_eq!(pool.get().unwrap().process_id(), pids.last().copied());
}

#[test]
fn hooks_and_leaks() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let (seen, checks) = (events.clone(), AtomicUsize::new(0));
    let builder = Pool::builder()
        .max_size(1)
        .configure(|client| client.batch("SET application_name TO 'pooled'").map(drop))
        .check(move |_| match checks.fetch_add(1, Ordering::Relaxed) {
            0 => Err(Error::usage("not this one")),
            _ => Ok(()),
        })
        .leak_after(Some(Duration::from_millis(20)))
        .on_event(move |event| seen.lock().unwrap().push(format!("{event:?}")));
    let Some(pool) = build(builder) else { return };
    let mut client = pool.get().unwrap();
    let row = client.query_one("SELECT current_setting('application_name')", &[]).unwrap();
    assert_eq!(row.get::<String>(0).unwrap(), "pooled");
    until("a leak is found", || pool.stats().leaks == 1);
    until("and reported", || {
        events.lock().unwrap().iter().any(|event| event.contains("live_pool.rs"))
    });
    assert_eq!(pool.stats().checks_failed, 1);
    assert!(events.lock().unwrap().iter().any(|event| event.contains("not this one")));
}

#[test]
fn closing() {
    let Some(pool) = build(Pool::builder().max_size(2).min_size(1)) else { return };
    let held = pool.get().unwrap();
    assert!(!pool.close(Duration::ZERO));
    let error = pool.get().unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, "pool is closed"));
    drop(held);
    assert!(pool.close(LONG));
    assert_eq!(pool.stats().size, 0);
}

#[test]
fn sizes_change() {
    let Some(pool) = build(Pool::builder().min_size(1).max_size(4)) else { return };
    pool.resize(3, 3).unwrap();
    pool.wait(LONG).unwrap();
    pool.resize(0, 1).unwrap();
    assert_eq!(pool.stats().size, 1);
    let error = pool.resize(2, 1).unwrap_err();
    assert!(error.to_string().contains("found 2, 1"), "{error}");
}

#[test]
fn no_server() {
    let config = Config::parse("host=127.0.0.1 port=1 user=u dbname=d").unwrap();
    let pool = Pool::builder().max_size(1).build(&config).unwrap();
    for _ in 0..2 {
        assert_eq!(pool.get().unwrap_err().kind(), ErrorKind::Connect);
    }
    let error = pool.wait(Duration::from_millis(10)).unwrap_err();
    assert!(error.to_string().contains("the last attempt to connect failed"), "{error}");
    let error = Pool::builder().min_size(3).max_size(2).build(&config).unwrap_err();
    assert!(error.to_string().contains("found 3, 2"), "{error}");
}

#[test]
fn the_tour_of_the_documents() {
    let Ok(dsn) = std::env::var("KECOA_TEST_DSN") else { return };
    tour::run(&dsn).unwrap();
}
