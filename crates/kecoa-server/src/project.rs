//! Which instance a folder means: the one that a file `.kecoa`, there or in a folder above, names.
//!
//! Nothing is guessed from what else lies in a folder. Without the file every folder means the
//! instance [`DEFAULT`](crate::home::DEFAULT), so that a program that is started elsewhere finds the same data.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::error::Error;
use crate::home::is_usable;
use crate::names::hash;

/// The file's name.
pub const FILE: &str = ".kecoa";

/// A longer file was not written for us.
const LONGEST: u64 = 4096;
/// So much of a name that is none is repeated, in characters.
const SHOWN: usize = 64;

/// A folder with an instance of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder that has the file.
    pub folder: PathBuf,
    /// The instance's name.
    pub name: String,
}

impl Project {
    /// The file.
    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}

/// The project that a folder belongs to: the nearest one, upwards.
///
/// # Errors
///
/// [`Error::BadProject`] when the nearest file has no usable name in it, or belongs to somebody who owns
/// neither the folder nor this process: whoever may write in a folder above, such as `/tmp`, must not
/// choose which data is meant.
pub fn find(folder: &Path) -> Result<Option<Project>, Error> {
    for folder in folder.ancestors() {
        if let Some(name) = read(folder)? {
            return Ok(Some(Project { folder: folder.to_path_buf(), name }));
        }
    }
    Ok(None)
}

/// The project that the current directory belongs to. A directory that was removed belongs to none.
///
/// # Errors
///
/// As [`find`].
pub fn current() -> Result<Option<Project>, Error> {
    match std::env::current_dir() {
        Ok(folder) => find(&folder),
        Err(_) => Ok(None),
    }
}

/// Gives a folder an instance of its own: writes the file with this name, or with one made of the
/// folder's. One that has the file keeps it.
///
/// # Errors
///
/// When the file names another instance than `name`, or cannot be written.
pub fn make(folder: &Path, name: Option<&str>) -> Result<Project, Error> {
    let folder = fs::canonicalize(folder).map_err(Error::io("reading", folder))?;
    let file = folder.join(FILE);
    if let Some(found) = read(&folder)? {
        if let Some(name) = name.filter(|name| *name != found) {
            return Err(Error::OtherProject { path: file, found, wanted: name.to_owned() });
        }
        return Ok(Project { folder, name: found });
    }
    let name = name.map_or_else(|| usual_name(&folder), str::to_owned);
    if !is_usable(&name) {
        return Err(Error::BadName { name });
    }
    let write = || -> io::Result<()> {
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&file)?;
        writeln!(out, "# The instance of `kecoa local` that this folder and those below it use.")?;
        writeln!(out, "{name}")
    };
    write().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::BadProject { path: file.clone(), what: "is not a file".to_owned() }
        }
        _ => Error::Io { what: "writing", path: file.clone(), source },
    })?;
    Ok(Project { folder, name })
}

/// The folder's own name as far as it can be one, and four digits that differ between folders of one name.
fn usual_name(folder: &Path) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        _ => '-',
    };
    let own = folder.file_name().unwrap_or_default().to_string_lossy();
    let own: String = own.chars().map(plain).take(27).collect();
    let own = match own.trim_matches('-') {
        "" => "project",
        own => own,
    };
    let differs = hash(folder.as_os_str().as_encoded_bytes()) & 0xffff;
    format!("{own}-{differs:04x}")
}

/// What the file of this folder names.
fn read(folder: &Path) -> Result<Option<String>, Error> {
    use std::io::Read as _;

    let path = folder.join(FILE);
    let bad = |what: String| Err(Error::BadProject { path: path.clone(), what });
    // Neither a named pipe nor a file behind a link that others may change is waited for or read.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(fd) => fs::File::from(fd),
        Err(
            rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::NAMETOOLONG,
        ) => {
            return Ok(None);
        }
        // A folder that we may not look into is not ours to ask.
        Err(rustix::io::Errno::ACCESS) if fs::symlink_metadata(&path).is_err() => return Ok(None),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) => {
            return bad("is a link, not a file".to_owned());
        }
        Err(error) => return bad(format!("cannot be read ({})", io::Error::from(error))),
    };
    let meta = file.metadata().map_err(Error::io("reading", &path))?;
    if meta.is_dir() {
        return bad("is a folder, not a file".to_owned());
    }
    if !meta.is_file() {
        return bad("is not a file".to_owned());
    }
    let us = rustix::process::geteuid().as_raw();
    let folders = fs::metadata(folder).map_err(Error::io("reading", folder))?.uid();
    if ![us, 0, folders].contains(&meta.uid()) {
        return bad(format!(
            "belongs to user id {}, who owns neither the folder nor this process",
            meta.uid()
        ));
    }
    if meta.len() > LONGEST {
        return bad(format!("has more than {LONGEST} bytes"));
    }
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    if read.is_err() || text.contains('\0') {
        return bad("is not text".to_owned());
    }
    // Some editors put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(name), None) if is_usable(name) => Ok(Some(name.to_owned())),
        (Some(name), None) => {
            let shown: String = name.chars().take(SHOWN).collect();
            let cut = if shown.len() < name.len() { " and more" } else { "" };
            bad(format!("names the instance {shown:?}{cut}"))
        }
        (None, _) => bad("names no instance".to_owned()),
        (Some(_), Some(_)) => bad("holds more than one line".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(folder: &Path) -> String {
        find(folder).unwrap_err().to_string()
    }

    #[test]
    fn the_nearest_file_counts_and_without_one_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("app/src");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(find(&below).unwrap(), None);
        fs::write(dir.path().join(FILE), "# ours\n\n  outer \n").unwrap();
        assert_eq!(find(&below).unwrap().unwrap().name, "outer");
        fs::write(dir.path().join("app/.kecoa"), "inner").unwrap();
        let found = find(&below).unwrap().unwrap();
        assert_eq!((found.folder, found.name.as_str()), (dir.path().join("app"), "inner"));
        // A folder in its place is no reason to take the data of another instance.
        fs::create_dir(below.join(FILE)).unwrap();
        assert!(error(&below).contains("is a folder, not a file"), "{}", error(&below));
    }

    #[test]
    fn what_names_no_instance_is_an_error_that_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        for (text, expected) in [
            ("", "names no instance"),
            ("a\nb\n", "more than one line"),
            ("../x", "names the instance \"../x\""),
        ] {
            fs::write(&file, text).unwrap();
            let said = error(dir.path());
            assert!(said.contains(expected) && said.contains("--name"), "{said}");
        }
        fs::write(&file, vec![0; 3_000_000]).unwrap();
        assert!(error(dir.path()).contains("has more than 4096 bytes"));
        fs::write(&file, "x\0").unwrap();
        assert!(error(dir.path()).contains("not text"));
        fs::write(&file, "x".repeat(4000)).unwrap();
        assert!(error(dir.path()).len() < 500 && error(dir.path()).contains("and more"));
        fs::write(&file, "\u{feff}tests\r\n").unwrap();
        assert_eq!(find(dir.path()).unwrap().unwrap().name, "tests");
        fs::write(&file, b"\xff\xfe").unwrap();
        assert!(error(dir.path()).contains("not text"));
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("elsewhere", &file).unwrap();
        assert!(error(dir.path()).contains("is a link"));
        fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert!(error(dir.path()).contains("is not a file"));
    }

    #[test]
    fn a_stranger_does_not_choose_for_a_folder_of_ours() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, "theirs").unwrap();
        std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
        assert!(error(dir.path()).contains("belongs to user id 12345"));
        // As in a container whose project is mounted from outside.
        std::os::unix::fs::chown(dir.path(), Some(12_345), None).unwrap();
        assert_eq!(find(dir.path()).unwrap().unwrap().name, "theirs");
    }

    #[test]
    fn a_made_file_is_kept_and_its_name_is_the_folders() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("My Bank (old)");
        fs::create_dir(&folder).unwrap();
        let made = make(&folder, None).unwrap();
        assert!(made.name.starts_with("my-bank--old-") && is_usable(&made.name), "{}", made.name);
        assert_eq!(make(&folder, None).unwrap(), made);
        assert_eq!(make(&folder, Some(&made.name)).unwrap(), made);
        let said = make(&folder, Some("other")).unwrap_err().to_string();
        assert!(said.contains(&made.name) && said.contains("`other`"), "{said}");
        assert_eq!(find(&folder).unwrap().unwrap().name, made.name);
        let other = dir.path().join("given");
        fs::create_dir(&other).unwrap();
        assert!(matches!(make(&other, Some("A b")), Err(Error::BadName { .. })));
        assert_eq!(make(&other, Some("tests")).unwrap().name, "tests");
    }

    #[test]
    fn names_differ_between_folders_of_one_name_and_are_never_too_long() {
        let long = "x".repeat(200);
        for own in ["bank", "---", "ünïcödé", "", long.as_str()] {
            let (one, two) = (Path::new("/a").join(own), Path::new("/b").join(own));
            assert!(is_usable(&usual_name(&one)), "{}", usual_name(&one));
            assert_ne!(usual_name(&one), usual_name(&two));
        }
    }
}
