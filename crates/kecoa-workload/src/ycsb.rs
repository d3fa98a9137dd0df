//! `ycsb`: the core workloads A to F of the Yahoo! Cloud Serving Benchmark (Cooper et al., SoCC 2010), with a
//! version beside the ten fields of a record.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use kecoa::Row;
use kecoa::blocking::Client;

use crate::distribution::{Distribution, Drawing};
use crate::error::{BodyError, Error};
use crate::invariant::Check;
use crate::kv::writes_check;
use crate::options::{Mix, Name};
use crate::random::text;
use crate::schema::{self, Settings, setting};
use crate::statements::Statements;
use crate::versions::{MISSING, Seen, Versions};

/// How many bytes a field has.
const FIELD: usize = 100;
/// The longest scan, in records.
const SCAN: i64 = 100;

const TABLE: &str = "\
    usertable (ycsb_key VARCHAR(255) PRIMARY KEY, version INT8 NOT NULL, \
    field0 TEXT, field1 TEXT, field2 TEXT, field3 TEXT, field4 TEXT, \
    field5 TEXT, field6 TEXT, field7 TEXT, field8 TEXT, field9 TEXT)";
const READ: &str = "\
    SELECT version, field0, field1, field2, field3, field4, field5, field6, field7, field8, field9 \
    FROM kecoa_ycsb.usertable WHERE ycsb_key = $1";
const SCAN_FROM: &str = "\
    SELECT version, ycsb_key, \
    field0, field1, field2, field3, field4, field5, field6, field7, field8, field9 \
    FROM kecoa_ycsb.usertable WHERE ycsb_key >= $1 ORDER BY ycsb_key LIMIT $2";
const INSERT: &str = "\
    INSERT INTO kecoa_ycsb.usertable (ycsb_key, version, \
    field0, field1, field2, field3, field4, field5, field6, field7, field8, field9) \
    VALUES ($1, 1, $2, $2, $2, $2, $2, $2, $2, $2, $2, $2) \
    ON CONFLICT (ycsb_key) \
    DO UPDATE SET version = usertable.version + 1, field0 = excluded.field0 \
    RETURNING version";
const FIND: &str = "SELECT ycsb_key, version FROM kecoa_ycsb.usertable WHERE ycsb_key = ANY ($1)";

/// How many fields a record has.
const FIELDS: usize = 10;

/// A table of records that is set up.
#[derive(Debug)]
pub(crate) struct Ycsb {
    mix: Mix,
    /// By the field.
    updates: Vec<Update>,
    drawing: Drawing,
    /// The key that is inserted next.
    next: AtomicU64,
    pub(crate) versions: Versions,
}

/// The statements that change one field.
#[derive(Debug)]
struct Update {
    /// The version is the next one.
    next: String,
    /// The version is `$3`: the one after that which was read.
    given: String,
}

impl Update {
    fn of(field: usize) -> Update {
        let setting = |version: &str| {
            format!(
                "UPDATE kecoa_ycsb.usertable SET version = {version}, field{field} = $2 \
                 WHERE ycsb_key = $1 RETURNING version"
            )
        };
        Update { next: setting("version + 1"), given: setting("$3") }
    }
}

/// What is done with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    key: u64,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Read,
    Update { field: usize, value: String },
    Insert { value: String },
    Scan { records: i64 },
    ReadModifyWrite { field: usize, value: String },
}

/// Makes and fills the table.
pub(crate) fn init(
    client: &mut Client,
    keys: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    schema::create(client, Name::Ycsb, &[TABLE])?;
    let value = "repeat(md5(key::TEXT), 4)";
    let insert = format!(
        "INSERT INTO kecoa_ycsb.usertable \
         SELECT 'user' || lpad((key - 1)::TEXT, 19, '0'), 0, {value}, {value}, {value}, {value}, {value}, {value}, \
         {value}, {value}, {value}, {value} FROM generate_series($1::INT8, $2::INT8) AS g (key)"
    );
    schema::fill_by(client, &insert, keys, 1_000, progress)?;
    schema::complete(client, Name::Ycsb, &[("keys", keys)])
}

impl Ycsb {
    /// `records` is how many there are now: earlier runs may have inserted some behind those of the set-up.
    pub(crate) fn new(
        settings: &Settings,
        distribution: Option<Distribution>,
        mix: Mix,
        records: u64,
    ) -> Result<Ycsb, Error> {
        let keys = setting(settings, "keys", Name::Ycsb)?.unsigned_abs();
        let distribution = distribution.unwrap_or(match mix {
            Mix::D => Distribution::Latest { theta: 0.99 },
            Mix::A | Mix::B | Mix::C | Mix::E | Mix::F => Distribution::Zipf { theta: 0.99 },
        });
        Ok(Ycsb {
            mix,
            updates: (0..FIELDS).map(Update::of).collect(),
            drawing: Drawing::new(distribution, keys),
            next: AtomicU64::new(records.max(keys)),
            versions: Versions::new(keys),
        })
    }

    /// How many records there are, or are about to be.
    pub(crate) fn records(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn draw(&self, random: &mut Rng) -> Access {
        let field = random.usize(..FIELDS);
        let filled = text(random, FIELD);
        let what = match (self.mix, random.f64()) {
            (Mix::A, draw) if draw < 0.5 => What::Update { field, value: filled },
            (Mix::B, draw) if draw < 0.05 => What::Update { field, value: filled },
            (Mix::D | Mix::E, draw) if draw < 0.05 => What::Insert { value: filled },
            (Mix::E, _) => What::Scan { records: random.i64(1..=SCAN) },
            (Mix::F, draw) if draw < 0.5 => What::ReadModifyWrite { field, value: filled },
            _ => What::Read,
        };
        let key = match what {
            What::Insert { .. } => self.next.fetch_add(1, Ordering::Relaxed),
            _ => self.drawing.draw(random, self.records()),
        };
        Access { key, what }
    }

    pub(crate) async fn run(
        &self,
        access: &Access,
        tx: &mut impl Statements,
    ) -> Result<Vec<Seen>, BodyError> {
        let key = access.key;
        let floor = self.versions.floor(key);
        let name = record_name(key);
        let seen = |rows: &[Row], written| {
            let version = rows.first().map_or(Ok(MISSING), |row| row.get(0))?;
            Ok(vec![Seen { key, version, floor, written }])
        };
        match &access.what {
            What::Read => seen(&tx.query(READ, &[&name]).await?, false),
            What::Scan { records } => {
                tx.query(SCAN_FROM, &[&name, records]).await?;
                Ok(Vec::new())
            }
            What::Insert { value } => seen(&tx.query(INSERT, &[&name, value]).await?, true),
            What::Update { field, value } => {
                let Some(update) = self.updates.get(*field) else { return Ok(Vec::new()) };
                let rows = tx.query(&update.next, &[&name, value]).await?;
                refused_if_missing(&rows, floor)?;
                seen(&rows, true)
            }
            What::ReadModifyWrite { field, value } => {
                let Some(update) = self.updates.get(*field) else { return Ok(Vec::new()) };
                let rows = tx.query(READ, &[&name]).await?;
                refused_if_missing(&rows, floor)?;
                let version = rows.first().map_or(Ok(MISSING), |row| row.get::<i64>(0))?;
                let rows = tx.query(&update.given, &[&name, value, &(version + 1)]).await?;
                seen(&rows, true)
            }
        }
    }
}

/// A key that another worker has drawn and not inserted yet is nothing that could be changed.
fn refused_if_missing(rows: &[Row], floor: i64) -> Result<(), BodyError> {
    if rows.is_empty() && floor == MISSING {
        return Err(BodyError::Refused("not inserted yet".to_owned()));
    }
    Ok(())
}

fn record_name(key: u64) -> String {
    format!("user{key:019}")
}

impl Access {
    pub(crate) fn kind(&self) -> &'static str {
        match self.what {
            What::Read => "read",
            What::Update { .. } => "update",
            What::Insert { .. } => "insert",
            What::Scan { .. } => "scan",
            What::ReadModifyWrite { .. } => "read-modify-write",
        }
    }

    pub(crate) fn writes(&self) -> bool {
        !matches!(self.what, What::Read | What::Scan { .. })
    }
}

/// That each write of every run added 1 to a version.
pub(crate) async fn checks(statements: &mut impl Statements) -> Result<Vec<Check>, Error> {
    let sql = "SELECT coalesce(sum(version), 0)::INT8, \
               (SELECT coalesce(sum(writes), 0)::INT8 FROM kecoa_ycsb.workers) FROM kecoa_ycsb.usertable";
    let (versions, writes): (i64, i64) = statements.query_one(sql, &[]).await?.read()?;
    Ok(vec![writes_check(versions, writes)])
}

/// The number behind the last record's.
pub(crate) fn records(client: &mut Client) -> Result<u64, Error> {
    let sql = "SELECT max(ycsb_key) FROM kecoa_ycsb.usertable";
    let last: Option<String> = client.query_one(sql, &[])?.get(0)?;
    Ok(last.as_deref().and_then(record_number).map_or(0, |number| number + 1))
}

fn record_number(name: &str) -> Option<u64> {
    name.strip_prefix("user")?.parse().ok()
}

/// The versions that these keys have in the database.
pub(crate) async fn find(
    statements: &mut impl Statements,
    keys: &[(u64, i64)],
) -> Result<HashMap<u64, i64>, kecoa::Error> {
    let wanted: Vec<String> = keys.iter().map(|(key, _)| record_name(*key)).collect();
    let rows = statements.query(FIND, &[&wanted]).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (name, version): (String, i64) = row.read()?;
        found.extend(record_number(&name).map(|key| (key, version)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::of_worker;

    fn kinds(mix: Mix) -> HashMap<&'static str, usize> {
        let settings = Settings::from([("keys".to_owned(), 1_000)]);
        let ycsb = Ycsb::new(&settings, None, mix, 1_000).unwrap();
        let mut random = of_worker(5, 0);
        let mut kinds = HashMap::new();
        for _ in 0..10_000 {
            *kinds.entry(ycsb.draw(&mut random).kind()).or_default() += 1;
        }
        kinds
    }

    #[test]
    fn mixes_are_as_the_paper_has_them() {
        let expected: [(Mix, &[(&str, f64)]); 6] = [
            (Mix::A, &[("read", 0.5), ("update", 0.5)]),
            (Mix::B, &[("read", 0.95), ("update", 0.05)]),
            (Mix::C, &[("read", 1.0)]),
            (Mix::D, &[("read", 0.95), ("insert", 0.05)]),
            (Mix::E, &[("scan", 0.95), ("insert", 0.05)]),
            (Mix::F, &[("read", 0.5), ("read-modify-write", 0.5)]),
        ];
        for (mix, shares) in expected {
            let kinds = kinds(mix);
            assert_eq!(kinds.len(), shares.len(), "{mix}: {kinds:?}");
            for (kind, share) in shares {
                let count = f64::from(u32::try_from(*kinds.get(kind).unwrap()).unwrap());
                let deviation = 10_000.0_f64 * share * (1.0 - share);
                assert!(
                    (count - 10_000.0 * share).abs() <= 6.0 * deviation.sqrt(),
                    "{mix}: {kinds:?}"
                );
            }
        }
    }

    #[test]
    fn inserted_keys_are_new_ones() {
        let settings = Settings::from([("keys".to_owned(), 10)]);
        let ycsb = Ycsb::new(&settings, None, Mix::D, 12).unwrap();
        let mut random = of_worker(5, 0);
        let inserted: Vec<u64> = std::iter::repeat_with(|| ycsb.draw(&mut random))
            .filter(Access::writes)
            .take(3)
            .map(|access| access.key)
            .collect();
        assert_eq!(inserted, [12, 13, 14]);
    }

    #[test]
    fn names_are_in_the_order_of_numbers() {
        assert_eq!(record_number(&record_name(42)), Some(42));
        assert!(record_name(9) < record_name(10));
    }
}
