//! Rows as structs and one by one, copies as readers and writers, pipelines and savepoints, by the
//! blocking client against a real server, named by `KECOA_TEST_DSN`.
#![cfg(feature = "derive")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not know for what they are"
)]

mod live_support;

use std::io::{BufRead, Read, Write};

use kecoa::blocking::Client;
use kecoa::proto::TransactionStatus;
use kecoa::types::{FromSql, ToSql};
use kecoa::{ErrorKind, FromRow, Pipeline};
use live_support::connect;

#[derive(FromRow, Debug, PartialEq)]
struct Account {
    id: i64,
    #[kecoa(rename = "Holder's name")]
    holder: String,
    note: Option<String>,
    r#type: i32,
    #[kecoa(skip)]
    seen: bool,
}

#[derive(FromRow, Debug, PartialEq)]
struct Owned<T, const N: usize = 0> {
    value: T,
    #[kecoa(flatten)]
    account: Account,
}

#[derive(FromRow, Debug, PartialEq)]
struct Pair<'a, T: Clone>(i32, T, #[kecoa(skip)] std::marker::PhantomData<&'a ()>);

#[derive(FromRow, Debug, PartialEq)]
struct Nothing {}

const ACCOUNT: &str =
    "1 AS more, 4 AS type, 'Ada' AS \"Holder's name\", NULL::text AS note, 7::int8 AS id";

fn account() -> Account {
    Account { id: 7, holder: "Ada".to_owned(), note: None, r#type: 4, seen: false }
}

#[test]
fn rows_become_structs_by_name_and_tuples_in_order() {
    let Some(mut client) = connect() else { return };
    let select = format!("SELECT {ACCOUNT}");
    for _ in 0..3 {
        assert_eq!(client.query_one_as::<Account>(&select, &[]).unwrap(), account());
    }
    let select = format!("SELECT 1.5::float8 AS value, {ACCOUNT}");
    let owned: Owned<f64> = client.query_one_as(&select, &[]).unwrap();
    assert_eq!(owned, Owned { value: 1.5, account: account() });
    let row = client.query_one(&select, &[]).unwrap();
    assert_eq!(row.read::<Owned<Option<f64>>>().unwrap().value, Some(1.5));
    assert_eq!(row.read::<Nothing>().unwrap(), Nothing {});
    let pairs: Vec<Pair<'_, String>> = client.query_as("SELECT 1, 'a', true", &[]).unwrap();
    assert_eq!(pairs[0].1, "a", "a tuple struct leaves what is behind");
    let none: Option<Account> =
        client.query_opt_as("SELECT 1 AS id WHERE false", &[]).map_or(None, |found| found);
    assert_eq!(none, None);
    assert_eq!(client.query_as::<(i32,)>("SET lock_timeout = 0", &[]).unwrap(), [], "no rows");
}

fn refused<T: FromRow + std::fmt::Debug>(client: &mut Client, sql: &str) -> (ErrorKind, String) {
    let error = client.query_as::<T>(sql, &[]).unwrap_err();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    (error.kind(), format!("{error}{}", cause.unwrap_or_default()))
}

#[test]
fn what_does_not_fit_is_named() {
    let Some(mut client) = connect() else { return };
    for (found, (kind, message)) in [
        (
            refused::<Account>(&mut client, "SELECT 1::int8 AS id, 2 AS note"),
            (
                ErrorKind::Usage,
                "expected a column \"Holder's name\", found 2 columns (\"id\", \"note\")",
            ),
        ),
        (
            refused::<Account>(&mut client, "SELECT 'x' AS id WHERE false"),
            (
                ErrorKind::Conversion,
                "column \"id\": expected a type that i64 can be read from, found text (oid 25)",
            ),
        ),
        (
            refused::<(i32, Option<i64>)>(&mut client, "SELECT 1 AS a, true AS b"),
            (
                ErrorKind::Conversion,
                "column \"b\": expected a type that Option<i64> can be read from, \
                 found bool (oid 16)",
            ),
        ),
        (
            refused::<(i32,)>(&mut client, "SELECT 1 AS a, 2 AS b"),
            (ErrorKind::Usage, "expected 1 column, found 2 columns (\"a\", \"b\")"),
        ),
        (
            refused::<Pair<'_, i32>>(&mut client, "SELECT 1 AS a"),
            (ErrorKind::Usage, "expected at least 2 columns, found 1 column (\"a\")"),
        ),
    ] {
        assert_eq!(found, (kind, message.to_owned()));
    }
    let row = client.query_one("SELECT 1 AS a, 2 AS b", &[]).unwrap();
    for (error, found) in
        [(row.get::<i32>("c").unwrap_err(), "\"c\""), (row.get::<i32>(2).unwrap_err(), "2")]
    {
        let message = format!("expected one of 2 columns (\"a\", \"b\"), found column {found}");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Usage, message));
    }
    let (kind, message) = refused::<(i32, i32)>(&mut client, "SELECT 1 AS a, NULL::int4 AS b");
    assert_eq!(kind, ErrorKind::Conversion);
    assert!(message.starts_with("column \"b\"") && message.contains("NULL"), "{message}");
}

#[test]
fn rows_come_one_by_one() {
    let Some(mut client) = connect() else { return };
    let sql = "SELECT n::int8, repeat('x', 100) FROM generate_series(1, $1) n";
    let mut rows = client.query_iter(sql, &[&100_000]).unwrap();
    assert_eq!(rows.count_so_far(), None);
    for n in 1..=100_000_i64 {
        assert_eq!(rows.next().unwrap().unwrap().get::<i64>(0).unwrap(), n);
    }
    assert!(rows.next().is_none() && rows.next().is_none());
    assert_eq!(rows.count_so_far(), Some(100_000));
    drop(rows);
    // Left early; and within a transaction, which goes on.
    drop(client.query_iter(sql, &[&100_000]).unwrap());
    client
        .transaction(|tx| {
            let first = tx.query_iter(sql, &[&100_000])?.next().unwrap()?;
            assert_eq!(first.get::<i64>(0)?, 1);
            tx.query_one("SELECT 1", &[]).map(drop)
        })
        .unwrap();
    let divided = "SELECT 1 / (1000 - n) FROM generate_series(1, 1000) n";
    let found: Vec<_> = client.query_iter(divided, &[]).unwrap().collect();
    assert_eq!(found.last().unwrap().as_ref().unwrap_err().sqlstate(), Some("22012"));
    assert!(found.len() > 1);
    for copy in ["COPY (SELECT 1) TO STDOUT", "COPY pg_class FROM STDIN"] {
        let error = client.query_iter(copy, &[]).unwrap().next().unwrap().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Usage | ErrorKind::Server), "{error}");
    }
    // A failed statement of a body that goes on is a transaction that did not commit.
    let ignored = client.transaction(|tx| {
        for row in tx.query_iter(divided, &[])? {
            drop(row);
        }
        Ok(())
    });
    assert_eq!(ignored.unwrap_err().kind(), ErrorKind::RolledBack);
    assert_eq!(client.query_one_as::<(i32,)>("SELECT 1", &[]).unwrap(), (1,));
}

#[test]
fn copies_are_readers_and_writers() {
    let Some(mut client) = connect() else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8)").unwrap();
    let mut copy = client.copy_writer("COPY t FROM STDIN").unwrap();
    for n in 0..100_000 {
        writeln!(copy, "{n}").unwrap();
    }
    copy.flush().unwrap();
    assert_eq!(copy.finish().unwrap(), Some(100_000));
    let mut copy = client.copy_reader("COPY t TO STDOUT").unwrap();
    assert_eq!(copy.by_ref().lines().map(|line| line.unwrap().len()).sum::<usize>(), 488_890);
    assert_eq!(copy.rows(), Some(100_000));
    drop(copy);
    let mut text = String::new();
    let some = "COPY (SELECT n FROM t ORDER BY n LIMIT 3) TO STDOUT";
    client.copy_reader(some).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "0\n1\n2\n");
    // Left early.
    client.copy_reader("COPY t TO STDOUT").unwrap().next_chunk().unwrap().unwrap();
    let mut copy = client.copy_writer("COPY t FROM STDIN").unwrap();
    copy.write_all(b"1\n2\n").unwrap();
    drop(copy);
    // Refused by the server, in the middle and at the end.
    let mut copy = client.copy_writer("COPY t FROM STDIN").unwrap();
    let refused = (0..10_000).find_map(|_| copy.write_all(&b"x\n".repeat(10_000)).err()).unwrap();
    assert!(refused.to_string().contains("22P02") || refused.to_string().contains("bigint"));
    assert!(copy.write_all(b"1\n").is_err());
    drop(copy);
    let mut copy = client.copy_writer("COPY t FROM STDIN").unwrap();
    copy.write_all(b"x\n").unwrap();
    assert_eq!(copy.finish().unwrap_err().sqlstate(), Some("22P02"));
    // No COPY, or the other one.
    for sql in ["SELECT 1", "COPY t TO STDOUT", ""] {
        assert_eq!(client.copy_writer(sql).unwrap_err().kind(), ErrorKind::Usage, "{sql}");
    }
    for sql in ["SELECT 1", "COPY t FROM STDIN", ""] {
        assert_eq!(client.copy_reader(sql).unwrap_err().kind(), ErrorKind::Usage, "{sql}");
    }
    let count: (i64,) = client.query_one_as("SELECT count(*) FROM t", &[]).unwrap();
    assert_eq!(count, (100_000,));
}

#[test]
fn many_sets_of_parameters_are_one_statement() {
    let Some(mut client) = connect() else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8 PRIMARY KEY)").unwrap();
    let insert = "INSERT INTO t VALUES ($1)";
    let twice: [&[&dyn ToSql]; 3] = [&[&1_i64], &[&2_i64], &[&1_i64]];
    let error = client.execute_many(insert, &twice).unwrap_err();
    assert_eq!(error.sqlstate(), Some("23505"));
    let count = "SELECT count(*) FROM t";
    assert_eq!(client.query_one_as::<(i64,)>(count, &[]).unwrap(), (0,), "all or nothing");
    let none: Option<i64> = None;
    let mixed: [&[&dyn ToSql]; 2] = [&[&1_i64], &[&"1"]];
    let error = client.execute_many(insert, &mixed).unwrap_err();
    assert!(error.kind() == ErrorKind::Usage && error.nothing_was_sent());
    let null: [&[&dyn ToSql]; 2] = [&[&1_i64], &[&none]];
    let error = client.execute_many(insert, &null).unwrap_err();
    assert_eq!(error.sqlstate(), Some("23502"), "NULL is of the same type");
    assert_eq!(client.execute_many(insert, &twice[..2]).unwrap(), 2);
}

#[test]
fn what_is_prepared_ahead_is_run_by_its_name() {
    let Some(mut client) = connect() else { return };
    let statement = client.prepare("SELECT $1::int8 AS a, $2::text AS b").unwrap();
    assert_eq!(statement.parameter_types(), [i64::OID_OF, <&str>::OID_OF]);
    assert_eq!(statement.columns().collect::<Vec<_>>(), ["a", "b"]);
    let row: (i64, String) = client.query_one_as(statement.sql(), &[&1_i64, &"x"]).unwrap();
    assert_eq!(row, (1, "x".to_owned()));
    let names =
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int8%'";
    assert_eq!(client.query_one_as::<(i64,)>(names, &[]).unwrap(), (1,));
    assert!(
        client
            .prepare("UPDATE pg_class SET relname = $1 WHERE false")
            .unwrap()
            .description()
            .is_none()
    );
    assert_eq!(client.prepare("SELEKT").unwrap_err().sqlstate(), Some("42601"));
    client.set_statement_cache_capacity(0);
    assert_eq!(client.prepare("SELECT 1 AS one").unwrap().columns().next().unwrap(), "one");
}

trait OidOf {
    const OID_OF: u32;
}

impl<T: kecoa::types::StaticOid> OidOf for T {
    const OID_OF: u32 = T::OID;
}

#[test]
fn pipelines_and_savepoints_within_a_transaction() {
    let Some(mut client) = connect() else { return };
    client.batch("CREATE TEMPORARY TABLE t (n int8 PRIMARY KEY)").unwrap();
    let insert = "INSERT INTO t VALUES ($1)";
    client
        .transaction(|tx| {
            let mut pipeline = Pipeline::new();
            let slots = [1_i64, 2, 3].map(|n| pipeline.add(insert, &[&n]).unwrap());
            let mut answers = tx.run_pipeline(&pipeline)?;
            assert!(answers.first_error().is_none());
            for slot in slots {
                assert_eq!(answers.count(slot)?, 1);
            }
            let outer = tx.savepoint(|tx| {
                tx.execute(insert, &[&4_i64])?;
                tx.savepoint(|tx| tx.execute(insert, &[&5_i64]))?;
                let inner = tx.savepoint(|tx| tx.execute(insert, &[&1_i64]));
                assert_eq!(inner.unwrap_err().sqlstate(), Some("23505"));
                tx.execute(insert, &[&6_i64])
            });
            assert_eq!(outer?, 1);
            let given_up: Result<(), Box<dyn std::error::Error>> = tx.savepoint(|tx| {
                tx.execute(insert, &[&7_i64])?;
                Err("changed my mind".into())
            });
            assert_eq!(given_up.unwrap_err().to_string(), "changed my mind");
            Ok(())
        })
        .unwrap();
    let all: Vec<(i64,)> = client.query_as("SELECT n FROM t ORDER BY n", &[]).unwrap();
    assert_eq!(all, [1, 2, 3, 4, 5, 6].map(|n| (n,)));
    let failed = client.transaction(|tx| {
        let mut pipeline = Pipeline::new();
        pipeline.add(insert, &[&1_i64])?;
        pipeline.add(insert, &[&8_i64])?;
        tx.run_pipeline(&pipeline).map(drop)
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::RolledBack);
    assert_eq!(client.transaction_status(), TransactionStatus::Idle);
}

#[test]
fn derived_structs_hold_types_of_their_owners() {
    /// A type that reads itself.
    #[derive(Debug, PartialEq)]
    struct Cents(i64);
    impl FromSql for Cents {
        fn accepts(oid: u32) -> bool {
            i64::accepts(oid)
        }
        fn decode_binary(oid: u32, bytes: &[u8]) -> Result<Self, kecoa::types::DecodeError> {
            i64::decode_binary(oid, bytes).map(Cents)
        }
        fn decode_text(oid: u32, bytes: &[u8]) -> Result<Self, kecoa::types::DecodeError> {
            i64::decode_text(oid, bytes).map(Cents)
        }
    }
    #[derive(FromRow, Debug, PartialEq)]
    struct Price {
        cents: Cents,
    }
    let Some(mut client) = connect() else { return };
    let price: Price = client.query_one_as("SELECT 5::int8 AS cents", &[]).unwrap();
    assert_eq!(price, Price { cents: Cents(5) });
}
