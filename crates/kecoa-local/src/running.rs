//! What the caller learns of an endpoint.

use std::path::PathBuf;

use kecoa_server::home::Home;
use kecoa_server::secret::redacted;
pub use kecoa_server::status::Stopped;
use kecoa_server::status::without_password;
use serde::Serialize;

use crate::options::Engine;
use crate::postgres::server::find_postmaster;
use crate::state::{Details, FaultState, State};

/// An endpoint that accepts clients.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Running {
    /// What to connect to, with the password; only [`redacted`] is for showing.
    #[serde(serialize_with = "without_password")]
    pub url: String,
    /// Whether clients need the password that is in the URL.
    pub password: bool,
    /// The directory of a unix socket where processes of the same user need none.
    pub socket: Option<PathBuf>,
    /// The TCP port on 127.0.0.1.
    pub port: u16,
    /// Which database stands behind it.
    pub engine: Engine,
    /// The database server's version, as it says it.
    pub version: Option<String>,
    /// The process that serves.
    pub pid: u32,
    /// The process of the database server.
    pub server_pid: Option<u32>,
    /// Where the data is.
    pub data_dir: Option<PathBuf>,
    /// Nobody is asked for a password, because that was asked for.
    #[serde(skip)]
    pub(crate) open: bool,
    /// What the serving process says.
    pub log: PathBuf,
    /// What the user should know, a sentence each.
    pub notes: Vec<String>,
    /// The faults it makes on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultState>,
    /// Whether it ran before `start` was called.
    pub was_running: bool,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("url", &redacted(&self.url))
            .field("engine", &self.engine)
            .field("pid", &self.pid)
            .field("server_pid", &self.server_pid)
            .field("data_dir", &self.data_dir)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// What is known about an endpoint.
pub type Status = kecoa_server::status::Status<Running>;

/// What the caller learns of an endpoint that serves; `None` while its state lacks something.
pub(crate) fn running(state: &State, home: &Home, was_running: bool) -> Option<Running> {
    let details = &state.details;
    let mut notes = details.notes.clone();
    notes.extend(state.version_note());
    if let Some(FaultState { plan, seed }) = &details.faults {
        notes.push(format!("faults are injected: `{plan}`, seed {seed}; the log names each"));
    }
    if details.open {
        notes.push(
            "it asks for no password: every user of this machine can connect, and so can whatever \
             reaches 127.0.0.1 from a browser or a container"
                .to_owned(),
        );
    }
    Some(Running {
        url: details.url.clone()?,
        password: !details.open && state.is_current() && details.engine == Engine::Postgres,
        socket: details.client_socket.clone(),
        port: details.port?,
        engine: details.engine,
        version: details.version.clone(),
        pid: state.daemon.pid,
        server_pid: server_pid(details),
        data_dir: details.data_dir.clone(),
        open: details.open,
        log: home.log_file(),
        notes,
        faults: details.faults.clone(),
        was_running,
    })
}

/// The database server's process that runs: while one that was killed is being replaced, the state file still has
/// the one before.
fn server_pid(details: &Details) -> Option<u32> {
    let known = details.server.as_ref().filter(|server| server.is_alive()).map(|server| server.pid);
    known.or_else(|| Some(find_postmaster(details.data_dir.as_deref()?)?.0.pid))
}

#[cfg(test)]
mod tests {
    use kecoa_server::process::ProcessIdentity;

    use super::*;

    #[test]
    fn a_server_that_was_killed_is_not_shown() {
        let mut details = Details::starting(Engine::Postgres);
        assert_eq!(server_pid(&details), None);
        details.server = ProcessIdentity::own();
        assert_eq!(server_pid(&details), Some(std::process::id()));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        details.server = ProcessIdentity::of(child.id());
        assert_eq!(server_pid(&details), Some(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(server_pid(&details), None);
    }
}
