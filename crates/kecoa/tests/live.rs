//! Against a real server, named by `KECOA_TEST_DSN`.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use kecoa::blocking::{Client, Transaction};
use kecoa::proto::{Parameter, Request, Step, TransactionStatus};
use kecoa::retry::Policy;
use kecoa::{Error, ErrorKind, Isolation, Never, TransactionOptions};
use live_support::{connect, table};

fn serializable() -> TransactionOptions {
    let policy = Policy { first_delay: Duration::from_millis(5), ..Policy::default() };
    let isolation = Some(Isolation::Serializable);
    TransactionOptions { isolation, policy, ..TransactionOptions::default() }
}

#[test]
fn a_real_serialization_failure_is_retried() {
    let (Some(mut one), Some(mut other)) = (connect(), connect()) else { return };
    let name = table(&mut one, "id int8 PRIMARY KEY, balance int8 NOT NULL");
    one.execute(&format!("INSERT INTO {name} VALUES (1, 1000), (2, 250)"), &[]).unwrap();
    let read = format!("SELECT balance FROM {name} WHERE id = 1");
    let write = format!("UPDATE {name} SET balance = $1 WHERE id = 1");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let options = TransactionOptions {
        observer: Some(Arc::new(move |failed| {
            log.lock().unwrap().push((failed.attempt, failed.error.sqlstate().map(str::to_owned)));
        })),
        ..serializable()
    };
    let mut runs = 0;
    let balance: Result<i64, Error> = one.transaction_with(&options, |tx| {
        runs += 1;
        let balance: i64 = tx.query_one(&read, &[])?.get(0)?;
        if runs == 1 {
            // Another session changes the row between our read and our write.
            other.execute(&write, &[&900_i64]).unwrap();
        }
        tx.execute(&write, &[&(balance - 100)])?;
        Ok(balance - 100)
    });
    assert_eq!(balance.unwrap(), 800, "the second run saw the other session's 900");
    assert_eq!(runs, 2);
    assert_eq!(*seen.lock().unwrap(), [(1, Some("40001".to_owned()))]);
    one.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn a_serialization_failure_at_commit_is_retried() {
    let (Some(mut one), Some(mut other)) = (connect(), connect()) else { return };
    let name = table(&mut one, "id int8 PRIMARY KEY, on_call bool NOT NULL");
    one.execute(&format!("INSERT INTO {name} VALUES (1, true), (2, true)"), &[]).unwrap();
    // Write skew: each leaves because the other stays. Only one may.
    let leave = |tx: &mut Transaction<'_>, id: i64| -> Result<bool, Error> {
        let count = format!("SELECT count(*) FROM {name} WHERE on_call");
        let on_call: i64 = tx.query_one(&count, &[])?.get(0)?;
        if on_call < 2 {
            return Ok(false);
        }
        tx.execute(&format!("UPDATE {name} SET on_call = false WHERE id = $1"), &[&id])?;
        Ok(true)
    };
    let mut runs = 0;
    let left: Result<bool, Error> = one.transaction_with(&serializable(), |tx| {
        runs += 1;
        let left = leave(tx, 1)?;
        if runs == 1 {
            let other_left: Result<bool, Error> =
                other.transaction_with(&serializable(), |tx| leave(tx, 2));
            assert!(other_left.unwrap());
        }
        Ok(left)
    });
    assert!(!left.unwrap(), "the second run saw that the other had left");
    assert_eq!(runs, 2);
    one.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn contending_threads_lose_no_update() {
    let Some(mut client) = connect() else { return };
    let name = table(&mut client, "id int8 PRIMARY KEY, n int8 NOT NULL");
    client.execute(&format!("INSERT INTO {name} VALUES (1, 0)"), &[]).unwrap();
    let retries = Arc::new(AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = connect().unwrap();
                let counter = retries.clone();
                let policy = Policy { max_attempts: 100, ..serializable().policy };
                let options = TransactionOptions {
                    policy,
                    observer: Some(Arc::new(move |_| {
                        counter.fetch_add(1, Ordering::Relaxed);
                    })),
                    ..serializable()
                };
                for _ in 0..10 {
                    let done: Result<(), Error> = client.transaction_with(&options, |tx| {
                        let read = format!("SELECT n FROM {name} WHERE id = 1");
                        let n: i64 = tx.query_one(&read, &[])?.get(0)?;
                        let write = format!("UPDATE {name} SET n = $1 WHERE id = 1");
                        tx.execute(&write, &[&(n + 1)]).map(drop)
                    });
                    done.unwrap();
                }
            });
        }
    });
    let row = client.query_one(&format!("SELECT n FROM {name}"), &[]).unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 40, "after {} retries", retries.load(Ordering::Relaxed));
    client.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn a_terminated_session_is_replaced_before_commit() {
    let (Some(mut one), Some(mut other)) = (connect(), connect()) else { return };
    let first = one.process_id().unwrap();
    let mut terminate = |pid: i32| {
        other.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid]).unwrap();
    };
    // Idle: the next transaction notices.
    terminate(first);
    let mut runs = 0;
    let value: Result<i32, Error> = one.transaction_with(&serializable(), |tx| {
        runs += 1;
        let row = tx.query_one("SELECT pg_backend_pid()", &[])?;
        if runs == 2 {
            // In a transaction: so does the next statement.
            terminate(row.get(0)?);
        }
        tx.query_one("SELECT 7", &[])?.get(0)
    });
    assert_eq!((value.unwrap(), runs), (7, 3));
    assert_ne!(one.process_id(), Some(first));
    // Outside of a transaction the error says why, and the client says that it is closed.
    terminate(one.process_id().unwrap());
    let error = one.batch("SELECT 1").unwrap_err();
    assert_eq!(error.sqlstate(), Some("57P01"), "{error}");
    assert!(error.is_connection_lost() && one.is_closed());
    one.reconnect().unwrap();
    one.batch("SELECT 1").unwrap();
}

#[test]
fn errors_at_commit_are_final_and_a_failed_transaction_does_not_commit() {
    let Some(mut client) = connect() else { return };
    let name = table(&mut client, "id int8 UNIQUE DEFERRABLE INITIALLY DEFERRED");
    let insert = format!("INSERT INTO {name} VALUES (1)");
    let error = client
        .transaction(|tx| {
            tx.execute(&insert, &[])?;
            tx.execute(&insert, &[])
        })
        .unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Server, Some("23505")));
    let error = client
        .transaction(|tx| {
            tx.execute(&insert, &[])?;
            let _ = tx.execute("SELECT 1/0", &[]);
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    let row = client.query_one(&format!("SELECT count(*) FROM {name}"), &[]).unwrap();
    assert_eq!(row.get::<i64>(0).unwrap(), 0);
    client.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn begin_in_the_batch_is_invisible() {
    let (Some(mut batched), Some(mut apart)) = (connect(), connect()) else { return };
    for sql in [
        "SELECT 1",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT nix",
        "SELECT 'ä', nix",
        "SELECT 1; SELECT nix",
        "SELECT 1/0",
        "VACUUM",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SAVEPOINT a",
        "COMMIT",
        "COPY pg_class TO STDOUT",
        "SELECT 'unfinished",
    ] {
        let one = batched.run_in_transaction(b"BEGIN", sql.as_bytes(), &mut Never);
        apart.batch("BEGIN").unwrap();
        let two = apart.batch(sql);
        match (&one, &two) {
            (Ok(one), Ok(two)) => {
                let tags = |sets: &[kecoa::ResultSet]| -> Vec<_> {
                    sets.iter().map(|set| (set.tag.clone(), set.empty, set.row_count())).collect()
                };
                assert_eq!(tags(one), tags(two), "{sql}");
            }
            (Err(one), Err(two)) => {
                let facts = |error: &Error| {
                    let server = error.server();
                    (
                        error.kind(),
                        error.sqlstate().map(str::to_owned),
                        server.and_then(|server| server.position()),
                        server.map(|server| server.message().into_owned()),
                    )
                };
                assert_eq!(facts(one), facts(two), "{sql}");
            }
            _ => panic!("{sql}: in a batch {one:?}, apart {two:?}"),
        }
        assert_eq!(batched.transaction_status(), apart.transaction_status(), "{sql}");
        let notices = |client: &mut Client| -> Vec<_> {
            client.take_notices().iter().map(|notice| notice.message().into_owned()).collect()
        };
        assert_eq!(notices(&mut batched), notices(&mut apart), "{sql}");
        for client in [&mut batched, &mut apart] {
            client.batch("ROLLBACK").unwrap();
            client.take_notices();
        }
    }
}

#[test]
fn an_interrupt_cancels_the_statement() {
    let Some(mut client) = connect() else { return };
    let started = Instant::now();
    let mut hook = || ControlFlow::Break(());
    let error = client.run(&Request::Query(b"SELECT pg_sleep(60)"), &mut hook).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Interrupted, Some("57014")));
    assert!(started.elapsed() < Duration::from_secs(20));
    client.batch("SELECT 1").unwrap();
}

#[test]
fn another_thread_cancels_the_statement() {
    let Some(mut client) = connect() else { return };
    let canceller = client.canceller();
    let running = thread::spawn(move || {
        let error = client.batch("SELECT pg_sleep(60)").unwrap_err();
        assert_eq!(error.sqlstate(), Some("57014"));
        client.batch("SELECT 1").unwrap();
    });
    // A cancel that comes before the statement does cancels nothing.
    while !running.is_finished() {
        canceller.cancel().unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    running.join().unwrap();
}

#[test]
fn copy_in_and_out() {
    let Some(mut client) = connect() else { return };
    let name = table(&mut client, "id int8 PRIMARY KEY, name text");
    let mut data = Vec::new();
    for id in 0..50_000 {
        writeln!(data, "{id}\tname of {id}").unwrap();
    }
    let copy = format!("COPY {name} FROM STDIN");
    assert_eq!(client.copy_in(&copy, &mut &data[..], &mut Never).unwrap(), Some(50_000));
    let mut sink = Vec::new();
    let copy_out = format!("COPY (SELECT * FROM {name} ORDER BY id) TO STDOUT");
    assert_eq!(client.copy_out(&copy_out, &mut sink, &mut Never).unwrap(), Some(50_000));
    assert!(sink == data);
    // The server refuses the first row while the rest is still on its way.
    let error = client.copy_in(&copy, &mut &data[..], &mut Never).unwrap_err();
    assert_eq!(error.sqlstate(), Some("23505"));
    let error = client.batch(&copy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let error = client.batch(&copy_out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);
    client.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn many_requests_at_once_with_large_answers() {
    let Some(mut client) = connect() else { return };
    // More than the socket's buffers hold, both ways: neither side may wait for the other.
    let sql = format!("SELECT repeat('x', 100000), '{}'", "y".repeat(100_000));
    let ids: Vec<_> =
        (0..100).map(|_| client.submit(&Request::Query(sql.as_bytes())).unwrap()).collect();
    for id in ids {
        assert_eq!(client.finish(id, &mut Never).unwrap()[0].row_count(), 1);
    }
}

#[test]
fn a_long_pipeline_of_small_requests() {
    let Some(mut client) = connect() else { return };
    let value = [b'x'; 100];
    let parameters = [Parameter { value: Some(&value), ..Parameter::default() }];
    let (portal, statement) = (&b""[..], &b""[..]);
    let mut steps = vec![Step::Parse { name: b"", sql: b"SELECT $1", types: &[25] }];
    for _ in 0..100 {
        steps.push(Step::Bind { portal, statement, parameters: &parameters, results: &[] });
        steps.push(Step::Execute { portal, max_rows: 0 });
    }
    let ids: Vec<_> =
        (0..500).map(|_| client.submit(&Request::Extended(&steps)).unwrap()).collect();
    for id in ids {
        assert_eq!(client.finish(id, &mut Never).unwrap().len(), 100);
    }
}

#[test]
fn one_long_request_with_small_answers() {
    let Some(mut client) = connect() else { return };
    let value = [b'x'; 100];
    let parameters = [Parameter { value: Some(&value), ..Parameter::default() }];
    let (portal, statement) = (&b""[..], &b""[..]);
    let mut steps = vec![Step::Parse { name: b"", sql: b"SELECT $1", types: &[25] }];
    for _ in 0..25_000 {
        steps.push(Step::Bind { portal, statement, parameters: &parameters, results: &[] });
        steps.push(Step::Execute { portal, max_rows: 0 });
    }
    let started = Instant::now();
    assert_eq!(client.run(&Request::Extended(&steps), &mut Never).unwrap().len(), 25_000);
    let took = started.elapsed();
    println!("50,001 steps in {took:?}");
    assert!(took < Duration::from_secs(5), "it stalls: {took:?}");
}

#[test]
fn a_session_terminated_right_before_commit_is_replaced() {
    let (Some(mut one), Some(mut other)) = (connect(), connect()) else { return };
    let name = table(&mut one, "id int8 PRIMARY KEY");
    let mut runs = 0;
    let done: Result<(), Error> = one.transaction_with(&serializable(), |tx| {
        runs += 1;
        tx.execute(&format!("INSERT INTO {name} VALUES ($1)"), &[&runs])?;
        if runs == 1 {
            let pid: i32 = tx.query_one("SELECT pg_backend_pid()", &[])?.get(0)?;
            other.execute("SELECT pg_terminate_backend($1, 5000)", &[&pid])?;
        }
        Ok(())
    });
    done.unwrap();
    let row = one.query_one(&format!("SELECT array_agg(id)::text FROM {name}"), &[]).unwrap();
    assert_eq!((row.get::<String>(0).unwrap().as_str(), runs), ("{2}", 2_i64));
    one.batch(&format!("DROP TABLE {name}")).unwrap();
}

#[test]
fn notices_and_notifications_are_kept() {
    let (Some(mut one), Some(mut other)) = (connect(), connect()) else { return };
    one.batch("DO $$ BEGIN RAISE NOTICE 'hello'; END $$").unwrap();
    let notices = one.take_notices();
    assert_eq!(notices.iter().map(|notice| notice.message()).collect::<Vec<_>>(), ["hello"]);
    one.batch("LISTEN kecoa_live").unwrap();
    other.batch("NOTIFY kecoa_live, 'news'").unwrap();
    let started = Instant::now();
    let mut found = Vec::new();
    while found.is_empty() && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(5));
        one.poll().unwrap();
        found = one.take_notifications();
    }
    assert_eq!(&found[0].payload[..], b"news");
}

#[test]
fn a_refusal_reads_as_libpq_shows_it() {
    let Some(client) = connect() else { return };
    let mut config = client.config().unwrap().clone();
    config.set_dbname("kecoa_no_such_database").unwrap();
    let error = Client::connect(&config).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Connect, Some("3D000")));
    let text = error.to_string();
    assert!(text.starts_with("connection to server "), "{text}");
    let end = " failed: FATAL:  database \"kecoa_no_such_database\" does not exist";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn prepared_statements_survive_changes_of_schema_and_are_given_back() {
    let Some(mut client) = connect() else { return };
    let name = table(&mut client, "id int8 PRIMARY KEY");
    client.execute(&format!("INSERT INTO {name} VALUES (1)"), &[]).unwrap();
    let select = format!("SELECT * FROM {name} WHERE id = $1");
    let count = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT * FROM%'";
    let prepared = |client: &mut Client| -> i64 {
        let sets = client.batch(count).unwrap();
        let (row, _) = sets[0].rows[0].row_at(0).unwrap();
        std::str::from_utf8(row.get(0).flatten().unwrap()).unwrap().parse().unwrap()
    };
    let columns = |client: &mut Client| client.query_one(&select, &[&1_i64]).unwrap().len();
    assert_eq!((columns(&mut client), prepared(&mut client)), (1, 0));
    assert_eq!((columns(&mut client), prepared(&mut client)), (1, 1));
    assert_eq!(columns(&mut client), 1);
    client.batch(&format!("ALTER TABLE {name} ADD COLUMN more text")).unwrap();
    assert_eq!(columns(&mut client), 2, "cached plan must not change result type");
    assert_eq!((columns(&mut client), columns(&mut client)), (2, 2));
    client.batch(&format!("ALTER TABLE {name} ADD COLUMN third text")).unwrap();
    let in_transaction = client.transaction(|tx| Ok(tx.query_one(&select, &[&1_i64])?.len()));
    assert_eq!(in_transaction.unwrap(), 3);
    for _ in 0..3 {
        assert_eq!(columns(&mut client), 3);
    }
    client.batch("DISCARD ALL").unwrap();
    assert_eq!((columns(&mut client), prepared(&mut client)), (3, 0));
    for _ in 0..3 {
        assert_eq!(columns(&mut client), 3);
    }
    // Gone behind our back.
    client.batch("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$").unwrap();
    for _ in 0..3 {
        assert_eq!(columns(&mut client), 3);
    }
    // Many others push it out, and the server forgets it with the next statement.
    for n in 0..100 {
        for _ in 0..2 {
            client.execute(&format!("SELECT {n}"), &[]).unwrap();
        }
    }
    client.execute("SELECT 'one more'", &[]).unwrap();
    let all = client.query_one("SELECT count(*) FROM pg_prepared_statements", &[]).unwrap();
    assert_eq!((all.get::<i64>(0).unwrap(), prepared(&mut client)), (64, 0));
    client.batch(&format!("DROP TABLE {name}")).unwrap();
}
