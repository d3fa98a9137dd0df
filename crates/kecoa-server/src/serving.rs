//! The process in the background itself: it holds the lock, keeps the state file, announces that it is
//! ready.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::home::Home;
use crate::notify;
use crate::open_files;
use crate::process::ProcessIdentity;
use crate::state::{self, Phase, State};
use crate::state_monitor::StateMonitor;
use crate::waiting::Waiting;

/// Others hold the lock for a moment only to see whether we do.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Who waits for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A process that started us and reads the state file: leave its terminal.
    Detached,
    /// Somebody at a terminal, until Ctrl-C.
    Foreground,
}

/// A process that serves an instance. Nobody else does while it is there.
#[derive(Debug)]
pub struct Serving<D> {
    /// What others can read; [`write`](Self::write) publishes it.
    pub state: State<D>,
    /// What the one who served before left.
    pub previous: Option<State<D>>,
    home: Home,
    lock: File,
    monitor: StateMonitor,
    /// In the foreground: nobody else starts or stops the instance until it is ready. In the
    /// background, the one who started us holds this lock.
    starting: Option<File>,
    mode: Mode,
}

impl<D: Serialize + DeserializeOwned> Serving<D> {
    /// Begins to serve `home`, whose first state has the details that `details` makes of the previous
    /// one. `None` when another process serves it. Waits at most `timeout` for those who start or stop
    /// it, unless `waiting` gives up.
    ///
    /// A detached process leaves its terminal and its working directory: this must be the business of a
    /// whole process.
    ///
    /// # Errors
    ///
    /// When a file cannot be had, or the lock of those who start or stop.
    pub fn begin(
        home: &Home,
        mode: Mode,
        timeout: Duration,
        waiting: Option<&Waiting>,
        details: impl FnOnce(Option<&State<D>>) -> D,
    ) -> Result<Option<Serving<D>>, Error> {
        let starting = match mode {
            Mode::Foreground => Some(home.lock_start(timeout, waiting)?),
            Mode::Detached => None,
        };
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let lock = loop {
            if let Some(lock) = home.try_lock_serve()? {
                break lock;
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(5));
        };
        open_files::raise();
        if mode == Mode::Detached {
            // A session of our own: a terminal that closes or sends Ctrl-C does not reach us. It fails
            // only if we lead a process group, and then we are out of reach already.
            let _ = rustix::process::setsid();
            std::env::set_current_dir("/").map_err(Error::io("entering", Path::new("/")))?;
        }
        let own = ProcessIdentity::own().ok_or_else(|| Error::Io {
            what: "reading the start time of our own process from",
            path: "/proc".into(),
            source: io::Error::other("not there"),
        })?;
        home.sign(&lock, &own)?;
        let previous = State::read(&home.state_file())?;
        let state = State::starting(own, details(previous.as_ref()));
        let monitor = StateMonitor::begin(home, &lock)?;
        monitor.write(&state)?;
        Ok(Some(Serving { state, previous, home: home.clone(), lock, monitor, starting, mode }))
    }

    /// The instance that is served.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Whether the home is still the one whose lock was taken: it may be removed while we serve.
    pub fn still_holds_home(&self) -> bool {
        self.home.still_holds(&self.lock)
    }

    /// Publishes the state as it is.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        self.monitor.write(&self.state)
    }

    /// Says what is being done before clients are accepted: whoever waits goes on waiting, up to
    /// `limit` for this alone.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn progress(&mut self, what: &str, limit: Duration) -> Result<(), Error> {
        if self.mode == Mode::Foreground {
            notify::progress(what, limit.as_secs());
        }
        self.state.progress = Some(what.to_owned());
        self.write()
    }

    /// Announces that clients are accepted, to a service manager too; `report` is called before anybody else may start or stop
    /// the instance.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn ready(&mut self, report: impl FnOnce(&State<D>)) -> Result<(), Error> {
        self.state.phase = Phase::Ready;
        self.state.progress = None;
        self.write()?;
        report(&self.state);
        self.starting = None;
        if self.mode == Mode::Foreground {
            notify::ready(&format!("the {} accepts clients", self.home.service().title));
        }
        Ok(())
    }

    /// Announces that we stop: whoever wants to start the instance from now on waits for us to be
    /// gone.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written.
    pub fn stopping(&mut self) -> Result<(), Error> {
        if self.mode == Mode::Foreground {
            notify::stopping();
        }
        self.state.phase = Phase::Stopping;
        self.write()
    }

    /// Stops serving. The state file goes, or says why we failed.
    ///
    /// # Errors
    ///
    /// When the state file cannot be removed.
    pub fn end(mut self, failure: Option<String>) -> Result<(), Error> {
        self.monitor.end();
        match failure {
            // Otherwise it is another's by now, or gone.
            None if !self.still_holds_home() => Ok(()),
            None => state::remove(&self.home.state_file()),
            Some(reason) => {
                self.state.phase = Phase::Failed(reason);
                // The failure itself matters more than that it could not be noted down.
                let _ = self.state.write(&self.home.state_file());
                Ok(())
            }
        }
    }
}
