//! sqlx: one connection, statements in its own cache.

use std::hint::black_box;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor, FromRow, Row};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::Any;
use crate::workloads::{COPY, Client, INSERT, MIXED, POINT, TRANSFER, VALUES, copy_lines, unknown};

pub struct Peer<'a> {
    runtime: &'a Runtime,
    client: PgConnection,
    lines: bytes::Bytes,
    id: i32,
}

/// The pairs of a DSN as sqlx takes them.
fn options(dsn: &str) -> Result<PgConnectOptions, Any> {
    let mut options = PgConnectOptions::from_str("postgres://localhost")?;
    for pair in dsn.split_whitespace() {
        let (name, value) = pair.split_once('=').ok_or("expected key=value pairs")?;
        options = match name {
            "host" if value.starts_with('/') => options.socket(value),
            "host" => options.host(value),
            "port" => options.port(value.parse()?),
            "user" => options.username(value),
            "password" => options.password(value),
            "dbname" => options.database(value),
            "sslmode" => options.ssl_mode(value.parse()?),
            _ => return Err(format!("{name} is not known here").into()),
        };
    }
    Ok(options)
}

impl<'a> Peer<'a> {
    pub fn connect(dsn: &str, runtime: &'a Runtime) -> Result<Peer<'a>, Any> {
        let client = runtime.block_on(PgConnection::connect_with(&options(dsn)?))?;
        Ok(Peer { runtime, client, lines: copy_lines(), id: 0 })
    }
}

type Mixed = (
    i64,
    i32,
    f64,
    Decimal,
    String,
    bool,
    Uuid,
    DateTime<Utc>,
    NaiveDate,
    sqlx::types::Json<Box<RawValue>>,
    Option<String>,
);

/// A tuple of more columns than sqlx reads by itself.
struct Eleven(Mixed);

impl FromRow<'_, sqlx::postgres::PgRow> for Eleven {
    fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        Ok(Eleven((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
            row.try_get(4)?,
            row.try_get(5)?,
            row.try_get(6)?,
            row.try_get(7)?,
            row.try_get(8)?,
            row.try_get(9)?,
            row.try_get(10)?,
        )))
    }
}

impl Client for Peer<'_> {
    fn name(&self) -> &'static str {
        "sqlx"
    }

    fn setup(&mut self, sql: &str) -> Result<(), Any> {
        self.runtime.block_on(self.client.execute(sqlx::raw_sql(sql)))?;
        Ok(())
    }

    fn run(&mut self, workload: &str) -> Result<(), Any> {
        let Peer { runtime, client, lines, id } = self;
        runtime.block_on(async {
            match workload {
                "point" => {
                    *id = *id % 1000 + 1;
                    let row = sqlx::query(POINT).bind(*id).fetch_one(client).await?;
                    black_box((row.try_get::<i32, _>(0)?, row.try_get::<i64, _>(1)?));
                }
                "mixed10k" | "mixed10k_by_column" => {
                    let rows = sqlx::query_as::<_, Eleven>(MIXED).fetch_all(client).await?;
                    for row in &rows {
                        black_box(&row.0);
                    }
                }
                "mixed10k_stream" => {
                    let mut rows = sqlx::query_as::<_, Eleven>(MIXED).fetch(client);
                    while let Some(row) = rows.try_next().await? {
                        black_box(row.0);
                    }
                }
                "insert1k" => {
                    let (a, b, c, d, e, f, g) = VALUES;
                    let mut tx = client.begin().await?;
                    for _ in 0..1000 {
                        let insert = sqlx::query(INSERT).bind(a).bind(b).bind(c).bind(d);
                        insert.bind(e).bind(f).bind(g).execute(&mut *tx).await?;
                    }
                    tx.commit().await?;
                }
                "copy10k" => {
                    let mut copy = client.copy_in_raw(COPY).await?;
                    for chunk in lines.chunks(64 * 1024) {
                        copy.send(chunk).await?;
                    }
                    copy.finish().await?;
                }
                "transfer" => {
                    let mut tx = client.begin().await?;
                    let row = sqlx::query(TRANSFER[0]).bind(1).fetch_one(&mut *tx).await?;
                    black_box(row.try_get::<i64, _>(0)?);
                    for (sql, id) in [(TRANSFER[1], 1), (TRANSFER[2], 2)] {
                        sqlx::query(sql).bind(100_i64).bind(id).execute(&mut *tx).await?;
                    }
                    tx.commit().await?;
                }
                other => return Err(unknown(other)),
            }
            Ok(())
        })
    }
}
