//! A pool of blocking clients: the example of docs/en/reference/pool.md.
//!
//! ```sh
//! DATABASE_URL=postgresql://localhost:26257/bank cargo run -p kecoa --example pool
//! ```
#![allow(dead_code, clippy::print_stdout, reason = "it prints its findings")]

use std::time::Duration;

use kecoa::blocking::Pool;
use kecoa::{Config, Error};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(run(&std::env::var("DATABASE_URL")?)?)
}

/// The whole tour.
pub(crate) fn run(url: &str) -> Result<(), Error> {
    let pool = Pool::builder().max_size(16).build(&Config::parse(url)?)?;

    let mut client = pool.get()?;
    client.batch(
        "CREATE TEMPORARY TABLE accounts (id int8 PRIMARY KEY, balance int8 NOT NULL);
        INSERT INTO accounts VALUES (1, 1000), (2, 250)",
    )?;

    client.transaction(|tx| {
        tx.execute("UPDATE accounts SET balance = balance - 100 WHERE id = $1", &[&1_i64])?;
        tx.execute("UPDATE accounts SET balance = balance + 100 WHERE id = $1", &[&2_i64])
    })?;

    println!("{} of {} in use", pool.stats().in_use, pool.stats().size);
    drop(client);
    pool.close(Duration::from_secs(1));
    Ok(())
}
