//! kecoa's client for tokio.

use std::hint::black_box;

use tokio::runtime::Runtime;

use crate::Any;
use crate::blocking::{Mixed, by_column, keep, thousand};
use crate::workloads::{COPY, Client, INSERT, MIXED, POINT, TRANSFER, copy_lines, unknown};

pub struct Kecoa<'a> {
    runtime: &'a Runtime,
    client: kecoa::Client,
    lines: bytes::Bytes,
    id: i32,
}

impl<'a> Kecoa<'a> {
    pub fn connect(dsn: &str, runtime: &'a Runtime) -> Result<Kecoa<'a>, Any> {
        let config = kecoa::Config::parse(dsn)?;
        let client = runtime.block_on(kecoa::Client::connect(&config))?;
        Ok(Kecoa { runtime, client, lines: copy_lines(), id: 0 })
    }
}

impl Client for Kecoa<'_> {
    fn name(&self) -> &'static str {
        "kecoa tokio"
    }

    fn setup(&mut self, sql: &str) -> Result<(), Any> {
        self.runtime.block_on(self.client.batch(sql))?;
        Ok(())
    }

    fn run(&mut self, workload: &str) -> Result<(), Any> {
        let Kecoa { runtime, client, lines, id } = self;
        runtime.block_on(async {
            match workload {
                "point" => {
                    *id = *id % 1000 + 1;
                    let row = client.query_one(POINT, &[id]).await?;
                    black_box((row.get::<i32>(0)?, row.get::<i64>(1)?));
                }
                "mixed10k" => client.query_as::<Mixed>(MIXED, &[]).await?.iter().for_each(keep),
                "mixed10k_by_column" => {
                    for row in client.query(MIXED, &[]).await? {
                        keep(&by_column(&row)?);
                    }
                }
                "mixed10k_stream" => {
                    let mut rows = client.query_stream(MIXED, &[]).await?;
                    while let Some(row) = rows.next().await {
                        keep(&by_column(&row?)?);
                    }
                }
                "insert1k" => {
                    let insert = client.transaction(async |tx| {
                        thousand(|rows| tx.execute_many(INSERT, rows)).await
                    });
                    insert.await?;
                }
                "copy10k" => {
                    let mut copy = client.copy_writer(COPY).await?;
                    for chunk in lines.chunks(64 * 1024) {
                        copy.send(chunk).await?;
                    }
                    copy.finish().await?;
                }
                "transfer" => {
                    let transfer = client.transaction(async |tx| {
                        let row = tx.query_one(TRANSFER[0], &[&1]).await?;
                        black_box(row.get::<i64>(0)?);
                        tx.execute(TRANSFER[1], &[&100_i64, &1]).await?;
                        tx.execute(TRANSFER[2], &[&100_i64, &2]).await?;
                        Ok(())
                    });
                    transfer.await?;
                }
                other => return Err(unknown(other)),
            }
            Ok(())
        })
    }
}
