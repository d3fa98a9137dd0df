//! The instances of a home: what is known of one, and of all.

use std::path::{Path, PathBuf};

use kecoa_server::home::{DEFAULT, Home};
use kecoa_server::project;
use serde::Serialize;

use crate::data;
use crate::error::Error;
use crate::launch::status_of;
use crate::layout;
use crate::options::Options;
use crate::record::Record;
use crate::running::Status;
use crate::service::SERVICE;

/// What is known of an instance, running or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Whether it is the one that the current folder means.
    pub current: bool,
    /// The folder whose `.kecoa` named it first.
    pub folder: Option<PathBuf>,
    /// The size of its data on the disk, in bytes.
    pub data_bytes: u64,
    /// The port that it has, or had and takes again.
    pub kept_port: Option<u16>,
    /// Whether it runs, and how.
    #[serde(flatten)]
    pub status: Status,
}

impl Instance {
    fn of(home: &Home, current: bool) -> Result<Instance, Error> {
        // One that cannot be looked at must not hide the others.
        let status = match home.check_owner().map_err(Error::from).and_then(|()| status_of(home)) {
            Ok(status) => status,
            Err(error) => Status::Broken { reason: error.to_string() },
        };
        let Record { port, folder } = Record::read(home);
        Ok(Instance {
            name: home.name().to_owned(),
            current,
            folder,
            data_bytes: data::size(home),
            kept_port: port,
            status,
        })
    }

    /// Whether its name is one that an instance can have.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        kecoa_server::home::is_usable(&self.name)
    }

    /// A directory where instances lie, whose name none can have.
    fn stranger(path: &Path) -> Instance {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bad = kecoa_server::Error::BadName { name: name.clone() };
        let reason = format!("{bad}; rename or delete {}", path.display());
        Instance {
            name,
            current: false,
            folder: None,
            data_bytes: 0,
            kept_port: None,
            status: Status::Broken { reason },
        }
    }
}

/// The instance that is meant. Changes nothing.
///
/// # Errors
///
/// When it cannot be told which one is meant.
pub fn instance(options: &Options) -> Result<Instance, Error> {
    let home = layout::locate(options)?;
    let current = current_name().as_deref() == Some(home.name());
    Instance::of(&home, current)
}

/// Whether the instance that is meant is there: it was started once, and not destroyed. Changes nothing.
///
/// # Errors
///
/// When it cannot be told which one is meant.
pub fn exists(options: &Options) -> Result<bool, Error> {
    Ok(layout::locate(options)?.exists())
}

/// All instances of the home, by name; behind them what lies there under a name that no instance can have.
/// Changes nothing.
///
/// # Errors
///
/// When the home cannot be read.
pub fn instances(options: &Options) -> Result<Vec<Instance>, Error> {
    let current = current_name();
    let homes = Home::all(&SERVICE, options.home.clone())?;
    let of = |home: &Home| Instance::of(home, current.as_deref() == Some(home.name()));
    let mut instances = homes.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let strangers = Home::strangers(&SERVICE, options.home.clone())?;
    instances.extend(strangers.iter().map(|path| Instance::stranger(path)));
    Ok(instances)
}

/// The name of the instance that the current folder means. A file that names none is said by those who
/// need one; here it means none.
fn current_name() -> Option<String> {
    let project = project::current().ok()?;
    Some(project.map_or_else(|| DEFAULT.to_owned(), |project| project.name))
}
