//! A running database server: ours, or one whose owner was killed.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use kecoa_server::files::{self, Found};
use kecoa_server::process::{ProcessIdentity, command_mentions, process_owner, working_directory};
use rustix::process::Signal;

use crate::error::Error;

/// How long a server may take to stop in an orderly way (it writes everything to disk).
const ORDERLY: Duration = Duration::from_secs(20);
/// How long it may take to stop at once.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The process of a database server.
#[derive(Debug)]
pub struct Server {
    identity: ProcessIdentity,
    child: Option<Child>,
}

impl Server {
    /// A server we started.
    pub(crate) fn started(child: Child, identity: ProcessIdentity) -> Server {
        Server { identity, child: Some(child) }
    }

    /// A server that somebody else started.
    pub(crate) fn adopted(identity: ProcessIdentity) -> Server {
        Server { identity, child: None }
    }

    /// Its process.
    pub fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    /// Whether it runs. One that ended is not left a zombie.
    pub fn is_running(&mut self) -> bool {
        match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(status)) => status.is_none(),
            _ => self.identity.is_alive(),
        }
    }

    /// Stops it: PostgreSQL's fast shutdown, then the immediate one, then by force, which it
    /// recovers from at the next start.
    ///
    /// # Errors
    ///
    /// When it survives even that.
    pub fn stop(mut self, orderly: Signal) -> Result<(), Error> {
        for (signal, timeout) in
            [(orderly, ORDERLY), (Signal::QUIT, AT_ONCE), (Signal::KILL, AT_ONCE)]
        {
            self.identity.signal(signal);
            if self.identity.wait_gone(timeout) {
                if let Some(child) = &mut self.child {
                    // It has ended: this only takes its exit status.
                    let _ = child.wait();
                }
                return Ok(());
            }
        }
        let what = "the database server".to_owned();
        let waited = ORDERLY + AT_ONCE * 2;
        Err(kecoa_server::Error::WillNotStop { pid: self.identity.pid, what, waited }.into())
    }
}

/// What PostgreSQL writes into `postmaster.pid`: pid, data directory, start time, port, socket
/// directory, listen address, shared memory key, status; a line each (`miscadmin.h`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    pub(crate) port: Option<u16>,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) ready: bool,
}

impl PidFile {
    /// The directory's owner may put anything there: what is no short file says nothing.
    pub(crate) fn read(data_dir: &Path) -> Option<PidFile> {
        let owner = fs::symlink_metadata(data_dir).ok()?.uid();
        match files::read(&data_dir.join("postmaster.pid"), 4096, owner) {
            Ok(Found::Bytes(bytes)) => PidFile::parse(&String::from_utf8(bytes).ok()?),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<PidFile> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2).and_then(|line| line.trim().parse().ok());
        let socket_dir = lines.next().filter(|line| !line.is_empty()).map(PathBuf::from);
        let ready = lines.nth(2).is_some_and(|line| line.trim() == "ready");
        Some(PidFile { pid, port, socket_dir, ready })
    }
}

/// The PostgreSQL that runs on this data directory, if one does.
///
/// The id in `postmaster.pid` may by now belong to any process; a postmaster works in its data
/// directory, which no other process does.
pub(crate) fn find_postmaster(data_dir: &Path) -> Option<(ProcessIdentity, PidFile)> {
    let file = PidFile::read(data_dir)?;
    let identity = ProcessIdentity::of(file.pid)?;
    let real = fs::canonicalize(data_dir).ok()?;
    // Who may write the file must not make us signal processes of others.
    let owner = fs::symlink_metadata(data_dir).ok()?.uid();
    if process_owner(file.pid).is_some_and(|other| other != owner) {
        return None;
    }
    let ours = match working_directory(file.pid) {
        Some(directory) => directory == real,
        None => command_mentions(file.pid, data_dir) || command_mentions(file.pid, &real),
    };
    (ours && identity.is_alive()).then_some((identity, file))
}

/// Takes away what a server left that is gone, and what anybody put in its place, so that a new one
/// starts. PostgreSQL itself takes a zombie for a server that runs, and so any process that has
/// been given its id since; it would wait for ever on a named pipe.
///
/// Processes of a killed server that are just ending still hold its memory, which PostgreSQL looks
/// at by the directory, whatever this file says.
pub(crate) fn clear_leftovers(data_dir: &Path) -> Result<(), Error> {
    for name in ["postmaster.pid", "postmaster.opts"] {
        let path = data_dir.join(name);
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if name == "postmaster.opts" && meta.is_file() {
            continue;
        }
        if meta.is_dir() {
            let what = "is a directory, not a file".to_owned();
            return Err(kecoa_server::Error::OddFile { path, what }.into());
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("removing", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_read_as_far_as_it_is_written() {
        let whole = "4242\n/a b/pg18\n1700000000\n5432\n/tmp/kecoa-1-2\n\n  123 456\nready   \n";
        assert_eq!(
            PidFile::parse(whole),
            Some(PidFile {
                pid: 4242,
                port: Some(5432),
                socket_dir: Some("/tmp/kecoa-1-2".into()),
                ready: true,
            })
        );
        let starting = whole.replace("ready   ", "starting");
        assert!(!PidFile::parse(&starting).unwrap().ready);
        let early = PidFile::parse("4242\n/a\n").unwrap();
        assert_eq!((early.pid, early.port, early.ready), (4242, None, false));
        for garbage in ["", "-7\n", "x\n", "99999999999\n"] {
            assert_eq!(PidFile::parse(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn another_process_with_the_id_of_a_dead_postmaster_is_not_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let text =
            format!("{}\n{}\n1\n5432\n/tmp\n\n1 1\nready\n", child.id(), dir.path().display());
        fs::write(dir.path().join("postmaster.pid"), text).unwrap();
        assert_eq!(find_postmaster(dir.path()), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
