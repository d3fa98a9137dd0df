//! What the state file records of an endpoint.

use std::path::PathBuf;

use kecoa_server::process::ProcessIdentity;
use kecoa_server::secret::redacted;
use serde::{Deserialize, Serialize};

use crate::options::Engine;

/// The state file of an endpoint.
pub type State = kecoa_server::state::State<Details>;

/// What an endpoint records beside what every service does.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Details {
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
    /// Notes for the one who starts it.
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

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_deref().map(redacted);
        f.debug_struct("Details")
            .field("engine", &self.engine)
            .field("server", &self.server)
            .field("url", &url)
            .finish_non_exhaustive()
    }
}

impl Details {
    /// Those of a process that begins to serve.
    pub fn starting(engine: Engine) -> Details {
        Details {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_earlier_version_is_read() {
        let old = r#"{
            "kecoa": "0.1.0",
            "daemon": {"pid": 7, "started": "boot/1"},
            "phase": "ready",
            "engine": "postgres",
            "server": {"pid": 8, "started": "boot/2"},
            "port": 26257,
            "url": "postgresql://root:secret@127.0.0.1:26257/defaultdb",
            "socket_dir": null,
            "data_dir": "/a b",
            "version": "PostgreSQL 18.0",
            "faults": {"plan": "drop:0.01", "seed": 18446744073709551615}
        }"#;
        let state: State = serde_json::from_str(old).unwrap();
        assert_eq!(state.details.port, Some(26257));
        assert_eq!(state.details.faults.as_ref().unwrap().seed, u64::MAX);
        assert!(!format!("{state:?}").contains("secret"));
    }
}
