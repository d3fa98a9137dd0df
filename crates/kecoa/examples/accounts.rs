//! A tour of the blocking client: the examples of docs/en/reference/rust.md.
//!
//! ```sh
//! DATABASE_URL=postgresql://localhost:26257/bank cargo run -p kecoa --example accounts
//! ```
#![allow(dead_code, clippy::print_stdout, reason = "it prints its findings")]

use std::io::Write;

use kecoa::retry::Policy;
use kecoa::{
    Config, Error, FromRow, Isolation, Pipeline, TransactionError, TransactionOptions,
    blocking::Client,
};

type Any = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Any> {
    run(&std::env::var("DATABASE_URL")?)
}

/// The whole tour.
pub(crate) fn run(url: &str) -> Result<(), Any> {
    let mut client = Client::connect(&Config::parse(url)?)?;

    client.batch(
        "CREATE TEMPORARY TABLE accounts (id int8 PRIMARY KEY, holder text, balance int8 NOT NULL)",
    )?;
    client.execute("INSERT INTO accounts VALUES ($1, $2, $3)", &[&1_i64, &"Ada", &1000_i64])?;
    client.execute("INSERT INTO accounts VALUES ($1, $2, $3)", &[&2_i64, &"Grace", &250_i64])?;

    let row = client.query_one("SELECT holder, balance FROM accounts WHERE id = $1", &[&1_i64])?;
    let holder: Option<String> = row.get("holder")?;
    let balance: i64 = row.get(1)?;
    println!("{holder:?} has {balance}");

    structs(&mut client)?;
    many(&mut client)?;
    transfer(&mut client, 1, 2, 100)?;
    transfer_with_policy(&mut client)?;
    by_hand(&mut client)?;
    Ok(())
}

#[derive(FromRow, Debug)]
struct Account {
    id: i64,
    holder: Option<String>,
    #[kecoa(rename = "balance")]
    cents: i64,
}

fn structs(client: &mut Client) -> Result<(), Error> {
    let accounts: Vec<Account> = client.query_as("SELECT * FROM accounts ORDER BY id", &[])?;
    let (count, sum): (i64, i64) =
        client.query_one_as("SELECT count(*), sum(balance)::int8 FROM accounts", &[])?;
    println!("{accounts:?}, {count} of them with {sum}");
    Ok(())
}

fn many(client: &mut Client) -> Result<(), Any> {
    // One by one, in bounded memory.
    for row in client.query_iter("SELECT id FROM accounts", &[])? {
        println!("{}", row?.get::<i64>("id")?);
    }

    // One statement, many sets of parameters, one round trip.
    let insert = "INSERT INTO accounts VALUES ($1, $2, 0)";
    client.execute_many(insert, &[&[&3_i64, &"Edsger"], &[&4_i64, &"Barbara"]])?;

    // Several statements, one round trip, an outcome for each.
    let mut pipeline = Pipeline::new();
    let deleted = pipeline.add("DELETE FROM accounts WHERE id = $1", &[&3_i64])?;
    let left = pipeline.add("SELECT count(*) FROM accounts", &[])?;
    let mut answers = client.run_pipeline(&pipeline)?;
    println!("{} deleted, {:?} left", answers.count(deleted)?, answers.rows_as::<(i64,)>(left)?);

    // The same, all of them or none: one request, whose rest the server skips after an error.
    let mut transfer = Pipeline::atomic();
    transfer.add("UPDATE accounts SET balance = balance - 1 WHERE id = $1", &[&1_i64])?;
    transfer.add("UPDATE accounts SET balance = balance + 1 WHERE id = $1", &[&2_i64])?;
    client.run_pipeline(&transfer)?;

    // COPY is a writer, and a reader.
    let mut copy = client.copy_writer("COPY accounts FROM STDIN WITH (FORMAT csv)")?;
    for id in 100..1100 {
        writeln!(copy, "{id},,0")?;
    }
    println!("{:?} rows copied", copy.finish()?);
    let mut copy = client.copy_reader("COPY accounts TO STDOUT")?;
    std::io::copy(&mut copy, &mut std::io::sink())?;
    Ok(())
}

fn transfer(client: &mut Client, from: i64, to: i64, cents: i64) -> Result<(), Error> {
    client.transaction(|tx| {
        let debit = "UPDATE accounts SET balance = balance - $1 WHERE id = $2";
        let credit = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
        tx.execute(debit, &[&cents, &from])?;
        tx.execute(credit, &[&cents, &to])?;
        Ok(())
    })
}

#[derive(Debug)]
enum BankError {
    Database(Error),
    NotEnoughMoney,
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        BankError::Database(error)
    }
}

impl TransactionError for BankError {
    fn into_database_error(self) -> Result<Error, Self> {
        match self {
            BankError::Database(error) => Ok(error),
            other => Err(other),
        }
    }
}

fn transfer_with_policy(client: &mut Client) -> Result<(), Error> {
    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        policy: Policy { max_attempts: 20, ..Policy::default() },
        ..TransactionOptions::default()
    };
    let outcome: Result<i64, BankError> = client.transaction_with(&options, |tx| {
        let (balance,): (i64,) =
            tx.query_one_as("SELECT balance FROM accounts WHERE id = 1", &[])?;
        if balance < 1_000_000 {
            return Err(BankError::NotEnoughMoney);
        }
        tx.savepoint(|tx| tx.execute("UPDATE accounts SET balance = 0 WHERE id = 1", &[]))?;
        Ok(balance)
    });
    println!("{outcome:?}");
    Ok(())
}

fn by_hand(client: &mut Client) -> Result<(), Error> {
    // Not tried again; dropped without commit(), it is rolled back.
    let mut tx = client.begin(&TransactionOptions::default())?;
    tx.execute("UPDATE accounts SET balance = balance + 1", &[])?;
    tx.commit()?;

    // Tried again, in a loop of the program's own.
    let mut attempts = client.attempts(&TransactionOptions::default())?;
    loop {
        let attempt = attempts.begin().and_then(|mut tx| {
            tx.execute("UPDATE accounts SET balance = balance + 1", &[])?;
            tx.commit()
        });
        match attempt {
            Ok(()) => return Ok(()),
            Err(error) => attempts.failed(error)?,
        }
    }
}
