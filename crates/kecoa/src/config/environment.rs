//! What the process and the machine say about a connection, as a value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment that a [`Config`](super::Config) is resolved against.
///
/// It is passed in, so that a program can resolve against something else than its own process, and
/// so that tests need no real environment. [`Environment::from_process`] is the only place in the
/// client that reads environment variables.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Variables,
    user: Option<String>,
    home: Option<PathBuf>,
    /// What was not said is looked up for the user of this process, when somebody asks: most
    /// connections name their user, and the file need not be read for them.
    asks_accounts: bool,
    socket_directories: Vec<PathBuf>,
}

/// The PG* variables; the values may hold a password and are not printed.
#[derive(Clone, Default)]
struct Variables(BTreeMap<String, String>);

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
    /// usual socket directories. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn from_process() -> Environment {
        let variables = std::env::vars_os()
            .filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PG"))
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
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
    pub fn with(mut self, name: &str, value: &str) -> Environment {
        self.variables.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the operating system's name of the user, the default of `user`.
    #[must_use]
    pub fn with_user(mut self, name: &str) -> Environment {
        self.user = Some(name.to_owned());
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

    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.0.get(name).map(String::as_str)
    }

    pub(super) fn user(&self) -> Option<String> {
        if self.user.is_some() || !self.asks_accounts {
            return self.user.clone();
        }
        own_account()
            .map(|(name, _)| name)
            .or_else(|| filled_variable("USER"))
            .or_else(|| filled_variable("LOGNAME"))
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

fn filled_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Name and home of the user of this process.
fn own_account() -> Option<(String, PathBuf)> {
    account_of(rustix::process::geteuid().as_raw())
}

/// Name and home of a user, from the password database's file. Names that come from a directory
/// service are not in it; `USER` says those.
pub(crate) fn account_of(uid: u32) -> Option<(String, PathBuf)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        let home = fields.nth(2)?;
        (id == uid && !name.is_empty()).then(|| (name.to_owned(), PathBuf::from(home)))
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
        assert_eq!(account_of(0).map(|(name, _)| name).as_deref(), Some("root"));
        assert!(account_of(u32::MAX - 7).is_none());
    }
}
