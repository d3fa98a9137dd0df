//! The tables: made where they are not there, by however many gateways at once.

use std::fmt::Write as _;
use std::time::Duration;

use kecoa::{Client, ErrorKind};

use super::failure::{self, unexpected};
use super::options::Capabilities;
use crate::bson::key::FORMAT_VERSION;
use crate::error::{Code, Error};

/// The version of the tables; that of the keys goes with it.
const TABLES_VERSION: i32 = 2;
/// How many parts a table is made of, where the server makes tables of parts.
pub(super) const PARTS: u32 = 32;
/// How often setting up is tried: each gateway that does so at the same time may make one attempt fail.
const ATTEMPTS: u32 = 20;

/// Fails where snapshots have no names.
const NAMED_SNAPSHOT: &str =
    "SELECT pg_visible_in_snapshot(pg_current_xact_id_if_assigned(), pg_current_snapshot())";

const READ_FORMAT: &str = "SELECT tables, keys FROM kecoa_mongo.format WHERE one = 1";

/// Ask what the server can do.
pub(super) async fn probe(client: &mut Client) -> Result<Capabilities, Error> {
    let postgres = client.crdb_version().is_none();
    let generic_plans = postgres && has(client, "SHOW plan_cache_mode").await?;
    let lock_timeout = has(client, "SHOW lock_timeout").await?;
    let snapshots_named = has(client, NAMED_SNAPSHOT).await?;
    Ok(Capabilities {
        hash_partitions: postgres,
        // Asked once the tables are there.
        parts: false,
        one_table_twice: postgres,
        generic_plans,
        snapshot_isolation: postgres,
        snapshots_shown: postgres,
        snapshots_named,
        lock_timeout,
        commit_lock: postgres,
        notices: postgres,
    })
}

/// Whether the server knows a setting. Only what it says of the statement itself tells that it does not.
async fn has(client: &mut Client, show: &str) -> Result<bool, Error> {
    match client.batch(show).await {
        Ok(_) => Ok(true),
        Err(error) => match error.sqlstate() {
            Some(state) if state.starts_with("42") || state.starts_with("0A") => Ok(false),
            _ => Err(failure::alone(&error).into()),
        },
    }
}

/// Let the local endpoint, if this is one, pass on what CockroachDB does not have; one of before always does.
pub(super) async fn allow_postgresql(client: &mut Client) {
    if client.crdb_version().is_some_and(|version| version.contains("(kecoa local)")) {
        let _ = client.batch("SET kecoa_strict = off").await;
    }
}

/// Prepare a new connection: plans are made once, and all by index, as the tables grow behind them. That holds for the
/// local endpoint as well, which is a PostgreSQL behind its dialect.
pub(super) async fn configure(client: &mut Client) -> Result<(), kecoa::Error> {
    client.set_statement_cache_capacity(512);
    let version = client.crdb_version().map(ToOwned::to_owned);
    if version.as_ref().is_none_or(|version| version.contains("(kecoa local)")) {
        allow_postgresql(client).await;
        client
            .batch(
                "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                 SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off",
            )
            .await?;
    }
    if version.is_some() {
        // Nothing is waited for there by looking at other sessions: the order of transactions is relied upon.
        client.batch("SET default_transaction_isolation = 'serializable'").await?;
        // CockroachDB takes shared locks only when it is told to, where it can: from 23.2 on.
        let _ = client.batch("SET enable_shared_locking_for_serializable = on").await;
    }
    Ok(())
}

/// Make the tables where they are not there, and check their format.
pub(super) async fn set_up(client: &mut Client, capabilities: Capabilities) -> Result<(), Error> {
    let mut attempt = 0;
    loop {
        match format(client).await? {
            // Tables of before: what they lack is added.
            Some((tables, _)) if tables < TABLES_VERSION => {}
            Some(found) => return check(found),
            None => {}
        }
        if attempt == ATTEMPTS {
            return Err(unexpected("the tables cannot be made"));
        }
        attempt += 1;
        // Who may make tables in it need not have the right to make it.
        let made = has_schema(client).await?;
        for statement in statements(capabilities).into_iter().skip(usize::from(made)) {
            match client.batch(&statement).await {
                Ok(_) => {}
                // Another gateway made it, or was about to.
                Err(error) if error.kind() == ErrorKind::Server && is_race(&error) => {
                    tokio::time::sleep(Duration::from_millis(10 + fastrand::u64(0..50))).await;
                    break;
                }
                Err(error) => return Err(failure::alone(&error).into()),
            }
        }
    }
}

async fn has_schema(client: &mut Client) -> Result<bool, Error> {
    let sql = "SELECT count(*)::INT8 FROM pg_catalog.pg_namespace WHERE nspname = 'kecoa_mongo'";
    match client.query_one_as::<(i64,)>(sql, &[]).await {
        Ok((count,)) => Ok(count > 0),
        Err(error) => Err(failure::alone(&error).into()),
    }
}

fn is_race(error: &kecoa::Error) -> bool {
    matches!(
        error.sqlstate(),
        Some("23505" | "40001" | "40P01" | "42P06" | "42P07" | "42710" | "XX000" | "55P03")
    )
}

async fn format(client: &mut Client) -> Result<Option<(i32, i32)>, Error> {
    match client.query_opt_as::<(i32, i32)>(READ_FORMAT, &[]).await {
        Ok(found) => Ok(found),
        Err(error) if matches!(error.sqlstate(), Some("42P01" | "3F000")) => Ok(None),
        Err(error) => Err(failure::alone(&error).into()),
    }
}

fn check((tables, keys): (i32, i32)) -> Result<(), Error> {
    let expected = (TABLES_VERSION, i32::try_from(FORMAT_VERSION).unwrap_or(i32::MAX));
    if (tables, keys) == expected {
        return Ok(());
    }
    Err(Error::new(
        Code::INTERNAL_ERROR,
        format!(
            "expected tables of format {} and keys of format {} in schema kecoa_mongo, found {tables} and {keys}: \
             another version of kecoa made them",
            expected.0, expected.1
        ),
    ))
}

/// All that makes the tables, in order, the schema first. Each may be run again.
pub(super) fn statements(capabilities: Capabilities) -> Vec<String> {
    let mut statements = vec![
        "CREATE SCHEMA IF NOT EXISTS kecoa_mongo".to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.format \
         (one INT4 PRIMARY KEY, tables INT4 NOT NULL, keys INT4 NOT NULL)"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.collection (coll INT8 PRIMARY KEY, db TEXT, name TEXT, \
         kind INT4 NOT NULL, options BYTEA NOT NULL, indexes BYTEA NOT NULL, version INT8 NOT NULL, \
         uuid UUID NOT NULL, dropped_at INT8, watched BOOL NOT NULL DEFAULT false, UNIQUE (db, name))"
            .to_owned(),
        "ALTER TABLE kecoa_mongo.collection ADD COLUMN IF NOT EXISTS watched BOOL NOT NULL DEFAULT false"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.session (lsid BYTEA NOT NULL, txn INT8 NOT NULL, \
         stmt INT4 NOT NULL, reply BYTEA NOT NULL, at INT8 NOT NULL, PRIMARY KEY (lsid, txn, stmt))"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.account (db TEXT NOT NULL, name TEXT NOT NULL, \
         doc BYTEA NOT NULL, PRIMARY KEY (db, name))"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.role (db TEXT NOT NULL, name TEXT NOT NULL, \
         doc BYTEA NOT NULL, PRIMARY KEY (db, name))"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.secret (one INT4 PRIMARY KEY, bytes BYTEA NOT NULL)"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.lease (name TEXT PRIMARY KEY, holder UUID NOT NULL, \
         until INT8 NOT NULL)"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.change (t UUID NOT NULL, i INT4 NOT NULL, db TEXT NOT NULL, \
         name TEXT NOT NULL, ddl BOOL NOT NULL, change BYTEA NOT NULL, PRIMARY KEY (t, i))"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.ticket (n INT8 PRIMARY KEY, t UUID NOT NULL, \
         at INT8 NOT NULL, lsid BYTEA, txn INT8)"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.watch (db TEXT NOT NULL, name TEXT NOT NULL, since INT8, \
         until INT8 NOT NULL, PRIMARY KEY (db, name))"
            .to_owned(),
        "CREATE TABLE IF NOT EXISTS kecoa_mongo.counter (name TEXT PRIMARY KEY, n INT8 NOT NULL)"
            .to_owned(),
        "INSERT INTO kecoa_mongo.counter (name, n) VALUES ('watch', 0), ('ticket', 0), ('floor', 0) \
         ON CONFLICT DO NOTHING"
            .to_owned(),
    ];
    if capabilities.commit_lock {
        statements.push("CREATE SEQUENCE IF NOT EXISTS kecoa_mongo.change_n".to_owned());
    }
    let tables = [
        (
            "document",
            "id_key BYTEA NOT NULL, ver INT8 NOT NULL, doc BYTEA NOT NULL, j JSONB",
            "id_key",
        ),
        (
            "entry",
            "idx INT4 NOT NULL, key BYTEA NOT NULL, id_key BYTEA NOT NULL",
            "idx, key, id_key",
        ),
        ("uniq", "idx INT4 NOT NULL, key BYTEA NOT NULL, id_key BYTEA NOT NULL", "idx, key"),
    ];
    for (name, columns, key) in tables {
        let mut table = format!(
            "CREATE TABLE IF NOT EXISTS kecoa_mongo.{name} (coll INT8 NOT NULL, {columns}, PRIMARY KEY (coll, {key}))"
        );
        if !capabilities.hash_partitions {
            statements.push(table);
            continue;
        }
        table.push_str(" PARTITION BY HASH (coll)");
        for part in 0..PARTS {
            let _ = write!(
                table,
                "; CREATE TABLE IF NOT EXISTS kecoa_mongo.{name}_{part} PARTITION OF kecoa_mongo.{name} \
                 FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
            );
            // Room for an update in the page of its document.
            table.push_str(if name == "document" { " WITH (fillfactor = 90)" } else { "" });
        }
        statements.push(table);
    }
    statements.push(format!(
        "INSERT INTO kecoa_mongo.format (one, tables, keys) VALUES (1, {TABLES_VERSION}, {FORMAT_VERSION}) \
         ON CONFLICT (one) DO UPDATE SET tables = excluded.tables WHERE format.tables < excluded.tables"
    ));
    statements
}
