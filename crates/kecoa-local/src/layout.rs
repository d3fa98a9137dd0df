//! What of the endpoint's lies where.
//!
//! ```text
//! <home>/instances/<name>/password      what its clients must know, unless it was not asked for
//!                         socket/       where clients of the same user need none
//!                         server.log    what the database server says
//!                         instance.json its port, and the folder it was made for
//!                         pg18/         the data, by PostgreSQL's major version; the file `kecoa_data`
//!                                       in it says that we made it
//!                         cockroach/    the data of the other engine
//! <home>/binaries/<version>-<hash>/     copies of PostgreSQL's programs (root only)
//! ```
//!
//! Root keeps the data where the unprivileged user that PostgreSQL runs as can reach it. If a home
//! named by `KECOA_HOME` lies below a directory closed to that user, only the data moves: to
//! `/var/lib/kecoa/homes/<id>`, where the id is a random one kept in the instance's directory, so
//! that a home made anew never meets an older one's data.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use kecoa_server::files;
use kecoa_server::home::{DEFAULT, Home, SYSTEM_HOME};
use kecoa_server::project::{self, Project};

use crate::error::Error;
use crate::options::Options;
use crate::postgres::privileges::RunAs;
use crate::postgres::socket;
use crate::service::SERVICE;

/// The home of the instance that is meant; nothing is made.
pub(crate) fn locate(options: &Options) -> Result<Home, Error> {
    Ok(Home::locate(&SERVICE, options.home.clone(), &named(options)?.0)?)
}

/// The same, with its directories made.
pub(crate) fn create(options: &Options) -> Result<Home, Error> {
    Ok(Home::create(&SERVICE, options.home.clone(), &named(options)?.0)?)
}

/// The project that chooses the instance, unless the caller does.
pub(crate) fn project(options: &Options) -> Result<Option<Project>, Error> {
    Ok(named(options)?.1)
}

/// The instance's name, and the project that gives it.
fn named(options: &Options) -> Result<(String, Option<Project>), Error> {
    if let Some(name) = &options.name {
        return Ok((name.clone(), None));
    }
    let project = project::current()?;
    let name = project.as_ref().map_or(DEFAULT, |project| project.name.as_str()).to_owned();
    Ok((name, project))
}

/// What an instance's directory holds beside data and sockets.
pub(crate) const OWN_FILES: [&str; 8] = [
    "state.json",
    "serve.lock",
    "start.lock",
    "local.log",
    "server.log",
    "password",
    "id",
    "instance.json",
];

/// What an instance keeps between its runs.
pub(crate) fn record_file(home: &Home) -> PathBuf {
    home.instance().join("instance.json")
}

/// What the database server says.
pub(crate) fn server_log_file(home: &Home) -> PathBuf {
    home.instance().join("server.log")
}

/// Where the instance's password is kept.
pub(crate) fn password_file(home: &Home) -> PathBuf {
    home.instance().join("password")
}

/// Where copies of PostgreSQL's programs go.
pub(crate) fn binaries_dir(home: &Home, run_as: &RunAs) -> PathBuf {
    let base = match run_as.blocked_at(home.base()) {
        Some(_) => Path::new(SYSTEM_HOME),
        None => home.base(),
    };
    base.join("binaries")
}

/// The directory in which the data directories are, and a note for the user if that is not
/// the instance's own.
pub(crate) fn data_root(home: &Home, run_as: &RunAs) -> Result<(PathBuf, Option<String>), Error> {
    let Some(closed) = run_as.blocked_at(home.instance()) else {
        return Ok((home.instance().to_path_buf(), None));
    };
    let root = Path::new(SYSTEM_HOME).join("homes").join(home.id()?);
    files::make_directories(&root, 0o755)?;
    files::check_ours(&root)?;
    let note = format!(
        "{} is closed to the unprivileged user that PostgreSQL runs as, so the data is kept in {}",
        closed.display(),
        root.display()
    );
    Ok((root, Some(note)))
}

/// The data root as far as it is known without making anything, for `stop` and `status`.
pub(crate) fn known_data_roots(home: &Home) -> Vec<PathBuf> {
    let mut roots = vec![home.instance().to_path_buf()];
    roots.extend(home.known_id().map(|id| Path::new(SYSTEM_HOME).join("homes").join(id)));
    roots
}

/// The directory of the endpoint's own socket, closed to others; made if it is not there.
///
/// A socket's path is short: where the instance lies too deep it is in `/tmp`.
pub(crate) fn client_socket(home: &Home) -> Result<PathBuf, Error> {
    let us = rustix::process::geteuid().as_raw();
    let near = home.instance().join("socket");
    // 103 bytes fit everywhere; the longest name is `/.s.PGSQL.65535`.
    if near.as_os_str().len() > 103 - 16 {
        return socket::make_somewhere(home.instance(), &RunAs::Ourselves { uid: us });
    }
    match DirBuilder::new().mode(0o700).create(&near) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::io("creating", &near)(error));
        }
        _ => {}
    }
    if !files::is_private(&near, us) {
        let what = "is not a directory of ours that is closed to others".to_owned();
        return Err(kecoa_server::Error::OddFile { path: near, what }.into());
    }
    Ok(near)
}
