//! The order of insertion: entries that say at which place a document came.
//!
//! Collections that promise this order have them, in the table of unique entries under the number of `_id`'s index,
//! which has no entries of its own. A place is given to one document alone: of two inserts at the same time one waits
//! until the other is seen, and takes the next place then. So nothing appears in front of what was read already.

use super::collection::Collection;
use super::database::Effect;
use super::entry_changes::EntryList;
use super::failure::{Failed, read};
use super::handle::Handle;

/// The number of the index whose entries are places.
pub(super) const NATURAL: i32 = 0;

impl Handle<'_> {
    /// Give the next places to documents.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn add_places<'d>(
        &mut self,
        collection: &Collection,
        id_keys: impl Iterator<Item = &'d [u8]>,
        added: &mut EntryList,
    ) -> Result<(), Failed> {
        let sql = format!(
            "SELECT key FROM {} WHERE coll = $1 AND idx = $2 ORDER BY key DESC LIMIT 1",
            self.tables(collection).unique
        );
        let rows = self.rows(Effect::Read, &sql, &[&collection.id(), &NATURAL]).await?;
        let last = rows.first().map(|row| read::<Vec<u8>>(row, 0)).transpose()?;
        let mut place = last.and_then(|key| key.try_into().ok()).map_or(0, i64::from_be_bytes);
        for id_key in id_keys {
            place = place.saturating_add(1);
            added.push(NATURAL, place.to_be_bytes().to_vec(), id_key);
        }
        Ok(())
    }

    /// The places that go with documents.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn remove_places(
        &mut self,
        collection: &Collection,
        id_keys: &[Vec<u8>],
        removed: &mut EntryList,
    ) -> Result<(), Failed> {
        let sql = format!(
            "SELECT key, id_key FROM {} WHERE coll = $1 AND idx = $2 AND id_key = ANY ($3::BYTEA[])",
            self.tables(collection).unique
        );
        let params: [&dyn kecoa::types::ToSql; 3] = [&collection.id(), &NATURAL, &id_keys];
        let rows = self.rows(Effect::Read, &sql, &params).await?;
        for row in &rows {
            removed.push(NATURAL, read(row, 0)?, &read::<Vec<u8>>(row, 1)?);
        }
        Ok(())
    }
}
