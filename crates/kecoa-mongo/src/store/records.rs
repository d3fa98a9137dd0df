//! Records of writes, read and kept.

use super::database::Effect;
use super::failure::{Duplicate, Failed, read};
use super::handle::{Checked, Handle};
use super::record::{KEEP, Record, RecordId, now};
use crate::error::Error;

impl Handle<'_> {
    /// The records of a session's transaction number, by statement.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn records(
        &mut self,
        session: &[u8],
        transaction: i64,
    ) -> Result<Vec<Record>, Error> {
        let rows = self
            .rows(
                Effect::Read,
                "SELECT stmt, reply FROM kecoa_mongo.session WHERE lsid = $1 AND txn = $2 ORDER BY stmt",
                &[&session, &transaction],
            )
            .await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = RecordId { session: session.to_vec(), transaction, statement: read(row, 0)? };
            records.push(Record { id, reply: read(row, 1)? });
        }
        Ok(records)
    }

    /// Keep a record of a write that changed nothing.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn keep_record(&mut self, record: &Record) -> Result<Checked<()>, Error> {
        let id = &record.id;
        let kept = self
            .execute(
                Effect::WriteOnce,
                KEEP,
                &[&id.session, &id.transaction, &id.statement, &record.reply, &now()],
            )
            .await;
        match kept {
            Ok(_) => Ok(Checked::Current(())),
            Err(Failed::Duplicate(Duplicate::Record)) => Ok(Checked::Stale),
            Err(failed) => Err(failed.into()),
        }
    }

    /// Whether there is a record of each of these writes; not where there are none. They are of one session and
    /// transaction. A write that runs again after its answer was lost meets its own keys: this tells whose they are.
    pub(super) async fn are_recorded(&mut self, records: &[&Record]) -> Result<bool, Error> {
        let Some(first) = records.first() else { return Ok(false) };
        let found = self.records(&first.id.session, first.id.transaction).await?;
        let is_there = |record: &&Record| found.iter().any(|found| found.id == record.id);
        Ok(records.iter().all(is_there))
    }

    /// The highest transaction number of a session that left a record.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn last_transaction(&mut self, session: &[u8]) -> Result<Option<i64>, Error> {
        let rows = self
            .rows(
                Effect::Read,
                "SELECT txn FROM kecoa_mongo.session WHERE lsid = $1 ORDER BY txn DESC LIMIT 1",
                &[&session],
            )
            .await?;
        rows.first().map(|row| read(row, 0)).transpose()
    }
}
