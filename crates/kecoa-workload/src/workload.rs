//! One of the five workloads: what it draws, runs and checks.

use fastrand::Rng;
use kecoa::blocking::{Client, Transaction};
use kecoa::{Isolation, TransactionOptions};

use crate::bank::{self, Bank, Transfer};
use crate::error::{BodyError, Error};
use crate::invariant::Check;
use crate::kv::{self, Kv, READS};
use crate::movr::{self, Action, Movr};
use crate::options::{Name, RunOptions};
use crate::schema::{self, Settings};
use crate::statements::{Statements, complete};
use crate::tpcc::{self, Profile, Tpcc};
use crate::versions::{Seen, Versions};
use crate::ycsb::{self, Ycsb};

/// How many keys are looked up at a time.
const PIECE: usize = 1_000;

/// A workload that is set up, as a run has it.
#[derive(Debug)]
pub(crate) enum Workload {
    Bank(Bank),
    Kv(Kv),
    Ycsb(Ycsb),
    Tpcc(Tpcc),
    Movr(Movr),
}

/// A transaction that was drawn. Each attempt at it does the same.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Bank(Transfer),
    Kv(kv::Access),
    Ycsb(ycsb::Access),
    Tpcc(Profile),
    Movr(Action),
}

impl Workload {
    /// The workload that the database has. `run` is the number of the run.
    pub(crate) fn open(
        client: &mut Client,
        options: &RunOptions,
        run: i64,
    ) -> Result<Workload, Error> {
        let settings = &schema::settings(client, options.name)?;
        let distribution = options.distribution;
        Ok(match options.name {
            Name::Bank => Workload::Bank(Bank::new(settings, distribution)?),
            Name::Kv => {
                Workload::Kv(Kv::new(settings, distribution, options.reads.unwrap_or(READS))?)
            }
            Name::Ycsb => {
                let records = ycsb::records(client)?;
                let mix = options.mix.unwrap_or_default();
                Workload::Ycsb(Ycsb::new(settings, distribution, mix, records)?)
            }
            Name::Tpcc => Workload::Tpcc(Tpcc::new(settings)?),
            Name::Movr => Workload::Movr(Movr::new(settings, distribution, run)?),
        })
    }

    pub(crate) fn draw(&self, random: &mut Rng, worker: u32) -> Operation {
        match self {
            Workload::Bank(bank) => Operation::Bank(bank.draw(random)),
            Workload::Kv(kv) => Operation::Kv(kv.draw(random)),
            Workload::Ycsb(ycsb) => Operation::Ycsb(ycsb.draw(random)),
            Workload::Tpcc(tpcc) => Operation::Tpcc(tpcc.draw(random, worker)),
            Workload::Movr(movr) => Operation::Movr(movr.draw(random, worker)),
        }
    }

    /// The body of the transaction. What it has seen is true once it is committed.
    pub(crate) async fn run(
        &self,
        operation: &Operation,
        tx: &mut impl Statements,
    ) -> Result<Vec<Seen>, BodyError> {
        match (self, operation) {
            (Workload::Bank(bank), Operation::Bank(transfer)) => bank.run(transfer, tx).await?,
            (Workload::Kv(kv), Operation::Kv(access)) => return kv.run(access, tx).await,
            (Workload::Ycsb(ycsb), Operation::Ycsb(access)) => return ycsb.run(access, tx).await,
            (Workload::Tpcc(tpcc), Operation::Tpcc(profile)) => tpcc.run(profile, tx).await?,
            (Workload::Movr(movr), Operation::Movr(action)) => movr.run(action, tx).await?,
            (_, operation) => {
                let kind = operation.kind();
                return Err(BodyError::Refused(format!("{kind} is another workload's")));
            }
        }
        Ok(Vec::new())
    }

    /// Compares what a committed transaction has seen with what is known.
    ///
    /// # Errors
    /// A violation, in words.
    pub(crate) fn take(&self, seen: Vec<Seen>) -> Result<(), String> {
        let Some(versions) = self.versions() else { return Ok(()) };
        seen.into_iter().try_for_each(|seen| versions.take(seen))
    }

    /// That the database has every version that was acknowledged.
    pub(crate) fn check_versions(&self, client: &mut Client) -> Result<Option<Check>, Error> {
        let Some(versions) = self.versions() else { return Ok(None) };
        let mut acknowledged = Vec::new();
        versions.acknowledged(|keys| acknowledged.extend(keys));
        for keys in acknowledged.chunks(PIECE) {
            let found = match self {
                Workload::Ycsb(_) => complete(ycsb::find(client, keys))?,
                _ => complete(kv::find(client, keys))?,
            };
            if let Some(lost) = crate::versions::lost(keys, &found) {
                return Ok(Some(Check::violated("versions", lost)));
            }
        }
        let count = acknowledged.len();
        Ok(Some(Check::holds("versions", format!("{count} keys are as new as acknowledged"))))
    }

    /// How many records there are, of `ycsb`; of the others, nothing.
    pub(crate) fn records(&self) -> Option<u64> {
        match self {
            Workload::Ycsb(ycsb) => Some(ycsb.records()),
            _ => None,
        }
    }

    fn versions(&self) -> Option<&Versions> {
        match self {
            Workload::Kv(kv) => Some(&kv.versions),
            Workload::Ycsb(ycsb) => Some(&ycsb.versions),
            Workload::Bank(_) | Workload::Tpcc(_) | Workload::Movr(_) => None,
        }
    }
}

impl Operation {
    /// What it does, to count by.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Operation::Bank(_) => "transfer",
            Operation::Kv(access) => access.kind(),
            Operation::Ycsb(access) => access.kind(),
            Operation::Tpcc(profile) => profile.kind(),
            Operation::Movr(action) => action.kind(),
        }
    }

    /// Whether it writes, when it commits.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Operation::Bank(_) => true,
            Operation::Kv(access) => access.writes(),
            Operation::Ycsb(access) => access.writes(),
            Operation::Tpcc(profile) => profile.writes(),
            Operation::Movr(action) => action.writes(),
        }
    }

    /// How many of what the workload counts it writes: transfers, versions, orders, rides.
    pub(crate) fn written(&self) -> i64 {
        match self {
            Operation::Tpcc(profile) => profile.orders(),
            Operation::Movr(action) => action.rides(),
            Operation::Bank(_) | Operation::Kv(_) | Operation::Ycsb(_) => i64::from(self.writes()),
        }
    }
}

/// Makes and fills the workload's tables. `progress` is told how many of its items are there.
pub(crate) fn init(
    client: &mut Client,
    name: Name,
    size: u32,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    let size = i64::from(size.max(name.least_size()));
    match name {
        Name::Bank => bank::init(client, size, progress),
        Name::Kv => kv::init(client, size, progress),
        Name::Ycsb => ycsb::init(client, size, progress),
        Name::Tpcc => tpcc::init(client, size, progress),
        Name::Movr => movr::init(client, size, progress),
    }
}

/// Checks the workload's invariants, all of them in one snapshot.
pub(crate) fn invariants(
    client: &mut Client,
    name: Name,
    settings: &Settings,
) -> Result<Vec<Check>, Error> {
    let options = snapshot(client);
    // Which is wrong in the set-up itself, and no error of the database.
    let mut refused = None;
    let checked = client.transaction_with(&options, |tx| {
        match complete(invariants_within(tx, name, settings)) {
            Ok(checks) => Ok(checks),
            Err(Error::Database(error)) => Err(error),
            Err(error) => {
                refused = Some(error);
                Ok(Vec::new())
            }
        }
    });
    match refused {
        Some(error) => Err(error),
        None => Ok(checked?),
    }
}

async fn invariants_within(
    tx: &mut Transaction<'_>,
    name: Name,
    settings: &Settings,
) -> Result<Vec<Check>, Error> {
    match name {
        Name::Bank => bank::checks(tx, settings).await,
        Name::Kv => kv::checks(tx).await,
        Name::Ycsb => ycsb::checks(tx).await,
        Name::Tpcc => tpcc::checks(tx, settings).await,
        Name::Movr => movr::checks(tx).await,
    }
}

/// A transaction whose statements all see the same. On PostgreSQL that is a snapshot, which does not get into the
/// way of transactions that write.
fn snapshot(client: &Client) -> TransactionOptions {
    let isolation = match client.crdb_version() {
        Some(_) => Isolation::Serializable,
        None => Isolation::RepeatableRead,
    };
    TransactionOptions {
        isolation: Some(isolation),
        read_only: Some(true),
        ..TransactionOptions::default()
    }
}
