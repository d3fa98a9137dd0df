//! `kv`: keys are read and written, and each write adds 1 to its key's version.

use std::collections::HashMap;

use fastrand::Rng;
use kecoa::blocking::Client;

use crate::distribution::{Distribution, Drawing};
use crate::error::{BodyError, Error};
use crate::invariant::Check;
use crate::options::Name;
use crate::random::{happens, text};
use crate::schema::{self, Settings, setting};
use crate::statements::Statements;
use crate::versions::{MISSING, Seen, Versions};

/// How many bytes a value has.
const VALUE: usize = 64;
/// Which part of the transactions only reads, in percent, where nobody says so.
pub(crate) const READS: u8 = 50;

const READ: &str = "SELECT version, value FROM kecoa_kv.kv WHERE key = $1";
const WRITE: &str =
    "UPDATE kecoa_kv.kv SET version = version + 1, value = $2 WHERE key = $1 RETURNING version";
const FIND: &str = "SELECT key, version FROM kecoa_kv.kv WHERE key = ANY ($1)";

/// A table of keys that is set up.
#[derive(Debug)]
pub(crate) struct Kv {
    keys: u64,
    reads: f64,
    drawing: Drawing,
    pub(crate) versions: Versions,
}

/// Reads or writes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    key: u64,
    /// What is written; nothing to read.
    value: Option<String>,
}

/// Makes and fills the table.
pub(crate) fn init(
    client: &mut Client,
    keys: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    let table = "kv (key INT8 PRIMARY KEY, version INT8 NOT NULL, value TEXT NOT NULL)";
    schema::create(client, Name::Kv, &[table])?;
    let insert = "INSERT INTO kecoa_kv.kv (key, version, value) \
                  SELECT key - 1, 0, md5(key::TEXT) || md5(key::TEXT) \
                  FROM generate_series($1::INT8, $2::INT8) AS g (key)";
    schema::fill(client, insert, keys, progress)?;
    schema::complete(client, Name::Kv, &[("keys", keys)])
}

impl Kv {
    /// `reads` in percent.
    pub(crate) fn new(
        settings: &Settings,
        distribution: Option<Distribution>,
        reads: u8,
    ) -> Result<Kv, Error> {
        let keys = setting(settings, "keys", Name::Kv)?.unsigned_abs();
        Ok(Kv {
            keys,
            reads: f64::from(reads) / 100.0,
            drawing: Drawing::new(distribution.unwrap_or(Distribution::Uniform), keys),
            versions: Versions::new(keys),
        })
    }

    pub(crate) fn draw(&self, random: &mut Rng) -> Access {
        let key = self.drawing.draw(random, self.keys);
        let value = (!happens(random, self.reads)).then(|| text(random, VALUE));
        Access { key, value }
    }

    pub(crate) async fn run(
        &self,
        access: &Access,
        tx: &mut impl Statements,
    ) -> Result<Vec<Seen>, BodyError> {
        let Access { key, value } = access;
        let floor = self.versions.floor(*key);
        let id = key.cast_signed();
        let rows = match value {
            None => tx.query(READ, &[&id]).await?,
            Some(value) => tx.query(WRITE, &[&id, value]).await?,
        };
        let version = rows.first().map_or(Ok(MISSING), |row| row.get(0))?;
        Ok(vec![Seen { key: *key, version, floor, written: value.is_some() }])
    }
}

impl Access {
    pub(crate) fn kind(&self) -> &'static str {
        if self.value.is_some() { "write" } else { "read" }
    }

    pub(crate) fn writes(&self) -> bool {
        self.value.is_some()
    }
}

/// That each write of every run added 1 to a version.
pub(crate) async fn checks(statements: &mut impl Statements) -> Result<Vec<Check>, Error> {
    let sql = "SELECT coalesce(sum(version), 0)::INT8, \
               (SELECT coalesce(sum(writes), 0)::INT8 FROM kecoa_kv.workers) FROM kecoa_kv.kv";
    let (versions, writes): (i64, i64) = statements.query_one(sql, &[]).await?.read()?;
    Ok(vec![writes_check(versions, writes)])
}

/// Whether as many writes are in the versions of keys as the workers have put down.
pub(crate) fn writes_check(versions: i64, writes: i64) -> Check {
    if versions == writes {
        return Check::holds("writes", format!("{writes}"));
    }
    let found =
        if versions < writes { "were lost" } else { "were done twice, or by somebody else" };
    Check::violated(
        "writes",
        format!(
            "expected {writes} writes in the versions of all keys, found {versions}: {} {found}",
            versions.abs_diff(writes)
        ),
    )
}

/// The versions that these keys have in the database.
pub(crate) async fn find(
    statements: &mut impl Statements,
    keys: &[(u64, i64)],
) -> Result<HashMap<u64, i64>, kecoa::Error> {
    let wanted: Vec<i64> = keys.iter().map(|(key, _)| key.cast_signed()).collect();
    let rows = statements.query(FIND, &[&wanted]).await?;
    let found = rows.iter().map(|row| {
        let (key, version): (i64, i64) = row.read()?;
        Ok((key.cast_unsigned(), version))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    fn shares(reads: u8) -> (usize, usize) {
        let settings = Settings::from([("keys".to_owned(), 100)]);
        let kv = Kv::new(&settings, None, reads).unwrap();
        let mut random = of_worker(1, 0);
        let drawn: Vec<Access> = (0..1_000).map(|_| kv.draw(&mut random)).collect();
        assert!(drawn.iter().all(|access| access.key < 100));
        let writes = drawn.iter().filter(|access| access.writes()).count();
        (drawn.len() - writes, writes)
    }

    #[test]
    fn so_many_only_read() {
        assert_eq!(shares(100), (1_000, 0));
        assert_eq!(shares(0), (0, 1_000));
        let (reads, _) = shares(50);
        // Six standard deviations.
        assert!((405..=595).contains(&reads), "{reads}");
    }

    #[test]
    fn writes_that_are_missing_are_counted() {
        assert!(writes_check(5, 5).result.is_ok());
        assert!(writes_check(3, 5).result.unwrap_err().ends_with("2 were lost"));
        assert!(writes_check(6, 5).result.unwrap_err().contains("1 were done twice"));
    }
}
