//! What the process and the machine say about a connection, as a value.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The environment that a [`Config`](super::Config) is resolved against.
///
/// It is passed in, so that a program can resolve against something else than its own process, and
/// so that tests need no real environment. [`Environment::from_process`] is the only place in the
/// client that reads environment variables.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Variables,
    user: Option<OsString>,
    home: Option<PathBuf>,
    /// What was not said is looked up for the user of this process, when somebody asks: most
    /// connections name their user, and the file need not be read for them.
    asks_accounts: bool,
    socket_directories: Vec<PathBuf>,
}

/// The PG* variables; the values may hold a password and are not printed.
#[derive(Clone, Default)]
struct Variables(BTreeMap<OsString, OsString>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where servers put their sockets: Debian's and PostgreSQL's own default.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

impl Environment {
    /// An environment that says nothing.
    #[must_use]
    pub fn empty() -> Environment {
        Environment::default()
    }

    /// The environment of this process: its PG* variables, its user and home directory, and the
    /// usual socket directories. A variable that is not UTF-8 is an error that names it as soon as it is
    /// needed; `PGPASSWORD` is sent as it is.
    #[must_use]
    pub fn from_process() -> Environment {
        let variables =
            std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG")).collect();
        Environment {
            variables: Variables(variables),
            user: None,
            home: filled_variable("HOME").map(PathBuf::from),
            asks_accounts: true,
            socket_directories: SOCKET_DIRECTORIES.iter().map(PathBuf::from).collect(),
        }
    }

    /// Sets a variable, such as `PGHOST`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Environment {
        self.variables.0.insert(name.into(), value.as_ref().to_owned());
        self
    }

    /// Sets the operating system's name of the user, the default of `user`.
    #[must_use]
    pub fn with_user(mut self, name: impl AsRef<OsStr>) -> Environment {
        self.user = Some(name.as_ref().to_owned());
        self
    }

    /// Sets the home directory, where `.pgpass`, `.pg_service.conf` and `.postgresql/` are.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Environment {
        self.home = Some(home.into());
        self
    }

    /// Adds a directory where a server's unix socket is looked for when no host is given.
    #[must_use]
    pub fn with_socket_directory(mut self, directory: impl Into<PathBuf>) -> Environment {
        self.socket_directories.push(directory.into());
        self
    }

    /// The text of a variable; nothing where it is not set, or empty.
    pub(super) fn variable(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.variable_os(name) else { return Ok(None) };
        match value.to_str() {
            Some(value) => Ok(Some(value)),
            None => Err(not_utf8(&format!("the environment variable {name}"))),
        }
    }

    /// Whether a variable is set, and empty.
    pub(super) fn is_empty(&self, name: &str) -> bool {
        self.variables.0.get(OsStr::new(name)).is_some_and(|value| value.is_empty())
    }

    /// A variable as it is; nothing where it is not set, or empty.
    pub(super) fn variable_os(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.0.get(OsStr::new(name)).map(OsString::as_os_str);
        value.filter(|value| !value.is_empty())
    }

    pub(super) fn user(&self) -> Result<Option<String>, Error> {
        let mut user = self.user.clone();
        if user.is_none() && self.asks_accounts {
            user = own_account()
                .map(|(name, _)| name)
                .or_else(|| filled_variable("USER"))
                .or_else(|| filled_variable("LOGNAME"));
        }
        let user = user.map(OsString::into_string).transpose();
        user.map_err(|_| not_utf8("the operating system's name of the user"))
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        if self.home.is_some() || !self.asks_accounts {
            return self.home.clone();
        }
        own_account().map(|(_, home)| home)
    }

    /// The first directory in which a server listens on `port`.
    pub(super) fn socket_directory(&self, port: u16) -> Option<&Path> {
        let socket = format!(".s.PGSQL.{port}");
        self.socket_directories.iter().map(PathBuf::as_path).find(|d| d.join(&socket).exists())
    }
}

/// The error for text that is none. It is not shown: it may hold a password.
pub(super) fn not_utf8(what: &str) -> Error {
    Error::config(format!("expected UTF-8 in {what}, found other bytes"))
}

fn filled_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Name and home of the user of this process.
fn own_account() -> Option<(OsString, PathBuf)> {
    account_of(rustix::process::geteuid().as_raw())
}

/// Name and home of a user, from the password database's file. Names that come from a directory
/// service are not in it; `USER` says those.
pub(crate) fn account_of(uid: u32) -> Option<(OsString, PathBuf)> {
    account_in(&std::fs::read("/etc/passwd").ok()?, uid)
}

fn account_in(accounts: &[u8], uid: u32) -> Option<(OsString, PathBuf)> {
    let text = |field: &[u8]| OsString::from_vec(field.to_vec());
    accounts.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let name = fields.next()?;
        let id: u32 = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
        let home = fields.nth(2)?;
        (id == uid && !name.is_empty()).then(|| (text(name), PathBuf::from(text(home))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_no_values() {
        let environment = Environment::empty().with("PGPASSWORD", "s3cret");
        let text = format!("{environment:?}");
        assert!(text.contains("PGPASSWORD") && !text.contains("s3cret"));
    }

    #[test]
    fn knows_the_superuser() {
        assert_eq!(account_of(0).map(|(name, _)| name).as_deref(), Some(OsStr::new("root")));
        assert!(account_of(u32::MAX - 7).is_none());
    }

    #[test]
    fn accounts_need_not_be_utf8() {
        let file = b"jos\xe9:x:7:7:Jos\xe9:/home/jos\xe9:/bin/sh\nmaya:x:8:8::/home/maya:/bin/sh\n";
        let (name, home) = account_in(file, 7).unwrap();
        assert_eq!(
            (name.as_bytes(), home.as_os_str().as_bytes()),
            (&b"jos\xe9"[..], &b"/home/jos\xe9"[..])
        );
        assert_eq!(account_in(file, 8).unwrap().0, "maya");
    }
}
