//! What a cluster needs before clients come: CockroachDB's functions and its first database.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::error::Error;
use crate::home::hash;
use crate::postgres::cluster::Address;
use crate::postgres::wire::Session;
use crate::postgres::{DEFAULT_DATABASE, SUPERUSER};

/// Each statement here takes milliseconds; a disk may be slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `sql`, which may be run any number of times, in `template1` and in every database made
/// from it, unless this very text ran there before; and makes `defaultdb`.
///
/// The text's hash is kept as the comment of the database it ran in: it is true exactly when
/// the transaction that ran the text was committed.
///
/// # Errors
///
/// When the server refuses any of it.
pub fn bootstrap(address: &Address, sql: &str) -> Result<(), Error> {
    let mark = format!("kecoa:{:016x}", hash(sql.as_bytes()));
    let mut template = open(address, "template1")?;
    let databases = run(
        &mut template,
        "template1",
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database \
         WHERE datallowconn AND datname <> 'template0' ORDER BY datname = 'template1' DESC",
    )?;
    let mut has_default = false;
    for row in databases {
        let [Some(name), comment] = row.as_slice() else { continue };
        has_default |= name == DEFAULT_DATABASE;
        if comment.as_deref() == Some(mark.as_str()) {
            continue;
        }
        if name == "template1" {
            prepare(&mut template, name, sql, &mark)?;
        } else {
            prepare(&mut open(address, name)?, name, sql, &mark)?;
        }
    }
    if !has_default {
        // A template must have no session while it is copied.
        drop(template);
        let mut session = open(address, "postgres")?;
        create_default(&mut session)?;
        let comment = format!("COMMENT ON DATABASE {DEFAULT_DATABASE} IS '{mark}'");
        run(&mut session, DEFAULT_DATABASE, &comment)?;
    }
    Ok(())
}

/// The session with `template1` that was just closed may take a moment to be gone.
fn create_default(session: &mut Session<UnixStream>) -> Result<(), Error> {
    let mut attempts = 0;
    loop {
        let created =
            run(session, DEFAULT_DATABASE, &format!("CREATE DATABASE {DEFAULT_DATABASE}"));
        match created {
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
) -> Result<(), Error> {
    // One transaction: half of it is never taken for the whole. READ COMMITTED, because two
    // databases' statements touch the same shared catalogs.
    let database = name.replace('"', "\"\"");
    run(session, name, "SET default_transaction_isolation = 'read committed'")?;
    run(session, name, "BEGIN")?;
    run(session, name, sql)?;
    run(session, name, &format!("COMMENT ON DATABASE \"{database}\" IS '{mark}'"))?;
    run(session, name, "COMMIT")?;
    Ok(())
}

fn open(address: &Address, database: &str) -> Result<Session<UnixStream>, Error> {
    Session::over_socket(&address.socket_dir, address.port, SUPERUSER, database, PATIENCE)
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
