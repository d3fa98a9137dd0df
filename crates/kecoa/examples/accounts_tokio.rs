//! A tour of the client for tokio: the examples of docs/en/reference/rust.md.
//!
//! ```sh
//! DATABASE_URL=postgresql://localhost:26257/bank cargo run -p kecoa --example accounts_tokio
//! ```
#![allow(dead_code, clippy::print_stdout, reason = "it prints its findings")]

use std::time::Duration;

use kecoa::{Client, Config, Error, Pool, TransactionOptions};

type Any = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Any> {
    run(&std::env::var("DATABASE_URL")?).await
}

/// The whole tour.
pub(crate) async fn run(url: &str) -> Result<(), Any> {
    let mut client = Client::connect(&Config::parse(url)?).await?;

    client.batch("CREATE TEMPORARY TABLE accounts (id int8 PRIMARY KEY, balance int8)").await?;
    let insert = "INSERT INTO accounts VALUES ($1, $2)";
    client.execute_many(insert, &[&[&1_i64, &1000_i64], &[&2_i64, &250_i64]]).await?;
    println!("{} left", transfer(&mut client, 1, 2, 100).await?);
    by_hand(&mut client, 100).await?;
    many(&mut client).await
}

async fn transfer(client: &mut Client, from: i64, to: i64, cents: i64) -> Result<i64, Error> {
    client
        .transaction(async |tx| {
            let debit = "UPDATE accounts SET balance = balance - $1 WHERE id = $2";
            let credit = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
            tx.execute(debit, &[&cents, &from]).await?;
            tx.execute(credit, &[&cents, &to]).await?;
            let (left,): (i64,) =
                tx.query_one_as("SELECT balance FROM accounts WHERE id = $1", &[&from]).await?;
            Ok(left)
        })
        .await
}

async fn in_a_task(pool: Pool, cents: i64) -> Result<i64, Any> {
    let task = tokio::spawn(async move {
        let mut client = pool.get().await?;
        transfer(&mut client, 1, 2, cents).await
    });
    Ok(task.await??)
}

async fn by_hand(client: &mut Client, cents: i64) -> Result<(), Error> {
    let mut attempts = client.attempts(&TransactionOptions::default()).await?;
    loop {
        let attempt = async {
            let mut tx = attempts.begin().await?;
            tx.execute("UPDATE accounts SET balance = balance + $1", &[&cents]).await?;
            tx.commit().await
        };
        match attempt.await {
            Ok(()) => return Ok(()),
            Err(error) => attempts.failed(error).await?,
        }
    }
}

async fn many(client: &mut Client) -> Result<(), Any> {
    let mut rows = client.query_stream("SELECT id, balance FROM accounts", &[]).await?;
    while let Some(row) = rows.next().await {
        let (id, balance): (i64, i64) = row?.read()?;
        println!("{id}: {balance}");
    }
    drop(rows);

    let lines = tokio::io::BufReader::new(&b"3,30\n4,40\n"[..]);
    client.copy_in("COPY accounts FROM STDIN WITH (FORMAT csv)", lines).await?;
    let mut copy = client.copy_reader("COPY accounts TO STDOUT").await?;
    while let Some(chunk) = copy.next().await {
        println!("{} bytes", chunk?.len());
    }
    drop(copy);

    // A future that is dropped: the server is asked to cancel, and the client goes on.
    let slow = client.query("SELECT pg_sleep(60)", &[]);
    assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
    client.query_one("SELECT 1", &[]).await?;
    Ok(())
}
