//! A pool of clients for tokio: the example of docs/en/reference/rust.md.
//!
//! ```sh
//! DATABASE_URL=postgresql://localhost:26257/bank cargo run -p kecoa --example pool_tokio
//! ```
#![allow(dead_code, clippy::print_stdout, reason = "it prints its findings")]

use std::time::Duration;

use kecoa::{Config, Error, Pool, TransactionOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(run(&std::env::var("DATABASE_URL")?).await?)
}

/// The whole tour.
pub(crate) async fn run(url: &str) -> Result<(), Error> {
    let pool = Pool::builder()
        .max_size(16)
        .configure(|client| {
            Box::pin(async { client.batch("SET statement_timeout TO '5s'").await.map(drop) })
        })
        .build(&Config::parse(url)?)?;

    let task = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut client = pool.get().await?;
            client.query_one_as::<(String,)>("SELECT current_database()::text", &[]).await
        }
    });
    println!("{:?}", task.await);

    let (name,): (String,) = pool
        .run_transaction(&TransactionOptions::default(), async |tx| {
            tx.execute("SET TRANSACTION READ ONLY", &[]).await?;
            tx.query_one_as("SELECT current_database()::text", &[]).await
        })
        .await?;
    println!("{name}");

    let client = pool.get().await?;
    println!("{} of {} in use", pool.stats().in_use, pool.stats().size);
    drop(client);
    pool.close(Duration::from_secs(1)).await;
    Ok(())
}
