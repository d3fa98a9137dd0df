//! What the bank does in the database. Nothing here knows HTTP.

use kecoa::{Error, FromRow, Pool, Transaction, TransactionError, TransactionOptions};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS bank_accounts (
        id UUID PRIMARY KEY, opening INT8 NOT NULL, balance INT8 NOT NULL
    );
    CREATE TABLE IF NOT EXISTS bank_transfers (
        id UUID PRIMARY KEY, source UUID NOT NULL, target UUID NOT NULL, amount INT8 NOT NULL
    );
";

/// PostgreSQL's and CockroachDB's code of a key that is there already.
const UNIQUE_VIOLATION: &str = "23505";

/// An account, as it is sent.
#[derive(FromRow, Serialize)]
pub struct Account {
    pub id: Uuid,
    pub balance: i64,
}

/// An account that a client wants to be opened. The client chooses its id, and may send it again: it is opened
/// once.
#[derive(Clone, Deserialize)]
pub struct Opening {
    pub id: Uuid,
    pub balance: i64,
}

/// A transfer that a client asks for. The client chooses its id, and may send it again: it happens once.
#[derive(Clone, Deserialize, FromRow, PartialEq, Serialize)]
pub struct Transfer {
    pub id: Uuid,
    pub source: Uuid,
    pub target: Uuid,
    pub amount: i64,
}

/// Why a request was not carried out.
#[derive(Debug)]
pub enum BankError {
    Database(Error),
    NoAccount(Uuid),
    NotEnoughMoney {
        balance: i64,
    },
    /// The target cannot hold so much.
    TooMuchMoney,
    /// The id belongs to another account or transfer.
    IdTaken,
}

impl From<Error> for BankError {
    fn from(error: Error) -> Self {
        BankError::Database(error)
    }
}

/// So that kecoa finds its own error, which says whether to try again. The others end the transaction.
impl TransactionError for BankError {
    fn into_database_error(self) -> Result<Error, Self> {
        match self {
            BankError::Database(error) => Ok(error),
            other => Err(other),
        }
    }
}

/// Creates the tables unless they are there.
pub async fn create_tables(pool: &Pool) -> Result<(), Error> {
    pool.get().await?.batch(TABLES).await.map(drop)
}

/// Opens an account, or finds it open: the client asks again when it had no answer.
pub async fn open(pool: &Pool, opening: Opening) -> Result<Account, BankError> {
    pool.run_transaction(&TransactionOptions::default(), async |tx| {
        let Opening { id, balance } = opening;
        let insert = "INSERT INTO bank_accounts (id, opening, balance) VALUES ($1, $2, $2) \
                      ON CONFLICT (id) DO NOTHING";
        tx.execute(insert, &[&id, &balance]).await?;
        let select = "SELECT id, balance FROM bank_accounts WHERE id = $1 AND opening = $2";
        let account = tx.query_opt_as(select, &[&id, &balance]).await?;
        account.ok_or(BankError::IdTaken)
    })
    .await
}

/// Looks an account up.
pub async fn account(pool: &Pool, id: Uuid) -> Result<Account, BankError> {
    let query = "SELECT id, balance FROM bank_accounts WHERE id = $1";
    let found = pool.get().await?.query_opt_as(query, &[&id]).await?;
    found.ok_or(BankError::NoAccount(id))
}

/// Moves money, in a transaction that kecoa runs again when the database asks for it. Returns what is left on
/// the source.
pub async fn transfer(pool: &Pool, transfer: Transfer) -> Result<i64, BankError> {
    pool.run_transaction(&TransactionOptions::default(), async |tx| {
        let Transfer { id, source, target, amount } = &transfer;
        let [left, gained] = lock(tx, *source, *target).await?;
        if was_made(tx, &transfer).await? {
            return Ok(left);
        }
        if left < *amount {
            return Err(BankError::NotEnoughMoney { balance: left });
        }
        if gained.checked_add(*amount).is_none() {
            return Err(BankError::TooMuchMoney);
        }
        let insert =
            "INSERT INTO bank_transfers (id, source, target, amount) VALUES ($1, $2, $3, $4)";
        tx.execute(insert, &[id, source, target, amount]).await.map_err(taken)?;
        let update = "UPDATE bank_accounts SET balance = balance + $1 WHERE id = $2";
        tx.execute(update, &[&-amount, source]).await?;
        tx.execute(update, &[amount, target]).await?;
        Ok(left - amount)
    })
    .await
}

/// Returns the balances of two accounts, and locks them until the transaction ends: always in the same order,
/// so that two transfers in opposite directions wait for each other instead of blocking each other.
async fn lock(tx: &mut Transaction<'_>, first: Uuid, second: Uuid) -> Result<[i64; 2], BankError> {
    let query =
        "SELECT id, balance FROM bank_accounts WHERE id = $1 OR id = $2 ORDER BY id FOR UPDATE";
    let found: Vec<Account> = tx.query_as(query, &[&first, &second]).await?;
    let balance = |id| match found.iter().find(|account| account.id == id) {
        Some(account) => Ok(account.balance),
        None => Err(BankError::NoAccount(id)),
    };
    Ok([balance(first)?, balance(second)?])
}

/// Returns true if the transfer was made before: then the client had no answer, and asks again.
async fn was_made(tx: &mut Transaction<'_>, transfer: &Transfer) -> Result<bool, BankError> {
    let query = "SELECT id, source, target, amount FROM bank_transfers WHERE id = $1";
    match tx.query_opt_as::<Transfer>(query, &[&transfer.id]).await? {
        None => Ok(false),
        Some(made) if made == *transfer => Ok(true),
        Some(_) => Err(BankError::IdTaken),
    }
}

/// The error of inserting a transfer. Two of one id between the same accounts wait for each other at the locks;
/// one between others may come in between, after this one has looked.
fn taken(error: Error) -> BankError {
    match error.sqlstate() {
        Some(UNIQUE_VIOLATION) => BankError::IdTaken,
        _ => BankError::Database(error),
    }
}
