//! The other engine: a real single-node CockroachDB from a `cockroach` program on `PATH`.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kecoa_server::home::Home;
use kecoa_server::process::{ProcessIdentity, command_mentions, process_owner, working_directory};
use kecoa_server::{log, notify};

use crate::error::Error;
use crate::layout;
use crate::options::STEP_LIMIT;
use crate::ports::Ports;
use crate::postgres::server::Server;
use crate::postgres::wire::Session;
use crate::postgres::{CLIENT_ROLE, DEFAULT_DATABASE};
use crate::service::SERVICE;

/// A new store takes some seconds, an old one less.
const START_TIMEOUT: Duration = STEP_LIMIT;

/// A `cockroach` that accepts sessions.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) server: Server,
    pub(crate) port: u16,
    pub(crate) version: Option<String>,
    pub(crate) store: PathBuf,
}

/// The first `cockroach` on a `PATH`.
pub(crate) fn find(path: Option<&OsStr>) -> Result<PathBuf, Error> {
    path.into_iter()
        .flat_map(std::env::split_paths)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("cockroach"))
        .find(|program| program.is_file())
        .ok_or(Error::NoCockroach)
}

/// Starts it on the first of these ports that is free; stops it again where `interrupted` says so before it is ready.
pub(crate) fn start(
    home: &Home,
    program: &Path,
    ports: &Ports,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Started, Error> {
    let port = choose_port(ports)?;
    let log_path = layout::server_log_file(home);
    let log = log::open(&log_path)?;
    let from = log.metadata().map_err(Error::io("reading", &log_path))?.len();
    let both = log.try_clone().map_err(Error::io("opening", &log_path))?;
    let store = home.instance().join("cockroach");
    let mut option = std::ffi::OsString::from("--store=");
    option.push(&store);
    let child = Command::new(program)
        .args(["start-single-node", "--insecure", "--http-addr=127.0.0.1:0"])
        .arg(format!("--listen-addr=127.0.0.1:{port}"))
        .arg(option)
        // It writes heap profiles and the like into the current directory.
        .current_dir(home.instance())
        // Our service manager waits for us, not for it.
        .env_remove(notify::VARIABLE)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(both)
        .process_group(0)
        .spawn()
        .map_err(|error| Error::CannotRun { path: program.into(), reason: error.to_string() })?;
    let failed = |reason: String| {
        Err(Error::ServerFailed { program: "cockroach", reason, log: log_path.clone() })
    };
    let Some(identity) = ProcessIdentity::of(child.id()) else {
        return failed(log::tail(&log_path, from));
    };
    let mut server = Server::started(child, identity);
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        if !server.is_running() {
            return failed(log::tail(&log_path, from));
        }
        if let Some(version) = ask_version(port) {
            return Ok(Started { server, port, version, store });
        }
        if interrupted() {
            server.stop(rustix::process::Signal::TERM)?;
            return Err(kecoa_server::Error::Interrupted { service: &SERVICE }.into());
        }
        thread::sleep(Duration::from_millis(50));
    }
    server.stop(rustix::process::Signal::TERM)?;
    failed(format!("it accepted no sessions within {} s", START_TIMEOUT.as_secs()))
}

/// Whether a process that the state file names is this instance's: it works in its directory, as
/// [`start`] has it, and runs as our user.
pub(crate) fn is_ours(identity: &ProcessIdentity, home: &Home) -> bool {
    let us = rustix::process::geteuid().as_raw();
    let works_here = match working_directory(identity.pid) {
        Some(directory) => {
            std::fs::canonicalize(home.instance()).is_ok_and(|here| here == directory)
        }
        None => command_mentions(identity.pid, &home.instance().join("cockroach")),
    };
    works_here && process_owner(identity.pid).is_none_or(|owner| owner == us) && identity.is_alive()
}

/// Takes over one that runs although the process that started it was killed.
pub(crate) fn adopt(identity: ProcessIdentity, port: u16, home: &Home) -> Option<Started> {
    let version = ask_version(port)?;
    let store = home.instance().join("cockroach");
    Some(Started { server: Server::adopted(identity), port, version, store })
}

/// `None` while no session is to be had.
fn ask_version(port: u16) -> Option<Option<String>> {
    let timeout = Duration::from_secs(5);
    let mut session = Session::over_loopback(port, CLIENT_ROLE, DEFAULT_DATABASE, timeout).ok()?;
    let rows = session.run("SELECT version()").ok()?;
    Some(rows.into_iter().flatten().flatten().next())
}

/// CockroachDB binds the port itself: we only see whether it is free.
fn choose_port(ports: &Ports) -> Result<u16, Error> {
    for port in ports.candidates() {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            && let Ok(address) = listener.local_addr()
        {
            return Ok(address.port());
        }
    }
    Err(ports.taken())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn without_a_program_the_error_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let error = find(Some(dir.path().as_os_str())).unwrap_err();
        assert!(error.to_string().contains("--engine cockroach"));
        std::fs::write(dir.path().join("cockroach"), "").unwrap();
        assert_eq!(find(Some(dir.path().as_os_str())).unwrap(), dir.path().join("cockroach"));
    }

    #[test]
    fn a_port_asked_for_is_that_port_or_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { home: Some(dir.path().into()), ..Options::default() };
        options.name = Some("a".to_owned());
        let home = layout::create(&options).unwrap();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        options.port = Some(port);
        let asked = Ports::of(&home, &options, None);
        assert!(matches!(choose_port(&asked), Err(Error::PortTaken { .. })));
        options.port = None;
        let any = Ports::of(&home, &options, Some(port));
        assert_ne!(choose_port(&any).unwrap(), port);
    }
}
