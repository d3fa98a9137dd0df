//! The state file by which a later process finds, reports and stops a running service.
//!
//! It is a record, not a proof: whether the process it names still runs is asked of the system
//! ([`crate::process::ProcessIdentity`]) and of the lock the process holds.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::{self, Found};
use crate::process::ProcessIdentity;

/// A state file larger than this was not written by us.
const SIZE_LIMIT: u64 = 64 * 1024;

/// How far the background process has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It prepares what it serves.
    Starting,
    /// Clients are accepted.
    Ready,
    /// It is stopping.
    Stopping,
    /// It gave up, for this reason.
    Failed(String),
}

/// What the background process records for those that come later. `D` is what only this service
/// records; its fields stand beside these in one JSON object. It must be `Debug` without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State<D> {
    /// The version of kecoa that serves.
    #[serde(default)]
    pub kecoa: String,
    /// The process that serves.
    pub daemon: ProcessIdentity,
    /// How far it has come.
    pub phase: Phase,
    /// While it starts: what it is doing, as a phrase. It changes as long as the start gets on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// What else there is to know.
    #[serde(flatten)]
    pub details: D,
}

impl<D> State<D> {
    /// The first state of a process that begins to serve.
    pub fn starting(daemon: ProcessIdentity, details: D) -> State<D> {
        let kecoa = env!("CARGO_PKG_VERSION").to_owned();
        State { kecoa, daemon, phase: Phase::Starting, progress: None, details }
    }

    /// Whether it was written by this version of kecoa.
    pub fn is_current(&self) -> bool {
        self.kecoa == env!("CARGO_PKG_VERSION")
    }

    /// What the user should know of a service that another version of kecoa started.
    pub fn version_note(&self) -> Option<String> {
        (!self.is_current()).then(|| {
            format!(
                "it was started by kecoa {}, and this is {}; stop it and start it again to bring it \
                 up to date",
                self.kecoa,
                env!("CARGO_PKG_VERSION")
            )
        })
    }
}

impl<D: Serialize + DeserializeOwned> State<D> {
    /// Reads a state file. One that is missing, that may not be read or that cannot be understood is
    /// `None`: it then says nothing about any process, and is replaced by whoever serves next.
    ///
    /// # Errors
    ///
    /// When the system cannot read it.
    pub fn read(path: &Path) -> Result<Option<State<D>>, Error> {
        let us = rustix::process::geteuid().as_raw();
        match files::read(path, SIZE_LIMIT, us) {
            Ok(Found::Bytes(bytes)) => Ok(serde_json::from_slice(&bytes).ok()),
            Ok(Found::Missing | Found::Odd(_)) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
            Err(error) => Err(Error::io("reading", path)(error)),
        }
    }

    /// Why a state file cannot be understood, as a phrase.
    pub(crate) fn problem(path: &Path) -> String {
        let us = rustix::process::geteuid().as_raw();
        match files::read(path, SIZE_LIMIT, us) {
            Ok(Found::Missing) => "is missing".to_owned(),
            Ok(Found::Odd(what)) => what,
            Ok(Found::Bytes(bytes)) if bytes.is_empty() => "is empty".to_owned(),
            Ok(Found::Bytes(bytes)) => match serde_json::from_slice::<State<D>>(&bytes) {
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
        files::put(path, &self.bytes(path)?)
    }

    /// What is written.
    pub(crate) fn bytes(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(io::Error::other)
            .map_err(Error::io("writing", path))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Removes a state file; a missing one is fine.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Details {
        port: Option<u16>,
        data_dir: Option<PathBuf>,
        #[serde(default)]
        notes: Vec<String>,
    }

    fn sample() -> State<Details> {
        let daemon = ProcessIdentity { pid: 7, started: "boot/1".into() };
        let data_dir = Some("/a b/c".into());
        let details = Details { port: Some(26257), data_dir, notes: Vec::new() };
        let mut state = State::starting(daemon, details);
        state.phase = Phase::Failed("no \"room\"".into());
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
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(State::<Details>::read(&path).unwrap(), None);
    }

    #[test]
    fn garbage_half_files_and_links_say_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        sample().write(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(State::<Details>::read(&path).unwrap(), None);
        // Root may read it all the same.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(State::<Details>::read(&path).unwrap(), None);
        sample().write(&path).unwrap();
        assert_eq!(State::read(&path).unwrap(), Some(sample()));
        fs::write(&path, b"\0\xff").unwrap();
        assert_eq!(State::<Details>::read(&path).unwrap(), None);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(State::<Details>::read(&link).unwrap(), None);
    }

    #[test]
    fn the_details_stand_beside_the_rest() {
        let path = Path::new("state.json");
        let json: serde_json::Value =
            serde_json::from_slice(&sample().bytes(path).unwrap()).unwrap();
        assert_eq!(json["port"], 26257);
        assert_eq!(json["daemon"]["pid"], 7);
        let old = r#"{"daemon":{"pid":7,"started":"b"},"phase":"ready","port":1,"data_dir":null}"#;
        let old: State<Details> = serde_json::from_str(old).unwrap();
        assert!(old.version_note().is_some_and(|note| note.contains("up to date")));
    }
}
