//! The directory of an instance, and the locks in it.
//!
//! ```text
//! <home>/<service's directory>/<name>/state.json    who serves, and where
//!                                     start.lock    held while somebody starts or stops it
//!                                     serve.lock    held by the process that serves, as long as it lives
//!                                     <its log>     what that process says
//! ```
//!
//! What else lies there is the service's own.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::files::{self, Found};
use crate::names::random_suffix;
use crate::process::{ProcessIdentity, has_open};
use crate::service::Service;
use crate::waiting::Waiting;

/// The instance that is meant where nobody says another.
pub const DEFAULT: &str = "default";

/// Where root keeps things.
pub const SYSTEM_HOME: &str = "/var/lib/kecoa";

/// The directory of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    service: &'static Service,
    base: PathBuf,
    instance: PathBuf,
}

impl Home {
    /// Works out where the home is; makes nothing.
    ///
    /// # Errors
    ///
    /// When there is nothing to work it out from, or the instance's name is not usable.
    pub fn locate(
        service: &'static Service,
        base: Option<PathBuf>,
        name: &str,
    ) -> Result<Home, Error> {
        if !is_usable(name) {
            return Err(Error::BadName { name: name.to_owned() });
        }
        let base = match base.or_else(|| variable("KECOA_HOME").map(Into::into)) {
            Some(base) => base,
            None => usual_base(service)?,
        };
        // A later process may have another current directory.
        let base = std::path::absolute(&base).map_err(Error::io("reading", &base))?;
        let instance = base.join(service.directory).join(name);
        Ok(Home { service, base, instance })
    }

    /// Every instance of a service in a base, by name: those that were ever started and not removed.
    ///
    /// # Errors
    ///
    /// As [`locate`](Self::locate), and when the directory may not be read.
    pub fn all(service: &'static Service, base: Option<PathBuf>) -> Result<Vec<Home>, Error> {
        let any = Home::locate(service, base, DEFAULT)?;
        let names = any.siblings()?.into_iter().filter_map(|name| name.into_string().ok());
        names
            .filter(|name| is_usable(name))
            .map(|name| Home::locate(service, Some(any.base.clone()), &name))
            .collect()
    }

    /// The directories that lie where a service's instances are, and whose names no instance can have, by name:
    /// somebody else made them, or renamed one.
    ///
    /// # Errors
    ///
    /// As [`all`](Self::all).
    pub fn strangers(
        service: &'static Service,
        base: Option<PathBuf>,
    ) -> Result<Vec<PathBuf>, Error> {
        let any = Home::locate(service, base, DEFAULT)?;
        let directory = any.base.join(service.directory);
        let usable = |name: &OsString| name.to_str().is_some_and(is_usable);
        let names = any.siblings()?.into_iter().filter(|name| !usable(name));
        Ok(names.map(|name| directory.join(name)).collect())
    }

    /// The names of all directories that lie beside this instance's, sorted.
    fn siblings(&self) -> Result<Vec<OsString>, Error> {
        let directory = self.base.join(self.service.directory);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("reading", &directory)(error)),
        };
        let directories = entries.flatten().filter(|entry| entry.path().is_dir());
        let mut names: Vec<OsString> = directories.map(|entry| entry.file_name()).collect();
        names.sort();
        Ok(names)
    }

    /// The same, and makes its directories: closed to others, except root's, through which the
    /// unprivileged user has to pass.
    ///
    /// # Errors
    ///
    /// When a directory cannot be made or belongs to another user.
    pub fn create(
        service: &'static Service,
        base: Option<PathBuf>,
        name: &str,
    ) -> Result<Home, Error> {
        let home = Home::locate(service, base, name)?;
        home.check_owner()?;
        files::make_directories(&home.instance, directory_mode())?;
        home.check_owner()?;
        Ok(home)
    }

    /// Refuses directories of another user: what they hold could make us signal or run anything.
    ///
    /// # Errors
    ///
    /// When one of them, or a link to it, belongs to somebody else. A missing one is fine.
    pub fn check_owner(&self) -> Result<(), Error> {
        let instances = self.base.join(self.service.directory);
        for directory in [&self.base, &instances, &self.instance] {
            let Some(meta) = files::check_ours(directory)? else { continue };
            if !meta.is_dir() {
                let error = io::Error::from(io::ErrorKind::NotADirectory);
                return Err(Error::io("reading", directory)(error));
            }
            // With the sticky bit others can add to it, but not take away.
            if meta.mode() & 0o002 != 0 && meta.mode() & 0o1000 == 0 {
                return Err(Error::OpenToOthers { path: directory.clone() });
            }
        }
        Ok(())
    }

    /// The service whose instance this is.
    pub fn service(&self) -> &'static Service {
        self.service
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        // It was given as text, and is the last part of a path that we made.
        self.instance.file_name().and_then(|name| name.to_str()).unwrap_or(DEFAULT)
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
        self.instance.join(self.service.log)
    }

    /// A random name that the instance has had since it was first asked for: a home made anew has
    /// another one.
    ///
    /// # Errors
    ///
    /// When it cannot be written down.
    pub fn id(&self) -> Result<String, Error> {
        let path = self.instance.join("id");
        if let Some(id) = self.known_id() {
            return Ok(id);
        }
        let id = format!("{}{}", random_suffix(), random_suffix());
        files::put(&path, id.as_bytes())?;
        Ok(id)
    }

    /// [`id`](Self::id), if there is one.
    pub fn known_id(&self) -> Option<String> {
        read_id(&self.instance.join("id"))
    }

    /// The lock of those who start or stop. Waits for it, unless `waiting` gives up.
    ///
    /// # Errors
    ///
    /// When it is not to be had within `timeout`, or its file cannot be made; [`Error::Interrupted`].
    pub fn lock_start(&self, timeout: Duration, waiting: Option<&Waiting>) -> Result<File, Error> {
        let path = self.instance.join("start.lock");
        let mut file = files::open_to_write(&path, false)?;
        let deadline = Instant::now() + timeout;
        let mut reported = false;
        loop {
            match file.try_lock() {
                Ok(()) if is_same(&path, &file) => return Ok(file),
                // Whoever had it removed the instance: what we hold is no lock any more.
                Ok(()) => {
                    files::make_directories(&self.instance, directory_mode())?;
                    file = files::open_to_write(&path, false)?;
                }
                Err(TryLockError::Error(e)) => return Err(Error::io("locking", &path)(e)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(Error::Busy { service: self.service, lock: path, waited: timeout });
                }
                Err(TryLockError::WouldBlock) if waiting.is_some_and(Waiting::is_interrupted) => {
                    return Err(Error::Interrupted { service: self.service });
                }
                Err(TryLockError::WouldBlock) => {
                    if let (Some(waiting), false) = (waiting, reported) {
                        waiting.begins("waiting for another process that starts or stops it");
                        reported = true;
                    }
                    thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// The file of the lock of the one who serves.
    pub fn serve_lock(&self) -> PathBuf {
        self.instance.join("serve.lock")
    }

    /// The lock of the one who serves; `None` while another process has it.
    ///
    /// # Errors
    ///
    /// When its file cannot be made.
    pub fn try_lock_serve(&self) -> Result<Option<File>, Error> {
        let path = self.serve_lock();
        let file = files::open_to_write(&path, false)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("locking", &path)(e)),
        }
    }

    /// Notes in the lock's file who has it, for when the state file cannot be read.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn sign(&self, mut lock: &File, own: &ProcessIdentity) -> Result<(), Error> {
        let path = self.serve_lock();
        let mut write = || -> io::Result<()> {
            lock.set_len(0)?;
            lock.write_all(&serde_json::to_vec(own).map_err(io::Error::other)?)
        };
        write().map_err(Error::io("writing", &path))
    }

    /// The process that has the lock of the one who serves, as far as its file tells.
    pub fn server_process(&self) -> Option<ProcessIdentity> {
        let us = rustix::process::geteuid().as_raw();
        let Ok(Found::Bytes(bytes)) = files::read(&self.serve_lock(), 4096, us) else {
            return None;
        };
        serde_json::from_slice(&bytes).ok().filter(|process| self.is_serving(process))
    }

    /// Whether a process that some file names is one that serves here. It has the lock, so its file
    /// is open there; where the system does not tell, the process must at least be the one meant.
    pub fn is_serving(&self, process: &ProcessIdentity) -> bool {
        process.is_alive() && has_open(process.pid, &self.serve_lock()) != Some(false)
    }

    /// Whether the lock that was taken still stands in this home: the home may have been removed
    /// from under the one who serves.
    pub fn still_holds(&self, lock: &File) -> bool {
        is_same(&self.serve_lock(), lock)
    }
}

/// Whether a file that was opened still stands at its path. What cannot be told is taken for that.
fn is_same(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        (Err(e), _) => e.kind() != io::ErrorKind::NotFound,
        (_, Err(_)) => true,
    }
}

/// Closed to others, except root's, through which the unprivileged user has to pass.
fn directory_mode() -> u32 {
    if rustix::process::geteuid().is_root() { 0o755 } else { 0o700 }
}

/// Whether an instance may have this name: it is a directory's, and never leaves the home.
pub fn is_usable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 32 && name.chars().all(plain)
}

fn usual_base(service: &'static Service) -> Result<PathBuf, Error> {
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
        _ => Err(Error::NoHome { service }),
    }
}

/// How we read an environment variable. An empty value counts as unset.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn read_id(path: &Path) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    let Ok(Found::Bytes(id)) = files::read(path, 64, us) else { return None };
    let id = String::from_utf8(id).ok()?;
    (id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    static SERVICE: Service = Service {
        title: "test server",
        data: "the test's data",
        command: "kecoa test",
        directory: "instances",
        log: "test.log",
    };

    fn locate(base: &Path, name: &str) -> Result<Home, Error> {
        Home::locate(&SERVICE, Some(base.to_path_buf()), name)
    }

    fn create(base: &Path, name: &str) -> Home {
        Home::create(&SERVICE, Some(base.to_path_buf()), name).unwrap()
    }

    #[test]
    fn names_cannot_leave_the_home() {
        for name in ["", "..", "a/b", "A", "a b", &"x".repeat(33)] {
            let result = locate(Path::new("/h"), name);
            assert!(matches!(result, Err(Error::BadName { .. })), "{name:?}");
        }
        let home = locate(Path::new("/h"), "test-1").unwrap();
        assert_eq!(home.instance(), Path::new("/h/instances/test-1"));
    }

    #[test]
    fn one_serves_and_others_see_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = create(dir.path(), "a");
        let lock = home.try_lock_serve().unwrap().expect("free");
        assert!(home.try_lock_serve().unwrap().is_none());
        drop(lock);
        assert!(home.try_lock_serve().unwrap().is_some());
        let held = home.lock_start(Duration::ZERO, None).unwrap();
        assert!(matches!(
            home.lock_start(Duration::from_millis(20), None),
            Err(Error::Busy { .. })
        ));
        drop(held);
    }

    #[test]
    fn an_id_is_made_once_and_garbage_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let home = create(dir.path(), "a");
        let id = home.id().unwrap();
        assert_eq!(home.id().unwrap(), id);
        fs::write(home.instance().join("id"), "../../../../etc").unwrap();
        assert_eq!(home.known_id(), None);
    }
}
