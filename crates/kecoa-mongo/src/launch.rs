//! Starts the gateway in the background, finds it, stops it.

mod arguments;
mod options;
mod running;
mod service;
mod state;

use std::path::PathBuf;

use kecoa_server::files::{self, Found};
use kecoa_server::home::Home;
use kecoa_server::launch::{self, Condition, Launch};
use kecoa_server::state::{self as state_file, Phase};

pub use kecoa_server::secret::redacted;
pub use kecoa_server::serving::Mode;
pub use kecoa_server::waiting::Waiting;
pub(crate) use options::shown_database;
pub use options::{Options, TlsOptions};
pub(crate) use running::running;
pub use running::{Running, Status, Stopped};
pub use service::SERVICE;
pub(crate) use state::{Details, State};

use arguments::serve_arguments;

/// Why a gateway cannot be started, found or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The process, its directory or its files.
    #[error(transparent)]
    Server(#[from] kecoa_server::Error),
    /// It runs already, otherwise than asked for.
    #[error(
        "the MongoDB gateway runs already, {what}: {url}; stop it with `kecoa mongo stop` first"
    )]
    RunsDifferently {
        /// Its URL, without the password.
        url: String,
        /// What was asked for and is not so: "not on port 27018".
        what: String,
    },
    /// The database does not take it.
    #[error("the database cannot keep documents: {0}")]
    Database(String),
    /// A file or an option is not what it must be.
    #[error("{0}")]
    Unusable(String),
    /// The port cannot be had.
    #[error("cannot listen on {address}: {source}; say another with --port or --address")]
    Listen {
        /// Host and port.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the caller asked for what there cannot be: a name that no instance can have.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::Server(kecoa_server::Error::BadName { .. }))
    }
}

/// Starts a gateway in the background and waits until it accepts clients; or finds the one that runs. Any
/// number of these at once make one gateway.
///
/// # Errors
///
/// When it cannot start, with the reason; when it runs with another port or another database.
pub fn start(options: &Options) -> Result<Running, Error> {
    let home = create(options)?;
    if condition_is_free(&home)? {
        // Not an argument: every user of the machine sees those.
        files::put(&database_file(&home), options.database.as_bytes())?;
    }
    let launch = Launch {
        home: &home,
        self_command: &options.self_command,
        arguments: serve_arguments(options, &home),
        timeout: options.timeout,
        waiting: options.waiting.as_ref(),
    };
    let found = launch.start(&|state: &State, was_running| running(state, &home, was_running))?;
    check(found, options)
}

fn condition_is_free(home: &Home) -> Result<bool, Error> {
    Ok(matches!(launch::condition::<Details>(home)?, Condition::NotServed(_)))
}

fn check(running: Running, options: &Options) -> Result<Running, Error> {
    let differs = |what: String| Error::RunsDifferently { url: redacted(&running.url), what };
    if options.port.is_some_and(|port| port != 0 && port != running.port) {
        return Err(differs(format!("not on port {}", options.port.unwrap_or_default())));
    }
    let wanted = shown_database(&options.database);
    if wanted != running.database {
        return Err(differs(format!("on {} and not on {wanted}", running.database)));
    }
    if options.no_password && running.password {
        return Err(differs("with a password".to_owned()));
    }
    if !options.no_password && !running.password {
        return Err(differs("without a password".to_owned()));
    }
    if options.replica_set != running.replica_set {
        let what = match &running.replica_set {
            Some(name) => format!("as the replica set {name}"),
            None => "not as a replica set".to_owned(),
        };
        return Err(differs(what));
    }
    Ok(running)
}

/// Reports whether the gateway runs. Changes nothing.
///
/// # Errors
///
/// When its files may not be read or belong to another user.
pub fn status(options: &Options) -> Result<Status, Error> {
    let home = locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Status::Stopped);
    }
    Ok(match launch::condition::<Details>(&home)? {
        Condition::Served(state) => match state.phase {
            Phase::Ready => match running(&state, &home, true) {
                Some(running) => Status::Running(Box::new(running)),
                None => Status::broken("its state file is incomplete; stop it and start it again"),
            },
            Phase::Stopping => Status::Stopping,
            Phase::Starting | Phase::Failed(_) => Status::Starting,
        },
        Condition::Unreadable(error) => Status::broken(error.to_string()),
        Condition::NotServed(Some(State { phase: Phase::Failed(reason), .. })) => {
            Status::broken(format!("it ended: {reason}; start it again with `kecoa mongo start`"))
        }
        // It was killed: nothing of it is left.
        Condition::NotServed(_) => Status::Stopped,
    })
}

/// The URL of the gateway that runs, with the password.
///
/// # Errors
///
/// [`kecoa_server::Error::NotRunning`] when none does, and as [`status`].
pub fn url(options: &Options) -> Result<String, Error> {
    match status(options)? {
        Status::Running(running) => Ok(running.url),
        _ => Err(kecoa_server::Error::NotRunning { service: &SERVICE }.into()),
    }
}

/// Stops the gateway; the database goes on. When nothing runs there is nothing to do.
///
/// # Errors
///
/// When the process does not end, or the home belongs to another user.
pub fn stop(options: &Options) -> Result<Stopped, Error> {
    let home = locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Stopped::WasNotRunning);
    }
    let _starting = home.lock_start(options.timeout, options.waiting.as_ref())?;
    let found =
        if launch::stop::<Details>(&home)? { Stopped::Stopped } else { Stopped::WasNotRunning };
    state_file::remove(&home.state_file())?;
    Ok(found)
}

fn locate(options: &Options) -> Result<Home, Error> {
    Ok(Home::locate(&SERVICE, options.home.clone(), &options.name)?)
}

/// The home of the instance that is meant, with its directories made.
pub(crate) fn create(options: &Options) -> Result<Home, Error> {
    Ok(Home::create(&SERVICE, options.home.clone(), &options.name)?)
}

/// Where the one who starts the process leaves the database's connection string for it.
fn database_file(home: &Home) -> PathBuf {
    home.instance().join("database")
}

/// The connection string that was left there.
pub(crate) fn stored_database(home: &Home) -> Result<String, Error> {
    let path = database_file(home);
    let unusable = |what: &str| Error::Unusable(format!("{}: {what}", path.display()));
    let us = rustix::process::geteuid().as_raw();
    match files::read(&path, 64 * 1024, us).map_err(kecoa_server::Error::io("reading", &path))? {
        Found::Bytes(bytes) => {
            String::from_utf8(bytes).map_err(|_| unusable("expected UTF-8, found other bytes"))
        }
        Found::Missing => Err(unusable("expected the database's connection string, found no file")),
        Found::Odd(what) => Err(unusable(&what)),
    }
}
