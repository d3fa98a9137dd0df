//! The file that `\copy … TO`, `\g` and `\o` write: it changes only once there is something to write.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::output::home_expanded;
use crate::say::note;

/// Takes the place of a file when it [is finished](Replacement::finish); dropped before, it leaves what was
/// there as it was.
pub(crate) struct Replacement {
    path: PathBuf,
    way: Way,
}

enum Way {
    /// Written beside the file, and renamed to it.
    Beside(BufWriter<NamedTempFile>, PathBuf),
    /// Emptied when the first data comes: what is written bit by bit, and what cannot be renamed to, such as a
    /// file in a folder that is not ours.
    Later,
    Direct(BufWriter<File>),
}

impl Replacement {
    /// All of it, or nothing.
    ///
    /// # Errors
    /// There can be no such file, or it cannot be written.
    pub(crate) fn of(path: &str) -> Result<Replacement, String> {
        Replacement::begin(path, true)
    }

    /// What is there stays until something is written.
    ///
    /// # Errors
    /// There can be no such file, or it cannot be written.
    pub(crate) fn at_first_write(path: &str) -> Result<Replacement, String> {
        Replacement::begin(path, false)
    }

    fn begin(path: &str, whole: bool) -> Result<Replacement, String> {
        let path = home_expanded(path);
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        // A link stays one: the file that it points at is replaced.
        let (target, mode) = match fs::metadata(&path) {
            Ok(metadata) => {
                // It is not emptied; this tells a folder and a file that is not ours to write.
                let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
                if !metadata.is_file() {
                    // A device, or a pipe, whose reader would leave if it were closed and opened again.
                    return Ok(Replacement { path, way: Way::Direct(BufWriter::new(file)) });
                }
                let target = fs::canonicalize(&path).map_err(failed)?;
                (target, metadata.permissions().mode())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs::symlink_metadata(&path).is_ok() {
                    // A link to nothing.
                    return Ok(Replacement { path, way: Way::Later });
                }
                (path.clone(), 0o666)
            }
            Err(error) => return Err(failed(error)),
        };
        let exists = target.exists();
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".kecoa-copy-");
        if !exists {
            builder.permissions(Permissions::from_mode(mode));
        }
        if exists && !whole {
            return Ok(Replacement { path, way: Way::Later });
        }
        match builder.tempfile_in(folder) {
            // It was only to be seen whether there can be a file.
            Ok(_) if !whole => Ok(Replacement { path, way: Way::Later }),
            Ok(file) => {
                if exists {
                    let permissions = Permissions::from_mode(mode & 0o7777);
                    file.as_file().set_permissions(permissions).map_err(failed)?;
                }
                Ok(Replacement { way: Way::Beside(BufWriter::new(file), target), path })
            }
            Err(_) if exists => Ok(Replacement { path, way: Way::Later }),
            // The name of the file that was asked for, not of the temporary one.
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "its folder is not there".to_owned(),
                    kind => kind.to_string(),
                };
                Err(format!("cannot write {}: {why}", path.display()))
            }
        }
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let path = self.path.display().to_string();
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot write {path}: {error}"))
        };
        self.open()?;
        match self.way {
            Way::Beside(mut file, target) => {
                file.flush().map_err(named)?;
                let file = file.into_inner().map_err(|error| named(error.into_error()))?;
                file.persist(target).map(drop).map_err(|error| named(error.error))
            }
            Way::Direct(mut file) => file.flush().map_err(named),
            Way::Later => Ok(()),
        }
    }

    /// Whether the file itself has been written to.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(self.way, Way::Direct(_))
    }

    /// Says so if a copy that failed has changed the file after all.
    pub(crate) fn tell_remains(&self) {
        if self.has_begun() {
            note(&format!("{} may hold a part of the rows", self.path.display()));
        }
    }

    fn open(&mut self) -> io::Result<()> {
        if let Way::Later = self.way {
            let file = File::create(&self.path).map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot write {}: {error}", self.path.display()),
                )
            })?;
            self.way = Way::Direct(BufWriter::new(file));
        }
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.open()?;
        match &mut self.way {
            Way::Beside(file, _) => file.write(data),
            Way::Direct(file) => file.write(data),
            Way::Later => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Beside(file, _) => file.flush(),
            Way::Direct(file) => file.flush(),
            Way::Later => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = fs::read_dir(folder).expect("read").map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_at_the_end_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "before").expect("written");
        fs::set_permissions(&old, Permissions::from_mode(0o640)).expect("set");
        for path in [&old, &new] {
            let mut file = Replacement::of(path.to_str().expect("text")).expect("begun");
            file.write_all(b"a part").expect("written");
            drop(file);
        }
        assert_eq!(names(folder.path()), ["old"]);
        assert_eq!(fs::read_to_string(&old).expect("read"), "before");
        for path in [&old, &new] {
            let mut file = Replacement::of(path.to_str().expect("text")).expect("begun");
            file.write_all(b"whole").expect("written");
            file.finish().expect("in its place");
            assert_eq!(fs::read_to_string(path).expect("read"), "whole");
        }
        assert_eq!(names(folder.path()), ["new", "old"]);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&old), 0o640);
        fs::write(folder.path().join("plain"), "").expect("written");
        assert_eq!(mode(&new), mode(&folder.path().join("plain")), "as the umask has it");
    }

    #[test]
    fn a_file_is_kept_until_something_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "before").expect("written");
        for path in [&old, &new] {
            let file = Replacement::at_first_write(path.to_str().expect("text")).expect("begun");
            assert!(!file.has_begun());
            drop(file);
        }
        assert_eq!(names(folder.path()), ["old"]);
        assert_eq!(fs::read_to_string(&old).expect("read"), "before");
        for path in [&old, &new] {
            let mut file =
                Replacement::at_first_write(path.to_str().expect("text")).expect("begun");
            file.write_all(b"a").expect("written");
            file.flush().expect("written");
            // Whoever looks sees what has come.
            assert_eq!(fs::read_to_string(path).expect("read"), "a");
            file.write_all(b"b").expect("written");
            file.finish().expect("written");
            assert_eq!(fs::read_to_string(path).expect("read"), "ab");
        }
        for path in [folder.path().to_str().expect("text"), "/nonexistent/file"] {
            let error = Replacement::at_first_write(path).map(drop).expect_err("refused");
            assert!(error.contains(path), "{error}");
        }
    }

    #[test]
    fn links_devices_and_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "before").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        // No rows are an empty file.
        Replacement::of(link.to_str().expect("text")).expect("begun").finish().expect("in place");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("read"), "");
        let mut null = Replacement::of("/dev/null").expect("begun");
        null.write_all(b"x").expect("written");
        null.finish().expect("done");
        for path in [folder.path().to_str().expect("text"), "/nonexistent/file"] {
            let error = Replacement::of(path).map(drop).expect_err("refused");
            assert!(error.contains(path), "{error}");
        }
    }
}
