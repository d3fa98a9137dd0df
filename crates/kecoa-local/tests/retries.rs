//! Requests that the endpoint runs again by itself when they fail with a retry error.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod live;

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use kecoa_proto::TransactionStatus;
use kecoa_proto::message::frontend::{Message, Target};
use live::{Replies, Server, Tcp};

/// Parse by a name, use, close and the next use: what drivers with a cache of statements send.
fn prepared(client: &mut Tcp, name: &str, sql: &str) -> Replies {
    client.send(&[
        Tcp::parse(name, sql),
        Tcp::bind(name, &[]),
        Message::Describe(Target::Portal(Bytes::new())),
        Tcp::execute(),
        Message::Sync,
    ]);
    client.replies()
}

/// Sends an update on a client; the number is the round's.
type Way = fn(&mut Tcp, usize) -> Replies;

#[test]
fn threads_that_update_one_row_see_no_retry_error() {
    let Some(server) = Server::start() else { return };
    let mut setup = server.client("defaultdb");
    setup.simple("CREATE TABLE r (id INT PRIMARY KEY, v INT)");
    let failed = AtomicUsize::new(0);
    let ways: [(&str, Way); 6] = [
        ("simple", |c, _| c.simple("UPDATE r SET v = v + 1 WHERE id = 1")),
        ("batch", |c, _| {
            c.simple("SELECT v FROM r; UPDATE r SET v = v + 1 WHERE id = 1; SELECT v FROM r")
        }),
        ("whole transaction", |c, _| {
            c.simple("BEGIN; UPDATE r SET v = v + 1 WHERE id = 1; COMMIT")
        }),
        ("extended", |c, _| c.extended("UPDATE r SET v = v + $1 WHERE id = 1", &["1"])),
        ("prepared", |c, round| {
            let name = format!("s{round}");
            prepared(c, &name, "UPDATE r SET v = v + 1 WHERE id = 1 RETURNING v")
        }),
        ("first statement", |c, _| {
            let begun = c.simple("BEGIN");
            assert_eq!(begun.error, None);
            c.simple("SAVEPOINT s");
            let done = c.extended("UPDATE r SET v = v + 1 WHERE id = 1", &[]);
            let ended = c.simple("COMMIT");
            if done.error.is_some() { done } else { ended }
        }),
    ];
    for (way, run) in ways {
        setup.simple("UPSERT INTO r VALUES (1, 0)");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut client = server.client("defaultdb");
                    for round in 0..25 {
                        let replies = run(&mut client, round);
                        if let Some(error) = &replies.error {
                            println!("{way}: {error:?}");
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                        assert_eq!(replies.status, Some(TransactionStatus::Idle), "{way}");
                    }
                });
            }
        });
        assert_eq!(failed.load(Ordering::Relaxed), 0, "{way}");
        assert_eq!(setup.simple("SELECT v FROM r").one(), "100", "{way}");
    }
}

#[test]
fn what_is_run_again_and_how_often() {
    let Some(server) = Server::start() else { return };
    let mut client = server.client("defaultdb");
    // A sequence counts what was run, whatever becomes of it.
    let made = client.simple(
        "SET kecoa_strict = off; CREATE SEQUENCE runs; CREATE TABLE t (a INT PRIMARY KEY); \
         CREATE FUNCTION fails(times INT) RETURNS INT LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('runs') < times THEN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'again'; \
         END IF; RETURN 7; END $$",
    );
    assert_eq!(made.error, None);
    let mut check = |way: &str, run: &dyn Fn(&mut Tcp) -> Replies, error: bool, runs: &str| {
        client.simple("ALTER SEQUENCE runs RESTART");
        let replies = run(&mut client);
        assert_eq!(replies.error.is_some(), error, "{way}: {replies:?}");
        if let Some((code, message, _)) = &replies.error {
            assert_eq!(code, "40001", "{way}");
            assert!(message.starts_with("restart transaction: "), "{way}: {message}");
        }
        client.simple("ROLLBACK");
        assert_eq!(client.simple("SELECT last_value FROM runs").one(), runs, "{way}");
        replies
    };
    let replies = check("alone", &|c| c.simple("SELECT fails(5)"), false, "5");
    assert_eq!((replies.one(), replies.tags), ("7".to_owned(), vec!["SELECT 1".to_owned()]));
    let batch = "INSERT INTO t VALUES (1); SELECT fails(5); SELECT count(*) FROM t";
    let replies = check("batch", &|c| c.simple(batch), false, "5");
    assert_eq!(replies.tags, ["INSERT 0 1", "SELECT 1", "SELECT 1"]);
    let replies = check(
        "pipeline",
        &|c| {
            let mut all = Vec::new();
            for sql in ["INSERT INTO t VALUES (2)", "SELECT fails(3)", "SELECT count(*) FROM t"] {
                all.extend([Tcp::parse("", sql), Tcp::bind("", &[]), Tcp::execute()]);
            }
            all.push(Message::Sync);
            c.send(&all);
            c.replies()
        },
        false,
        "3",
    );
    assert_eq!(replies.tags, ["INSERT 0 1", "SELECT 1", "SELECT 1"]);
    assert_eq!(replies.rows[1], [Some("2".to_owned())]);
    // As asyncpg does it: prepared and flushed, then used.
    check(
        "flushed",
        &|c| {
            c.send(&[
                Tcp::parse("named", "SELECT fails(3)"),
                Message::Describe(Target::Statement(Bytes::from_static(b"named"))),
                Message::Flush,
                Tcp::bind("named", &[]),
                Tcp::execute(),
                Message::Close(Target::Portal(Bytes::new())),
                Message::Sync,
            ]);
            c.replies()
        },
        false,
        "3",
    );
    check("begun in the batch", &|c| c.simple("BEGIN; SELECT fails(4); COMMIT"), false, "4");
    check(
        "first of a transaction",
        &|c| {
            c.simple("BEGIN ISOLATION LEVEL READ COMMITTED");
            c.simple("SAVEPOINT cockroach_restart");
            let replies = c.simple("SELECT fails(4); SHOW transaction_isolation");
            assert_eq!(replies.rows[1], [Some("read committed".to_owned())]);
            replies
        },
        false,
        "4",
    );
    let forever = check("never", &|c| c.simple("SELECT fails(100000)"), true, "101");
    assert_eq!(forever.status, Some(TransactionStatus::Idle));
    // What cannot be said twice.
    check(
        "second of a transaction",
        &|c| {
            c.simple("BEGIN; SELECT count(*) FROM t");
            c.simple("SELECT fails(9)")
        },
        true,
        "1",
    );
    check(
        "behind a setting",
        &|c| {
            c.simple("BEGIN");
            c.simple("SET LOCAL statement_timeout = '1min'");
            c.simple("SELECT fails(9)")
        },
        true,
        "1",
    );
    check(
        "behind a COMMIT",
        &|c| c.simple("INSERT INTO t VALUES (9); COMMIT; SELECT fails(9)"),
        true,
        "1",
    );
    let block = "DO $$ DECLARE n INT; BEGIN n := fails(9); END $$";
    check("a block", &|c| c.simple(block), true, "1");
    let much =
        "SELECT repeat('x', 1000) FROM generate_series(1, 2000) UNION ALL SELECT fails(9)::STRING";
    let sent = check("much of it sent", &|c| c.simple(much), true, "1");
    assert_eq!(sent.rows.len(), 2000);
    let some =
        "SELECT repeat('x', 1000) FROM generate_series(1, 300) UNION ALL SELECT fails(9)::STRING";
    let replies = check("little of it", &|c| c.extended(some, &[]), false, "9");
    assert_eq!(replies.rows.len(), 301);
    // A notice and a parameter of an attempt that failed are not told; those of the last one are.
    let said = "SET application_name = 'again'; SELECT fails(3)";
    check("a setting", &|c| c.simple(said), false, "3");
    assert_eq!(client.simple("SHOW application_name").one(), "again");
}

#[test]
fn an_upsert_follows_a_table_that_is_altered_meanwhile() {
    let Some(server) = Server::start() else { return };
    let mut setup = server.client("defaultdb");
    setup.simple("CREATE TABLE u (id INT PRIMARY KEY, a INT, b INT)");
    setup.simple("SET autocommit_before_ddl = off");
    for protocol in ["simple", "extended"] {
        setup.simple("ALTER TABLE u ADD COLUMN c INT");
        setup.simple("BEGIN");
        assert_eq!(setup.simple("ALTER TABLE u DROP COLUMN c").error, None);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut client = server.client("defaultdb");
                let sql = "UPSERT INTO u VALUES (1, 2, 3) RETURNING a";
                if protocol == "simple" { client.simple(sql) } else { client.extended(sql, &[]) }
            });
            let mut postgres = server.postgres("defaultdb");
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
            while postgres.simple(waits).one() == "0" {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            assert_eq!(setup.simple("COMMIT").error, None);
            let written = writer.join().unwrap();
            assert_eq!(written.error, None, "{protocol}");
            assert_eq!(written.one(), "2", "{protocol}");
        });
    }
    // A column that the client names wrongly stays its error.
    let wrong = setup.simple("UPSERT INTO u (id, nosuch) VALUES (1, 2)");
    assert_eq!(wrong.error.unwrap().0, "42703");
}
