//! Database servers whose process in front was killed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use kecoa_server::home::Home;
use kecoa_server::process::ProcessIdentity;
use rustix::process::Signal;

use crate::options::Engine;
use crate::postgres::server::find_postmaster;
use crate::state::State;
use crate::{cockroach, layout};

/// A database server that runs although nobody serves.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// Its process.
    pub(crate) identity: ProcessIdentity,
    /// The signal that stops it in an orderly way.
    pub(crate) signal: Signal,
    /// The directory of its socket, and the user it belongs to.
    pub(crate) socket: Option<(PathBuf, u32)>,
}

/// Database servers of this home that run although nobody serves.
pub(crate) fn orphans(home: &Home, state: Option<&State>) -> Vec<Orphan> {
    let mut found = Vec::new();
    for root in layout::known_data_roots(home) {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let major = name.to_str().and_then(|name| name.strip_prefix("pg"));
            if major.is_some_and(|major| major.parse::<u32>().is_ok())
                && let Some((identity, file)) = find_postmaster(&entry.path())
            {
                let owner = fs::symlink_metadata(entry.path()).map_or(u32::MAX, |meta| meta.uid());
                let socket = file.socket_dir.map(|directory| (directory, owner));
                found.push(Orphan { identity, signal: Signal::INT, socket });
            }
        }
    }
    if let Some(state) = state.filter(|state| state.details.engine == Engine::Cockroach)
        && let Some(server) =
            state.details.server.clone().filter(|server| cockroach::is_ours(server, home))
    {
        found.push(Orphan { identity: server, signal: Signal::TERM, socket: None });
    }
    found
}
