//! Starts, finds and stops the process that serves the endpoint.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;

use crate::cockroach;
use crate::error::Error;
use crate::home::{Home, is_full, log_tail, open_log};
use crate::options::{Engine, Options};
use crate::postgres::server::{Server, find_postmaster};
use crate::postgres::socket;
use crate::process::ProcessIdentity;
use crate::secret::redacted;
use crate::state::{FaultState, Phase, State};

/// How often we look whether the endpoint is ready.
const GLANCE: Duration = Duration::from_millis(4);

/// How long a serving process may take to stop itself and its database server.
const STOP_PATIENCE: Duration = Duration::from_secs(40);

/// How long a process that serves may leave its state unreadable before it is not waited for.
const SILENCE: Duration = Duration::from_secs(5);

/// An endpoint that accepts clients.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Running {
    /// What to connect to, with the password; only [`redacted`] is for showing.
    #[serde(serialize_with = "shown")]
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

fn shown<S: serde::Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&redacted(url))
}

/// What is known about an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// It accepts clients.
    Running(Running),
    /// Nothing of it runs.
    Stopped,
    /// It is half there.
    Broken {
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl Status {
    /// The exit status that service scripts use (LSB): 0 running, 1 broken, 3 stopped.
    pub fn exit_code(&self) -> i32 {
        match self {
            Status::Running(_) => 0,
            Status::Broken { .. } => 1,
            Status::Stopped => 3,
        }
    }

    /// One JSON object: `status`, and the fields of [`Running`] or a `reason`. The URL in it is
    /// without the password.
    pub fn to_json(&self) -> String {
        // Paths that are not UTF-8 cannot be told in JSON.
        serde_json::to_string_pretty(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// What [`stop`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It ran, and has stopped.
    Stopped,
    /// Nothing ran.
    WasNotRunning,
}

/// Starts an endpoint in the background and waits until it accepts clients; or finds the one
/// that runs. Any number of these at once make one endpoint.
///
/// # Errors
///
/// When it cannot start, with the reason; when it runs with another port or engine than asked for.
pub fn start(options: &Options) -> Result<Running, Error> {
    let home = Home::create(options)?;
    let _starting = home.lock_start(options.patience)?;
    let deadline = Instant::now() + options.patience;
    loop {
        let stale = State::read(&home.state_file())?;
        let mut child = None;
        let was_running = match home.try_lock_serve()? {
            None => true,
            Some(free) => {
                drop(free);
                child = Some(spawn(options, &home)?);
                false
            }
        };
        match wait_ready(&home, child.as_mut(), stale.as_ref(), was_running, deadline) {
            // It was about to stop when we met it.
            Err(Error::NotRunning) if was_running => {}
            Err(error) => {
                if let Some(mut child) = child {
                    abandon(&mut child);
                }
                return Err(error);
            }
            Ok(running) => {
                if let Some(mut child) = child {
                    // If we live longer than it does, it must not stay a zombie.
                    thread::spawn(move || child.wait());
                }
                return check(running, options);
            }
        }
    }
}

fn check(running: Running, options: &Options) -> Result<Running, Error> {
    let url = redacted(&running.url);
    if options.no_password && running.password {
        return Err(Error::RunsDifferently { what: "with a password".to_owned(), url });
    }
    if options.port.is_some_and(|port| port != running.port) {
        return Err(Error::RunsDifferently {
            what: format!("not on port {}", options.port.unwrap_or_default()),
            url,
        });
    }
    if options.engine != running.engine {
        let what = format!("with engine `{}`", running.engine);
        return Err(Error::RunsDifferently { what, url });
    }
    if let Some(wanted) = &options.faults {
        let made = running.faults.as_ref();
        let same = made.is_some_and(|made| {
            made.plan == wanted.plan.to_string() && wanted.seed.is_none_or(|seed| seed == made.seed)
        });
        if !same {
            let what = match made {
                Some(made) => format!("with faults `{}` and seed {}", made.plan, made.seed),
                None => "without faults".to_owned(),
            };
            return Err(Error::RunsDifferently { what, url });
        }
    }
    Ok(running)
}

fn spawn(options: &Options, home: &Home) -> Result<Child, Error> {
    let (program, first) = options.self_command.split_first().ok_or(Error::NoSelfCommand)?;
    let log_path = home.log_file();
    let log = open_log(&log_path)?;
    let both = log.try_clone().map_err(Error::io("opening", &log_path))?;
    let mut command = Command::new(program);
    command.args(first).args(serve_arguments(options, home));
    command.stdin(Stdio::null()).stdout(log).stderr(both);
    command.spawn().map_err(Error::io("starting", program.as_ref()))
}

/// The arguments that make our own program serve with these options. The home is named outright:
/// the background process must not work out another one.
fn serve_arguments(options: &Options, home: &Home) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["local", "serve", "--detached"].map(Into::into).to_vec();
    let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
    option("--home", home.base().into());
    option("--name", options.name.clone().into());
    option("--engine", options.engine.to_string().into());
    if let Some(port) = options.port {
        option("--port", port.to_string().into());
    }
    if let Some(faults) = &options.faults {
        option("--faults", faults.plan.to_string().into());
        if let Some(seed) = faults.seed {
            option("--seed", seed.to_string().into());
        }
    }
    if let Some(path) = &options.binaries {
        option("--postgres", path.into());
    }
    if let Some(path) = &options.embedded {
        option("--embedded-postgres", path.into());
    }
    if options.no_password {
        arguments.push("--no-password".into());
    }
    arguments
}

fn wait_ready(
    home: &Home,
    mut child: Option<&mut Child>,
    stale: Option<&State>,
    was_running: bool,
    deadline: Instant,
) -> Result<Running, Error> {
    let failed = |reason: String| Error::DaemonFailed { reason, log: home.log_file() };
    let mut silent_since = Instant::now();
    while Instant::now() < deadline {
        // Looked at before the state is, so that last words are not missed.
        let exited = match &mut child {
            Some(child) => child.try_wait().ok().flatten(),
            None => None,
        };
        let unserved = child.is_none() && home.try_lock_serve()?.is_some();
        let state = State::read(&home.state_file())?;
        if state.is_some() || !was_running {
            silent_since = Instant::now();
        } else if silent_since.elapsed() >= SILENCE && !unserved {
            return Err(unreadable(home));
        }
        if let Some(state) =
            state.filter(|s| was_running || stale.is_none_or(|o| o.daemon != s.daemon))
        {
            match &state.phase {
                Phase::Failed(reason) => {
                    if !was_running {
                        State::remove(&home.state_file())?;
                    }
                    return Err(failed(reason.clone()));
                }
                Phase::Ready if state.daemon.is_alive() => {
                    if let Some(running) = running(&state, home, was_running) {
                        return Ok(running);
                    }
                }
                _ => {}
            }
        }
        if let Some(status) = exited {
            // Then it could not leave a word.
            if is_full(home.instance(), 1 << 20) {
                return Err(Error::DiskFull { path: home.instance().to_path_buf() });
            }
            let tail = log_tail(&home.log_file(), 0);
            let last: Vec<&str> = tail.lines().rev().take(3).collect();
            let words: Vec<&str> = last.into_iter().rev().collect();
            return Err(failed(format!("its process ended ({status}): {}", words.join(" / "))));
        }
        if unserved {
            return Err(Error::NotRunning);
        }
        thread::sleep(GLANCE);
    }
    Err(failed("it was not ready in time".to_owned()))
}

/// A process serves, and does not write its state.
fn unreadable(home: &Home) -> Error {
    let path = home.state_file();
    let process = home.server_process().map(|identity| identity.pid);
    Error::UnreadableState { why: State::trouble(&path), path, process }
}

pub(crate) fn running(state: &State, home: &Home, was_running: bool) -> Option<Running> {
    let mut notes = state.notes.clone();
    let ours = env!("CARGO_PKG_VERSION");
    if state.kecoa != ours {
        notes.push(format!(
            "it was started by kecoa {}, and this is {ours}; stop it and start it again to bring \
             it up to date",
            state.kecoa
        ));
    }
    if let Some(FaultState { plan, seed }) = &state.faults {
        notes.push(format!("faults are injected: `{plan}`, seed {seed}; the log names each"));
    }
    if state.open {
        notes.push(
            "it asks for no password: every user of this machine can connect, and so can whatever \
             reaches 127.0.0.1 from a browser or a container"
                .to_owned(),
        );
    }
    Some(Running {
        url: state.url.clone()?,
        password: !state.open && state.kecoa == ours && state.engine == Engine::Postgres,
        socket: state.client_socket.clone(),
        port: state.port?,
        engine: state.engine,
        version: state.version.clone(),
        pid: state.daemon.pid,
        server_pid: state.server.as_ref().map(|server| server.pid),
        data_dir: state.data_dir.clone(),
        log: home.log_file(),
        notes,
        faults: state.faults.clone(),
        was_running,
    })
}

/// Ends a background process that did not become ready; it stops its server itself.
fn abandon(child: &mut Child) {
    if let Some(identity) = ProcessIdentity::of(child.id()) {
        identity.signal(Signal::TERM);
        if !identity.wait_gone(STOP_PATIENCE) {
            let _ = child.kill();
        }
    }
    let _ = child.wait();
}

/// Tells whether the endpoint runs. Changes nothing.
///
/// # Errors
///
/// When its files may not be read or belong to another user.
pub fn status(options: &Options) -> Result<Status, Error> {
    let home = Home::locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Status::Stopped);
    }
    let served = home.try_lock_serve()?.is_none();
    let state = State::read(&home.state_file())?;
    if served {
        return Ok(match state.filter(|state| state.daemon.is_alive()) {
            Some(state) if state.phase == Phase::Ready => match running(&state, &home, true) {
                Some(running) => Status::Running(running),
                None => broken("its state file is incomplete; stop it and start it again"),
            },
            Some(State { phase: Phase::Stopping, .. }) => broken("it is just stopping"),
            Some(_) => broken("it is just starting"),
            // It writes the file again when it sees that.
            None => broken(&unreadable(&home).to_string()),
        });
    }
    if let Some(orphan) = orphans(&home, state.as_ref()).first() {
        return Ok(broken(&format!(
            "the process that served it was killed, and its database server (pid {}) still runs; \
             `kecoa local start` takes it over, `kecoa local stop` ends it",
            orphan.0.pid
        )));
    }
    Ok(match state {
        Some(State { phase: Phase::Failed(reason), .. }) => {
            broken(&format!("it ended: {reason}; start it again with `kecoa local start`"))
        }
        // It was killed together with its server: there is nothing left to stop.
        _ => Status::Stopped,
    })
}

fn broken(reason: &str) -> Status {
    Status::Broken { reason: reason.to_owned() }
}

/// The URL of the endpoint that runs.
///
/// # Errors
///
/// [`Error::NotRunning`] when none does, and as [`status`].
pub fn url(options: &Options) -> Result<String, Error> {
    match status(options)? {
        Status::Running(running) => Ok(running.url),
        _ => Err(Error::NotRunning),
    }
}

/// Stops the endpoint and its database server, also those whose owner was killed. When nothing
/// runs there is nothing to do.
///
/// # Errors
///
/// When a process does not end, or the home belongs to another user.
pub fn stop(options: &Options) -> Result<Stopped, Error> {
    let home = Home::locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Stopped::WasNotRunning);
    }
    let _starting = home.lock_start(options.patience)?;
    let mut found = Stopped::WasNotRunning;
    if home.try_lock_serve()?.is_none() {
        found = Stopped::Stopped;
        stop_daemon(&home)?;
    }
    let state = State::read(&home.state_file())?;
    for (identity, signal, socket_dir, owner) in orphans(&home, state.as_ref()) {
        found = Stopped::Stopped;
        Server::adopted(identity).stop(signal)?;
        if let Some(directory) = socket_dir {
            socket::remove(&directory, owner);
        }
    }
    State::remove(&home.state_file())?;
    Ok(found)
}

fn stop_daemon(home: &Home) -> Result<(), Error> {
    let begun = Instant::now();
    let deadline = begun + STOP_PATIENCE;
    let mut told: Option<ProcessIdentity> = None;
    while home.try_lock_serve()?.is_none() {
        // It may have been met before it wrote its state.
        let daemon = State::read(&home.state_file())?
            .map(|state| state.daemon)
            .filter(|daemon| home.is_serving(daemon))
            .or_else(|| home.server_process());
        if told.is_none() && daemon.is_none() && begun.elapsed() >= SILENCE {
            return Err(unreadable(home));
        }
        if let Some(daemon) = daemon.filter(|daemon| told.as_ref() != Some(daemon)) {
            daemon.signal(Signal::TERM);
            told = Some(daemon);
        }
        if Instant::now() >= deadline {
            let Some(daemon) = told else {
                return Err(Error::Busy {
                    lock: home.instance().join("serve.lock"),
                    waited: STOP_PATIENCE,
                });
            };
            daemon.signal(Signal::KILL);
            if !daemon.wait_gone(Duration::from_secs(5)) {
                let what = "the local endpoint";
                return Err(Error::WillNotStop { pid: daemon.pid, what, waited: STOP_PATIENCE });
            }
            return Ok(());
        }
        thread::sleep(GLANCE);
    }
    // The lock goes a moment before the process does.
    if let Some(daemon) = told {
        daemon.wait_gone(Duration::from_secs(5));
    }
    Ok(())
}

type Orphan = (ProcessIdentity, Signal, Option<PathBuf>, u32);

/// Database servers of this home that run although nobody serves: each with the signal that stops
/// it in an orderly way, the directory of its socket, and the user it belongs to.
fn orphans(home: &Home, state: Option<&State>) -> Vec<Orphan> {
    let mut found = Vec::new();
    for root in home.known_data_roots() {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let major = name.to_str().and_then(|name| name.strip_prefix("pg"));
            if major.is_some_and(|major| major.parse::<u32>().is_ok())
                && let Some((identity, file)) = find_postmaster(&entry.path())
            {
                let owner = fs::symlink_metadata(entry.path()).map_or(u32::MAX, |meta| meta.uid());
                found.push((identity, Signal::INT, file.socket_dir, owner));
            }
        }
    }
    if let Some(state) = state.filter(|state| state.engine == Engine::Cockroach)
        && let Some(server) = state.server.clone().filter(|server| cockroach::is_ours(server, home))
    {
        found.push((server, Signal::TERM, None, u32::MAX));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_background_process_is_told_everything() {
        let mut options = Options { home: Some("/a b".into()), ..Options::default() };
        options.port = Some(5000);
        options.binaries = Some("/pg bin".into());
        options.embedded = Some("/e".into());
        options.no_password = true;
        let home = Home::locate(&options).unwrap();
        let arguments = serve_arguments(&options, &home);
        let expected = "local|serve|--detached|--home|/a b|--name|default|--engine|postgres|--port|\
                        5000|--postgres|/pg bin|--embedded-postgres|/e|--no-password";
        let joined: Vec<_> = arguments.iter().map(|a| a.to_str().unwrap()).collect();
        assert_eq!(joined.join("|"), expected);
    }

    #[test]
    fn status_words_and_codes() {
        assert_eq!(Status::Stopped.exit_code(), 3);
        assert!(Status::Stopped.to_json().contains(r#""status": "stopped""#));
        let broken = broken("why");
        assert_eq!(broken.exit_code(), 1);
        assert!(broken.to_json().contains(r#""reason": "why""#));
    }
}
