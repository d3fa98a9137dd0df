//! The directory in which everything of the local endpoint is kept.
//!
//! ```text
//! <home>/instances/<name>/state.json    who serves, and where
//!                         start.lock    held while somebody starts or stops it
//!                         serve.lock    held by the process that serves, as long as it lives
//!                         password      what its clients must know, unless it was not asked for
//!                         socket/       where clients of the same user need none
//!                         local.log     what that process says
//!                         server.log    what the database server says
//!                         pg18/         the data, by PostgreSQL's major version
//!                         cockroach/    the data of the other engine
//! <home>/binaries/<version>-<hash>/     copies of PostgreSQL's programs (root only)
//! ```
//!
//! Root keeps the data where the unprivileged user that PostgreSQL runs as can reach it. If a home
//! named by `KECOA_HOME` lies below a directory closed to that user, only the data moves: to
//! `/var/lib/kecoa/homes/<id>`, where the id is a random one kept in the instance's directory, so
//! that a home made anew never meets an older one's data.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::files::{self, Found};
use crate::options::{Options, variable};
use crate::postgres::privileges::RunAs;
use crate::postgres::socket;
use crate::process::{ProcessIdentity, has_open};

/// Where root keeps things.
const SYSTEM_HOME: &str = "/var/lib/kecoa";

/// A log longer than this is begun anew at the next start.
const LOG_LIMIT: u64 = 8 << 20;

/// The directory of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    base: PathBuf,
    instance: PathBuf,
}

impl Home {
    /// Works out where the home is; makes nothing.
    ///
    /// # Errors
    ///
    /// When there is nothing to work it out from, or the instance's name is not usable.
    pub fn locate(options: &Options) -> Result<Home, Error> {
        let name = &options.name;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            return Err(Error::BadName { name: name.clone() });
        }
        let base = match options.home.clone().or_else(|| variable("KECOA_HOME").map(Into::into)) {
            Some(base) => base,
            None => usual_base()?,
        };
        // A later process may have another current directory.
        let base = std::path::absolute(&base).map_err(Error::io("reading", &base))?;
        let instance = base.join("instances").join(name);
        Ok(Home { base, instance })
    }

    /// The same, and makes its directories: closed to others, except root's, through which the
    /// unprivileged user has to pass.
    ///
    /// # Errors
    ///
    /// When a directory cannot be made or belongs to another user.
    pub fn create(options: &Options) -> Result<Home, Error> {
        let home = Home::locate(options)?;
        let mode = if rustix::process::geteuid().is_root() { 0o755 } else { 0o700 };
        home.check_owner()?;
        files::make_directories(&home.instance, mode)?;
        home.check_owner()?;
        Ok(home)
    }

    /// Refuses directories of another user: what they hold could make us signal or run anything.
    ///
    /// # Errors
    ///
    /// When one of them, or a link to it, belongs to somebody else. A missing one is fine.
    pub fn check_owner(&self) -> Result<(), Error> {
        let instances = self.base.join("instances");
        for directory in [&self.base, &instances, &self.instance] {
            // With the sticky bit others can add to it, but not take away.
            if files::check_ours(directory)?
                .is_some_and(|meta| meta.mode() & 0o002 != 0 && meta.mode() & 0o1000 == 0)
            {
                return Err(Error::OpenToOthers { path: directory.clone() });
            }
        }
        Ok(())
    }

    /// Whether this instance was ever started.
    pub fn exists(&self) -> bool {
        self.instance.is_dir()
    }

    /// The directory of this instance.
    pub fn instance(&self) -> &Path {
        &self.instance
    }

    /// The directory given as `KECOA_HOME`, or the usual one.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The state file.
    pub fn state_file(&self) -> PathBuf {
        self.instance.join("state.json")
    }

    /// What the serving process says.
    pub fn log_file(&self) -> PathBuf {
        self.instance.join("local.log")
    }

    /// What the database server says.
    pub fn server_log_file(&self) -> PathBuf {
        self.instance.join("server.log")
    }

    /// Where copies of PostgreSQL's programs go.
    pub(crate) fn binaries_dir(&self, run_as: &RunAs) -> PathBuf {
        let base = match run_as.blocked_at(&self.base) {
            Some(_) => Path::new(SYSTEM_HOME),
            None => &self.base,
        };
        base.join("binaries")
    }

    /// The directory in which the data directories are, and a note for the user if that is not
    /// the instance's own.
    pub(crate) fn data_root(&self, run_as: &RunAs) -> Result<(PathBuf, Option<String>), Error> {
        let Some(closed) = run_as.blocked_at(&self.instance) else {
            return Ok((self.instance.clone(), None));
        };
        let root = Path::new(SYSTEM_HOME).join("homes").join(self.id()?);
        files::make_directories(&root, 0o755)?;
        files::check_ours(&root)?;
        let note = format!(
            "{} is closed to the unprivileged user that PostgreSQL runs as, so the data is kept in {}",
            closed.display(),
            root.display()
        );
        Ok((root, Some(note)))
    }

    /// The data root as far as it is known without making anything, for `stop` and `status`.
    pub(crate) fn known_data_roots(&self) -> Vec<PathBuf> {
        let mut roots = vec![self.instance.clone()];
        if let Some(id) = read_id(&self.instance.join("id")) {
            roots.push(Path::new(SYSTEM_HOME).join("homes").join(id));
        }
        roots
    }

    fn id(&self) -> Result<String, Error> {
        let path = self.instance.join("id");
        if let Some(id) = read_id(&path) {
            return Ok(id);
        }
        let id = format!("{}{}", random_suffix(), random_suffix());
        crate::state::put(&path, id.as_bytes())?;
        Ok(id)
    }

    /// The lock of those who start or stop. Waits for it.
    ///
    /// # Errors
    ///
    /// When it is not to be had within `patience`, or its file cannot be made.
    pub(crate) fn lock_start(&self, patience: Duration) -> Result<File, Error> {
        let path = self.instance.join("start.lock");
        let file = files::open_to_write(&path, false)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(Error::io("locking", &path)(e)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(Error::Busy { lock: path, waited: patience });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The lock of the one who serves; `None` while another process has it.
    pub(crate) fn try_lock_serve(&self) -> Result<Option<File>, Error> {
        let path = self.instance.join("serve.lock");
        let file = files::open_to_write(&path, false)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("locking", &path)(e)),
        }
    }

    /// Notes in the lock's file who has it, for when the state file cannot be read.
    pub(crate) fn sign(&self, mut lock: &File, own: &ProcessIdentity) -> Result<(), Error> {
        let path = self.instance.join("serve.lock");
        let mut write = || -> io::Result<()> {
            lock.set_len(0)?;
            lock.write_all(&serde_json::to_vec(own).map_err(io::Error::other)?)
        };
        write().map_err(Error::io("writing", &path))
    }

    /// The process that has the lock of the one who serves, as far as its file tells.
    pub(crate) fn server_process(&self) -> Option<ProcessIdentity> {
        let us = rustix::process::geteuid().as_raw();
        let Ok(Found::Bytes(bytes)) = files::read(&self.instance.join("serve.lock"), 4096, us)
        else {
            return None;
        };
        serde_json::from_slice(&bytes).ok().filter(|process| self.is_serving(process))
    }

    /// Whether a process that some file names is one that serves here. It has the lock, so its file
    /// is open there; where the system does not tell, the process must at least be the one meant.
    pub(crate) fn is_serving(&self, process: &ProcessIdentity) -> bool {
        process.is_alive()
            && has_open(process.pid, &self.instance.join("serve.lock")) != Some(false)
    }

    /// Where the instance's password is kept.
    pub(crate) fn password_file(&self) -> PathBuf {
        self.instance.join("password")
    }

    /// The directory of the endpoint's own socket, closed to others; made if it is not there.
    ///
    /// A socket's path is short: where the instance lies too deep it is in `/tmp`.
    pub(crate) fn client_socket(&self) -> Result<PathBuf, Error> {
        let us = rustix::process::geteuid().as_raw();
        let near = self.instance.join("socket");
        // 103 bytes fit everywhere; the longest name is `/.s.PGSQL.65535`.
        if near.as_os_str().len() > 103 - 16 {
            return socket::make(Path::new("/tmp"), &self.instance, &RunAs::Ourselves { uid: us });
        }
        match DirBuilder::new().mode(0o700).create(&near) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("creating", &near)(error));
            }
            _ => {}
        }
        if !socket::is_private(&near, us) {
            let what = "is not a directory of ours that is closed to others".to_owned();
            return Err(Error::OddFile { path: near, what });
        }
        Ok(near)
    }

    /// Whether the lock that was taken still stands in this home: the home may have been removed
    /// from under the one who serves.
    pub(crate) fn still_holds(&self, lock: &File) -> bool {
        let there = fs::metadata(self.instance.join("serve.lock"));
        match (there, lock.metadata()) {
            (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
            (Err(e), _) => e.kind() != io::ErrorKind::NotFound,
            (_, Err(_)) => true,
        }
    }
}

fn usual_base() -> Result<PathBuf, Error> {
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from(SYSTEM_HOME));
    }
    if let Some(data) = variable("XDG_DATA_HOME").map(PathBuf::from)
        // The XDG specification has relative paths ignored.
        && data.is_absolute()
    {
        return Ok(data.join("kecoa"));
    }
    match std::env::home_dir() {
        Some(home) if home.is_absolute() => Ok(home.join(".local/share/kecoa")),
        _ => Err(Error::NoHome),
    }
}

fn read_id(path: &Path) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    let Ok(Found::Bytes(id)) = files::read(path, 64, us) else { return None };
    let id = String::from_utf8(id).ok()?;
    (id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

/// Opens a log to append to; one that has grown too long is begun anew.
pub(crate) fn open_log(path: &Path) -> Result<File, Error> {
    let mut file = files::open_to_write(path, true)?;
    if file.metadata().is_ok_and(|meta| meta.len() > LOG_LIMIT) {
        file.set_len(0).map_err(Error::io("emptying", path))?;
        file.write_all(b"(begun anew)\n").map_err(Error::io("writing", path))?;
    }
    Ok(file)
}

/// Whether fewer than `bytes` are free for us on the file system of `path`. Unknown is not full.
pub(crate) fn is_full(path: &Path, bytes: u64) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) < bytes)
}

/// The last lines of a log from `start` on, at most 2 kB.
pub(crate) fn log_tail(path: &Path, start: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        use std::io::{Seek as _, SeekFrom};
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let end = file.metadata()?.len();
        file.seek(SeekFrom::Start(start.max(end.saturating_sub(2_000)).min(end)))?;
        let mut bytes = Vec::new();
        file.take(2_000).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default()
}

/// FNV-1a: names of files need a hash that is the same tomorrow, not one that resists an enemy.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Sixteen hexadecimal digits that nobody else has just now.
pub(crate) fn random_suffix() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(base: &Path, name: &str) -> Options {
        Options { home: Some(base.to_path_buf()), name: name.to_owned(), ..Options::default() }
    }

    #[test]
    fn names_cannot_leave_the_home() {
        for name in ["", "..", "a/b", "A", "a b", &"x".repeat(33)] {
            let result = Home::locate(&options(Path::new("/h"), name));
            assert!(matches!(result, Err(Error::BadName { .. })), "{name:?}");
        }
        let home = Home::locate(&options(Path::new("/h"), "test-1")).unwrap();
        assert_eq!(home.instance(), Path::new("/h/instances/test-1"));
    }

    #[test]
    fn one_serves_and_others_see_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::create(&options(dir.path(), "a")).unwrap();
        let lock = home.try_lock_serve().unwrap().expect("free");
        assert!(home.try_lock_serve().unwrap().is_none());
        drop(lock);
        assert!(home.try_lock_serve().unwrap().is_some());
        let held = home.lock_start(Duration::ZERO).unwrap();
        assert!(matches!(home.lock_start(Duration::from_millis(20)), Err(Error::Busy { .. })));
        drop(held);
    }

    #[test]
    fn an_id_is_made_once_and_garbage_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::create(&options(dir.path(), "a")).unwrap();
        let id = home.id().unwrap();
        assert_eq!(home.id().unwrap(), id);
        fs::write(home.instance().join("id"), "../../../../etc").unwrap();
        assert_eq!(read_id(&home.instance().join("id")), None);
    }

    #[test]
    fn free_space_is_counted_in_bytes() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_full(dir.path(), 1));
        assert!(is_full(dir.path(), u64::MAX));
        assert!(!is_full(&dir.path().join("not there"), u64::MAX));
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_long_log_is_begun_anew_and_its_tail_is_short() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, vec![b'x'; usize::try_from(LOG_LIMIT).unwrap() + 1]).unwrap();
        assert_eq!(log_tail(&path, 0).len(), 2_000);
        drop(open_log(&path).unwrap());
        assert_eq!(log_tail(&path, 0), "(begun anew)");
        assert_eq!(log_tail(&path, 999_999), "");
    }
}
