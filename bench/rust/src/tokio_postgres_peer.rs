//! tokio-postgres: statements prepared once, a connection task on the runtime.

use std::hint::black_box;
use std::pin::pin;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::try_join_all;
use futures_util::{SinkExt, TryStreamExt};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use tokio::runtime::Runtime;
use tokio_postgres::types::Json;
use tokio_postgres::{NoTls, Row, Statement};
use uuid::Uuid;

use crate::Any;
use crate::workloads::{COPY, Client, INSERT, MIXED, POINT, TRANSFER, VALUES, copy_lines, unknown};

pub type Point = (i32, i64);

pub fn read_mixed(row: &Row) -> Result<(), tokio_postgres::Error> {
    black_box((
        row.try_get::<_, i64>(0)?,
        row.try_get::<_, i32>(1)?,
        row.try_get::<_, f64>(2)?,
        row.try_get::<_, Decimal>(3)?,
        row.try_get::<_, String>(4)?,
        row.try_get::<_, bool>(5)?,
        row.try_get::<_, Uuid>(6)?,
        row.try_get::<_, DateTime<Utc>>(7)?,
        row.try_get::<_, NaiveDate>(8)?,
        // The JSON text as it came, owned: what kecoa's Json holds.
        row.try_get::<_, Json<&RawValue>>(9)?.0.get().to_owned(),
        row.try_get::<_, Option<String>>(10)?,
    ));
    Ok(())
}

pub struct Peer<'a> {
    runtime: &'a Runtime,
    client: tokio_postgres::Client,
    point: Statement,
    mixed: Statement,
    insert: Statement,
    transfer: Vec<Statement>,
    lines: Bytes,
    id: i32,
}

impl<'a> Peer<'a> {
    pub fn connect(dsn: &str, runtime: &'a Runtime) -> Result<Peer<'a>, Any> {
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(dsn, NoTls).await?;
            runtime.spawn(connection);
            client.batch_execute(crate::workloads::SETUP).await?;
            Ok(Peer {
                runtime,
                point: client.prepare(POINT).await?,
                mixed: client.prepare(MIXED).await?,
                insert: client.prepare(INSERT).await?,
                transfer: try_join_all(TRANSFER.iter().map(|sql| client.prepare(sql))).await?,
                client,
                lines: copy_lines(),
                id: 0,
            })
        })
    }
}

impl Client for Peer<'_> {
    fn name(&self) -> &'static str {
        "tokio-postgres"
    }

    fn setup(&mut self, sql: &str) -> Result<(), Any> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    fn run(&mut self, workload: &str) -> Result<(), Any> {
        let Peer { runtime, client, point, mixed, insert, transfer, lines, id } = self;
        runtime.block_on(async {
            match workload {
                "point" => {
                    *id = *id % 1000 + 1;
                    let row = client.query_one(&*point, &[&*id]).await?;
                    let read: Point = (row.try_get(0)?, row.try_get(1)?);
                    black_box(read);
                }
                "mixed10k" | "mixed10k_by_column" => {
                    for row in client.query(&*mixed, &[]).await? {
                        read_mixed(&row)?;
                    }
                }
                "mixed10k_stream" => {
                    let rows = client.query_raw(&*mixed, std::iter::empty::<i32>()).await?;
                    let mut rows = pin!(rows);
                    while let Some(row) = rows.try_next().await? {
                        read_mixed(&row)?;
                    }
                }
                "insert1k" => {
                    let (a, b, c, d, e, f, g) = VALUES;
                    let tx = client.transaction().await?;
                    let insert = &*insert;
                    // Futures that are polled together are pipelined.
                    try_join_all((0..1000).map(|_| async {
                        tx.execute(insert, &[&a, &b, &c, &d, &e, &f, &g]).await
                    }))
                    .await?;
                    tx.commit().await?;
                }
                "copy10k" => {
                    let sink = client.copy_in(COPY).await?;
                    let mut sink = pin!(sink);
                    for start in (0..lines.len()).step_by(64 * 1024) {
                        let end = lines.len().min(start + 64 * 1024);
                        sink.send(lines.slice(start..end)).await?;
                    }
                    sink.finish().await?;
                }
                "transfer" => {
                    let tx = client.transaction().await?;
                    black_box(tx.query_one(&transfer[0], &[&1]).await?.try_get::<_, i64>(0)?);
                    tx.execute(&transfer[1], &[&100_i64, &1]).await?;
                    tx.execute(&transfer[2], &[&100_i64, &2]).await?;
                    tx.commit().await?;
                }
                other => return Err(unknown(other)),
            }
            Ok(())
        })
    }
}
