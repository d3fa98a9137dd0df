//! Moves money between two accounts: the program of docs/en/tutorial/rust.md.
//!
//! ```sh
//! DATABASE_URL="$(kecoa local url)" cargo run -p kecoa --example tutorial
//! ```
#![allow(dead_code, clippy::print_stdout, reason = "it prints the balances")]

use std::env;
use std::error::Error;

use kecoa::blocking::{Client, Transaction};
use kecoa::{Config, TransactionOptions};

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    run(&env::var("DATABASE_URL")?)
}

pub(crate) fn run(url: &str) -> Result<(), AnyError> {
    let mut client = Client::connect(&Config::parse(url)?)?;
    create_accounts(&mut client)?;
    print_balances(&mut client, "Before:")?;
    let options = TransactionOptions::default();
    client.transaction_with(&options, |tx| transfer(tx, 1, 2, 100))?;
    print_balances(&mut client, "After:")?;
    client.batch("DROP TABLE rust_accounts")?;
    Ok(())
}

fn create_accounts(client: &mut Client) -> Result<(), AnyError> {
    client.batch("CREATE TABLE rust_accounts (id INT8 PRIMARY KEY, owner TEXT, balance INT8)")?;
    let insert = "INSERT INTO rust_accounts VALUES ($1, $2, $3)";
    client.execute(insert, &[&1_i64, &"Ani", &1000_i64])?;
    client.execute(insert, &[&2_i64, &"Budi", &250_i64])?;
    Ok(())
}

fn print_balances(client: &mut Client, title: &str) -> Result<(), AnyError> {
    println!("{title}");
    let select = "SELECT owner, balance FROM rust_accounts ORDER BY owner";
    for (owner, balance) in client.query_as::<(String, i64)>(select, &[])? {
        println!("  {owner}: ${balance}");
    }
    Ok(())
}

fn transfer(tx: &mut Transaction<'_>, from: i64, to: i64, amount: i64) -> Result<(), AnyError> {
    let select = "SELECT balance FROM rust_accounts WHERE id = $1";
    let (balance,): (i64,) = tx.query_one_as(select, &[&from])?;
    if balance < amount {
        return Err(format!("insufficient funds: ${balance}").into());
    }
    let update = "UPDATE rust_accounts SET balance = balance + $1 WHERE id = $2";
    tx.execute(update, &[&-amount, &from])?;
    tx.execute(update, &[&amount, &to])?;
    Ok(())
}
