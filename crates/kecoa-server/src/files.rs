//! Files that somebody else may have put there: opened without following a link, without waiting
//! (a named pipe would wait for ever), and only when they are files of the right user.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::error::Error;

/// What stands where a file is expected.
#[derive(Debug)]
pub enum Found {
    /// Nothing.
    Missing,
    /// Something else than a file of ours; a phrase says what: "is a link".
    Odd(String),
    /// The file's bytes.
    Bytes(Vec<u8>),
}

const COMMON: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Reads a file of `owner` that is at most `limit` bytes long. Never waits.
///
/// # Errors
/// When the system refuses. What is there and is no such file is [`Found::Odd`].
pub fn read(path: &Path, limit: u64, owner: u32) -> io::Result<Found> {
    let file = match rustix::fs::open(path, OFlags::RDONLY | COMMON, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(Found::Missing),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) => {
            return Ok(Found::Odd("is a link, not a file".to_owned()));
        }
        Err(rustix::io::Errno::NXIO | rustix::io::Errno::OPNOTSUPP) => {
            return Ok(Found::Odd("is a socket, not a file".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(odd) = oddity(&file, owner)? {
        return Ok(Found::Odd(odd));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Ok(Found::Odd(format!("is longer than {limit} bytes")));
    }
    Ok(Found::Bytes(bytes))
}

/// Opens a file of ours to write, and makes it if it is not there, for us alone. What is in it stays.
///
/// # Errors
/// When something else stands there, or the system refuses.
pub fn open_to_write(path: &Path, append: bool) -> Result<File, Error> {
    let mut flags = OFlags::WRONLY | OFlags::CREATE | COMMON;
    if append {
        flags |= OFlags::APPEND;
    }
    let odd = |what: String| Error::OddFile { path: path.to_path_buf(), what };
    let file = match rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) => {
            return Err(odd("is a link, not a file".to_owned()));
        }
        Err(rustix::io::Errno::NXIO) => return Err(odd("is a named pipe or a socket".to_owned())),
        Err(rustix::io::Errno::ISDIR) => return Err(odd("is a directory, not a file".to_owned())),
        Err(error) => return Err(Error::io("opening", path)(error.into())),
    };
    let us = rustix::process::geteuid().as_raw();
    match oddity(&file, us).map_err(Error::io("reading", path))? {
        Some(what) => Err(odd(what)),
        None => Ok(file),
    }
}

/// Makes a directory, and those on the way to it that are missing, with this mode whatever the umask
/// of the process is: root's are passed by another user.
///
/// # Errors
/// When one cannot be made, or something else stands there.
pub fn make_directories(path: &Path, mode: u32) -> Result<(), Error> {
    let is_missing = |directory: &&Path| {
        let found = fs::symlink_metadata(directory);
        found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let mut missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    missing.reverse();
    for directory in missing {
        let made = DirBuilder::new()
            .mode(0o700)
            .create(directory)
            .and_then(|()| fs::set_permissions(directory, Permissions::from_mode(mode)));
        match made {
            // Another start was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other.map_err(Error::io("creating", directory))?,
        }
    }
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(Error::io("creating", path)(io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(Error::io("creating", path)(error)),
    }
}

/// Refuses a directory of another user, and a link that another user made: it may lead elsewhere by
/// the time it is followed. A missing one is fine.
///
/// # Errors
/// [`Error::NotOurs`], or what the system says.
pub fn check_ours(directory: &Path) -> Result<Option<fs::Metadata>, Error> {
    let us = rustix::process::geteuid().as_raw();
    let not_ours = |owner| Err(Error::NotOurs { path: directory.to_path_buf(), owner, us });
    let found =
        fs::symlink_metadata(directory).and_then(|link| Ok((link, fs::metadata(directory)?)));
    match found {
        Ok((link, _)) if link.is_symlink() && link.uid() != us && link.uid() != 0 => {
            not_ours(link.uid())
        }
        Ok((_, meta)) if meta.uid() != us => not_ours(meta.uid()),
        Ok((_, meta)) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("reading", directory)(error)),
    }
}

/// Writes a file of ours in one step, with mode 0600, whatever stands where it is put together: a
/// reader sees the old or the new, never half.
///
/// # Errors
/// When the directory cannot be written.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let next = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> io::Result<()> {
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
        file.write_all(bytes)?;
        fs::rename(&next, path)
    };
    write().map_err(|e| {
        // The half-written file is of no use to anyone.
        let _ = fs::remove_file(&next);
        Error::io("writing", path)(e)
    })
}

/// Whether fewer than `bytes` are free for us on the file system of `path`. Unknown is not full.
pub fn is_full(path: &Path, bytes: u64) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|fs| fs.f_bavail.saturating_mul(fs.f_frsize) < bytes)
}

/// Whether it is a directory of `owner` that is closed to all others, and no link to one.
pub fn is_private(path: &Path, owner: u32) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == owner && meta.mode() & 0o077 == 0)
}

fn oddity(file: &File, owner: u32) -> io::Result<Option<String>> {
    let meta = file.metadata()?;
    let kind = meta.file_type();
    let what = if kind.is_dir() {
        "is a directory, not a file".to_owned()
    } else if kind.is_fifo() {
        "is a named pipe, not a file".to_owned()
    } else if !kind.is_file() {
        "is not a file".to_owned()
    } else if meta.uid() != owner {
        format!("belongs to user id {}, not {owner}", meta.uid())
    } else {
        return Ok(None);
    };
    Ok(Some(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_read_and_nothing_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let us = rustix::process::geteuid().as_raw();
        let path = |name: &str| dir.path().join(name);
        let odd =
            |name: &str, limit: u64, owner: u32| match read(&path(name), limit, owner).unwrap() {
                Found::Odd(what) => what,
                other => panic!("{other:?}"),
            };
        assert!(matches!(read(&path("none"), 9, us).unwrap(), Found::Missing));
        fs::write(path("file"), "12345").unwrap();
        assert!(matches!(read(&path("file"), 5, us).unwrap(), Found::Bytes(b) if b == b"12345"));
        assert!(odd("file", 4, us).contains("longer than 4"));
        assert!(odd("file", 5, us + 1).contains("belongs to"));
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        assert!(odd("link", 5, us).contains("link"));
        fs::create_dir(path("folder")).unwrap();
        assert!(odd("folder", 5, us).contains("directory"));
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        assert!(odd("pipe", 5, us).contains("named pipe"));
        let _listener = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        assert!(odd("socket", 5, us).contains("socket"));
        for name in ["pipe", "link", "folder", "socket"] {
            let error = open_to_write(&path(name), false).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        open_to_write(&path("file"), true).unwrap();
        open_to_write(&path("new"), false).unwrap();
    }
    #[test]
    fn free_space_is_counted_in_bytes() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_full(dir.path(), 1));
        assert!(is_full(dir.path(), u64::MAX));
        assert!(!is_full(&dir.path().join("not there"), u64::MAX));
    }
}
