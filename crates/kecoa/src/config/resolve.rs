//! Fills in what a configuration leaves open.
//!
//! Order of precedence, as in libpq: what was given, the service file, PG* variables, defaults.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::environment::{Environment, not_utf8};
use super::option_values::{Config, Resolved};
use super::ssl_mode::SslMode;
use super::target::{DEFAULT_PORT, Target};
use super::{options, passfile, secrets, service};
use crate::error::Error;

/// Variables that set something in the session and are no connection options.
const SESSION_VARIABLES: [(&str, &str); 3] =
    [("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")];

impl Config {
    /// Whether [`Config::resolve`] made this configuration.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.resolved.is_some()
    }

    /// The same configuration with everything filled in that was left open: from the service file,
    /// PG* variables and defaults (the operating system's user, a database of the user's name, a
    /// unix socket on which a server listens, else `localhost`), and with the passwords that the
    /// password file has for it.
    ///
    /// A client does so by itself when it connects. A program that wants to know, or to be independent of its
    /// environment, does it before:
    ///
    /// ```
    /// use kecoa::Config;
    /// use kecoa::config::Environment;
    ///
    /// let environment = Environment::empty().with_user("maya").with("PGPORT", "26257");
    /// let config = Config::parse("host=db.example")?.resolve(&environment)?;
    /// assert_eq!((config.port(), config.user(), config.dbname()), (26257, Some("maya"), Some("maya")));
    /// # Ok::<(), kecoa::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] for a variable with a wrong value, a service that is not to be
    /// found, options that contradict each other.
    pub fn resolve(&self, environment: &Environment) -> Result<Config, Error> {
        let mut config = self.clone();
        let mut resolved = Resolved::default();
        config.add_service(environment)?;
        config.add_variables(environment, &mut resolved)?;
        config.add_defaults(environment)?;
        config.refuse_contradictions()?;
        config.add_passwords(environment, &mut resolved)?;
        config.resolved = Some(resolved);
        Ok(config)
    }

    fn add_service(&mut self, environment: &Environment) -> Result<(), Error> {
        let name = match self.filled("service") {
            Some(name) => Some(name),
            None => environment.variable("PGSERVICE")?,
        };
        let Some(name) = name.map(str::to_owned) else { return Ok(()) };
        secrets::refuse_strange_text("service", &name)?;
        let file = self.filled("servicefile").map(OsStr::new);
        let named = file.or_else(|| environment.variable_os("PGSERVICEFILE")).map(PathBuf::from);
        let user_file = match &named {
            Some(file) => Some(file.clone()),
            None => environment.home().map(|home| home.join(".pg_service.conf")),
        };
        let system_folder = environment.variable_os("PGSYSCONFDIR");
        let system_folder = system_folder.unwrap_or(OsStr::new("/etc/postgresql-common"));
        let system_file = PathBuf::from(system_folder).join("pg_service.conf");
        for path in user_file.into_iter().chain([system_file]) {
            let text = match std::fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    // Only where libpq looks by itself may there be none.
                    if named.as_ref() == Some(&path) {
                        let path = path.display();
                        return Err(Error::config(format!("service file \"{path}\" not found")));
                    }
                    continue;
                }
                Err(error) => {
                    let context = format!("could not read service file \"{}\"", path.display());
                    return Err(Error::config(context).with_source(error));
                }
            };
            if let Some(pairs) = service::section(&text, &name, &path)? {
                for (option, value) in pairs {
                    if self.get(&option).is_none() {
                        self.set(&option, value)?;
                    }
                }
                return Ok(());
            }
        }
        Err(Error::config(format!("definition of service \"{}\" not found", secrets::shown(&name))))
    }

    fn add_variables(
        &mut self,
        environment: &Environment,
        resolved: &mut Resolved,
    ) -> Result<(), Error> {
        for option in options::OPTIONS {
            let Some(variable) = option.variable else { continue };
            if self.get(option.name).is_some() {
                continue;
            }
            if option.name == "password"
                && let Some(password) = environment.variable_os(variable)
                && password.to_str().is_none()
            {
                // A password is bytes.
                resolved.password = Some(password.as_bytes().to_vec());
                continue;
            }
            let value = match environment.variable(variable)? {
                Some(value) => value,
                None if environment.is_empty(variable) && !option.takes_empty() => "",
                None => continue,
            };
            options::check(option, value)
                .map_err(|error| Error::config(format!("{error} (environment: {variable})")))?;
            self.store(option.name, value.to_owned());
        }
        // What sslmode=require was called before PostgreSQL 8.0; libpq still looks at it.
        let requires = environment.variable_os("PGREQUIRESSL").map(OsStr::as_bytes);
        if self.get("sslmode").is_none() && requires.is_some_and(|value| value.starts_with(b"1")) {
            self.store("sslmode", SslMode::Require.as_str().to_owned());
        }
        for (variable, name) in SESSION_VARIABLES {
            if let Some(value) = environment.variable(variable)? {
                resolved.session.push((name, value.to_owned()));
            }
        }
        Ok(())
    }

    fn add_defaults(&mut self, environment: &Environment) -> Result<(), Error> {
        if self.user().is_none() {
            let user = environment.user()?.ok_or_else(|| {
                Error::config("no user was given and the operating system's could not be found")
            })?;
            self.store("user", user);
        }
        if self.dbname().is_none() {
            self.store("dbname", self.user().unwrap_or_default().to_owned());
        }
        if self.host().is_none() && self.filled("hostaddr").is_none() {
            let directory = environment.socket_directory(self.port());
            let directory = directory.and_then(|directory| directory.to_str());
            self.store("host", directory.unwrap_or("localhost").to_owned());
        }
        if self.filled("port").is_none() {
            self.store("port", DEFAULT_PORT.to_string());
        }
        self.add_personal_certificates(environment)
    }

    /// The files that libpq looks for in `~/.postgresql`, where TLS is possible at all.
    fn add_personal_certificates(&mut self, environment: &Environment) -> Result<(), Error> {
        if self.ssl_mode() == SslMode::Disable || self.is_local() {
            return Ok(());
        }
        let folder = environment.home().map(|home| home.join(".postgresql"));
        // One that is there and cannot be named must not be passed over: nothing would be verified.
        let text = |path: PathBuf, option: &str| {
            path.into_os_string().into_string().map_err(|_| {
                not_utf8(&format!("the path of the home directory, where {option} is looked for"))
            })
        };
        let personal = |name: &str, option: &str| {
            let path = folder.as_ref().map(|folder| folder.join(name)).filter(|path| path.exists());
            path.map(|path| text(path, option)).transpose()
        };
        if self.filled("sslrootcert").is_none()
            && let Some(path) = personal("root.crt", "sslrootcert")?
        {
            self.store("sslrootcert", path);
        }
        if self.filled("sslcrl").is_none()
            && self.filled("sslcrldir").is_none()
            && let Some(path) = personal("root.crl", "sslcrl")?
        {
            self.store("sslcrl", path);
        }
        if self.filled("sslcert").is_none()
            && let Some(certificate) = personal("postgresql.crt", "sslcert")?
        {
            self.store("sslcert", certificate);
        }
        // A certificate without its key is an error that names where the key should be.
        if self.filled("sslcert").is_some()
            && self.filled("sslkey").is_none()
            && let Some(folder) = &folder
        {
            self.store("sslkey", text(folder.join("postgresql.key"), "sslkey")?);
        }
        Ok(())
    }

    /// Whether every place is a unix socket, over which there is no TLS.
    fn is_local(&self) -> bool {
        self.targets().is_ok_and(|targets| targets.iter().all(Target::is_unix))
    }

    fn refuse_contradictions(&self) -> Result<(), Error> {
        let mode = self.ssl_mode();
        if self.filled("sslrootcert") == Some("system") && mode != SslMode::VerifyFull {
            return Err(Error::config(format!(
                "weak sslmode \"{}\" may not be used with sslrootcert=system (use \"verify-full\")",
                mode.as_str()
            )));
        }
        let is_weak = matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer);
        if self.has_direct_tls() && is_weak {
            return Err(Error::config(format!(
                "weak sslmode \"{}\" may not be used with sslnegotiation=direct (use \"require\", \
                 \"verify-ca\", or \"verify-full\")",
                mode.as_str()
            )));
        }
        let (oldest, newest) = self.protocol_versions();
        if oldest > newest {
            return Err(Error::config(
                "\"min_protocol_version\" is greater than \"max_protocol_version\"",
            ));
        }
        self.targets().map(drop)
    }

    fn add_passwords(
        &mut self,
        environment: &Environment,
        resolved: &mut Resolved,
    ) -> Result<(), Error> {
        if self.password().is_some() || resolved.password.is_some() {
            return Ok(());
        }
        let path = match self.filled("passfile") {
            Some(path) => Some(PathBuf::from(path)),
            None => environment.home().map(|home| home.join(".pgpass")),
        };
        let Some(path) = path else { return Ok(()) };
        let Some(file) = passfile::read(&path, &mut resolved.notices) else { return Ok(()) };
        resolved.password_file = Some(path);
        let (dbname, user) = (self.dbname().unwrap_or_default(), self.user().unwrap_or_default());
        for target in self.targets()? {
            // A default socket directory is looked up as "localhost", as in libpq.
            let host = match &target {
                target if target.is_unix() && self.host_was_found(environment) => "localhost",
                target => target.host_or_address(),
            };
            let key = passfile::Key { host, port: target.port, dbname, user };
            resolved.passwords.push(passfile::lookup(&file, key));
        }
        Ok(())
    }

    /// Whether the socket directory is the one that the environment would find.
    fn host_was_found(&self, environment: &Environment) -> bool {
        let found = environment.socket_directory(self.port());
        found.and_then(|path| path.to_str()) == self.host()
    }
}
