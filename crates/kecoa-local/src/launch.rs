//! Starts, finds and stops the process that serves the endpoint.

use std::path::Path;

use kecoa_server::home::{DEFAULT, Home};
use kecoa_server::launch::{self, Condition, Launch};
use kecoa_server::project;
use kecoa_server::secret::redacted;
use kecoa_server::state::{self, Phase};

use crate::arguments::serve_arguments;
use crate::error::Error;
use crate::layout;
use crate::options::Options;
use crate::orphans::orphans;
use crate::postgres::server::Server;
use crate::postgres::socket;
use crate::record::Record;
use crate::running::{Running, Status, Stopped, running};
use crate::state::{Details, State};

/// Starts an endpoint in the background and waits until it accepts clients; or finds the one
/// that runs. Any number of these at once make one endpoint.
///
/// # Errors
///
/// When it cannot start, with the reason; when it runs with another port or engine than asked for.
pub fn start(options: &Options) -> Result<Running, Error> {
    let home = layout::create(options)?;
    let launch = Launch {
        home: &home,
        self_command: &options.self_command,
        arguments: serve_arguments(options, &home),
        timeout: options.timeout,
        waiting: options.waiting.as_ref(),
    };
    let found = launch.start(&|state: &State, was_running| running(state, &home, was_running))?;
    let mut found = check(found, options)?;
    found.notes.extend(keep_folder(&home, options)?);
    Ok(found)
}

/// Keeps the folder that an instance was made for; a note when another folder uses the same one.
pub(crate) fn keep_folder(home: &Home, options: &Options) -> Result<Option<String>, Error> {
    let Some(project) = layout::project(options)? else { return Ok(None) };
    let record = Record::read(home);
    let uses_it = |folder: &Path| {
        project::find(folder)
            .is_ok_and(|found| found.is_some_and(|found| found.name == project.name))
    };
    match &record.folder {
        Some(folder) if *folder == project.folder => Ok(None),
        Some(folder) if uses_it(folder) => Ok(Some(format!(
            "{} names the same instance, `{}`: both folders use the same data; another name in {} \
             separates them",
            folder.join(project::FILE).display(),
            project.name,
            project.file().display()
        ))),
        _ => {
            Record { folder: Some(project.folder), ..record }.write(home)?;
            Ok(None)
        }
    }
}

fn check(running: Running, options: &Options) -> Result<Running, Error> {
    let url = redacted(&running.url);
    if options.no_password && running.password {
        return Err(Error::RunsDifferently { what: "with a password".to_owned(), url });
    }
    if options.port.is_some_and(|port| port != 0 && port != running.port) {
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

/// Reports whether the endpoint runs. Changes nothing.
///
/// # Errors
///
/// When its files may not be read or belong to another user.
pub fn status(options: &Options) -> Result<Status, Error> {
    let home = layout::locate(options)?;
    home.check_owner()?;
    status_of(&home)
}

/// The same of a home whose owner was checked.
pub(crate) fn status_of(home: &Home) -> Result<Status, Error> {
    if !home.exists() {
        return Ok(Status::Stopped);
    }
    let state = match launch::condition::<Details>(home)? {
        Condition::Served(state) => {
            return Ok(match state.phase {
                Phase::Ready => match running(&state, home, true) {
                    Some(running) => Status::Running(running),
                    None => {
                        Status::broken("its state file is incomplete; stop it and start it again")
                    }
                },
                Phase::Stopping => Status::Stopping,
                Phase::Starting | Phase::Failed(_) => Status::Starting,
            });
        }
        Condition::Unreadable(error) => return Ok(Status::broken(error.to_string())),
        Condition::NotServed(state) => state,
    };
    if let Some(orphan) = orphans(home, state.as_ref()).first() {
        return Ok(Status::broken(format!(
            "the process that served it was killed, and its database server (pid {}) still runs; \
             `kecoa local start` takes it over, `kecoa local stop` ends it",
            orphan.identity.pid
        )));
    }
    Ok(match state {
        Some(State { phase: Phase::Failed(reason), .. }) => {
            Status::broken(format!("it ended: {reason}; start it again with `kecoa local start`"))
        }
        // It was killed together with its server: there is nothing left to stop.
        _ => Status::Stopped,
    })
}

/// The instance whose status this is, for those who need it to run: else why it cannot be used, and what to do.
///
/// # Errors
///
/// When it does not run, or when it cannot be told which one is meant.
pub fn usable(status: Status, options: &Options) -> Result<Running, Error> {
    Err(match status {
        Status::Running(running) => return Ok(running),
        Status::Starting => Error::JustStarting,
        Status::Stopping => Error::JustStopping,
        Status::Broken { reason } => Error::Broken { reason },
        Status::Stopped => match layout::locate(options)?.name() {
            DEFAULT => Error::not_running(),
            name => Error::NamedNotRunning { name: name.to_owned(), here: options.name.is_none() },
        },
    })
}

/// The URL of the endpoint that runs.
///
/// # Errors
///
/// When it does not run, and as [`status`].
pub fn url(options: &Options) -> Result<String, Error> {
    Ok(usable(status(options)?, options)?.url)
}

/// Stops the endpoint and its database server, also those whose owner was killed. When nothing
/// runs there is nothing to do.
///
/// # Errors
///
/// When a process does not end, or the home belongs to another user.
pub fn stop(options: &Options) -> Result<Stopped, Error> {
    let home = layout::locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Stopped::WasNotRunning);
    }
    let _starting = home.lock_start(options.timeout, options.waiting.as_ref())?;
    stop_served(&home)
}

/// The same for one who holds the lock of those who start or stop.
pub(crate) fn stop_served(home: &Home) -> Result<Stopped, Error> {
    let mut found = Stopped::WasNotRunning;
    if launch::stop::<Details>(home)? {
        found = Stopped::Stopped;
    }
    let state = State::read(&home.state_file())?;
    for orphan in orphans(home, state.as_ref()) {
        found = Stopped::Stopped;
        Server::adopted(orphan.identity).stop(orphan.signal)?;
        if let Some((directory, owner)) = orphan.socket {
            socket::remove(&directory, owner);
        }
    }
    state::remove(&home.state_file())?;
    Ok(found)
}
