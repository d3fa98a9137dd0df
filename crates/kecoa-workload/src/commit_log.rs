//! A worker's own record of its commits, which its transactions write.
//!
//! Each worker of a run has a row in the table `workers`. A transaction that writes also puts its number there
//! and adds 1 to the commits. So a COMMIT that got no answer can be looked up: the row has the transaction's
//! number, or it never will. And the commits that the database has can be compared with those that the workers
//! know of: one that was lost shows, and so does one that was done twice.

use std::thread;
use std::time::{Duration, Instant};

use kecoa::blocking::Client;
use kecoa::{Config, Error};

use crate::error::BodyError;
use crate::event::Resolution;
use crate::options::Name;
use crate::statements::Statements;

/// How long the database is asked, again and again, what became of a commit: longer than a server takes that
/// starts again.
const LOOK_UP: Duration = Duration::from_secs(60);
/// How long one question waits for a transaction that is still at work.
const STATEMENT_TIMEOUT: &str = "SET statement_timeout = '20s'";

/// The record of a run.
#[derive(Debug, Clone)]
pub(crate) struct CommitLog {
    run: i64,
    /// How long the database is asked for a commit.
    timeout: Duration,
    insert: String,
    update: String,
    lock: String,
    list: String,
}

impl CommitLog {
    /// The record of the run with this number.
    pub(crate) fn new(name: Name, run: i64) -> CommitLog {
        let table = format!("{}.workers", name.schema());
        CommitLog {
            run,
            timeout: LOOK_UP,
            insert: format!(
                "INSERT INTO {table} (run, worker, sequence, commits, writes) \
                 SELECT $1, worker, 0, 0, 0 FROM generate_series(0::INT8, $2::INT8) AS w (worker)"
            ),
            update: format!(
                "UPDATE {table} SET sequence = $1, commits = commits + 1, writes = writes + $2 \
                 WHERE run = $3 AND worker = $4"
            ),
            lock: format!("SELECT sequence FROM {table} WHERE run = $1 AND worker = $2 FOR UPDATE"),
            list: format!("SELECT worker, commits FROM {table} WHERE run = $1"),
        }
    }

    /// The same, where the database is asked for a commit this long.
    #[cfg(test)]
    pub(crate) fn asking_for(self, timeout: Duration) -> CommitLog {
        CommitLog { timeout, ..self }
    }

    /// The number of the run.
    pub(crate) fn run(&self) -> i64 {
        self.run
    }

    /// Makes the rows of so many workers.
    pub(crate) fn open(&self, client: &mut Client, workers: u32) -> Result<(), Error> {
        let last = i64::from(workers) - 1;
        client.transaction(|tx| tx.execute(&self.insert, &[&self.run, &last]))?;
        Ok(())
    }

    /// Puts down, within the transaction, that it commits. `writes` is how many rows of the workload's own
    /// count as written by it.
    pub(crate) async fn write(
        &self,
        tx: &mut impl Statements,
        worker: u32,
        sequence: i64,
        writes: i64,
    ) -> Result<(), BodyError> {
        let parameters: [&dyn kecoa::types::ToSql; 4] =
            [&sequence, &writes, &self.run, &i64::from(worker)];
        match tx.execute(&self.update, &parameters).await? {
            1 => Ok(()),
            found => Err(BodyError::Database(Error::conversion(format!(
                "expected the record of worker {worker} in the table workers, found {found} rows: somebody has \
                 removed it"
            )))),
        }
    }

    /// What became of the transaction with this number, the last one of its worker.
    ///
    /// The row is locked for that: a transaction that has written it and still hangs in the server is waited
    /// for.
    pub(crate) fn look_up(&self, direct: &Config, worker: u32, sequence: i64) -> Resolution {
        let until = Instant::now() + self.timeout;
        loop {
            match self.found(direct, worker) {
                Ok(found) if found == sequence => return Resolution::Committed,
                Ok(_) => return Resolution::NotCommitted,
                Err(_) if Instant::now() < until => thread::sleep(Duration::from_millis(200)),
                Err(_) => return Resolution::Unknown,
            }
        }
    }

    fn found(&self, direct: &Config, worker: u32) -> Result<i64, Error> {
        let mut client = Client::connect(direct)?;
        client.batch(STATEMENT_TIMEOUT)?;
        client.transaction(|tx| tx.query_one(&self.lock, &[&self.run, &i64::from(worker)])?.get(0))
    }

    /// How many commits of each worker the database has, as pairs of worker and commits.
    pub(crate) async fn commits(
        &self,
        statements: &mut impl Statements,
    ) -> Result<Vec<(u32, i64)>, Error> {
        let rows = statements.query(&self.list, &[&self.run]).await?;
        rows.iter()
            .map(|row| {
                let (worker, commits): (i64, i64) = row.read()?;
                let worker = u32::try_from(worker).map_err(|_| {
                    Error::conversion(format!("expected a worker from 0 on, found {worker}"))
                })?;
                Ok((worker, commits))
            })
            .collect()
    }
}
