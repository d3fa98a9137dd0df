//! Pools whose hooks panic, and whose connections do not come to be: each costs one connection at most.
//! Against scripted servers, both pools.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kecoa::config::Environment;
use kecoa::pool::{Builder, Stats};
use kecoa::{Config, Error, ErrorKind};
use kecoa_pgmock::{Script, Server};

const LONG: Duration = Duration::from_secs(60);

fn config(server: &Server) -> Config {
    let dsn = format!(
        "host=127.0.0.1 port={} user=tester dbname=test sslmode=disable gssencmode=disable",
        server.port()
    );
    Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap()
}

/// Servers that say nothing but hello and good-bye; the client may leave without one.
fn idle(connections: usize) -> Server {
    Server::start((0..connections).map(|_| Script::new().startup().may_leave()).collect())
}

/// Its threads are as stuck as the attempts: they end with the process.
fn left_in_silence(server: Server) {
    std::mem::forget(server);
}

/// A server whose first connection says nothing, and the two behind it all that is needed.
fn silent_then_idle() -> Server {
    let idle = || Script::new().startup().may_leave();
    Server::start(vec![Script::new().stall(), idle(), idle()])
}

/// Whether it is the first call.
fn first() -> impl Fn() -> bool + Send + Sync + 'static {
    let first = AtomicBool::new(true);
    move || first.swap(false, Ordering::Relaxed)
}

/// A pool of one connection, that does nothing by itself.
fn quiet<H>() -> Builder<H> {
    let builder = Builder::default().min_size(0).max_size(1).timeout(Some(LONG));
    builder.max_lifetime(None, 0.0).max_idle(None).sweep_every(None)
}

fn assert_at_rest(stats: &Stats) {
    assert_eq!((stats.size, stats.idle, stats.opening, stats.waiting), (1, 1, 0, 0));
}

mod threads {
    use kecoa::blocking::Client;
    use kecoa::pool::blocking::{Hook, Pool};

    use super::*;

    /// A hook that panics once.
    fn panics() -> impl Fn(&mut Client) -> Result<(), Error> + Send + Sync + 'static {
        let first = first();
        move |_| if first() { panic!("expected") } else { Ok(()) }
    }

    fn serves(pool: &Pool) {
        drop(pool.get().unwrap());
        drop(pool.get().unwrap());
        assert_at_rest(&pool.stats());
    }

    #[test]
    fn a_configure_that_panics_costs_no_connection() {
        let server = idle(2);
        let pool = quiet::<Hook>().configure(panics()).build(&config(&server)).unwrap();
        let error = pool.get().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("panicked"), "{error}");
        serves(&pool);
    }

    #[test]
    fn a_check_that_panics_costs_no_connection() {
        let server = idle(2);
        let pool = quiet::<Hook>().check(panics()).build(&config(&server)).unwrap();
        catch_unwind(AssertUnwindSafe(|| pool.get())).unwrap_err();
        serves(&pool);
        assert_eq!(pool.stats().checks_failed, 1);
    }

    #[test]
    fn a_reset_that_panics_costs_no_connection() {
        let server = idle(2);
        let pool = quiet::<Hook>().reset(panics()).build(&config(&server)).unwrap();
        let client = pool.get().unwrap();
        catch_unwind(AssertUnwindSafe(|| drop(client))).unwrap_err();
        serves(&pool);
    }

    #[test]
    fn a_listener_that_panics_is_of_no_concern() {
        let server = idle(2);
        let pool =
            quiet::<Hook>().on_event(|_| panic!("expected")).build(&config(&server)).unwrap();
        let mut client = pool.get().unwrap();
        client.close();
        drop(client);
        serves(&pool);
    }

    #[test]
    fn a_transaction_that_panics_goes_back() {
        let broken = Script::new()
            .startup()
            .query("BEGIN;UPDATE a")
            .complete("BEGIN")
            .complete("UPDATE 1")
            .ready('T')
            .simple("ROLLBACK", "ROLLBACK", 'I')
            .may_leave();
        let server = Server::start(vec![broken, Script::new().startup().may_leave()]);
        let pool = quiet::<Hook>().build(&config(&server)).unwrap();
        let work = || {
            pool.get().unwrap().transaction(|tx| -> Result<(), Error> {
                tx.batch("UPDATE a")?;
                panic!("expected")
            })
        };
        catch_unwind(AssertUnwindSafe(work)).unwrap_err();
        serves(&pool);
    }

    #[test]
    fn an_attempt_that_does_not_end_costs_one_connection() {
        let server = silent_then_idle();
        let pool = quiet::<Hook>().max_size(3).build(&config(&server)).unwrap();
        let one = pool.get().unwrap();
        let two = pool.get().unwrap();
        drop((one, two));
        assert_eq!((pool.stats().size, pool.stats().opening), (2, 1));
        left_in_silence(server);
    }

    #[test]
    fn a_configure_that_does_not_end_costs_one_connection() {
        let server = idle(3);
        let first = first();
        let configure = move |_: &mut _| -> Result<(), Error> {
            if first() {
                std::thread::sleep(Duration::from_secs(3600));
            }
            Ok(())
        };
        let pool =
            quiet::<Hook>().max_size(3).configure(configure).build(&config(&server)).unwrap();
        let one = pool.get().unwrap();
        let two = pool.get().unwrap();
        drop((one, two));
        assert_eq!((pool.stats().size, pool.stats().opening), (2, 1));
        left_in_silence(server);
    }

    #[test]
    fn a_connection_that_does_not_answer_is_given_up_in_time() {
        let silent = Script::new().startup().query("SELECT 1").stall();
        let server = Server::start(vec![silent, Script::new().startup().may_leave()]);
        let asks = Some(Duration::from_nanos(1));
        let pool = quiet::<Hook>().check_after(asks).build(&config(&server)).unwrap();
        drop(pool.get().unwrap());
        let error = pool.get_timeout(Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        drop(pool.get().unwrap());
        assert_eq!((pool.stats().size, pool.stats().checks_failed), (1, 1));
    }
}

#[cfg(feature = "tokio")]
mod tasks {
    use kecoa::Client;
    use kecoa::pool::tokio::{Hook, Pool, Work};

    use super::*;

    /// A hook that panics once, in its future.
    fn panics() -> impl Fn(&mut Client) -> Work<'_> + Send + Sync + 'static {
        let first = first();
        move |_| {
            let panics = first();
            Box::pin(async move { if panics { panic!("expected") } else { Ok(()) } })
        }
    }

    async fn serves(pool: &Pool) {
        drop(pool.get().await.unwrap());
        drop(pool.get().await.unwrap());
        while pool.stats().idle != 1 {
            tokio::task::yield_now().await;
        }
        assert_at_rest(&pool.stats());
    }

    #[tokio::test]
    async fn a_configure_that_panics_costs_no_connection() {
        let server = idle(2);
        let pool = quiet::<Hook>().configure(panics()).build(&config(&server)).unwrap();
        assert_eq!(pool.get().await.unwrap_err().kind(), ErrorKind::Connect);
        serves(&pool).await;
    }

    #[tokio::test]
    async fn a_check_that_panics_costs_no_connection() {
        let server = idle(1);
        let pool = quiet::<Hook>().check(panics()).build(&config(&server)).unwrap();
        let work = pool.clone();
        assert!(tokio::spawn(async move { work.get().await }).await.unwrap_err().is_panic());
        serves(&pool).await;
    }

    #[tokio::test]
    async fn a_reset_that_panics_costs_no_connection() {
        let server = idle(2);
        let first = first();
        let pool = quiet::<Hook>()
            .reset(move |_| {
                // Also before there is a future.
                assert!(!first(), "expected");
                Box::pin(async { Ok(()) })
            })
            .build(&config(&server))
            .unwrap();
        drop(pool.get().await.unwrap());
        serves(&pool).await;
    }

    #[tokio::test]
    async fn a_listener_that_panics_is_of_no_concern() {
        let server = idle(2);
        let pool =
            quiet::<Hook>().on_event(|_| panic!("expected")).build(&config(&server)).unwrap();
        let mut client = pool.get().await.unwrap();
        client.close();
        drop(client);
        serves(&pool).await;
    }

    #[tokio::test]
    async fn attempts_that_do_not_end_cost_one_connection_each() {
        let server = silent_then_idle();
        let first = first();
        let pool = quiet::<Hook>()
            .max_size(3)
            .configure(move |_| {
                let hangs = first();
                Box::pin(async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                })
            })
            .build(&config(&server))
            .unwrap();
        // The first says nothing, the second is never configured.
        drop(pool.get().await.unwrap());
        assert_eq!((pool.stats().size, pool.stats().opening), (1, 2));
        left_in_silence(server);
    }
}
