//! `bank`: money moves between accounts, and the sum of all balances stays what it was.

use fastrand::Rng;
use kecoa::blocking::Client;

use crate::distribution::{Distribution, Drawing};
use crate::error::{BodyError, Error};
use crate::invariant::{self, Check};
use crate::options::Name;
use crate::random::between;
use crate::schema::{self, Settings, setting};
use crate::statements::Statements;

/// What each account has at first.
const BALANCE: i64 = 1_000;

const SELECT: &str = "SELECT balance FROM kecoa_bank.accounts WHERE id = $1";
const UPDATE: &str = "UPDATE kecoa_bank.accounts SET balance = balance + $1 WHERE id = $2";

/// A bank that is set up.
#[derive(Debug)]
pub(crate) struct Bank {
    accounts: i64,
    drawing: Drawing,
}

/// Moves money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    from: i64,
    to: i64,
    amount: i64,
}

/// Makes and fills the tables.
pub(crate) fn init(
    client: &mut Client,
    accounts: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    schema::create(client, Name::Bank, &["accounts (id INT8 PRIMARY KEY, balance INT8 NOT NULL)"])?;
    let insert = format!(
        "INSERT INTO kecoa_bank.accounts (id, balance) \
         SELECT id - 1, {BALANCE} FROM generate_series($1::INT8, $2::INT8) AS g (id)"
    );
    schema::fill(client, &insert, accounts, progress)?;
    schema::complete(client, Name::Bank, &[("accounts", accounts), ("total", accounts * BALANCE)])
}

impl Bank {
    pub(crate) fn new(
        settings: &Settings,
        distribution: Option<Distribution>,
    ) -> Result<Bank, Error> {
        let accounts = setting(settings, "accounts", Name::Bank)?;
        let drawing =
            Drawing::new(distribution.unwrap_or(Distribution::Uniform), accounts.unsigned_abs());
        Ok(Bank { accounts, drawing })
    }

    pub(crate) fn draw(&self, random: &mut Rng) -> Transfer {
        let accounts = self.accounts.unsigned_abs();
        let from = self.drawing.draw(random, accounts).cast_signed();
        let mut to = self.drawing.draw(random, accounts).cast_signed();
        if to == from {
            to = (from + 1) % self.accounts;
        }
        Transfer { from, to, amount: between(random, 1, 100) }
    }

    /// Reads both balances, and moves the money if there is enough. Rows are changed in the order of their
    /// keys, so that two transfers do not wait for each other.
    pub(crate) async fn run(
        &self,
        transfer: &Transfer,
        tx: &mut impl Statements,
    ) -> Result<(), BodyError> {
        let Transfer { from, to, amount } = *transfer;
        let balance: i64 = tx.query_one(SELECT, &[&from]).await?.get(0)?;
        if balance < amount {
            return Err(BodyError::Refused("not enough money".to_owned()));
        }
        let mut changes = [(-amount, from), (amount, to)];
        changes.sort_by_key(|(_, id)| *id);
        for (amount, id) in changes {
            tx.execute(UPDATE, &[&amount, &id]).await?;
        }
        Ok(())
    }
}

/// The sum of all balances, and that none is below zero.
pub(crate) async fn checks(
    statements: &mut impl Statements,
    settings: &Settings,
) -> Result<Vec<Check>, Error> {
    let total = setting(settings, "total", Name::Bank)?;
    let accounts = setting(settings, "accounts", Name::Bank)?;
    let sql = "SELECT count(*)::INT8, coalesce(sum(balance), 0)::INT8 FROM kecoa_bank.accounts";
    let (count, sum): (i64, i64) = statements.query_one(sql, &[]).await?.read()?;
    let check = if (count, sum) == (accounts, total) {
        Check::holds("sum", format!("{sum} in {count} accounts"))
    } else {
        let difference = sum - total;
        Check::violated(
            "sum",
            format!(
                "expected {total} in {accounts} accounts, found {sum} in {count}: {} {}",
                difference.abs(),
                if difference < 0 { "are missing" } else { "too much" }
            ),
        )
    };
    let sql = "SELECT id, balance FROM kecoa_bank.accounts WHERE balance < 0 ORDER BY id";
    let overdrawn = invariant::none(statements, "balances", "none below zero", sql, |row| {
        let (id, balance): (i64, i64) = row.read()?;
        Ok(format!("account {id} has {balance}"))
    });
    Ok(vec![check, overdrawn.await?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::of_worker;

    fn bank(accounts: i64, distribution: Distribution) -> Bank {
        let settings = Settings::from([("accounts".to_owned(), accounts)]);
        Bank::new(&settings, Some(distribution)).unwrap()
    }

    proptest! {
        #[test]
        fn a_transfer_has_two_accounts(seed: u64, accounts in 2_i64..50, hot: bool) {
            let distribution = match hot {
                true => Distribution::Hot { items: 1, share: 0.9 },
                false => Distribution::Uniform,
            };
            let bank = bank(accounts, distribution);
            let mut random = of_worker(seed, 0);
            for _ in 0..100 {
                let Transfer { from, to, amount } = bank.draw(&mut random);
                prop_assert_ne!(from, to);
                prop_assert!((0..accounts).contains(&from) && (0..accounts).contains(&to));
                prop_assert!((1..=100).contains(&amount));
            }
        }
    }
}
