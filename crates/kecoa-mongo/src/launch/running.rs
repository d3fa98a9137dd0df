//! What the caller learns of a gateway.

use std::path::PathBuf;

use kecoa_server::home::Home;
use kecoa_server::secret::redacted;
pub use kecoa_server::status::Stopped;
use kecoa_server::status::without_password;
use serde::Serialize;

use super::state::State;

/// A gateway that accepts clients.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Running {
    /// What to connect to, with the password; only [`redacted`] is for showing.
    #[serde(serialize_with = "without_password")]
    pub url: String,
    /// Whether clients need a password.
    pub password: bool,
    /// The TCP port.
    pub port: u16,
    /// The database that keeps the documents, without a password.
    pub database: String,
    /// What the database says it is.
    pub version: Option<String>,
    /// The replica set that it plays, as it was asked for.
    pub replica_set: Option<String>,
    /// The process that serves.
    pub pid: u32,
    /// What that process says.
    pub log: PathBuf,
    /// What the user should know, a sentence each.
    pub notes: Vec<String>,
    /// Whether it ran before `start` was called.
    pub was_running: bool,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("url", &redacted(&self.url))
            .field("database", &self.database)
            .field("pid", &self.pid)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// What is known about a gateway.
pub type Status = kecoa_server::status::Status<Box<Running>>;

/// What the caller learns of a gateway that serves; `None` while its state lacks something.
pub(crate) fn running(state: &State, home: &Home, was_running: bool) -> Option<Running> {
    let details = &state.details;
    let mut notes = details.notes.clone();
    if details.open {
        notes.push(
            "it asks for no password: every user of this machine can connect, and so can whatever \
             reaches its port from a browser or a container"
                .to_owned(),
        );
    }
    Some(Running {
        url: details.url.clone()?,
        password: !details.open,
        port: details.port?,
        database: details.database.clone(),
        version: details.version.clone(),
        replica_set: details.replica_set.clone(),
        pid: state.daemon.pid,
        log: home.log_file(),
        notes,
        was_running,
    })
}
