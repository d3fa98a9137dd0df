//! The state file by which a later process finds, reports and stops a running endpoint.
//!
//! It is a record, not a proof: whether the process it names still runs is asked of the system
//! ([`crate::process::ProcessIdentity`]) and of the lock the process holds.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Found};
use crate::options::Engine;
use crate::process::ProcessIdentity;
use crate::secret::redacted;

/// A state file larger than this was not written by us.
const SIZE_LIMIT: u64 = 64 * 1024;

/// How far the background process has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It prepares or starts the database server.
    Starting,
    /// Clients are accepted.
    Ready,
    /// It was told to stop.
    Stopping,
    /// It gave up, for this reason.
    Failed(String),
}

/// What the background process tells those that come later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The version of kecoa that serves.
    #[serde(default)]
    pub kecoa: String,
    /// The process that serves the endpoint.
    pub daemon: ProcessIdentity,
    /// How far it has come.
    pub phase: Phase,
    /// Which database stands behind the endpoint.
    pub engine: Engine,
    /// The database server's process (PostgreSQL's postmaster, or `cockroach`), once it runs.
    pub server: Option<ProcessIdentity>,
    /// The TCP port on 127.0.0.1, once it is known.
    pub port: Option<u16>,
    /// The URL to connect to, once it is known; with the password.
    pub url: Option<String>,
    /// Nobody is asked for a password.
    #[serde(default)]
    pub open: bool,
    /// The directory of the endpoint's own socket, where processes of the same user need no password.
    #[serde(default)]
    pub client_socket: Option<PathBuf>,
    /// The directory of PostgreSQL's own socket.
    pub socket_dir: Option<PathBuf>,
    /// Where the data is.
    pub data_dir: Option<PathBuf>,
    /// The database server's version, as it says it.
    pub version: Option<String>,
    /// What the one who starts it should be told.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether connections fail on purpose, and how.
    #[serde(default)]
    pub faults: Option<FaultState>,
}

/// The faults an endpoint makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultState {
    /// The plan, as it is printed.
    pub plan: String,
    /// The seed of every connection that does not choose its own.
    pub seed: u64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_deref().map(redacted);
        f.debug_struct("State")
            .field("phase", &self.phase)
            .field("daemon", &self.daemon)
            .field("server", &self.server)
            .field("url", &url)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The first state of a process that begins to serve.
    pub fn starting(daemon: ProcessIdentity, engine: Engine) -> State {
        State {
            kecoa: env!("CARGO_PKG_VERSION").to_owned(),
            daemon,
            phase: Phase::Starting,
            engine,
            server: None,
            port: None,
            url: None,
            open: false,
            client_socket: None,
            socket_dir: None,
            data_dir: None,
            version: None,
            notes: Vec::new(),
            faults: None,
        }
    }

    /// Reads a state file. One that is missing, or that cannot be understood, is `None`: it then
    /// says nothing about any process.
    ///
    /// # Errors
    ///
    /// When it is there and may not be read.
    pub fn read(path: &Path) -> Result<Option<State>, Error> {
        let us = rustix::process::geteuid().as_raw();
        match files::read(path, SIZE_LIMIT, us).map_err(Error::io("reading", path))? {
            Found::Bytes(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Found::Missing | Found::Odd(_) => Ok(None),
        }
    }

    /// Why a state file cannot be understood, as a phrase.
    pub(crate) fn trouble(path: &Path) -> String {
        let us = rustix::process::geteuid().as_raw();
        match files::read(path, SIZE_LIMIT, us) {
            Ok(Found::Missing) => "is missing".to_owned(),
            Ok(Found::Odd(what)) => what,
            Ok(Found::Bytes(bytes)) if bytes.is_empty() => "is empty".to_owned(),
            Ok(Found::Bytes(bytes)) => match serde_json::from_slice::<State>(&bytes) {
                Ok(_) => "was just being written".to_owned(),
                Err(error) => format!("is not a state file ({error})"),
            },
            Err(error) => format!("cannot be read ({error})"),
        }
    }

    /// Writes the file with mode 0600 and in one step: a reader sees the old or the new, never half.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        put(path, &self.bytes(path)?)
    }

    /// What is written.
    pub(crate) fn bytes(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .map_err(Error::io("writing", path))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Removes the file; a missing one is fine.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn remove(path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", path)(e)),
            _ => Ok(()),
        }
    }
}

/// Writes a file of ours in one step, whatever stands where it is put together.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let next = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> io::Result<()> {
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
        file.write_all(bytes)?;
        fs::rename(&next, path)
    };
    write().map_err(|e| {
        // The half-written file is of no use to anyone.
        let _ = fs::remove_file(&next);
        Error::io("writing", path)(e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn sample() -> State {
        let daemon = ProcessIdentity { pid: 7, started: "boot/1".into() };
        let mut state = State::starting(daemon, Engine::Postgres);
        state.phase = Phase::Failed("no \"room\"".into());
        state.port = Some(26257);
        state.data_dir = Some("/a b/c".into());
        state
    }

    #[test]
    fn what_is_written_is_read_and_only_by_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        sample().write(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), Some(sample()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        State::remove(&path).unwrap();
        State::remove(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), None);
    }

    #[test]
    fn garbage_half_files_and_links_say_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        sample().write(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(State::read(&path).unwrap(), None);
        fs::write(&path, b"\0\xff").unwrap();
        assert_eq!(State::read(&path).unwrap(), None);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(State::read(&link).unwrap(), None);
    }
}
