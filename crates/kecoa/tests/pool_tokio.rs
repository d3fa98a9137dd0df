//! The pool for tokio against scripted servers, in virtual time: what it does when, and what it gives out.
#![cfg(feature = "tokio")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use kecoa::config::Environment;
use kecoa::pool::core::Reason;
use kecoa::pool::tokio::{Builder, Pool, Pooled};
use kecoa::{Config, Error, ErrorKind};
use kecoa_pgmock::{Script, Server};
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

/// A pool that does nothing by itself but what the test asks for.
fn quiet() -> Builder {
    Pool::builder().min_size(0).max_size(1).max_lifetime(None, 0.0).max_idle(None).sweep_every(None)
}

fn build(server: &Server, builder: Builder) -> Pool {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    let config = Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap();
    builder.build(&config).unwrap()
}

/// Servers that say nothing but hello and good-bye.
fn idle(connections: usize) -> Server {
    Server::start((0..connections).map(|_| Script::new().startup().terminate()).collect())
}

type Getting = Pin<Box<dyn Future<Output = Result<Pooled, Error>> + Send>>;

/// One who stands in the line.
async fn waiting(pool: &Pool) -> Getting {
    let mut getting: Getting = Box::pin(pool.get());
    poll_fn(|cx| {
        assert!(getting.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    getting
}

async fn is_waiting(getting: &mut Getting) -> bool {
    poll_fn(|cx| Poll::Ready(getting.as_mut().poll(cx).is_pending())).await
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_who_holds_and_the_next_is_not() {
    let server = idle(1);
    let pool = build(&server, quiet().name("orders").timeout(Some(2 * HOUR)).max_waiting(2));
    let held = pool.get().await.unwrap();
    let started = Instant::now();
    let mut next = waiting(&pool).await;
    let error = pool.get_timeout(HOUR).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 3600));
    let text = error.to_string();
    let expected = "orders: no connection came free in 3600 s: waited 3600.0";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("size 1 of at most 1, 1 in use, 1 more wait; held longest: 36"),
        "{text}"
    );
    assert!(text.contains("pool_tokio.rs:"), "{text}");
    let third = waiting(&pool).await;
    let error = pool.get().await.unwrap_err();
    assert!(error.to_string().contains("2 callers wait for a connection already"), "{error}");
    drop(held);
    drop(next.as_mut().await.unwrap());
    drop(third.await.unwrap());
    let stats = pool.stats();
    assert_eq!((stats.timeouts, stats.refused, stats.waits, stats.opened), (1, 1, 4, 1));
    assert_eq!(stats.wait_max.as_secs(), 3600);
    drop(pool);
    server.finish();
}

#[tokio::test(start_paused = true)]
async fn those_who_leave_keep_nobody_waiting_and_lose_no_connection() {
    let server = idle(1);
    let pool = build(&server, quiet().timeout(None));
    let held = pool.get().await.unwrap();
    let (mut first, second) = (waiting(&pool).await, waiting(&pool).await);
    let (third, mut fourth) = (waiting(&pool).await, waiting(&pool).await);
    // One leaves the line.
    drop(second);
    assert_eq!(pool.stats().waiting, 3);
    drop(held);
    let held = first.as_mut().await.unwrap();
    assert!(is_waiting(&mut fourth).await);
    // The connection is the third one's, who leaves without having looked.
    drop(held);
    assert_eq!(pool.stats().waiting, 1);
    drop(third);
    drop(fourth.as_mut().await.unwrap());
    let stats = pool.stats();
    assert_eq!((stats.idle, stats.waiting, stats.opened), (1, 0, 1));
    drop(pool);
    server.finish();
}

#[tokio::test]
async fn one_who_leaves_in_the_middle_of_a_check_leaves_the_connection_to_the_next() {
    let script = Script::new()
        .startup()
        .query("SELECT 1")
        .wait("cancelled")
        .error("57014", "canceling statement due to user request")
        .ready('I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let cancelling = Script::new().expect_cancel().signal("cancelled").close();
    let server = Server::start(vec![script, cancelling]);
    let pool = build(&server, quiet().check_after(Some(Duration::ZERO)));
    let mut first = Box::pin(pool.get_timeout(HOUR));
    // It has sent its question, and the server thinks.
    let mut second = loop {
        poll_fn(|cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        if pool.stats().size == 1 {
            break waiting(&pool).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(20), first.as_mut()).await.is_err());
    drop(first);
    assert!(is_waiting(&mut second).await);
    drop(second.as_mut().await.unwrap());
    assert_eq!((pool.stats().opened, pool.stats().checkouts), (1, 1));
    drop(pool);
    server.finish();
}

#[tokio::test]
async fn a_connection_that_does_not_answer_keeps_nobody_longer_than_asked() {
    let server = idle(2);
    let builder = quiet().min_size(1).check(|_| Box::pin(std::future::pending()));
    let pool = build(&server, builder);
    pool.wait(HOUR).await.unwrap();
    tokio::time::pause();
    let started = Instant::now();
    let error = pool.get_timeout(HOUR).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (ErrorKind::Timeout, 3600));
    tokio::time::resume();
    pool.wait(HOUR).await.unwrap();
    let stats = pool.stats();
    assert_eq!((stats.checks_failed, stats.opened, stats.timeouts), (1, 2, 1));
    drop(pool);
    server.finish();
}

#[tokio::test]
async fn a_busy_connection_is_not_checked_out_before_it_is_idle() {
    let script = Script::new()
        .startup()
        .simple("BEGIN", "BEGIN", 'T')
        .query("SELECT pg_sleep(100)")
        .wait("cancelled")
        .error("57014", "canceling statement due to user request")
        .ready('E')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("SELECT 2", "SELECT 1", 'I')
        .terminate();
    let cancelling = Script::new().expect_cancel().signal("cancelled").close();
    let server = Server::start(vec![script, cancelling]);
    let pool = build(&server, quiet());
    let mut client = pool.get().await.unwrap();
    client.batch("BEGIN").await.unwrap();
    let slow = client.batch("SELECT pg_sleep(100)");
    assert!(tokio::time::timeout(Duration::from_millis(1), slow).await.is_err());
    drop(client);
    assert_eq!(pool.stats().in_use, 1);
    let mut client = pool.get().await.unwrap();
    client.batch("SELECT 2").await.unwrap();
    drop(client);
    drop(pool);
    server.finish();
}

#[tokio::test]
async fn a_connection_that_does_not_become_idle_is_closed() {
    let mut scripts =
        vec![Script::new().startup().query("SELECT pg_sleep(100)").wait("given up").close()];
    scripts.extend((0..10).map(|_| Script::new().expect_cancel().close()));
    scripts.push(Script::new().startup().signal("given up").terminate());
    let server = Server::start(scripts);
    let pool = build(&server, quiet());
    let mut client = pool.get().await.unwrap();
    let slow = client.batch("SELECT pg_sleep(100)");
    assert!(tokio::time::timeout(Duration::from_millis(1), slow).await.is_err());
    drop(client);
    tokio::time::pause();
    drop(pool.get_timeout(HOUR).await.unwrap());
    let stats = pool.stats();
    assert_eq!((stats.opened, stats.closed.get(&Reason::Broken)), (2, Some(&1)));
    drop(pool);
    server.finish();
}

#[tokio::test(start_paused = true)]
async fn time_replaces_and_closes_connections() {
    let server = idle(6);
    let builder = quiet().min_size(1).max_size(3).max_lifetime(Some(10 * HOUR), 0.0);
    let pool = build(&server, builder.max_idle(Some(HOUR)).leak_after(Some(HOUR / 2)));
    let pool = &pool;
    pool.wait(HOUR).await.unwrap();
    let held = [pool.get().await.unwrap(), pool.get().await.unwrap(), pool.get().await.unwrap()];
    tokio::time::sleep(HOUR).await;
    assert_eq!((pool.stats().leaks, pool.stats().size), (3, 3));
    drop(held);
    tokio::time::sleep(HOUR / 2).await;
    assert_eq!(pool.stats().size, 3);
    tokio::time::sleep(HOUR).await;
    let stats = pool.stats();
    assert_eq!((stats.size, stats.closed.get(&Reason::Idle)), (1, Some(&2)));
    tokio::time::sleep(8 * HOUR).await;
    pool.wait(HOUR).await.unwrap();
    let stats = pool.stats();
    assert_eq!((stats.size, stats.closed.get(&Reason::Lifetime)), (1, Some(&1)));
    // What is there is replaced when it is drained, what is checked out when it comes back.
    let held = pool.get().await.unwrap();
    let mut draining = pin!(pool.drain(HOUR));
    assert!(poll_fn(|cx| Poll::Ready(draining.as_mut().poll(cx).is_pending())).await);
    drop(held);
    assert!(draining.await);
    pool.wait(HOUR).await.unwrap();
    let stats = pool.stats();
    assert_eq!((stats.opened, stats.closed.get(&Reason::Drain)), (5, Some(&1)));
    // A last one, so that every script is played.
    pool.resize(2, 2).unwrap();
    pool.wait(HOUR).await.unwrap();
    assert!(pool.close(HOUR).await);
    server.finish();
}

#[tokio::test(start_paused = true)]
async fn no_server() {
    let config = Config::parse("host=127.0.0.1 port=1 user=u dbname=d").unwrap();
    let pool = Pool::builder().max_size(1).build(&config).unwrap();
    for _ in 0..2 {
        assert_eq!(pool.get().await.unwrap_err().kind(), ErrorKind::Connect);
    }
    let error = pool.wait(Duration::from_millis(10)).await.unwrap_err();
    assert!(error.to_string().contains("the last attempt to connect failed"), "{error}");
    let error = Pool::builder().min_size(3).max_size(2).build(&config).unwrap_err();
    assert!(error.to_string().contains("found 3, 2"), "{error}");
}

#[test]
fn it_can_be_shared() {
    fn is<T: Send + Sync>() {}
    fn can_be_sent<T: Send>(_: &T) {}
    is::<Pool>();
    let _ = |pool: &Pool| {
        can_be_sent(&pool.get());
        can_be_sent(&pool.wait(HOUR));
        can_be_sent(&pool.drain(HOUR));
    };
    let _ = |pooled: Pooled| can_be_sent(&pooled);
}
