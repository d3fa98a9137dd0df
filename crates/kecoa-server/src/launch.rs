//! Starts, finds and stops the process in the background.

use std::ffi::OsString;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::files::is_full;
use crate::home::Home;
use crate::log;
use crate::process::ProcessIdentity;
use crate::state::{self, Phase, State};
use crate::waiting::Waiting;

/// How often we look whether the service is ready.
const INTERVAL: Duration = Duration::from_millis(4);

/// A step of the start that takes longer is reported to the caller.
const REPORT_AFTER: Duration = Duration::from_secs(5);

/// How long a serving process may take to stop itself and what it started.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// How long a process that serves may leave its state unreadable before it is not waited for.
const UNREADABLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the lock may be held with no state of a living process beside it before that is called a
/// condition.
const SETTLING: Duration = Duration::from_secs(1);

/// How to start a service in the background.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The instance.
    pub home: &'a Home,
    /// The program and first arguments by which this program starts itself again.
    pub self_command: &'a [OsString],
    /// The arguments behind them that make it serve.
    pub arguments: Vec<OsString>,
    /// How long the service may take for each step that it reports on the way to being ready.
    pub timeout: Duration,
    /// Is told what the service is doing, and may give the start up.
    pub waiting: Option<&'a Waiting>,
}

impl Launch<'_> {
    /// Starts the service in the background and waits until it is ready; or finds the one that runs.
    /// Any number of these at once make one process.
    ///
    /// `running` makes of a state what the caller wants to know, and learns whether the service ran
    /// before; it returns `None` for a state that lacks something.
    ///
    /// # Errors
    ///
    /// When it cannot start, with the reason; [`Error::Interrupted`] when `waiting` has given up.
    pub fn start<D: Serialize + DeserializeOwned, R>(
        self,
        running: &dyn Fn(&State<D>, bool) -> Option<R>,
    ) -> Result<R, Error> {
        let home = self.home;
        let _starting = home.lock_start(self.timeout, self.waiting)?;
        loop {
            let stale = State::read(&home.state_file())?;
            let mut child = None;
            let was_running = match home.try_lock_serve()? {
                None => true,
                Some(free) => {
                    drop(free);
                    child = Some(self.spawn()?);
                    false
                }
            };
            let wait = Wait { home, timeout: self.timeout, report: self.waiting };
            let found = wait.ready(child.as_mut(), stale.as_ref(), running);
            match found {
                // It was about to stop when we met it.
                Err(Error::NotRunning { .. }) if was_running => {}
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
                    return Ok(running);
                }
            }
        }
    }

    fn spawn(&self) -> Result<Child, Error> {
        let (program, first) = self.self_command.split_first().ok_or(Error::NoSelfCommand)?;
        let log_path = self.home.log_file();
        let log = log::open(&log_path)?;
        let both = log.try_clone().map_err(Error::io("opening", &log_path))?;
        let mut command = Command::new(program);
        command.args(first).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(log).stderr(both);
        command.spawn().map_err(Error::io("starting", program.as_ref()))
    }
}

/// Waiting for a process that serves.
struct Wait<'a> {
    home: &'a Home,
    /// For each step that it reports.
    timeout: Duration,
    report: Option<&'a Waiting>,
}

impl Wait<'_> {
    /// Waits until it is ready; without a `child` it ran before.
    fn ready<D: Serialize + DeserializeOwned, R>(
        &self,
        mut child: Option<&mut Child>,
        stale: Option<&State<D>>,
        running: &dyn Fn(&State<D>, bool) -> Option<R>,
    ) -> Result<R, Error> {
        let home = self.home;
        let service = home.service();
        let was_running = child.is_none();
        let failed = |reason: String| Error::NotStarted { service, reason, log: home.log_file() };
        let mut unreadable_since = Instant::now();
        let mut step = Step::begin();
        while step.since.elapsed() < self.timeout {
            if self.report.is_some_and(Waiting::is_interrupted) {
                return Err(Error::Interrupted { service });
            }
            // Looked at before the state is, so that its last state is not missed.
            let exited = match &mut child {
                Some(child) => child.try_wait().ok().flatten(),
                None => None,
            };
            let unserved = was_running && home.try_lock_serve()?.is_some();
            let state = State::<D>::read(&home.state_file())?;
            if state.is_some() || !was_running {
                unreadable_since = Instant::now();
            } else if unreadable_since.elapsed() >= UNREADABLE_TIMEOUT && !unserved {
                return Err(unreadable::<D>(home));
            }
            if let Some(state) =
                state.filter(|s| was_running || stale.is_none_or(|o| o.daemon != s.daemon))
            {
                match &state.phase {
                    Phase::Failed(reason) => {
                        if !was_running {
                            state::remove(&home.state_file())?;
                        }
                        return Err(failed(reason.clone()));
                    }
                    Phase::Ready if state.daemon.is_alive() => {
                        if let Some(running) = running(&state, was_running) {
                            return Ok(running);
                        }
                    }
                    _ => step.note(state.progress, self.report),
                }
            }
            if let Some(status) = exited {
                // Then it could not leave a state.
                if is_full(home.instance(), 1 << 20) {
                    return Err(Error::DiskFull { path: home.instance().to_path_buf() });
                }
                let tail = log::tail(&home.log_file(), 0);
                let last: Vec<&str> = tail.lines().rev().take(3).collect();
                let lines: Vec<&str> = last.into_iter().rev().collect();
                return Err(failed(format!("its process ended ({status}): {}", lines.join(" / "))));
            }
            if unserved {
                return Err(Error::NotRunning { service });
            }
            thread::sleep(INTERVAL);
        }
        let doing = step.what.unwrap_or_else(|| "nothing that it reported".to_owned());
        Err(failed(format!(
            "within {} s it did not get beyond this: {doing}; the machine may be loaded, so try again",
            self.timeout.as_secs()
        )))
    }
}

/// The step that a starting service is at, as far as its state says.
struct Step {
    what: Option<String>,
    since: Instant,
    reported: bool,
}

impl Step {
    fn begin() -> Step {
        Step { what: None, since: Instant::now(), reported: false }
    }

    /// Takes note of what the state says; a step that lasts is reported, once.
    fn note(&mut self, what: Option<String>, report: Option<&Waiting>) {
        if what != self.what {
            if let (Some(what), Some(report)) = (&what, report) {
                report.begins(what);
            }
            *self = Step { what, ..Step::begin() };
        }
        if !self.reported
            && self.since.elapsed() >= REPORT_AFTER
            && let (Some(what), Some(report)) = (&self.what, report)
        {
            self.reported = true;
            report.lasts(what);
        }
    }
}

/// A process serves, and does not write its state.
fn unreadable<D: Serialize + DeserializeOwned>(home: &Home) -> Error {
    let path = home.state_file();
    let process = home.server_process().map(|identity| identity.pid);
    let why = State::<D>::problem(&path);
    Error::UnreadableState { service: home.service(), why, path, process }
}

/// Ends a background process that did not become ready; it stops what it started itself.
fn abandon(child: &mut Child) {
    if let Some(identity) = ProcessIdentity::of(child.id()) {
        identity.signal(Signal::TERM);
        if !identity.wait_gone(STOP_TIMEOUT) {
            let _ = child.kill();
        }
    }
    let _ = child.wait();
}

/// What is known of a service.
#[derive(Debug)]
pub enum Condition<D> {
    /// A process serves; its state is readable.
    Served(State<D>),
    /// A process serves, and does not say how far it has come. It writes its state again when it sees
    /// that.
    Unreadable(Error),
    /// Nobody serves. What the last one who did left behind, if anything: the reason of a failure, or
    /// what it was doing when it was killed.
    NotServed(Option<State<D>>),
}

/// Looks at a service, for up to a second where what it finds does not fit together. Changes nothing.
///
/// # Errors
///
/// When its files may not be read or belong to another user.
pub fn condition<D: Serialize + DeserializeOwned>(home: &Home) -> Result<Condition<D>, Error> {
    let begun = Instant::now();
    loop {
        let served = home.try_lock_serve()?.is_none();
        let state = State::read(&home.state_file())?;
        if !served {
            return Ok(Condition::NotServed(state));
        }
        if let Some(state) = state.filter(|state| state.daemon.is_alive()) {
            return Ok(Condition::Served(state));
        }
        // Perhaps it is about to write its state. Or nobody serves, and a process that is just being
        // started by a thread of this one has our own look at the lock open still.
        if begun.elapsed() >= SETTLING {
            return Ok(Condition::Unreadable(unreadable::<D>(home)));
        }
        thread::sleep(INTERVAL);
    }
}

/// Stops the process that serves, by force if it must be; says whether there was one. The caller holds
/// the lock of those who start or stop.
///
/// # Errors
///
/// When the process does not end, or cannot be found.
pub fn stop<D: Serialize + DeserializeOwned>(home: &Home) -> Result<bool, Error> {
    if home.try_lock_serve()?.is_some() {
        return Ok(false);
    }
    let begun = Instant::now();
    let deadline = begun + STOP_TIMEOUT;
    let mut signalled: Option<ProcessIdentity> = None;
    while home.try_lock_serve()?.is_none() {
        // It may have been met before it wrote its state.
        let daemon = State::<D>::read(&home.state_file())?
            .map(|state| state.daemon)
            .filter(|daemon| home.is_serving(daemon))
            .or_else(|| home.server_process());
        if signalled.is_none() && daemon.is_none() && begun.elapsed() >= UNREADABLE_TIMEOUT {
            return Err(unreadable::<D>(home));
        }
        if let Some(daemon) = daemon.filter(|daemon| signalled.as_ref() != Some(daemon)) {
            daemon.signal(Signal::TERM);
            signalled = Some(daemon);
        }
        if Instant::now() >= deadline {
            let service = home.service();
            let Some(daemon) = signalled else {
                let lock = home.serve_lock();
                return Err(Error::Busy { service, lock, waited: STOP_TIMEOUT });
            };
            daemon.signal(Signal::KILL);
            if !daemon.wait_gone(Duration::from_secs(5)) {
                let what = format!("the {}", service.title);
                return Err(Error::WillNotStop { pid: daemon.pid, what, waited: STOP_TIMEOUT });
            }
            return Ok(true);
        }
        thread::sleep(INTERVAL);
    }
    // The lock goes a moment before the process does.
    if let Some(daemon) = signalled {
        daemon.wait_gone(Duration::from_secs(5));
    }
    Ok(true)
}
