//! The order of the log: a transaction that leaves changes takes a number as its last step before COMMIT, while it
//! keeps all others from doing so. So numbers are in the order of commits, and whoever reads the log up to a number
//! has seen all that are below it.
//!
//! PostgreSQL keeps the others away by an advisory lock, which is let go once the commit can be seen. The number comes
//! from a sequence, which no snapshot hides. Elsewhere both are a row: transactions that are ordered one after the other
//! may write it one after the other.

use kecoa::types::{ToSql, Uuid as SqlUuid};
use kecoa::{Answers, Slot};

use super::database::Store;
use super::failure::{read, unexpected};
use super::record::{RecordId, now};
use crate::change::{from_timestamp, to_timestamp};
use crate::error::Error;

/// The advisory lock.
pub(super) const LOCK: i64 = 0x6b65_636f_6163_6867;

const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock($1::INT8)::TEXT \
     WHERE EXISTS (SELECT 1 FROM kecoa_mongo.change WHERE t = $2::UUID)";
const TAKE_ROW: &str = "UPDATE kecoa_mongo.counter SET n = GREATEST(n + 1, $1::INT8) \
     WHERE name = 'ticket' AND EXISTS (SELECT 1 FROM kecoa_mongo.change WHERE t = $2::UUID)";
const BY_LOCK: &str = "INSERT INTO kecoa_mongo.ticket (n, t, at, lsid, txn) SELECT \
     setval('kecoa_mongo.change_n', GREATEST(nextval('kecoa_mongo.change_n'), $1::INT8)), $2::UUID, $3::INT8, \
     $4::BYTEA, $5::INT8 WHERE EXISTS (SELECT 1 FROM kecoa_mongo.change WHERE t = $2::UUID) \
     RETURNING n, pg_notify('kecoa_mongo_change', '')::TEXT";
const BY_ROW: &str = "INSERT INTO kecoa_mongo.ticket (n, t, at, lsid, txn) SELECT c.n, $1::UUID, $2::INT8, \
     $3::BYTEA, $4::INT8 FROM kecoa_mongo.counter c WHERE c.name = 'ticket' \
     AND EXISTS (SELECT 1 FROM kecoa_mongo.change WHERE t = $1::UUID) RETURNING n";

/// What gives a transaction its number.
#[derive(Debug)]
pub(super) struct CommitOrder {
    by_lock: bool,
    lock: i64,
    /// The number that it has at least: a time of this gateway.
    time: i64,
    transaction: SqlUuid,
    at: i64,
    session: Option<Vec<u8>>,
    number: Option<i64>,
}

impl CommitOrder {
    /// Of a transaction in the log; `commit` names the client's.
    pub(super) fn of(store: &Store, transaction: SqlUuid, commit: Option<&RecordId>) -> Self {
        Self {
            by_lock: store.capabilities().commit_lock,
            lock: LOCK,
            time: store.tick(),
            transaction,
            at: now(),
            session: commit.map(|commit| commit.session.clone()),
            number: commit.map(|commit| commit.transaction),
        }
    }

    /// The statements, in order.
    pub(super) fn statements(&self) -> [(&'static str, Vec<&dyn ToSql>); 2] {
        if self.by_lock {
            [
                (TAKE_LOCK, vec![&self.lock, &self.transaction]),
                (
                    BY_LOCK,
                    vec![&self.time, &self.transaction, &self.at, &self.session, &self.number],
                ),
            ]
        } else {
            [
                (TAKE_ROW, vec![&self.time, &self.transaction]),
                (BY_ROW, vec![&self.transaction, &self.at, &self.session, &self.number]),
            ]
        }
    }

    /// Takes note of the number, if there was one to take: no later time is below it.
    pub(super) fn settle(
        &self,
        store: &Store,
        answers: &mut Answers,
        slots: &[Slot],
    ) -> Result<(), Error> {
        let slot = slots.last().ok_or_else(|| unexpected("no answer"))?;
        let rows = answers.rows(*slot).map_err(|error| unexpected(&error.to_string()))?;
        if let Some(row) = rows.first() {
            store.clock().advance(to_timestamp(read(row, 0)?));
            store.wake();
        }
        Ok(())
    }
}

impl Store {
    /// A time after all that this gateway gave out, as a number of the log.
    pub(super) fn tick(&self) -> i64 {
        let seconds = u32::try_from(now() / 1000).unwrap_or(u32::MAX);
        from_timestamp(self.clock().tick(seconds))
    }
}
