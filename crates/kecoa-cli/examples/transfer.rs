//! Moves money between two accounts, in a transaction that is run again when the database asks
//! for it. Runs on CockroachDB, PostgreSQL and the local endpoint alike:
//!
//! ```sh
//! DATABASE_URL="$(kecoa local start)" cargo run -p kecoa-cli --example transfer
//! ```

use std::env;
use std::error::Error;

use kecoa::blocking::{Client, Transaction};
use kecoa::types::Uuid;
use kecoa::{Config, Isolation, TransactionOptions};

/// What the body of the transaction fails with: a database error is found in it and, where the
/// database says so, the body is run again; any other error ends it.
type BoxError = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), BoxError> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL, for example to the output of `kecoa local start`")?;
    let mut client = Client::connect(&Config::parse(&url)?)?;

    client.batch("CREATE TABLE IF NOT EXISTS accounts (id UUID PRIMARY KEY, balance INT8)")?;
    let (alice, bob) = (new_id(), new_id());
    client.execute(
        "INSERT INTO accounts (id, balance) VALUES ($1, $2), ($3, $4)",
        &[&alice, &1_000_i64, &bob, &250_i64],
    )?;
    print_balances(&mut client, &[alice, bob])?;

    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        ..TransactionOptions::default()
    };
    client.transaction_with(&options, |tx| transfer(tx, alice, bob, 100))?;
    print_balances(&mut client, &[alice, bob])?;

    client.execute("DELETE FROM accounts WHERE id IN ($1, $2)", &[&alice, &bob])?;
    Ok(())
}

/// The body of the transaction. It may run several times: it only talks to the database.
fn transfer(tx: &mut Transaction<'_>, from: Uuid, to: Uuid, amount: i64) -> Result<(), BoxError> {
    let row = tx.query_one("SELECT balance FROM accounts WHERE id = $1", &[&from])?;
    let balance: i64 = row.get("balance")?;
    if balance < amount {
        return Err(format!("insufficient funds: ${balance} on {from}").into());
    }
    let update = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
    tx.execute(update, &[&-amount, &from])?;
    tx.execute(update, &[&amount, &to])?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn print_balances(client: &mut Client, ids: &[Uuid]) -> Result<(), BoxError> {
    println!("Balances at {}:", jiff::Zoned::now().strftime("%a %b %e %H:%M:%S %Y"));
    for id in ids {
        let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[id])?;
        println!("account id: {id}  balance: ${}", row.get::<i64>(0)?);
    }
    Ok(())
}

fn new_id() -> Uuid {
    Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes())
}
