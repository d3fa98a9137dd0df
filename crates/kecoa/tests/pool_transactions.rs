//! Transactions whose attempts take their sessions out of a pool: on the same one again, on another one,
//! and left half-way. Against scripted servers, both pools.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kecoa::config::Environment;
use kecoa::pool::core::Reason;
use kecoa::pool::{Builder, Stats};
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, Error, ErrorKind, TransactionOptions};
use kecoa_pgmock::{Script, Server};

fn config(server: &Server) -> Config {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap()
}

/// A pool of one connection, that does nothing by itself.
fn quiet<H>() -> Builder<H> {
    let builder = Builder::default().min_size(0).max_size(1).timeout(Some(Duration::from_secs(60)));
    builder.max_lifetime(None, 0.0).max_idle(None).sweep_every(None)
}

fn at_once() -> TransactionOptions {
    let policy = Policy {
        max_attempts: 3,
        first_delay: Duration::ZERO,
        jitter: Jitter::None,
        ..Policy::default()
    };
    TransactionOptions { policy, ..TransactionOptions::default() }
}

/// A session that the pool has configured.
fn configured() -> Script {
    Script::new().startup().simple("SET a", "SET", 'I')
}

/// Checkouts, connections at rest, and those that came back broken.
fn figures(stats: &Stats) -> (u64, usize, u64) {
    (stats.checkouts, stats.idle, stats.closed.get(&Reason::Broken).copied().unwrap_or_default())
}

type Any = Box<dyn std::error::Error + Send + Sync>;

mod threads {
    use kecoa::blocking::{Pool, Transaction};
    use kecoa::pool::blocking::Hook;

    use super::*;

    fn pool(server: &Server) -> Pool {
        let builder = quiet::<Hook>().configure(|client| client.batch("SET a").map(drop));
        builder.build(&config(server)).unwrap()
    }

    fn begun() -> Script {
        Script::new().query("BEGIN;UPDATE a").complete("BEGIN")
    }

    fn updated() -> Script {
        begun().complete("UPDATE 1").ready('T')
    }

    fn update(tx: &mut Transaction<'_>) -> Result<(), Error> {
        tx.batch("UPDATE a").map(drop)
    }

    #[test]
    fn a_refused_transaction_is_run_again_on_its_session() {
        let script = configured()
            .then(begun().error("40001", "restart").ready('E'))
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(updated())
            .simple("COMMIT", "COMMIT", 'I')
            .terminate();
        let server = Server::start(vec![script]);
        let pool = pool(&server);
        let mut runs = 0;
        let work = |tx: &mut Transaction<'_>| {
            runs += 1;
            update(tx).map(|()| "done")
        };
        assert_eq!(pool.run_transaction(&at_once(), work).unwrap(), "done");
        assert_eq!((runs, figures(&pool.stats())), (2, (1, 1, 0)));
        drop(pool);
        server.finish();
    }

    #[test]
    fn a_lost_session_is_replaced_by_another_of_the_pool() {
        let server = Server::start(vec![
            configured().query("BEGIN;UPDATE a").fatal("57P01", "bye").close(),
            configured().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate(),
        ]);
        let pool = pool(&server);
        pool.run_transaction(&at_once(), update).unwrap();
        assert_eq!(figures(&pool.stats()), (2, 1, 1));
        drop(pool);
        server.finish();
    }

    #[test]
    fn a_commit_in_doubt_is_not_run_again() {
        let server = Server::start(vec![configured().then(updated()).query("COMMIT").close()]);
        let pool = pool(&server);
        let mut runs = 0;
        let work = |tx: &mut Transaction<'_>| {
            runs += 1;
            update(tx)
        };
        let error = pool.run_transaction(&at_once(), work).unwrap_err();
        assert_eq!((error.kind(), runs), (ErrorKind::AmbiguousCommit, 1), "{error}");
        assert_eq!(figures(&pool.stats()), (1, 0, 1));
        drop(pool);
        server.finish();
    }

    #[test]
    fn an_error_of_the_bodys_own_rolls_back() {
        let script = configured().then(updated()).simple("ROLLBACK", "ROLLBACK", 'I').terminate();
        let server = Server::start(vec![script]);
        let pool = pool(&server);
        let error = pool
            .run_transaction(&at_once(), |tx| -> Result<(), Any> {
                update(tx)?;
                Err("poor".into())
            })
            .unwrap_err();
        assert_eq!(error.to_string(), "poor");
        assert_eq!(figures(&pool.stats()), (1, 1, 0));
        drop(pool);
        server.finish();
    }

    #[test]
    fn a_body_that_finds_no_further_session_is_not_run_again() {
        let script = configured().then(updated()).simple("ROLLBACK", "ROLLBACK", 'I').terminate();
        let server = Server::start(vec![script]);
        let builder = quiet::<Hook>().timeout(Some(Duration::from_millis(50)));
        let builder = builder.configure(|client| client.batch("SET a").map(drop));
        let pool = builder.build(&config(&server)).unwrap();
        let mut runs = 0;
        let work = |tx: &mut Transaction<'_>| {
            runs += 1;
            update(tx)?;
            pool.get().map(drop)
        };
        let error = pool.run_transaction(&at_once(), work).unwrap_err();
        assert_eq!((error.kind(), runs), (ErrorKind::Timeout, 1), "{error}");
        assert_eq!(figures(&pool.stats()), (1, 1, 0));
        drop(pool);
        server.finish();
    }

    #[test]
    fn a_session_that_cannot_be_replaced_is_the_error() {
        let server = Server::start(vec![
            configured().query("BEGIN;UPDATE a").fatal("57P01", "bye").close(),
            Script::new().expect_startup().fatal("3D000", "no such database").close(),
        ]);
        let pool = pool(&server);
        let error = pool.run_transaction(&at_once(), update).unwrap_err();
        assert_eq!(error.sqlstate(), Some("3D000"), "{error}");
        drop(pool);
        server.finish();
    }
}

#[cfg(feature = "tokio")]
mod tasks {
    use std::future::Future;

    use kecoa::pool::tokio::Hook;
    use kecoa::{Pool, Transaction};

    use super::*;

    fn pool(server: &Server) -> Pool {
        let builder = quiet::<Hook>()
            .configure(|client| Box::pin(async move { client.batch("SET a").await.map(drop) }));
        builder.build(&config(server)).unwrap()
    }

    fn begun() -> Script {
        Script::new().simple("BEGIN", "BEGIN", 'T')
    }

    fn updated() -> Script {
        begun().simple("UPDATE a", "UPDATE 1", 'T')
    }

    async fn update(tx: &mut Transaction<'_>) -> Result<(), Error> {
        tx.batch("UPDATE a").await.map(drop)
    }

    /// Waits until what goes on in the background has come to an end.
    async fn at_rest(pool: &Pool) {
        while pool.stats().in_use > 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn closed(pool: Pool, server: Server) {
        assert!(pool.close(Duration::from_secs(60)).await);
        drop(pool);
        server.finish();
    }

    fn is_send<T>(work: impl Future<Output = T> + Send + 'static) -> impl Future<Output = T> {
        work
    }

    async fn debit(pool: Pool, cents: i64) -> Result<String, Any> {
        let (name, runs) = (String::from("x"), AtomicU32::new(0));
        let debit = "UPDATE accounts SET balance = balance - $1 WHERE name = $2";
        pool.run_transaction(&at_once(), async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.execute(debit, &[&cents, &name]).await?;
            tx.savepoint(async |tx| tx.execute(debit, &[&cents, &name]).await).await?;
            if cents > 0 { Ok(name.clone()) } else { Err("poor".into()) }
        })
        .await
    }

    #[test]
    fn its_future_may_be_spawned() {
        fn spawned(pool: Pool) {
            drop(is_send(debit(pool.clone(), 7)));
            drop(is_send(async move { pool.run_transaction(&at_once(), update).await }));
        }
        let _: fn(Pool) = spawned;
    }

    #[tokio::test]
    async fn a_refused_transaction_is_run_again_on_its_session() {
        let script = configured()
            .then(begun().failing("UPDATE a", "40001", 'E'))
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .then(updated())
            .simple("COMMIT", "COMMIT", 'I')
            .terminate();
        let server = Server::start(vec![script]);
        let pool = pool(&server);
        let runs = AtomicU32::new(0);
        let done = pool
            .run_transaction(&at_once(), async |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                update(tx).await.map(|()| "done")
            })
            .await;
        assert_eq!(done.unwrap(), "done");
        assert_eq!((runs.into_inner(), figures(&pool.stats())), (2, (1, 1, 0)));
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn a_lost_session_is_replaced_by_another_of_the_pool() {
        let server = Server::start(vec![
            configured().then(begun()).query("UPDATE a").fatal("57P01", "bye").close(),
            configured().then(updated()).simple("COMMIT", "COMMIT", 'I').terminate(),
        ]);
        let pool = pool(&server);
        let work = pool.clone();
        let task = tokio::spawn(async move { work.run_transaction(&at_once(), update).await });
        task.await.unwrap().unwrap();
        assert_eq!(figures(&pool.stats()), (2, 1, 1));
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn a_commit_in_doubt_is_not_run_again() {
        let server = Server::start(vec![configured().then(updated()).query("COMMIT").close()]);
        let pool = pool(&server);
        let runs = AtomicU32::new(0);
        let error = pool
            .run_transaction(&at_once(), async |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                update(tx).await
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
        assert_eq!((runs.into_inner(), figures(&pool.stats())), (1, (1, 0, 1)));
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn an_error_of_the_bodys_own_rolls_back() {
        let script = configured().then(updated()).simple("ROLLBACK", "ROLLBACK", 'I').terminate();
        let server = Server::start(vec![script]);
        let pool = pool(&server);
        let error = pool
            .run_transaction(&at_once(), async |tx| -> Result<(), Any> {
                update(tx).await?;
                Err("poor".into())
            })
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "poor");
        assert_eq!(figures(&pool.stats()), (1, 1, 0));
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn a_body_that_finds_no_further_session_is_not_run_again() {
        let script = configured().then(updated()).simple("ROLLBACK", "ROLLBACK", 'I').terminate();
        let server = Server::start(vec![script]);
        let builder = quiet::<Hook>()
            .timeout(Some(Duration::from_millis(50)))
            .configure(|client| Box::pin(async move { client.batch("SET a").await.map(drop) }));
        let pool = builder.build(&config(&server)).unwrap();
        let runs = AtomicU32::new(0);
        let error = pool
            .run_transaction(&at_once(), async |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                update(tx).await?;
                pool.get().await.map(drop)
            })
            .await
            .unwrap_err();
        assert_eq!((error.kind(), runs.into_inner()), (ErrorKind::Timeout, 1), "{error}");
        assert_eq!(figures(&pool.stats()), (1, 1, 0));
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn a_session_that_cannot_be_replaced_is_the_error() {
        let server = Server::start(vec![
            configured().then(begun()).query("UPDATE a").fatal("57P01", "bye").close(),
            Script::new().expect_startup().fatal("3D000", "no such database").close(),
        ]);
        let pool = pool(&server);
        let error = pool.run_transaction(&at_once(), update).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("3D000"), "{error}");
        closed(pool, server).await;
    }

    #[tokio::test]
    async fn no_session_in_time_is_the_error() {
        let lost = configured().then(begun()).query("UPDATE a").fatal("57P01", "bye").close();
        let server = Server::start(vec![lost]);
        let builder = quiet::<Hook>()
            .timeout(Some(Duration::from_millis(200)))
            .configure(|client| Box::pin(async move { client.batch("SET a").await.map(drop) }));
        let pool = builder.build(&config(&server)).unwrap();
        let error = pool.run_transaction(&at_once(), update).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains("no connection came free"), "{error}");
        drop(pool);
        drop(server);
    }

    #[tokio::test]
    async fn one_that_is_dropped_leaves_a_clean_session() {
        let script = configured()
            .then(updated())
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .simple("SELECT 1", "SELECT 1", 'I')
            .terminate();
        let server = Server::start(vec![script]);
        let pool = pool(&server);
        let (reached, waiting) = (tokio::sync::Notify::new(), pool.clone());
        let work = waiting.run_transaction(&at_once(), async |tx| -> Result<(), Error> {
            update(tx).await?;
            reached.notify_one();
            std::future::pending().await
        });
        tokio::select! {
            _ = work => panic!("never"),
            () = reached.notified() => {}
        }
        at_rest(&pool).await;
        assert_eq!(figures(&pool.stats()), (1, 1, 0));
        pool.get().await.unwrap().batch("SELECT 1").await.unwrap();
        drop(waiting);
        closed(pool, server).await;
    }
}
