//! A configuration: the values of connection options.

use std::fmt;
use std::path::PathBuf;

use super::environment::Environment;
use super::ssl_mode::SslMode;
use super::{conninfo, options};
use crate::error::Error;

/// Where and how to connect; see the [module's documentation](crate::config).
///
/// ```
/// use kecoa::Config;
///
/// let mut config = Config::parse("postgresql://maya:secret@db.example:26257/bank?sslmode=verify-full")?;
/// assert_eq!((config.host(), config.port(), config.dbname()), (Some("db.example"), 26257, Some("bank")));
/// // Passwords are not printed.
/// assert!(config.to_string().contains("password=xxx"));
///
/// // Options have libpq's names; a few have a method.
/// config.set_dbname("ledger")?.set("application_name", "billing")?;
/// assert_eq!(config.get("dbname"), Some("ledger"));
///
/// // From parts: nothing has to be escaped.
/// let parts = [("host", "db.example"), ("user", "maya"), ("password", "a b@c/d")];
/// assert_eq!(Config::from_pairs(parts)?.password(), Some("a b@c/d"));
/// # Ok::<(), kecoa::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Known names, each once, with checked values.
    pairs: Vec<(&'static str, String)>,
    /// What `resolve` found beside options; nothing before it ran.
    pub(super) resolved: Option<Resolved>,
}

/// What the environment adds that is no option.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Resolved {
    /// That of `PGPASSWORD`, where it is not UTF-8.
    pub(super) password: Option<Vec<u8>>,
    /// A password of the password file for each target.
    pub(super) passwords: Vec<Option<Vec<u8>>>,
    /// The password file that they are from.
    pub(super) password_file: Option<PathBuf>,
    /// Session settings that PGTZ and its like ask for.
    pub(super) session: Vec<(&'static str, String)>,
    pub(super) notices: Vec<String>,
}

impl Config {
    /// A configuration that leaves everything to the environment.
    #[must_use]
    pub fn new() -> Config {
        Config::default()
    }

    /// Reads a connection string: `host=localhost dbname=bank` or `postgresql://localhost/bank`.
    ///
    /// ```
    /// use kecoa::{Config, ErrorKind};
    ///
    /// let config = Config::parse("host=localhost port=26257 dbname=bank connect_timeout=5")?;
    /// assert_eq!(config.port(), 26257);
    ///
    /// let error = Config::parse("host=localhost dbnam=bank").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert_eq!(
    ///     error.to_string(),
    ///     "invalid connection option \"dbnam\"\nHINT: did you mean \"dbname\"?",
    /// );
    /// # Ok::<(), kecoa::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] for what cannot be read, unknown options and wrong values, in
    /// libpq's words where it has them.
    pub fn parse(text: &str) -> Result<Config, Error> {
        conninfo::refuse_misread(text)?;
        Config::from_pairs(conninfo::parse(text)?)
    }

    /// Makes a configuration from option names and values. Of a name given twice the last value
    /// counts.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] for an unknown name or a wrong value.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Config, Error>
    where
        N: AsRef<str>,
        V: Into<String>,
    {
        let mut config = Config::new();
        for (name, value) in pairs {
            config.set(name.as_ref(), value)?;
        }
        Ok(config)
    }

    /// Sets one option by libpq's name for it. What was resolved before is forgotten.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] for an unknown name or a wrong value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<&mut Config, Error> {
        let option = options::find(name).ok_or_else(|| options::unknown(name))?;
        let value = value.into();
        options::check(option, &value)?;
        self.store(option.name, value);
        self.resolved = None;
        Ok(self)
    }

    /// Sets one option where neither the configuration nor the environment has it.
    ///
    /// ```
    /// use kecoa::Config;
    /// use kecoa::config::Environment;
    ///
    /// let mut config = Config::parse("host=localhost user=ani connect_timeout=5")?;
    /// let environment = Environment::empty();
    /// config.set_default("connect_timeout", "15", &environment)?;
    /// config.set_default("application_name", "payroll", &environment)?;
    /// assert_eq!(config.get("connect_timeout"), Some("5"));
    /// assert_eq!(config.get("application_name"), Some("payroll"));
    /// # Ok::<(), kecoa::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Config::set`] and [`Config::resolve`].
    pub fn set_default(
        &mut self,
        name: &str,
        value: impl Into<String>,
        environment: &Environment,
    ) -> Result<&mut Config, Error> {
        if self.resolve(environment)?.get(name).is_some() {
            return Ok(self);
        }
        self.set(name, value)
    }

    pub(super) fn store(&mut self, name: &'static str, value: String) {
        match self.pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.pairs.push((name, value)),
        }
    }

    /// The value of an option, as it was given or resolved.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The value of an option unless it is empty, which stands for "not given".
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Every option that has a value, in the order given; what [`Config::resolve`] added comes
    /// last. **Passwords are among them**; [`Config::to_string`](ToString) masks them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Names of all options that there are, in libpq's order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        options::OPTIONS.iter().map(|option| option.name)
    }

    /// Whether the value of an option must not be shown to people.
    #[must_use]
    pub fn is_secret(name: &str) -> bool {
        options::is_secret(name)
    }

    /// Things that [`Config::resolve`] passed over and a user should know of, such as a password
    /// file that others can read.
    pub fn notices(&self) -> impl Iterator<Item = &str> {
        self.resolved.iter().flat_map(|resolved| resolved.notices.iter().map(String::as_str))
    }

    fn masked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().map(|(name, value)| {
            let hidden = options::is_secret(name) && !value.is_empty();
            (name, if hidden { "xxx" } else { value })
        })
    }
}

/// Sets options by method; each can be chained.
impl Config {
    /// A host name, an address, or the directory of a unix socket; several, separated by commas.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] when it holds a NUL, as with every setter.
    pub fn set_host(&mut self, host: &str) -> Result<&mut Config, Error> {
        self.set("host", host)
    }

    /// The port, 1 to 65535.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] for port 0.
    pub fn set_port(&mut self, port: u16) -> Result<&mut Config, Error> {
        self.set("port", port.to_string())
    }

    /// The user to log in as.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] when it holds a NUL.
    pub fn set_user(&mut self, user: &str) -> Result<&mut Config, Error> {
        self.set("user", user)
    }

    /// The password. It is never printed.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] when it holds a NUL.
    pub fn set_password(&mut self, password: &str) -> Result<&mut Config, Error> {
        self.set("password", password)
    }

    /// The database.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] when it holds a NUL.
    pub fn set_dbname(&mut self, dbname: &str) -> Result<&mut Config, Error> {
        self.set("dbname", dbname)
    }

    /// How much TLS is asked for.
    ///
    /// # Errors
    ///
    /// None; the type is that of the other setters so that they chain.
    pub fn set_ssl_mode(&mut self, mode: SslMode) -> Result<&mut Config, Error> {
        self.set("sslmode", mode.as_str())
    }
}

/// A keyword/value connection string with passwords shown as `xxx`.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&conninfo::format(self.masked()))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.masked()).finish()
    }
}

impl std::str::FromStr for Config {
    type Err = Error;

    fn from_str(text: &str) -> Result<Config, Error> {
        Config::parse(text)
    }
}
