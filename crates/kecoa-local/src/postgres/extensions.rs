//! Extensions that clients may install although their packages do not say so.
//!
//! A client is no superuser, and installs what PostgreSQL calls trusted: hstore, citext, ltree and
//! others. What CockroachDB has built in must not be missing for the lack of that word. From version
//! 18 on PostgreSQL looks for control files where a setting says: a copy with the word goes there, and
//! PostgreSQL itself runs the package's script, inside the client's transaction.

use std::fs;
use std::path::{Path, PathBuf};

use kecoa_server::files::{self, Found};

use crate::error::Error;

/// Types, functions and operators of their own and nothing that leaves the database.
const HARMLESS: [&str; 1] = ["vector"];

/// A control file is some lines.
const LONGEST: u64 = 16 * 1024;

/// Makes the copies in `root`, for the programs in `bin`; returns the setting, if there are any.
pub(crate) fn trust(bin: &Path, root: &Path) -> Result<Option<String>, Error> {
    let place = root.join("trusted");
    let install = bin.parent().unwrap_or(bin);
    let shared = [install.join("share"), install.join("share/postgresql")]
        .into_iter()
        .map(|share| share.join("extension"))
        .find(|extensions| extensions.join("plpgsql.control").is_file());
    let (Some(extensions), Some(text)) = (shared, place.to_str()) else { return Ok(None) };
    // It is a list, and its parts cannot be quoted.
    if text.contains(':') {
        return Ok(None);
    }
    let mut any = false;
    for name in HARMLESS {
        let Some(control) = read(&extensions.join(format!("{name}.control"))) else { continue };
        let Some(copy) = trusted(&control, &extensions) else { continue };
        let target = place.join("extension");
        for directory in [&place, &target] {
            files::check_ours(directory)?;
            files::make_directories(directory, 0o755)?;
            open_to_readers(directory, 0o755)?;
        }
        let target = target.join(format!("{name}.control"));
        files::put(&target, copy.as_bytes())?;
        open_to_readers(&target, 0o644)?;
        any = true;
    }
    Ok(any.then(|| format!("extension_control_path={text}:$system")))
}

/// PostgreSQL may run as another user than ours.
fn open_to_readers(path: &Path, mode: u32) -> Result<(), Error> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(path, mode).map_err(Error::io("changing the mode of", path))
}

fn read(path: &PathBuf) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = fs::symlink_metadata(path).ok()?.uid();
    match files::read(path, LONGEST, owner) {
        Ok(Found::Bytes(bytes)) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The control file with the word, and with where the scripts are; `None` if it has either.
fn trusted(control: &str, extensions: &Path) -> Option<String> {
    let has = |name: &str| {
        control.lines().any(|line| line.split('=').next().is_some_and(|key| key.trim() == name))
    };
    if has("trusted") || has("directory") {
        return None;
    }
    let place = extensions.to_str()?.replace('\'', "''");
    Some(format!("{}\ntrusted = true\ndirectory = '{place}'\n", control.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lacks_the_word_is_copied() {
        let dir = tempfile::tempdir().unwrap();
        let extensions = dir.path().join("share/extension");
        fs::create_dir_all(&extensions).unwrap();
        fs::write(extensions.join("plpgsql.control"), "").unwrap();
        let bin = dir.path().join("bin");
        assert_eq!(trust(&bin, dir.path()).unwrap(), None);
        fs::write(extensions.join("vector.control"), "default_version = '1'\ntrusted = true\n")
            .unwrap();
        assert_eq!(trust(&bin, dir.path()).unwrap(), None);
        fs::write(extensions.join("vector.control"), "default_version = '1'").unwrap();
        let setting = trust(&bin, dir.path()).unwrap().unwrap();
        assert!(setting.ends_with("/trusted:$system"), "{setting}");
        let copy = fs::read_to_string(dir.path().join("trusted/extension/vector.control")).unwrap();
        assert!(
            copy.starts_with("default_version = '1'\ntrusted = true\ndirectory = '/"),
            "{copy}"
        );
    }
}
