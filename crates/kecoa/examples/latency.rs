//! How long the client takes for a little, for one row by its key, and for many rows.
//!
//! ```sh
//! KECOA_TEST_DSN="host=localhost dbname=postgres" cargo run --release -p kecoa --example latency
//! ```
//!
//! It makes a temporary table only. Times are of whole calls, decoding included, in microseconds.
#![allow(clippy::print_stdout, reason = "it prints its findings")]

use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::proto::Request;
use kecoa::{Config, Error, Never};

const ROWS: i64 = 10_000;

/// Calls `work` many times and prints the middle and the slow end of what it took.
fn measure(
    name: &str,
    times: usize,
    mut work: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    for _ in 0..times / 10 {
        work()?;
    }
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        work()?;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    let at = |part: usize| took.get(times * part / 100).map_or(0.0, micros);
    println!("{name:<54} {:>10.1} {:>10.1}", at(50), at(95));
    Ok(())
}

fn micros(took: &Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn main() -> Result<(), Error> {
    let dsn = std::env::var("KECOA_TEST_DSN").unwrap_or_default();
    let mut client = Client::connect(&Config::parse(&dsn)?)?;
    client.batch(&format!(
        "CREATE TEMPORARY TABLE latency (id int8 PRIMARY KEY, name text, price float8, ok bool, \
         at timestamptz, note text);
         INSERT INTO latency SELECT n, 'name of ' || n, n * 1.5, n % 2 = 0, \
         '2026-01-01 00:00:00+00'::timestamptz + n * interval '1 minute', \
         CASE WHEN n % 3 = 0 THEN NULL ELSE repeat('x', (n % 50)::int) END \
         FROM generate_series(1, {ROWS}) n;
         ANALYZE latency"
    ))?;
    println!("{:<54} {:>10} {:>10}", "microseconds", "median", "95 %");

    measure("SELECT 1+1, simple protocol", 5_000, || {
        client.run(&Request::Query(b"SELECT 1+1"), &mut Never).map(drop)
    })?;
    for (how, capacity) in [("parsed each time", 0), ("prepared", 64)] {
        client.set_statement_cache_capacity(capacity);
        measure(&format!("SELECT 1+1, {how}"), 5_000, || {
            client.query_one("SELECT 1+1", &[])?.get::<i32>(0).map(drop)
        })?;
        let mut id = 0;
        measure(&format!("one row by key, {how}"), 5_000, || {
            id = id % ROWS + 1;
            let row =
                client.query_one("SELECT id, name, price FROM latency WHERE id = $1", &[&id])?;
            row.get::<String>("name").map(drop)
        })?;
        measure(&format!("transaction of two statements, {how}"), 2_000, || {
            client.transaction(|tx| {
                let price: f64 =
                    tx.query_one("SELECT price FROM latency WHERE id = $1", &[&1_i64])?.get(0)?;
                tx.execute("UPDATE latency SET price = $1 WHERE id = $2", &[&price, &1_i64])?;
                Ok(())
            })
        })?;
        let all = "SELECT id, name, price, ok, note FROM latency";
        measure(&format!("{ROWS} rows, every value decoded, {how}"), 100, || {
            let mut length = 0;
            for row in client.query(all, &[])? {
                let (id, price): (i64, f64) = (row.get(0)?, row.get(2)?);
                let (name, note): (String, Option<String>) = (row.get(1)?, row.get(4)?);
                length += name.len() + note.map_or(0, |note| note.len());
                std::hint::black_box((id, price, row.get::<bool>(3)?));
            }
            std::hint::black_box(length);
            Ok(())
        })?;
    }
    let all = Request::Query(b"SELECT id, name, price, ok, note FROM latency");
    measure(&format!("{ROWS} rows, text form, nothing decoded"), 100, || {
        client.run(&all, &mut Never).map(drop)
    })
}
