//! What is measured: the tables of bench/workloads.py, and what every client does with them.

use crate::Any;

pub const SETUP: &str = "
DROP TABLE IF EXISTS b_copy, b_batch, b_mixed, b_acc;
CREATE UNLOGGED TABLE b_copy (a int, b int, c int, d text, e float, f int, g text);
CREATE UNLOGGED TABLE b_batch (a int, b int, c int, d text, e float, f int, g text);
CREATE TABLE b_mixed (i8 int8, i4 int4, f8 float8, n numeric, t text, b bool, u uuid,
                      ts timestamptz, d date, j jsonb, nl text);
INSERT INTO b_mixed
  SELECT i::int8 * 1000003, i, i * 1.1, (i * 13.37)::numeric(12, 2), 'row number ' || i, i % 2 = 0,
         gen_random_uuid(), '2024-01-01'::timestamptz + i * interval '1 minute',
         '2024-01-01'::date + i % 365, '{\"a\": [1, 2, 3], \"b\": \"x\"}', NULL
  FROM generate_series(1, 10000) i;
CREATE TABLE b_acc (id int PRIMARY KEY, balance int8);
INSERT INTO b_acc SELECT i, 1000000 FROM generate_series(1, 1000) i;
ANALYZE;
";
pub const EMPTY: &str = "TRUNCATE b_batch, b_copy";

/// One row by its key, the statement prepared: both columns read.
pub const POINT: &str = "SELECT id, balance FROM b_acc WHERE id = $1";
/// 10,000 rows of 11 types, every value read into an owned one.
pub const MIXED: &str = "SELECT i8, i4, f8, n, t, b, u, ts, d, j, nl FROM b_mixed";
/// 1,000 rows by one statement prepared, in a transaction, as fast as the client can send them.
pub const INSERT: &str =
    "INSERT INTO b_batch (a, b, c, d, e, f, g) VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub const COPY: &str = "COPY b_copy FROM STDIN";
/// One read and two writes, in a transaction.
pub const TRANSFER: [&str; 3] = [
    "SELECT balance FROM b_acc WHERE id = $1",
    "UPDATE b_acc SET balance = balance - $1 WHERE id = $2",
    "UPDATE b_acc SET balance = balance + $1 WHERE id = $2",
];

pub const WORKLOADS: [&str; 7] = [
    "point",
    "mixed10k",
    "mixed10k_by_column",
    "mixed10k_stream",
    "insert1k",
    "copy10k",
    "transfer",
];

/// The values of a row to insert.
pub type Values = (i32, i32, i32, &'static str, f64, i32, &'static str);
pub const VALUES: Values = (10, 11, 10, "TESTTESTTEST", 10.333, 12_341_234, "123412341234");

pub fn copy_lines() -> bytes::Bytes {
    let (a, b, c, d, e, f, g) = VALUES;
    format!("{a}\t{b}\t{c}\t{d}\t{e}\t{f}\t{g}\n").repeat(10_000).into()
}

/// A client and the workloads by their names.
pub trait Client {
    fn name(&self) -> &'static str;
    fn setup(&mut self, sql: &str) -> Result<(), Any>;
    fn run(&mut self, workload: &str) -> Result<(), Any>;
}

pub fn unknown(workload: &str) -> Any {
    format!("unknown workload {workload}").into()
}
