//! What happens in the background: documents of dropped collections, old records, documents past their time, builds of
//! indexes that nobody works on any more.

use super::database::{Effect, Store};
use super::failure::read;
use super::layout::{self, COLUMNS};
use crate::error::Error;

/// How many documents are removed at a time.
const BATCH: i64 = 1000;
/// How long after its drop a collection's documents are removed: longer than a transaction lasts that may still write to
/// it; in milliseconds.
const GRACE: i64 = 120_000;

impl Store {
    /// One round of what happens in the background: documents of dropped collections, old records, documents past
    /// their time, builds of indexes whose gateway is gone. `now` is in milliseconds since 1970. Of several gateways one does so: it holds a lease.
    ///
    /// # Errors
    ///
    /// Those of the statements; what was done before stays.
    pub async fn maintain(&self, now: i64) -> Result<(), Error> {
        if !self.lease("maintenance", self.identity(), now).await? {
            return Ok(());
        }
        self.expire(now).await?;
        let life = i64::try_from(self.options().record_life.as_millis()).unwrap_or(i64::MAX);
        let old = now.saturating_sub(life);
        let sql = "DELETE FROM kecoa_mongo.session WHERE at < $1";
        self.count(Effect::WriteOnce, sql, &[&old], None).await?;
        let dropped = now.saturating_sub(GRACE);
        let sql = "SELECT coll FROM kecoa_mongo.collection WHERE dropped_at < $1";
        for row in self.rows(Effect::Read, sql, &[&dropped], None).await? {
            self.reap(read(&row, 0)?).await?;
        }
        self.trim_log(now).await?;
        self.resume_builds(now).await?;
        let sql = "DELETE FROM kecoa_mongo.lease WHERE until < $1";
        self.count(Effect::WriteOnce, sql, &[&dropped], None).await?;
        Ok(())
    }

    /// Goes on with the builds that nobody works on. One that cannot be finished, for a key that two documents have,
    /// is taken back.
    async fn resume_builds(&self, now: i64) -> Result<(), Error> {
        let sql = format!("SELECT {COLUMNS} FROM kecoa_mongo.collection WHERE db IS NOT NULL");
        for row in self.rows(Effect::Read, &sql, &[], None).await? {
            let collection = layout::collection(&row)?;
            // What became of it is told nobody: who asked for it is gone.
            let _ = self.alone().resume_builds(&collection, now).await;
        }
        Ok(())
    }

    /// Removes what is left of a dropped collection.
    async fn reap(&self, id: i64) -> Result<(), Error> {
        for (table, key) in [
            ("kecoa_mongo.entry", "idx, key, id_key"),
            ("kecoa_mongo.uniq", "idx, key"),
            ("kecoa_mongo.document", "id_key"),
        ] {
            let sql = format!(
                "DELETE FROM {table} WHERE coll = $1 AND ({key}) IN \
                 (SELECT {key} FROM {table} WHERE coll = $1 ORDER BY {key} LIMIT $2)"
            );
            while self.count(Effect::WriteOnce, &sql, &[&id, &BATCH], None).await? > 0 {}
        }
        let sql = "DELETE FROM kecoa_mongo.collection WHERE coll = $1 AND dropped_at IS NOT NULL";
        self.count(Effect::WriteOnce, sql, &[&id], None).await?;
        Ok(())
    }
}
