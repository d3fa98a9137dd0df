//! Deletes the data of an instance, or all of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kecoa_server::home::{Home, SYSTEM_HOME};
use serde::Serialize;

use crate::data;
use crate::error::Error;
use crate::launch::{start, status, stop_served};
use crate::layout;
use crate::options::{FaultOptions, Options};
use crate::running::{Running, Status};
use crate::state::FaultState;

/// What would be deleted, for whoever is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deletion {
    /// The instance.
    pub name: String,
    /// The directories of its data.
    pub directories: Vec<PathBuf>,
    /// Their size on the disk, in bytes.
    pub bytes: u64,
    /// Whether it is there at all.
    pub exists: bool,
    /// Whether it runs.
    pub running: bool,
}

/// What `reset` and `destroy` would delete. Changes nothing.
///
/// # Errors
///
/// As [`status`]; and when there is what kecoa did not make in the place of its data, or the instance's directory
/// is a link.
pub fn deletion(options: &Options) -> Result<Deletion, Error> {
    let home = layout::locate(options)?;
    let running = !matches!(status(options)?, Status::Stopped);
    data::check(&home)?;
    Ok(Deletion {
        name: home.name().to_owned(),
        directories: data::directories(&home),
        bytes: data::size(&home),
        exists: home.exists(),
        running,
    })
}

/// Deletes the instance's databases and roles. One that ran is started again, as it ran: with the same port and
/// password, and a fresh `defaultdb`.
///
/// # Errors
///
/// As [`deletion`]; when it does not stop, belongs to another user or does not start again.
pub fn reset(options: &Options) -> Result<Option<Running>, Error> {
    let home = layout::locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(None);
    }
    data::check(&home)?;
    let before = match status(options)? {
        Status::Running(running) => Some(running),
        _ => None,
    };
    {
        let _starting = home.lock_start(options.timeout, options.waiting.as_ref())?;
        stop_served(&home)?;
        without_server(&home, data::remove)?;
    }
    let Some(before) = before else { return Ok(None) };
    let mut again = options.clone();
    again.port = Some(before.port);
    again.engine = before.engine;
    again.no_password = before.open;
    again.faults = match &before.faults {
        Some(FaultState { plan, seed }) => {
            let plan = plan.parse().map_err(io::Error::other);
            let plan = plan.map_err(Error::io("reading the faults of", home.instance()))?;
            Some(FaultOptions::new(plan, Some(*seed)))
        }
        None => None,
    };
    start(&again).map(Some)
}

/// What [`destroy`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Destroyed {
    /// Whether there was an instance.
    pub existed: bool,
    /// What is not the instance's own and was left where it is.
    pub left: Vec<PathBuf>,
}

/// Stops the instance and deletes it: data, password, logs. Files in its directory that kecoa did not make stay,
/// and the directory with them.
///
/// # Errors
///
/// As [`deletion`]; when it does not stop, belongs to another user or cannot be deleted.
pub fn destroy(options: &Options) -> Result<Destroyed, Error> {
    let home = layout::locate(options)?;
    home.check_owner()?;
    if !home.exists() {
        return Ok(Destroyed::default());
    }
    data::check(&home)?;
    let _starting = home.lock_start(options.timeout, options.waiting.as_ref())?;
    stop_served(&home)?;
    without_server(&home, |home| {
        data::remove(home)?;
        for root in layout::known_data_roots(home) {
            remove_own(&root.join("trusted"))?;
            remove_database_sockets(&root);
        }
        let elsewhere = home.known_id().map(|id| Path::new(SYSTEM_HOME).join("homes").join(id));
        if let Some(root) = elsewhere {
            // It goes if nothing else is in it.
            let _ = fs::remove_dir(root);
        }
        for name in layout::OWN_FILES {
            remove_file(&home.instance().join(name))?;
        }
        remove_socket(&home.instance().join("socket"));
        let _ = fs::remove_dir(home.instance());
        let left = fs::read_dir(home.instance()).into_iter().flatten().flatten();
        let mut left: Vec<PathBuf> = left.map(|entry| entry.path()).collect();
        left.sort();
        Ok(Destroyed { existed: true, left })
    })
}

/// Runs `work` while nobody can begin to serve: with the lock of the one who does.
fn without_server<T>(
    home: &Home,
    work: impl FnOnce(&Home) -> Result<T, Error>,
) -> Result<T, Error> {
    let deadline = std::time::Instant::now() + kecoa_server::serving::LOCK_TIMEOUT;
    loop {
        // Others take the lock for a moment, to see whether somebody serves.
        if let Some(_serving) = home.try_lock_serve()? {
            return work(home);
        }
        if std::time::Instant::now() >= deadline {
            let waited = kecoa_server::serving::LOCK_TIMEOUT;
            let (service, lock) = (home.service(), home.serve_lock());
            return Err(kecoa_server::Error::Busy { service, lock, waited }.into());
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The directory of the endpoint's socket, with what a killed one left in it; not if anything else is there.
fn remove_socket(directory: &Path) {
    use std::os::unix::fs::FileTypeExt as _;

    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_socket()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(directory);
}

/// What a killed database server left where its socket was beside the data.
fn remove_database_sockets(root: &Path) {
    use std::os::unix::fs::MetadataExt as _;

    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if let Ok(meta) = entry.metadata() {
            crate::postgres::socket::remove(&entry.path(), meta.uid());
        }
    }
}

/// A directory tree that we made, if it is there; never one of another user, or what a link leads to.
fn remove_own(directory: &Path) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;

    let us = rustix::process::geteuid().as_raw();
    if fs::symlink_metadata(directory).is_ok_and(|meta| meta.is_dir() && meta.uid() == us) {
        fs::remove_dir_all(directory).map_err(Error::io("removing", directory))?;
    }
    Ok(())
}

/// A missing one is fine, and a directory is none of ours.
fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => fs::remove_file(path).map_err(Error::io("removing", path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("removing", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_stays_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { home: Some(dir.path().into()), ..Options::default() };
        options.name = Some("a".to_owned());
        assert_eq!(destroy(&options).unwrap(), Destroyed::default());
        let home = layout::create(&options).unwrap();
        for name in ["password", "local.log", "instance.json", "notes.txt"] {
            fs::write(home.instance().join(name), "x").unwrap();
        }
        fs::create_dir_all(home.instance().join("pg18/base")).unwrap();
        fs::write(home.instance().join("pg18/kecoa_data"), "").unwrap();
        let notes = home.instance().join("notes.txt");
        let found = deletion(&options).unwrap();
        assert!(found.exists && !found.running && found.directories.len() == 1);
        assert_eq!(destroy(&options).unwrap(), Destroyed { existed: true, left: vec![notes] });
        let left = fs::read_dir(home.instance()).unwrap().flatten();
        assert_eq!(left.map(|entry| entry.file_name()).collect::<Vec<_>>(), ["notes.txt"]);
        fs::remove_file(home.instance().join("notes.txt")).unwrap();
        assert!(destroy(&options).unwrap().left.is_empty());
        assert!(!home.exists());
    }

    #[test]
    fn what_never_ran_is_reset_without_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options { home: Some(dir.path().into()), ..Options::default() };
        options.name = Some("a".to_owned());
        assert_eq!(reset(&options).unwrap(), None);
        let home = layout::create(&options).unwrap();
        fs::create_dir_all(home.instance().join("pg18/base")).unwrap();
        fs::write(home.instance().join("pg18/kecoa_data"), "").unwrap();
        fs::write(home.instance().join("password"), "kept").unwrap();
        assert_eq!(reset(&options).unwrap(), None);
        assert!(!home.instance().join("pg18").exists());
        assert!(home.instance().join("password").exists());
    }
}
