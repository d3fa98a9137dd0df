//! `kecoa demo`: the transfer of CockroachDB's tutorial.
//!
//! Two accounts, $1000 and $250; $100 goes from one to the other, in a transaction that is run
//! again when the database asks for it; balances before and after; the accounts are deleted. The
//! SQL is what CockroachDB and PostgreSQL have in common. The table has a name that nobody else
//! uses: a table `accounts` of some other shape is neither in the way nor left behind. The
//! accounts' keys are new each time, so that demos can run side by side.

mod attempts;

use std::ffi::OsString;

use clap::Args;
use jiff::Zoned;
use kecoa::blocking::{Client, Transaction};
use kecoa::types::{ToSql, Uuid};
use kecoa::{Config, Error, Isolation, TransactionError, TransactionOptions};
use kecoa_local::{Options, Stopped};
use serde_json::{Value, json};

use self::attempts::Attempts;
use crate::database_url;
use crate::failure::Failure;
use crate::local::start_for_command;
use crate::output::Output;

/// What goes from the first account to the second, in dollars.
const AMOUNT: i64 = 100;

#[derive(Debug, Args)]
#[command(after_help = "Without --url and DATABASE_URL it runs on the local endpoint, which it \
    starts and leaves running.")]
pub(crate) struct Arguments {
    /// The database; `-` reads the URL from standard input [default: $DATABASE_URL, or the local
    /// endpoint]
    // Not clap's `env`: that would show a password in `--help`.
    #[arg(long)]
    url: Option<String>,
    /// Have the database refuse the transaction three times, and show each attempt and wait
    #[arg(long)]
    inject_retries: bool,
    /// Stop the local endpoint at the end if this command started it
    #[arg(long)]
    stop: bool,
}

pub(crate) fn run(
    arguments: &Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    if let Some(url) = database_url::find(arguments.url.as_deref(), output)? {
        transfer(&url, arguments.inject_retries, output)?;
        return Ok(0);
    }
    let mut options = Options::default();
    options.self_command = self_command;
    let running = start_for_command(&options, output)?;
    let done = transfer(&running.url, arguments.inject_retries, output);
    if running.was_running {
        return done.map(|()| 0);
    }
    if arguments.stop {
        // Why the transfer failed matters more than that the endpoint did not stop.
        let stopped = kecoa_local::stop(&options);
        done?;
        if stopped? == Stopped::Stopped {
            output.note("stopped the local endpoint");
        }
    } else {
        done?;
        output.note("the local endpoint keeps running; `kecoa local stop` ends it");
    }
    Ok(0)
}

fn transfer(url: &str, inject_retries: bool, output: &Output) -> Result<(), Failure> {
    let mut client = Client::connect(&database_url::limited(Config::parse(url)?)?)?;
    if inject_retries && client.crdb_version().is_none() {
        return Err(Failure::Other(
            "--inject-retries needs CockroachDB or the local endpoint; this server is plain \
             PostgreSQL, which cannot be told to refuse a transaction"
                .to_owned(),
        ));
    }
    let mut accounts = Accounts::create(&mut client)?;
    let result = accounts.move_money(inject_retries, output);
    let deleted = accounts.delete();
    let moved = result?;
    deleted?;
    match output.is_json() {
        true => output.json(&moved),
        false => Ok(()),
    }
}

/// The two accounts of one run.
struct Accounts<'a> {
    client: &'a mut Client,
    from: Uuid,
    to: Uuid,
}

impl Accounts<'_> {
    fn create(client: &mut Client) -> Result<Accounts<'_>, Failure> {
        let (from, to) = (new_key(), new_key());
        client.batch(
            "CREATE TABLE IF NOT EXISTS kecoa_demo_accounts (id UUID PRIMARY KEY, balance INT8)",
        )?;
        client.execute(
            "INSERT INTO kecoa_demo_accounts (id, balance) VALUES ($1, $2), ($3, $4) \
             ON CONFLICT (id) DO UPDATE SET balance = excluded.balance",
            &[&from, &1_000_i64, &to, &250_i64],
        )?;
        Ok(Accounts { client, from, to })
    }

    /// What happened, as `--json` shows it.
    fn move_money(&mut self, inject_retries: bool, output: &Output) -> Result<Value, Failure> {
        let before = self.balances(output)?;
        if inject_retries {
            self.client.batch("SET inject_retry_errors_enabled = true")?;
        }
        let attempts = Attempts::begin(output);
        let options = TransactionOptions {
            isolation: Some(Isolation::Serializable),
            // CockroachDB injects its errors without end unless the retries keep to one
            // transaction by this savepoint.
            cockroach_restart: inject_retries,
            observer: Some(attempts.observer()),
            ..TransactionOptions::default()
        };
        let (from, to) = (self.from, self.to);
        self.client.transaction_with(&options, |tx| move_between(tx, from, to))?;
        attempts.committed();
        if inject_retries {
            self.client.batch("SET inject_retry_errors_enabled = false")?;
        }
        let after = self.balances(output)?;
        let accounts = [self.from, self.to].into_iter().zip(before.into_iter().zip(after));
        let accounts = accounts.map(|(id, (before, after))| {
            json!({ "id": id.to_string(), "before": before, "after": after })
        });
        Ok(json!({
            "amount": AMOUNT,
            "accounts": accounts.collect::<Vec<_>>(),
            "failed_attempts": attempts.values(),
        }))
    }

    /// Reads the balances, and prints them where the result is text.
    fn balances(&mut self, output: &Output) -> Result<[i64; 2], Failure> {
        let mut balances = [0; 2];
        for (id, place) in [self.from, self.to].into_iter().zip(&mut balances) {
            *place = balance(&mut |sql, params| self.client.query_one(sql, params), id)?;
        }
        if !output.is_json() {
            let now = Zoned::now().strftime("Balances at %a %b %e %H:%M:%S %Y:").to_string();
            output.line(&now)?;
            for (id, balance) in [self.from, self.to].into_iter().zip(balances) {
                output.line(&format!("account id: {id}  balance: ${balance}"))?;
            }
        }
        Ok(balances)
    }

    fn delete(&mut self) -> Result<(), Failure> {
        if self.client.is_closed() {
            self.client.reconnect()?;
        }
        self.client.execute(
            "DELETE FROM kecoa_demo_accounts WHERE id IN ($1, $2)",
            &[&self.from, &self.to],
        )?;
        Ok(())
    }
}

/// What may go wrong inside of the transaction.
enum TransferError {
    Database(Error),
    TooPoor { balance: i64 },
}

impl From<Error> for TransferError {
    fn from(error: Error) -> TransferError {
        TransferError::Database(error)
    }
}

impl TransactionError for TransferError {
    fn into_database_error(self) -> Result<Error, TransferError> {
        match self {
            TransferError::Database(error) => Ok(error),
            other => Err(other),
        }
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Failure {
        match error {
            TransferError::Database(error) => Failure::Database(error),
            TransferError::TooPoor { balance } => Failure::Other(format!(
                "the account has ${balance}, which is less than the ${AMOUNT} to move"
            )),
        }
    }
}

fn move_between(tx: &mut Transaction<'_>, from: Uuid, to: Uuid) -> Result<(), TransferError> {
    let balance = balance(&mut |sql, params| tx.query_one(sql, params), from)?;
    if balance < AMOUNT {
        return Err(TransferError::TooPoor { balance });
    }
    let update = "UPDATE kecoa_demo_accounts SET balance = balance + $1 WHERE id = $2";
    tx.execute(update, &[&-AMOUNT, &from])?;
    tx.execute(update, &[&AMOUNT, &to])?;
    Ok(())
}

/// Runs one query of one row, inside of a transaction or outside.
type QueryOne<'a> = dyn FnMut(&str, &[&dyn ToSql]) -> Result<kecoa::Row, Error> + 'a;

fn balance(query_one: &mut QueryOne<'_>, id: Uuid) -> Result<i64, Error> {
    query_one("SELECT balance FROM kecoa_demo_accounts WHERE id = $1", &[&id])?.get(0)
}

fn new_key() -> Uuid {
    Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes())
}
