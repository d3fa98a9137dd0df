//! Which user PostgreSQL runs as.
//!
//! PostgreSQL refuses to run as root. A process of root therefore starts it as `nobody`; where the
//! system does not let it change users (a container with one mapped user), in a user namespace
//! in which it is not root.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Users that own nothing of value, in the order they are tried. `initdb` needs a passwd entry.
const UNPRIVILEGED: [&str; 2] = ["nobody", "postgres"];

/// The user that PostgreSQL's programs run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// The user of this process, which is not root.
    Ourselves {
        /// Its user id.
        uid: u32,
    },
    /// Another user: this process is root.
    User {
        /// The user's id.
        uid: u32,
        /// The user's group.
        gid: u32,
    },
    /// The user of this process, root, seen as this unprivileged user inside a user namespace.
    Namespace {
        /// The user id inside.
        uid: u32,
        /// The group id inside.
        gid: u32,
    },
}

impl RunAs {
    /// Chooses, and tries the choice out.
    ///
    /// # Errors
    ///
    /// For root, when neither an unprivileged user nor a user namespace can be had.
    pub fn choose() -> Result<RunAs, Error> {
        let us = rustix::process::geteuid();
        if !us.is_root() {
            return Ok(RunAs::Ourselves { uid: us.as_raw() });
        }
        let Some((uid, gid)) = unprivileged_user(Path::new("/etc/passwd")) else {
            return Err(Error::NoUnprivilegedUser {
                reason: "/etc/passwd has no user `nobody`".to_owned(),
            });
        };
        let user = RunAs::User { uid, gid };
        let Err(first) = user.attempt() else { return Ok(user) };
        let namespace = RunAs::Namespace { uid, gid };
        let Err(second) = namespace.attempt() else { return Ok(namespace) };
        Err(Error::NoUnprivilegedUser {
            reason: format!(
                "changing to user id {uid} failed ({first}), and so did a user namespace ({second})"
            ),
        })
    }

    fn attempt(&self) -> Result<(), String> {
        let output = self
            .command("/bin/sh")
            .args(["-c", ":"])
            .stdin(Stdio::null())
            .output()
            .map_err(|e| e.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    /// A command that will run as that user, in `/` (the current directory may be closed to it),
    /// with an environment in which no `PG*` variable and no locale of the caller is left.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self {
            RunAs::Ourselves { .. } => Command::new(program),
            RunAs::User { uid, gid } => {
                let mut command = Command::new(program);
                // std drops root's supplementary groups when it changes the user.
                command.uid(*uid).gid(*gid);
                command
            }
            RunAs::Namespace { uid, gid } => {
                let mut command = Command::new("unshare");
                command.args(["--user", "--map-user", &uid.to_string()]);
                command.args(["--map-group", &gid.to_string(), "--"]).arg(program);
                command
            }
        };
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
    }

    /// The user id, as the file system outside sees it, that PostgreSQL's files belong to.
    pub fn file_owner(&self) -> u32 {
        match self {
            RunAs::Ourselves { uid } | RunAs::User { uid, .. } => *uid,
            RunAs::Namespace { .. } => rustix::process::geteuid().as_raw(),
        }
    }

    /// Gives a directory that we just made to that user.
    pub(crate) fn give(&self, directory: &Path) -> Result<(), Error> {
        let RunAs::User { uid, gid } = self else { return Ok(()) };
        let change = || -> std::io::Result<()> {
            // Opened without following a link, so that nothing else can be given away.
            let flags = rustix::fs::OFlags::DIRECTORY
                | rustix::fs::OFlags::NOFOLLOW
                | rustix::fs::OFlags::CLOEXEC
                | rustix::fs::OFlags::RDONLY;
            let fd = rustix::fs::open(directory, flags, rustix::fs::Mode::empty())?;
            let (uid, gid) =
                (rustix::process::Uid::from_raw(*uid), rustix::process::Gid::from_raw(*gid));
            rustix::fs::fchown(&fd, Some(uid), Some(gid))?;
            Ok(())
        };
        change().map_err(Error::io("changing the owner of", directory))
    }

    /// The first directory on the way to `path` that this user may not pass through.
    ///
    /// Looks at permission bits only; what other rules forbid shows when a program is run.
    pub fn blocked_at(&self, path: &Path) -> Option<PathBuf> {
        let RunAs::User { uid, gid } = self else { return None };
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let mut ancestors: Vec<&Path> = whole.ancestors().collect();
        ancestors.reverse();
        ancestors
            .into_iter()
            .find(|directory| {
                fs::metadata(directory).is_ok_and(|meta| {
                    let bit = if meta.uid() == *uid {
                        0o100
                    } else if meta.gid() == *gid {
                        0o010
                    } else {
                        0o001
                    };
                    meta.is_dir() && meta.mode() & bit == 0
                })
            })
            .map(Path::to_path_buf)
    }
}

/// User and group id of the first unprivileged user that a passwd file knows.
fn unprivileged_user(passwd: &Path) -> Option<(u32, u32)> {
    let text = fs::read(passwd).ok()?;
    let text = String::from_utf8_lossy(&text);
    UNPRIVILEGED.iter().find_map(|wanted| {
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(wanted) {
                return None;
            }
            let uid: u32 = fields.nth(1)?.parse().ok()?;
            let gid: u32 = fields.next()?.parse().ok()?;
            (uid != 0).then_some((uid, gid))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn passwd_gives_nobody_and_never_root() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        fs::write(&file, "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n")
            .unwrap();
        assert_eq!(unprivileged_user(&file), Some((65534, 65533)));
        fs::write(&file, "nobody:x:0:0::/:/bin/false\nnobodyelse:x:7:7::/:\n").unwrap();
        assert_eq!(unprivileged_user(&file), None);
        fs::write(&file, "nobody:x\npostgres:x:105:110::/:\n").unwrap();
        assert_eq!(unprivileged_user(&file), Some((105, 110)));
        assert_eq!(unprivileged_user(Path::new("/does/not/exist")), None);
    }

    #[test]
    fn a_closed_ancestor_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let closed = dir.path().join("closed");
        fs::create_dir_all(closed.join("in/side")).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let other = RunAs::User { uid: 54_321, gid: 54_321 };
        assert_eq!(
            other.blocked_at(&closed.join("in/side")),
            Some(fs::canonicalize(&closed).unwrap())
        );
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(other.blocked_at(&closed.join("in/side")), None);
    }
}
