//! A workload's schema: made, dropped, and what it was made with.

use std::collections::HashMap;

use kecoa::blocking::Client;

use crate::error::Error;
use crate::options::Name;

/// How many rows one statement inserts: a transaction of CockroachDB should not be larger.
const ROWS: i64 = 5_000;

/// Rows of 1.5 kB each that fill the pages of the table `workers`, five a page.
const FILLERS: u32 = 150;

/// What a workload was set up with, by name.
pub(crate) type Settings = HashMap<String, i64>;

/// Drops what there is of it.
pub(crate) fn drop(client: &mut Client, name: Name) -> Result<(), Error> {
    client.batch(&format!("DROP SCHEMA IF EXISTS {} CASCADE", name.schema()))?;
    Ok(())
}

/// Makes the schema, its tables, and the two tables that every workload has.
pub(crate) fn create(client: &mut Client, name: Name, tables: &[&str]) -> Result<(), Error> {
    let schema = name.schema();
    client.batch(&format!("CREATE SCHEMA {schema}"))?;
    for table in tables {
        client.batch(&format!("CREATE TABLE {schema}.{table}"))?;
    }
    client.batch(&format!(
        "CREATE TABLE {schema}.workers (run INT8, worker INT8, sequence INT8 NOT NULL, commits INT8 NOT NULL, \
         writes INT8 NOT NULL, filler TEXT, PRIMARY KEY (run, worker))"
    ))?;
    // A table of a few rows is read whole by PostgreSQL, for each of them, and serializable transactions that read
    // and change the same table conflict: all workers would be in each other's way. In many pages it looks rows up
    // by the key. No run has a number below zero.
    client.batch(&format!(
        "INSERT INTO {schema}.workers (run, worker, sequence, commits, writes, filler) \
         SELECT -n, 0, 0, 0, 0, repeat(md5(n::TEXT), 48) FROM generate_series(1, {FILLERS}) AS g (n)"
    ))?;
    // Last: where it has rows, everything else is there.
    client.batch(&format!(
        "CREATE TABLE {schema}.settings (name TEXT PRIMARY KEY, value INT8 NOT NULL)"
    ))?;
    Ok(())
}

/// Notes that the tables are filled, and with what.
pub(crate) fn complete(
    client: &mut Client,
    name: Name,
    settings: &[(&str, i64)],
) -> Result<(), Error> {
    let insert = format!("INSERT INTO {}.settings (name, value) VALUES ($1, $2)", name.schema());
    // All or none.
    client.transaction(|tx| {
        for (name, value) in settings {
            tx.execute(&insert, &[name, value])?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Whether there is anything of the workload.
pub(crate) fn exists(client: &mut Client, name: Name) -> Result<bool, Error> {
    let sql = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = $1";
    let count: i64 = client.query_one(sql, &[&name.schema()])?.get(0)?;
    Ok(count > 0)
}

/// What the workload was set up with.
pub(crate) fn settings(client: &mut Client, name: Name) -> Result<Settings, Error> {
    let schema = name.schema();
    if !exists(client, name)? {
        return Err(Error::Setup(format!(
            "the workload {name} is not set up in this database: run `kecoa workload init {name}` first, or \
             `kecoa workload run {name} --init`"
        )));
    }
    let rows = client.query_as(&format!("SELECT name, value FROM {schema}.settings"), &[]);
    let settings: Settings = match rows {
        Ok(rows) => rows.into_iter().collect(),
        // There is no such table.
        Err(error) if error.sqlstate() == Some("42P01") => Settings::new(),
        Err(error) => return Err(error.into()),
    };
    if settings.is_empty() {
        return Err(Error::Setup(format!(
            "the workload {name} was set up in part only: make it anew by `kecoa workload init {name} --drop`"
        )));
    }
    Ok(settings)
}

/// The setting with this name.
pub(crate) fn setting(settings: &Settings, wanted: &str, name: Name) -> Result<i64, Error> {
    settings.get(wanted).copied().ok_or_else(|| {
        Error::Setup(format!(
            "expected the setting {wanted} in {}.settings, found none: make the workload anew by \
             `kecoa workload init {name} --drop`",
            name.schema()
        ))
    })
}

/// Runs an INSERT with `$1` and `$2`, the first and the last number of its rows, from 1 to `rows`, in pieces.
/// `begun` is told how many rows are there after each piece.
pub(crate) fn fill(
    client: &mut Client,
    insert: &str,
    rows: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    fill_by(client, insert, rows, ROWS, progress)
}

/// [`fill`] in pieces of this many numbers, where one of them makes several rows.
pub(crate) fn fill_by(
    client: &mut Client,
    insert: &str,
    rows: i64,
    piece: i64,
    progress: &mut dyn FnMut(i64),
) -> Result<(), Error> {
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + piece - 1);
        // A transaction, so that it is tried again where the database asks for it.
        client.transaction(|tx| tx.execute(insert, &[&first, &last]))?;
        progress(last);
        first = last + 1;
    }
    Ok(())
}
