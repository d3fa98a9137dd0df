//! The blocking clients: kecoa's, and `postgres`.

use std::hint::black_box;
use std::io::Write;

use kecoa::FromRow;
use kecoa::types::{Date, Json, Numeric, TimestampTz, ToSql, Uuid};
use postgres::fallible_iterator::FallibleIterator;

use crate::Any;
use crate::tokio_postgres_peer::{Point, read_mixed};
use crate::workloads::{COPY, Client, INSERT, MIXED, POINT, TRANSFER, VALUES, copy_lines, unknown};

#[derive(FromRow)]
pub struct Mixed {
    pub i8: i64,
    pub i4: i32,
    pub f8: f64,
    pub n: Numeric,
    pub t: String,
    pub b: bool,
    pub u: Uuid,
    pub ts: TimestampTz,
    pub d: Date,
    pub j: Json,
    pub nl: Option<String>,
}

pub fn by_column(row: &kecoa::Row) -> Result<Mixed, kecoa::Error> {
    Ok(Mixed {
        i8: row.get(0)?,
        i4: row.get(1)?,
        f8: row.get(2)?,
        n: row.get(3)?,
        t: row.get(4)?,
        b: row.get(5)?,
        u: row.get(6)?,
        ts: row.get(7)?,
        d: row.get(8)?,
        j: row.get(9)?,
        nl: row.get(10)?,
    })
}

/// Nothing that was read is optimised away.
pub fn keep(row: &Mixed) {
    let Mixed { i8, i4, f8, n, t, b, u, ts, d, j, nl } = row;
    black_box((i8, i4, f8, n, t, b, u, ts, d, j, nl));
}

/// 1,000 rows.
pub fn thousand<T>(work: impl FnOnce(&[&[&dyn ToSql]]) -> T) -> T {
    let (a, b, c, d, e, f, g) = VALUES;
    let row: [&dyn ToSql; 7] = [&a, &b, &c, &d, &e, &f, &g];
    work(&[&row[..]; 1000])
}

pub struct Kecoa {
    client: kecoa::blocking::Client,
    lines: bytes::Bytes,
    id: i32,
}

impl Kecoa {
    pub fn connect(dsn: &str) -> Result<Kecoa, Any> {
        let client = kecoa::blocking::Client::connect(&kecoa::Config::parse(dsn)?)?;
        Ok(Kecoa { client, lines: copy_lines(), id: 0 })
    }
}

impl Client for Kecoa {
    fn name(&self) -> &'static str {
        "kecoa blocking"
    }

    fn setup(&mut self, sql: &str) -> Result<(), Any> {
        self.client.batch(sql)?;
        Ok(())
    }

    fn run(&mut self, workload: &str) -> Result<(), Any> {
        let client = &mut self.client;
        match workload {
            "point" => {
                self.id = self.id % 1000 + 1;
                let row = client.query_one(POINT, &[&self.id])?;
                black_box((row.get::<i32>(0)?, row.get::<i64>(1)?));
            }
            "mixed10k" => client.query_as::<Mixed>(MIXED, &[])?.iter().for_each(keep),
            "mixed10k_by_column" => {
                for row in client.query(MIXED, &[])? {
                    keep(&by_column(&row)?);
                }
            }
            "mixed10k_stream" => {
                for row in client.query_iter(MIXED, &[])? {
                    keep(&by_column(&row?)?);
                }
            }
            "insert1k" => {
                client.transaction(|tx| thousand(|rows| tx.execute_many(INSERT, rows)))?;
            }
            "copy10k" => {
                let mut copy = client.copy_writer(COPY)?;
                copy.write_all(&self.lines)?;
                copy.finish()?;
            }
            "transfer" => client.transaction(|tx| {
                let row = tx.query_one(TRANSFER[0], &[&1])?;
                black_box(row.get::<i64>(0)?);
                tx.execute(TRANSFER[1], &[&100_i64, &1])?;
                tx.execute(TRANSFER[2], &[&100_i64, &2])?;
                Ok(())
            })?,
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

pub struct Postgres {
    client: postgres::Client,
    point: postgres::Statement,
    mixed: postgres::Statement,
    insert: postgres::Statement,
    transfer: Vec<postgres::Statement>,
    lines: bytes::Bytes,
    id: i32,
}

impl Postgres {
    pub fn connect(dsn: &str) -> Result<Postgres, Any> {
        let mut client = postgres::Client::connect(dsn, postgres::NoTls)?;
        client.batch_execute(crate::workloads::SETUP)?;
        Ok(Postgres {
            point: client.prepare(POINT)?,
            mixed: client.prepare(MIXED)?,
            insert: client.prepare(INSERT)?,
            transfer: TRANSFER.iter().map(|sql| client.prepare(sql)).collect::<Result<_, _>>()?,
            client,
            lines: copy_lines(),
            id: 0,
        })
    }
}

impl Client for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn setup(&mut self, sql: &str) -> Result<(), Any> {
        self.client.batch_execute(sql)?;
        Ok(())
    }

    fn run(&mut self, workload: &str) -> Result<(), Any> {
        let client = &mut self.client;
        match workload {
            "point" => {
                self.id = self.id % 1000 + 1;
                let row = client.query_one(&self.point, &[&self.id])?;
                let read: Point = (row.try_get(0)?, row.try_get(1)?);
                black_box(read);
            }
            "mixed10k" | "mixed10k_by_column" => {
                for row in client.query(&self.mixed, &[])? {
                    read_mixed(&row)?;
                }
            }
            "mixed10k_stream" => {
                let mut rows = client.query_raw(&self.mixed, std::iter::empty::<i32>())?;
                while let Some(row) = rows.next()? {
                    read_mixed(&row)?;
                }
            }
            "insert1k" => {
                let (a, b, c, d, e, f, g) = VALUES;
                let mut tx = client.transaction()?;
                for _ in 0..1000 {
                    tx.execute(&self.insert, &[&a, &b, &c, &d, &e, &f, &g])?;
                }
                tx.commit()?;
            }
            "copy10k" => {
                let mut copy = client.copy_in(COPY)?;
                copy.write_all(&self.lines)?;
                copy.finish()?;
            }
            "transfer" => {
                let mut tx = client.transaction()?;
                black_box(tx.query_one(&self.transfer[0], &[&1])?.try_get::<_, i64>(0)?);
                tx.execute(&self.transfer[1], &[&100_i64, &1])?;
                tx.execute(&self.transfer[2], &[&100_i64, &2])?;
                tx.commit()?;
            }
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}
