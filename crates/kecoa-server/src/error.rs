//! What can go wrong around a service, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::service::Service;

/// Why a service could not be started, found or stopped.
///
/// Every message names what was looked at and what the reader can do; none of them holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No home directory can be worked out for this user.
    #[error(
        "cannot tell where to keep {}: neither KECOA_HOME, XDG_DATA_HOME nor HOME is set; set \
         KECOA_HOME to a directory you may write to",
        service.data
    )]
    NoHome {
        /// The service.
        service: &'static Service,
    },

    /// The name of an instance is not one we make a directory of.
    #[error(
        "instance name {name:?} is not usable: expected 1 to 32 of the characters a-z, 0-9, `-` \
         and `_`"
    )]
    BadName {
        /// The name asked for.
        name: String,
    },

    /// The file that names a folder's instance does not name one.
    #[error(
        "{} {what}; expected one line with an instance's name (1 to 32 of the characters a-z, 0-9, `-` and \
         `_`). Correct it or remove it, or say which instance you mean with `--name`",
        path.display()
    )]
    BadProject {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a phrase.
        what: String,
    },

    /// A folder has another instance already than the one it is to have.
    #[error(
        "{} names the instance `{found}`, not `{wanted}`; change the name there, or leave out `--name`",
        path.display()
    )]
    OtherProject {
        /// The file.
        path: PathBuf,
        /// The instance that it names.
        found: String,
        /// The instance asked for.
        wanted: String,
    },

    /// A directory or file of ours belongs to somebody else.
    #[error(
        "{} belongs to user id {owner}, and this process runs as user id {us}; kecoa keeps data only \
         in directories of its own user. Set KECOA_HOME to another directory",
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
        "{} {why}, so nothing is known of the {} that {} serves; end that process{}, or `{} stop`, \
         and start it again",
        path.display(),
        service.title,
        process.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")),
        process.map_or_else(String::new, |pid| format!(" (`kill {pid}`)")),
        service.command
    )]
    UnreadableState {
        /// The service.
        service: &'static Service,
        /// The state file.
        path: PathBuf,
        /// What is wrong with it, as a phrase.
        why: String,
        /// The process that serves, if that is known.
        process: Option<u32>,
    },

    /// A file or directory of ours cannot be read.
    #[error(
        "cannot read {}: {source}; correct its permissions (`ls -ld`), or remove it",
        path.display()
    )]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
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
        "the disk is full at {}; free some space, or set KECOA_HOME to a directory on another disk",
        path.display()
    )]
    DiskFull {
        /// Where space ran out.
        path: PathBuf,
    },

    /// Another process starts or stops the same instance and does not come to an end.
    #[error(
        "another process has been starting or stopping this {} for {} s (lock {}); wait for it, or \
         end it",
        service.title,
        waited.as_secs(),
        lock.display()
    )]
    Busy {
        /// The service.
        service: &'static Service,
        /// The lock file.
        lock: PathBuf,
        /// How long we waited.
        waited: Duration,
    },

    /// The background process ended before it was ready, or never became ready.
    #[error("the {} did not start: {reason} (log: {})", service.title, log.display())]
    NotStarted {
        /// The service.
        service: &'static Service,
        /// What it reported.
        reason: String,
        /// Its log file.
        log: PathBuf,
    },

    /// Whoever waited for the start gave up: Ctrl-C. What had been started for it is stopped.
    #[error("the start of the {} was interrupted", service.title)]
    Interrupted {
        /// The service.
        service: &'static Service,
    },

    /// A process did not end when told to.
    #[error("process {pid} ({what}) did not end within {} s", waited.as_secs())]
    WillNotStop {
        /// Its process id.
        pid: u32,
        /// What it is.
        what: String,
        /// How long we waited.
        waited: Duration,
    },

    /// Nothing runs, and the caller needed something that runs.
    #[error("no {} is running; start one with `{} start`", service.title, service.command)]
    NotRunning {
        /// The service.
        service: &'static Service,
    },

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
    pub fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { path },
            io::ErrorKind::PermissionDenied if what == "reading" => {
                Error::Unreadable { path, source }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Error::Unwritable { path, source }
            }
            _ => Error::Io { what, path, source },
        }
    }
}
