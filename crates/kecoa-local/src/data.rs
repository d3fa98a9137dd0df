//! The data of an instance: which directories it is in, how large they are, and how they are removed.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kecoa_server::home::Home;

use crate::error::Error;
use crate::layout;
use crate::postgres::RunAs;
use crate::postgres::cluster::MARKER;

/// The directories that hold an instance's data: those of each major version of PostgreSQL, what a killed
/// `initdb` left, and CockroachDB's store. Nothing that is a link is one of them.
pub(crate) fn directories(home: &Home) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for root in layout::known_data_roots(home) {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && entry.file_name().to_str().is_some_and(is_data) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Whether a directory of that name was made by us, for data.
fn is_data(name: &str) -> bool {
    if name == "cockroach" {
        return true;
    }
    let Some(rest) = name.strip_prefix("pg") else { return false };
    let major = rest.split_once(".new-").map_or(rest, |(major, _)| major);
    !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit())
}

/// Refuses to delete what kecoa did not make. Changes nothing.
///
/// # Errors
///
/// [`Error::LinkedInstance`] where the instance's directory is a link: what it leads to is somebody's else, and so
/// are directories there that have the names of ours. [`Error::NotKecoas`] where a directory in the place of
/// data is none that we made.
pub(crate) fn check(home: &Home) -> Result<(), Error> {
    if fs::symlink_metadata(home.instance()).is_ok_and(|meta| meta.is_symlink()) {
        return Err(Error::LinkedInstance { path: home.instance().to_path_buf() });
    }
    match directories(home).into_iter().find(|directory| !is_made_by_us(directory)) {
        Some(path) => Err(Error::NotKecoas { path }),
        None => Ok(()),
    }
}

/// Whether a directory that [`is_data`] by its name was made by us: it has the marker, or, made before there was
/// one, what every data directory of PostgreSQL has; or nothing is in it. What `initdb` left when it was
/// killed has a random name, and CockroachDB's store one that only the engine takes.
fn is_made_by_us(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().as_encoded_bytes();
    if name == b"cockroach" || name.contains(&b'.') {
        return true;
    }
    let is_file =
        |name: &str| fs::symlink_metadata(directory.join(name)).is_ok_and(|meta| meta.is_file());
    let is_empty = || fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    is_file(MARKER) || (is_file("PG_VERSION") && is_file("global/pg_control")) || is_empty()
}

/// How many bytes of the disk an instance's data takes; files that go while it is counted do not count.
pub(crate) fn size(home: &Home) -> u64 {
    directories(home).iter().map(|directory| size_of(directory)).sum()
}

fn size_of(directory: &Path) -> u64 {
    let on_disk = |meta: &Metadata| meta.blocks().saturating_mul(512);
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => on_disk(&meta).saturating_add(size_of(&entry.path())),
            Ok(meta) => on_disk(&meta),
            Err(_) => 0,
        })
        .fold(0, u64::saturating_add)
}

/// Removes an instance's data. Nobody serves it, and the caller sees to it that nobody begins to.
///
/// # Errors
///
/// As [`check`]; [`kecoa_server::Error::NotOurs`] at data of another user, before anything is removed; and what the
/// system says.
pub(crate) fn remove(home: &Home) -> Result<(), Error> {
    check(home)?;
    let directories = directories(home);
    let us = rustix::process::geteuid().as_raw();
    // For root, the user that PostgreSQL ran as owns the data.
    let servers = RunAs::choose().map_or(us, |run_as| run_as.file_owner());
    for directory in &directories {
        let meta = fs::symlink_metadata(directory).map_err(Error::io("reading", directory))?;
        let owner = meta.uid();
        if owner != us && owner != servers {
            return Err(kecoa_server::Error::NotOurs { path: directory.clone(), owner, us }.into());
        }
    }
    for directory in &directories {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("removing", directory)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn home(base: &Path) -> Home {
        let options =
            Options { home: Some(base.into()), name: Some("a".to_owned()), ..Options::default() };
        layout::create(&options).unwrap()
    }

    #[test]
    fn only_directories_that_we_make_are_data() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        for name in ["pg18", "pg9", "pg17.new-ab", "cockroach", "pg", "pgdata", "pg18.bak", "mine"]
        {
            fs::create_dir(home.instance().join(name)).unwrap();
        }
        fs::write(home.instance().join("pg12"), "a file").unwrap();
        std::os::unix::fs::symlink("/", home.instance().join("pg16")).unwrap();
        let found: Vec<_> = directories(&home)
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, ["cockroach", "pg17.new-ab", "pg18", "pg9"]);
    }

    #[test]
    fn data_is_counted_and_removed_and_what_a_link_leads_to_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        let data = home.instance().join("pg18/base");
        fs::create_dir_all(&data).unwrap();
        fs::write(home.instance().join("pg18").join(MARKER), "").unwrap();
        fs::write(data.join("1"), vec![1; 100_000]).unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
        assert!((100_000..400_000).contains(&size(&home)), "{}", size(&home));
        remove(&home).unwrap();
        assert!(!data.exists() && outside.join("kept").exists());
        assert_eq!(size(&home), 0);
    }

    #[test]
    fn what_we_did_not_make_is_refused_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        let data = home.instance().join("pg18");
        fs::create_dir_all(data.join("global")).unwrap();
        fs::create_dir(home.instance().join("pg17")).unwrap();
        fs::write(data.join("PG_VERSION"), "18\n").unwrap();
        fs::write(data.join("thesis.txt"), "mine").unwrap();
        let error = remove(&home).unwrap_err().to_string();
        assert!(error.contains("pg18 was not made by kecoa"), "{error}");
        assert!(data.join("thesis.txt").exists() && home.instance().join("pg17").exists());
        // As every one was made before there was a marker.
        fs::write(data.join("global/pg_control"), "").unwrap();
        remove(&home).unwrap();
        assert!(!data.exists());
    }

    #[test]
    fn what_a_linked_instance_leads_to_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir.path().join("home"));
        let elsewhere = dir.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("pg18")).unwrap();
        fs::write(elsewhere.join("pg18").join(MARKER), "").unwrap();
        fs::remove_dir(home.instance()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, home.instance()).unwrap();
        let error = remove(&home).unwrap_err().to_string();
        assert!(error.contains("is a link"), "{error}");
        assert!(elsewhere.join("pg18").exists());
    }

    #[test]
    fn data_of_a_stranger_stays_and_all_else_with_it() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path());
        for name in ["cockroach", "pg18"] {
            fs::create_dir(home.instance().join(name)).unwrap();
        }
        std::os::unix::fs::chown(home.instance().join("pg18"), Some(12_345), None).unwrap();
        let error = remove(&home).unwrap_err().to_string();
        assert!(error.contains("belongs to user id 12345"), "{error}");
        assert!(home.instance().join("cockroach").exists());
    }
}
