//! The process's counters. They are one set a process, so this file is one test.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use kecoa::blocking::Client;
use kecoa::observability::{self, Counters};
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, Error, ErrorKind, TransactionOptions};
use kecoa_pgmock::{Script, Server};

fn config(port: u16) -> Config {
    let text = format!("host=127.0.0.1 port={port} user=u dbname=d sslmode=disable");
    let config = Config::parse(&text).unwrap();
    config.resolve(&kecoa::config::Environment::empty()).unwrap()
}

fn options() -> TransactionOptions {
    let policy = Policy {
        max_attempts: 2,
        first_delay: Duration::from_millis(2),
        jitter: Jitter::None,
        ..Policy::default()
    };
    TransactionOptions { policy, ..TransactionOptions::default() }
}

fn work(client: &mut Client) -> Result<(), Error> {
    client.transaction_with(&options(), |tx| tx.batch("UPDATE a").map(drop))
}

fn failed() -> Script {
    let begun = Script::new().query("BEGIN;UPDATE a").complete("BEGIN");
    begun.error("40001", "restart transaction: x").ready('E').simple("ROLLBACK", "ROLLBACK", 'I')
}

fn ran() -> Script {
    Script::new().query("BEGIN;UPDATE a").complete("BEGIN").complete("UPDATE 1").ready('T')
}

/// What changed.
fn since(before: &Counters) -> Vec<(&'static str, u64)> {
    let now = observability::counters();
    let pairs = now.iter().zip(before.iter()).map(|((name, now), (_, then))| (name, now - then));
    pairs.filter(|(name, n)| *n > 0 && !name.contains("bytes")).collect()
}

#[test]
fn the_process_counts() {
    let startup = || Script::new().startup();
    let committed = ran().simple("COMMIT", "COMMIT", 'I');
    let server = Server::start(vec![
        // Once after a 40001, and once given up.
        startup().then(failed()).then(committed).then(failed()).then(failed()).terminate(),
        // Lost in the body, then during COMMIT.
        startup().query("BEGIN;UPDATE a").close(),
        startup().then(ran()).query("COMMIT").close(),
    ]);
    let config = config(server.port());

    let before = observability::counters();
    let mut client = Client::connect(&config).unwrap();
    work(&mut client).unwrap();
    assert_eq!(
        since(&before),
        [
            ("db.client.connection.count", 1),
            ("kecoa.connections.opened", 1),
            ("kecoa.statements", 4),
            ("kecoa.commits", 1),
            ("kecoa.transactions", 1),
            ("kecoa.transactions.attempts", 2),
            ("kecoa.retries", 1),
            ("kecoa.retries.backoff_us", 2_000),
        ]
    );
    let own = client.counters();
    assert_eq!((own.statements, own.commits, own.connections_open()), (4, 1, 1));
    assert!(own.bytes_sent > 0 && own.bytes_received > own.bytes_sent);

    let before = observability::counters();
    let error = work(&mut client).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RetriesExhausted { attempts: 2, .. }));
    drop(client);
    let after = observability::counters();
    assert_eq!(after.given_up - before.given_up, 1);
    assert_eq!(after.connections_ended - before.connections_ended, 1);
    assert_eq!(after.connections_lost, before.connections_lost, "a good-bye is no loss");

    let before = observability::counters();
    let mut client = Client::connect(&config).unwrap();
    assert_eq!(work(&mut client).unwrap_err().kind(), ErrorKind::AmbiguousCommit);
    let after = observability::counters();
    assert_eq!(after.ambiguous_commits - before.ambiguous_commits, 1);
    assert_eq!(after.connections_lost - before.connections_lost, 2);
    let reasons = after.retries_by_reason.iter().zip(before.retries_by_reason);
    let reasons: Vec<_> = reasons.map(|(now, then)| now - then).collect();
    assert_eq!(reasons, [0, 0, 0, 0, 1, 0], "{:?}", observability::REASONS);
    server.finish();

    let before = observability::counters();
    Client::connect(&config).unwrap_err();
    assert_eq!(since(&before), [("kecoa.connections.failed", 1)]);
}
