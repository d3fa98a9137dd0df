//! Who builds an index: a lease, so that somebody else goes on with it where its gateway is gone.

use std::time::{Duration, Instant};

use kecoa::types::Uuid as SqlUuid;
use uuid::Uuid;

use super::database::Effect;
use super::handle::Handle;
use super::record::now;
use super::ttl::LEASE;
use crate::error::Error;
use crate::index::Index;

/// How often a build says that it is still at work.
const RENEW: Duration = Duration::from_secs(10);

/// The leases of the indexes that are built together.
#[derive(Debug)]
pub(super) struct BuildLease {
    names: Vec<String>,
    holder: SqlUuid,
    /// When it was taken last.
    taken: Option<Instant>,
}

impl BuildLease {
    /// Nothing is held yet.
    pub(super) fn new(collection: i64, indexes: &[Index]) -> Self {
        Self {
            names: indexes.iter().map(|index| name(collection, index)).collect(),
            holder: SqlUuid::from_bytes(Uuid::new_v4().into_bytes()),
            taken: None,
        }
    }
}

impl Handle<'_> {
    /// Takes the leases, whoever has them, unless that was done just before. Where two build one index, nothing is
    /// wrong but their time.
    pub(super) async fn renew(&mut self, lease: &mut BuildLease) -> Result<(), Error> {
        if lease.taken.is_some_and(|taken| taken.elapsed() < RENEW) {
            return Ok(());
        }
        let until = now().saturating_add(LEASE);
        self.execute(
            Effect::WriteOnce,
            "INSERT INTO kecoa_mongo.lease (name, holder, until) \
             SELECT n.name, $2::UUID, $3::INT8 FROM unnest($1::TEXT[]) AS n(name) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until",
            &[&lease.names, &lease.holder, &until],
        )
        .await?;
        lease.taken = Some(Instant::now());
        Ok(())
    }

    /// Gives the leases back.
    pub(super) async fn release(&mut self, lease: &BuildLease) -> Result<(), Error> {
        self.execute(
            Effect::WriteOnce,
            "DELETE FROM kecoa_mongo.lease WHERE name = ANY($1::TEXT[]) AND holder = $2",
            &[&lease.names, &lease.holder],
        )
        .await?;
        Ok(())
    }

    /// Takes the build of an index whose gateway has not said for a minute that it is at work; whether it was taken.
    pub(super) async fn take_build(
        &mut self,
        collection: i64,
        index: &Index,
        now: i64,
    ) -> Result<bool, Error> {
        self.store().lease(&name(collection, index), Uuid::new_v4(), now).await
    }
}

fn name(collection: i64, index: &Index) -> String {
    format!("build {collection} {}", index.number())
}
