//! The private directory of PostgreSQL's socket.
//!
//! A socket's path has at most 107 bytes, and a home directory may be longer; and root's home may
//! be closed to the user PostgreSQL runs as. So the directory is made in `/tmp` if that can be, closed to all
//! others (that is what makes `trust` safe on it), and checked when it is already there: anybody
//! may make things in `/tmp`.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use kecoa_server::files::is_private;
use kecoa_server::names::{hash, random_suffix};

use crate::error::Error;
use crate::postgres::SOCKET_PORT;
use crate::postgres::privileges::RunAs;

/// The longest path in which a socket has room: 103 bytes fit everywhere, and behind it come the directory and
/// `/.s.PGSQL.5432`.
const LONGEST: usize = 103 - "/kecoa-4294967295-0123456789abcdef/.s.PGSQL.5432".len();

/// Makes the directory, or takes the one that an earlier run for this data directory left.
pub(crate) fn make(parent: &Path, data_dir: &Path, run_as: &RunAs) -> Result<PathBuf, Error> {
    let owner = run_as.file_owner();
    let key = hash(data_dir.as_os_str().as_encoded_bytes());
    let usual = parent.join(format!("kecoa-{owner}-{key:016x}"));
    if is_private(&usual, owner) {
        return Ok(usual);
    }
    match create(&usual, run_as) {
        Ok(()) => return Ok(usual),
        // Somebody else's, or a link, or open to others: left alone.
        Err(Error::Service(kecoa_server::Error::Io { source, .. }))
            if source.kind() == io::ErrorKind::AlreadyExists => {}
        Err(other) => return Err(other),
    }
    let another = parent.join(format!("kecoa-{owner}-{}", random_suffix()));
    create(&another, run_as)?;
    Ok(another)
}

/// As [`make`], in `/tmp`; where that takes no files, as in a container whose root is read-only, in `/var/tmp` or
/// beside the data, if the path is not too long for a socket there.
pub(crate) fn make_somewhere(data_dir: &Path, run_as: &RunAs) -> Result<PathBuf, Error> {
    let places = [Some(Path::new("/tmp")), Some(Path::new("/var/tmp")), data_dir.parent()];
    make_in(places.into_iter().flatten(), data_dir, run_as)
}

fn make_in<'a>(
    places: impl Iterator<Item = &'a Path>,
    data_dir: &Path,
    run_as: &RunAs,
) -> Result<PathBuf, Error> {
    let mut first = None;
    for place in places.filter(|place| place.as_os_str().len() <= LONGEST) {
        match make(place, data_dir, run_as) {
            Err(error @ Error::Service(kecoa_server::Error::Unwritable { .. })) => {
                first.get_or_insert(error);
            }
            other => return other,
        }
    }
    Err(first.unwrap_or_else(|| {
        let source = io::Error::from(io::ErrorKind::InvalidFilename);
        Error::io("creating the socket directory", data_dir)(source)
    }))
}

/// Removes the directory of a server that has ended, with what a server that had to be killed
/// leaves in it. Other files, and a directory that is not empty then, stay.
///
/// The directory may be known from a file that `owner` can write: only one of theirs is touched.
pub(crate) fn remove(directory: &Path, owner: u32) {
    if clear(directory, owner) {
        let _ = fs::remove_dir(directory);
    }
}

/// Removes what a server that ended left in the directory of its socket; says whether it is one.
pub(crate) fn clear(directory: &Path, owner: u32) -> bool {
    let ours = directory.file_name().and_then(|name| name.to_str());
    if !ours.is_some_and(|name| name.starts_with("kecoa-")) || !is_private(directory, owner) {
        return false;
    }
    for name in [format!(".s.PGSQL.{SOCKET_PORT}"), format!(".s.PGSQL.{SOCKET_PORT}.lock")] {
        // Gone already, as a rule.
        let _ = fs::remove_file(directory.join(name));
    }
    true
}

fn create(path: &Path, run_as: &RunAs) -> Result<(), Error> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(Error::io("creating the socket directory", path))?;
    run_as.give(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    #[test]
    fn removed_with_a_killed_servers_leavings_and_nothing_else() {
        let tmp = tempfile::tempdir().unwrap();
        let directory = tmp.path().join("kecoa-1-2");
        let us = rustix::process::geteuid().as_raw();
        DirBuilder::new().mode(0o700).create(&directory).unwrap();
        fs::write(directory.join(".s.PGSQL.5432.lock"), "1").unwrap();
        fs::write(directory.join("somebody's"), "").unwrap();
        remove(&directory, us + 1);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "another user's is left alone");
        remove(&directory, us);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_file(directory.join("somebody's")).unwrap();
        remove(&directory, us);
        assert!(!directory.exists());
        // A server that was started by other means has its socket elsewhere.
        remove(tmp.path(), us);
        assert!(tmp.path().exists());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn made_elsewhere_when_the_first_place_takes_no_files() {
        let tmp = tempfile::tempdir().unwrap();
        let run_as = RunAs::Ourselves { uid: rustix::process::geteuid().as_raw() };
        // Nobody may make directories there, root neither.
        let closed = Path::new("/sys");
        let data = Path::new("/some/data");
        let made = |places: &[&Path]| make_in(places.iter().copied(), data, &run_as);
        assert!(made(&[closed, tmp.path()]).unwrap().starts_with(tmp.path()));
        let long = tmp.path().join("a".repeat(100));
        fs::create_dir(&long).unwrap();
        let error = made(&[closed, &long]).unwrap_err().to_string();
        assert!(error.contains("/sys/kecoa-"), "{error}");
    }

    #[test]
    fn made_private_found_again_and_never_shared() {
        let tmp = tempfile::tempdir().unwrap();
        let run_as = RunAs::Ourselves { uid: rustix::process::geteuid().as_raw() };
        let data = Path::new("/some/data");
        let first = make(tmp.path(), data, &run_as).unwrap();
        assert_eq!(fs::metadata(&first).unwrap().mode() & 0o777, 0o700);
        assert_eq!(make(tmp.path(), data, &run_as).unwrap(), first);
        assert_ne!(make(tmp.path(), Path::new("/other"), &run_as).unwrap(), first);

        fs::set_permissions(&first, fs::Permissions::from_mode(0o755)).unwrap();
        let second = make(tmp.path(), data, &run_as).unwrap();
        assert_ne!(second, first, "a directory open to others was used");
        assert_eq!(fs::metadata(&first).unwrap().mode() & 0o777, 0o755, "and is left as it was");

        fs::remove_dir(&first).unwrap();
        std::os::unix::fs::symlink(&second, &first).unwrap();
        assert_ne!(make(tmp.path(), data, &run_as).unwrap(), first, "a link was followed");
    }
}
