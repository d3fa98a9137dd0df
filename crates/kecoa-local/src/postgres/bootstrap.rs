//! What a cluster needs before clients come: its roles, CockroachDB's functions and first database.
//!
//! Everything here runs as the superuser, in databases that clients own. They have no way in: names
//! are looked up in `pg_catalog` alone, what a client may set for its database is set anew for our
//! sessions, and what a client could have made before us is not built upon.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use kecoa_server::names::hash;

use crate::dialect::quote::{quote, quote_name};
use crate::dialect::variables::{Form, VARIABLES, option_name};
use crate::error::Error;
use crate::options::STEP_LIMIT;
use crate::postgres::cluster::Address;
use crate::postgres::wire::Session;
use crate::postgres::{CLIENT_ROLE, DEFAULT_DATABASE, SUPERUSER};

/// Each statement here takes milliseconds; a disk may be slow.
const STATEMENT_TIMEOUT: Duration = STEP_LIMIT;

/// The one database that no client can change or take away.
pub(crate) const TEMPLATE: &str = "template1";

/// The superuser in between, while one of an earlier version gets another name.
const MIGRATOR: &str = "kecoa_migration";

const ROLES: &str = include_str!("sql/roles.sql");
const PARAMETERS: &str = include_str!("sql/parameters.sql");
const RENAME: &str = include_str!("sql/rename.sql");
const OWNERS: &str = include_str!("sql/owners.sql");

/// What stands before all else in our sessions: settings of a database, which its owner may make,
/// count for less than these.
pub(crate) const OPTIONS: &str = "-c search_path=pg_catalog,pg_temp -c role=none -c row_security=off \
    -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off \
    -c default_transaction_deferrable=off -c statement_timeout=0 -c lock_timeout=0 \
    -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 \
    -c standard_conforming_strings=on -c check_function_bodies=on -c default_tablespace=";

/// Makes the roles of a cluster, moves what an earlier version left to a client's superuser, runs
/// `sql`, which may be run any number of times, in `template1` and in every database, unless this
/// very text ran there before; and makes `defaultdb`. Returns notes for the user.
///
/// Which text ran where is kept as a setting of the superuser's for that database: a client can
/// neither make nor change it, and it is true exactly when the transaction that ran the text was
/// committed.
///
/// # Errors
///
/// When the server refuses any of it. A database of a client's in which it is refused is left out
/// and named.
pub fn bootstrap(address: &Address, sql: &str) -> Result<Vec<String>, Error> {
    each(address, sql, &mut |_| Ok(()))
}

/// The same; `begin` is called with the name of each database before it is prepared.
///
/// # Errors
///
/// As [`bootstrap`], and what `begin` returns.
pub(crate) fn each(
    address: &Address,
    sql: &str,
    begin: &mut dyn FnMut(&str) -> Result<(), Error>,
) -> Result<Vec<String>, Error> {
    let mark = format!("{:016x}", hash(&[sql.as_bytes(), OWNERS.as_bytes()].concat()));
    let (mut template, version) = superuser(address)?;
    run(&mut template, "template1", ROLES)?;
    if version >= 150_000 {
        run(&mut template, "template1", PARAMETERS)?;
        run(&mut template, "template1", &variables())?;
    }
    let settled = settled(&mut template)?;
    let databases = run(
        &mut template,
        "template1",
        "SELECT d.datname, (SELECT pg_catalog.substring(c, '^kecoa\\.prepared=(.*)$') \
           FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS c \
           WHERE s.setrole = 10 AND s.setdatabase = d.oid AND c ~ '^kecoa\\.prepared='), \
           pg_catalog.shobj_description(d.oid, 'pg_database') ~ '^kecoa:' \
         FROM pg_catalog.pg_database d \
         WHERE d.datallowconn AND d.datname <> 'template0' ORDER BY d.datname = 'template1' DESC",
    )?;
    let mut notes = Vec::new();
    for row in databases {
        let [Some(name), found, commented] = row.as_slice() else { continue };
        if found.as_deref() == Some(mark.as_str()) {
            continue;
        }
        begin(name)?;
        let commented = commented.as_deref() == Some("t");
        if name == "template1" {
            prepare(&mut template, name, sql, &mark, commented)?;
            continue;
        }
        let prepared =
            open(address, name).and_then(|mut s| prepare(&mut s, name, sql, &mark, commented));
        match prepared {
            // A client broke its own database: the others need not wait for that.
            Err(error) if settled => notes.push(format!("{error}; it is served as it is")),
            other => other?,
        }
    }
    // All in this one session: template1 is the only database that no client can take away.
    let exists =
        format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = '{DEFAULT_DATABASE}'");
    if run(&mut template, "template1", &exists)?.is_empty() {
        create_default(&mut template)?;
        run(&mut template, DEFAULT_DATABASE, &marking(DEFAULT_DATABASE, &mark))?;
    }
    if !settled {
        run(&mut template, "template1", "ALTER ROLE node SET kecoa.settled TO 'yes'")?;
    }
    Ok(notes)
}

/// Lets the clients' role set CockroachDB's variables for roles and databases.
fn variables() -> String {
    let settable = VARIABLES.iter().filter(|(_, _, form)| *form != Form::ReadOnly);
    let names: Vec<String> = settable.map(|(name, ..)| quote(&option_name(name))).collect();
    let body = format!(
        "DECLARE name text; BEGIN FOREACH name IN ARRAY ARRAY[{}]::text[] LOOP \
         IF NOT pg_catalog.has_parameter_privilege('{CLIENT_ROLE}', name, 'SET') THEN \
         EXECUTE pg_catalog.format('GRANT SET ON PARAMETER %s TO {CLIENT_ROLE}', name); \
         END IF; END LOOP; END",
        names.join(", ")
    );
    format!("DO {}", quote(&body))
}

/// Whether no database is left in which clients' things belong to the superuser.
fn settled(template: &mut Session<UnixStream>) -> Result<bool, Error> {
    let query = "SELECT 1 FROM pg_catalog.pg_db_role_setting \
                 WHERE setrole = 10 AND setdatabase = 0 AND 'kecoa.settled=yes' = ANY (setconfig)";
    Ok(!run(template, "template1", query)?.is_empty())
}

/// A session of the superuser's in `template1`, and the server's version; in a cluster of an earlier
/// version that role is made first.
fn superuser(address: &Address) -> Result<(Session<UnixStream>, u32), Error> {
    let is_ours = "SELECT pg_catalog.current_setting('server_version_num') \
                   FROM pg_catalog.pg_roles WHERE rolname = current_user AND oid = 10";
    for _ in 0..2 {
        if let Ok(mut session) = open(address, "template1")
            && let Some([Some(version)]) =
                run(&mut session, "template1", is_ours)?.first().map(Vec::as_slice)
        {
            run(&mut session, "template1", &format!("DROP ROLE IF EXISTS {MIGRATOR}"))?;
            return Ok((session, version.parse().unwrap_or(0)));
        }
        // As an earlier version made it: the clients' role was the superuser.
        let mut old = open_as(address, "template1", CLIENT_ROLE)?;
        let exists = format!("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = '{MIGRATOR}'");
        if run(&mut old, "template1", &exists)?.is_empty() {
            run(&mut old, "template1", &format!("CREATE ROLE {MIGRATOR}"))?;
        }
        run(&mut old, "template1", &format!("ALTER ROLE {MIGRATOR} SUPERUSER LOGIN"))?;
        drop(old);
        let mut between = open_as(address, "template1", MIGRATOR)?;
        run(&mut between, "template1", RENAME)?;
    }
    Err(Error::Bootstrap {
        database: "template1".to_owned(),
        message: format!("the first role of this cluster is neither {SUPERUSER} nor {CLIENT_ROLE}"),
    })
}

/// A client's session with `template1` that was just closed may take a moment to be gone.
fn create_default(session: &mut Session<UnixStream>) -> Result<(), Error> {
    let mut attempts = 0;
    loop {
        let create = format!("CREATE DATABASE {DEFAULT_DATABASE} OWNER {CLIENT_ROLE}");
        match run(session, DEFAULT_DATABASE, &create) {
            Err(Error::Bootstrap { message, .. })
                if message.contains("55006") && attempts < 100 =>
            {
                attempts += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return other.map(|_| ()),
        }
    }
}

fn prepare(
    session: &mut Session<UnixStream>,
    name: &str,
    sql: &str,
    mark: &str,
    commented: bool,
) -> Result<(), Error> {
    // One transaction: half of it is never taken for the whole.
    run(session, name, "BEGIN")?;
    run(session, name, OWNERS)?;
    let foreign = run(session, name, FOREIGN)?;
    if let Some([Some(what)]) = foreign.first().map(Vec::as_slice) {
        let message = format!("schema crdb_internal holds {what}, which is not the endpoint's own");
        return Err(Error::Bootstrap { database: name.to_owned(), message });
    }
    run(session, name, sql)?;
    if commented {
        run(session, name, &format!("COMMENT ON DATABASE {} IS NULL", quote_name(name)))?;
    }
    run(session, name, &marking(name, mark))?;
    run(session, name, "COMMIT")?;
    Ok(())
}

/// What a client put where our functions go, before we came.
const FOREIGN: &str = "SELECT what FROM (\
    SELECT 'that schema' AS what FROM pg_catalog.pg_namespace n \
      WHERE n.nspname = 'crdb_internal' AND n.nspowner <> 10 \
    UNION ALL SELECT 'relation ' || c.relname FROM pg_catalog.pg_class c \
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
      WHERE n.nspname = 'crdb_internal' AND c.relowner <> 10 \
    UNION ALL SELECT 'function ' || p.proname FROM pg_catalog.pg_proc p \
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
      WHERE n.nspname = 'crdb_internal' AND p.proowner <> 10 \
    UNION ALL SELECT 'type ' || t.typname FROM pg_catalog.pg_type t \
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
      WHERE n.nspname = 'crdb_internal' AND t.typowner <> 10) AS f LIMIT 1";

fn marking(database: &str, mark: &str) -> String {
    let database = quote_name(database);
    format!("ALTER ROLE {SUPERUSER} IN DATABASE {database} SET kecoa.prepared TO '{mark}'")
}

fn open(address: &Address, database: &str) -> Result<Session<UnixStream>, Error> {
    open_as(address, database, SUPERUSER)
}

fn open_as(address: &Address, database: &str, role: &str) -> Result<Session<UnixStream>, Error> {
    Session::over_socket(
        &address.socket_dir,
        address.port,
        role,
        database,
        OPTIONS,
        STATEMENT_TIMEOUT,
    )
    .map_err(failed(database))
}

fn run(
    session: &mut Session<UnixStream>,
    database: &str,
    sql: &str,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    session.run(sql).map_err(failed(database))
}

fn failed(database: &str) -> impl FnOnce(io::Error) -> Error {
    let database = database.to_owned();
    move |error| Error::Bootstrap { database, message: error.to_string() }
}
