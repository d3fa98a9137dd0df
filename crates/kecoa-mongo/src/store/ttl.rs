//! Documents past their time: indexes with `expireAfterSeconds`.

use ::bson::{DateTime, RawBsonRef};
use kecoa::types::Uuid as SqlUuid;
use uuid::Uuid;

use super::collection::Collection;
use super::database::{Effect, Store};
use super::handle::Checked;
use super::layout::{self, COLUMNS};
use super::read::{Lock, PageLimit};
use super::write::Delete;
use crate::bson::key::{Direction, KeyBuilder};
use crate::error::Error;
use crate::index::{FieldKind, Index};
use crate::plan::access::{Access, KeyRange, Order};

/// How long a gateway is the one that removes documents, in milliseconds, unless it says so again.
pub(super) const LEASE: i64 = 60_000;
/// How many documents are removed at a time.
const BATCH: usize = 1000;
/// How many batches of one index are removed in a round.
const BATCHES: usize = 100;

impl Store {
    /// Takes the lease of this name, or keeps it; whether it is this gateway's for the next minute.
    pub(super) async fn lease(&self, name: &str, holder: Uuid, now: i64) -> Result<bool, Error> {
        let holder = SqlUuid::from_bytes(holder.into_bytes());
        let until = now.saturating_add(LEASE);
        let taken = self
            .count(
                Effect::WriteOnce,
                "INSERT INTO kecoa_mongo.lease (name, holder, until) VALUES ($1, $2, $3) \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
                 WHERE lease.holder = excluded.holder OR lease.until < $4",
                &[&name, &holder, &until, &now],
                None,
            )
            .await?;
        Ok(taken > 0)
    }

    /// Removes documents whose date lies longer back than their index says, as of `now` in milliseconds since 1970.
    pub(super) async fn expire(&self, now: i64) -> Result<(), Error> {
        let sql = format!("SELECT {COLUMNS} FROM kecoa_mongo.collection WHERE db IS NOT NULL");
        for row in self.rows(Effect::Read, &sql, &[], None).await? {
            let collection = layout::collection(&row)?;
            for index in collection.indexes() {
                if let Some(seconds) = index.expire_after_seconds() {
                    let limit = now.saturating_sub(seconds.saturating_mul(1000));
                    self.expire_by(&collection, index, limit).await?;
                }
            }
        }
        Ok(())
    }

    async fn expire_by(
        &self,
        collection: &Collection,
        index: &Index,
        limit: i64,
    ) -> Result<(), Error> {
        let [field] = index.fields() else { return Ok(()) };
        let FieldKind::Ordered(direction) = field.kind() else { return Ok(()) };
        let key = |millis| {
            let mut builder = KeyBuilder::default();
            let date = RawBsonRef::DateTime(DateTime::from_millis(millis));
            index.push_value(&mut builder, field, Some(date));
            builder.finish().into_bytes()
        };
        let (oldest, newest) = (key(i64::MIN), key(limit));
        let range = match direction {
            Direction::Ascending => KeyRange::between(Some((&oldest, true)), Some((&newest, true))),
            Direction::Descending => {
                KeyRange::between(Some((&newest, true)), Some((&oldest, true)))
            }
        };
        let access =
            Access::Index { index: index.number(), ranges: vec![range], order: Order::Forward };
        let page_limit = PageLimit { documents: BATCH, ..PageLimit::default() };
        let mut handle = self.alone();
        for _ in 0..BATCHES {
            let page = handle.page(collection, &access, None, page_limit, Lock::None).await?;
            // Changed meanwhile: the next round will do.
            let Checked::Current(page) = page else { return Ok(()) };
            let documents = page.stored()?;
            if documents.is_empty() {
                return Ok(());
            }
            let deletes: Vec<_> =
                documents.iter().map(|old| Delete { old, record: None }).collect();
            if let Checked::Stale = handle.delete(collection, &deletes).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}
