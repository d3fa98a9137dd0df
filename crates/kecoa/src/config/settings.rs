//! Options as values of their types. What was checked when it was set is not reported again here.

use std::path::Path;
use std::time::Duration;

use kecoa_proto::Requirement;
use kecoa_proto::message::startup::ProtocolVersion;

use super::option_values::Config;
use super::session_attributes::SessionAttributes;
use super::ssl_mode::SslMode;
use super::target::{DEFAULT_PORT, Target};
use super::{options, require_auth};
use crate::error::Error;

impl Config {
    /// The places to try, in order. Without any host, one: `localhost`.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`] when the lists of hosts, addresses and ports do not match.
    pub fn targets(&self) -> Result<Vec<Target>, Error> {
        let list = |name| -> Vec<&str> {
            self.filled(name).map(|v| v.split(',').map(str::trim).collect()).unwrap_or_default()
        };
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
            return Err(Error::config(format!(
                "could not match {} host names to {} hostaddr values",
                hosts.len(),
                addresses.len()
            )));
        }
        let count = hosts.len().max(addresses.len()).max(1);
        if ports.len() > 1 && ports.len() != count {
            return Err(Error::config(format!(
                "could not match {} port numbers to {count} hosts",
                ports.len()
            )));
        }
        let targets = (0..count).map(|i| {
            let hostaddr = addresses.get(i).filter(|a| !a.is_empty()).map(|a| (*a).to_owned());
            let host = match hosts.get(i) {
                Some(host) if !host.is_empty() => *host,
                _ if hostaddr.is_some() => "",
                _ => "localhost",
            };
            let port = if ports.len() == 1 { ports.first() } else { ports.get(i) };
            let port = port.and_then(|port| port.parse().ok()).unwrap_or(DEFAULT_PORT);
            Target { host: host.to_owned(), hostaddr, port }
        });
        Ok(targets.collect())
    }

    /// The first host, or nothing when none was given.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.filled("host").and_then(|hosts| hosts.split(',').next())
    }

    /// The first port; 5432 when none was given.
    #[must_use]
    pub fn port(&self) -> u16 {
        let first = self.filled("port").and_then(|ports| ports.split(',').next());
        first.and_then(|port| port.trim().parse().ok()).unwrap_or(DEFAULT_PORT)
    }

    /// The user to log in as.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.filled("user")
    }

    /// The database.
    #[must_use]
    pub fn dbname(&self) -> Option<&str> {
        self.filled("dbname")
    }

    /// The password that was given or that `PGPASSWORD` holds, where that is UTF-8. Those of the password
    /// file differ by target and are not among the options.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.filled("password")
    }

    /// The password for the target with this index in [`Config::targets`].
    pub(crate) fn password_for(&self, target: usize) -> Option<&[u8]> {
        let found = || {
            let resolved = self.resolved.as_ref()?;
            let from_file = || resolved.passwords.get(target)?.as_deref();
            resolved.password.as_deref().or_else(from_file)
        };
        self.password().map(str::as_bytes).or_else(found)
    }

    /// Whether there is a password for the target with this index in [`Config::targets`], given or
    /// from the password file.
    #[must_use]
    pub fn has_password(&self, target: usize) -> bool {
        self.password_for(target).is_some()
    }

    /// The password file, where a password of it is used.
    pub(crate) fn password_file(&self) -> Option<&Path> {
        let resolved = self.resolved.as_ref()?;
        let given = self.password().is_some() || resolved.password.is_some();
        resolved.password_file.as_deref().filter(|_| !given)
    }

    /// The name under which the session is listed: `application_name`, else the fallback.
    #[must_use]
    pub fn application_name(&self) -> Option<&str> {
        // As libpq: given as empty it is given, and none is sent.
        let name = self.get("application_name").or_else(|| self.get("fallback_application_name"));
        name.filter(|name| !name.is_empty())
    }

    /// How much TLS is asked for. `sslrootcert=system` asks for `verify-full` by itself, else the
    /// default is `prefer`.
    #[must_use]
    pub fn ssl_mode(&self) -> SslMode {
        match self.filled("sslmode").and_then(SslMode::from_word) {
            Some(mode) => mode,
            None if self.filled("sslrootcert") == Some("system") => SslMode::VerifyFull,
            None => SslMode::default(),
        }
    }

    /// The time within which each address must have completed the handshake; nothing means no
    /// limit. As in libpq one second counts as two.
    #[must_use]
    pub fn connect_timeout(&self) -> Option<Duration> {
        let seconds = u64::from(self.positive("connect_timeout")?);
        Some(Duration::from_secs(seconds.max(2)))
    }

    /// The time within which a connection must have been made, whatever the number of hosts and
    /// addresses; kecoa's own. Nothing means no limit. A look-up of a host name cannot be
    /// interrupted: the limit is noticed when it has come back.
    #[must_use]
    pub fn connect_total_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.positive("connect_total_timeout")?.into()))
    }

    /// Which sort of session is wanted.
    #[must_use]
    pub fn session_attributes(&self) -> SessionAttributes {
        match self.filled("target_session_attrs") {
            Some("read-write") => SessionAttributes::ReadWrite,
            Some("read-only") => SessionAttributes::ReadOnly,
            Some("primary") => SessionAttributes::Primary,
            Some("standby") => SessionAttributes::Standby,
            Some("prefer-standby") => SessionAttributes::PreferStandby,
            _ => SessionAttributes::Any,
        }
    }

    /// How many bytes one message of the server may have: 1 GiB - 1 unless `max_message_size` says
    /// something else; nothing means no limit.
    #[must_use]
    pub fn max_message_size(&self) -> Option<usize> {
        match self.filled("max_message_size").and_then(options::size) {
            Some(size) => Some(size).filter(|size| *size > 0),
            None => Some(kecoa_proto::frame::MAX_MESSAGE),
        }
    }

    /// How many bytes of one request's results are kept (`max_result_size`); nothing, the default,
    /// means no limit.
    #[must_use]
    pub fn max_result_size(&self) -> Option<usize> {
        self.filled("max_result_size").and_then(options::size).filter(|size| *size > 0)
    }

    /// How long a blocking client looks for an answer before it sleeps (`busy_poll`, in microseconds): 50 µs
    /// unless it says something else; zero for never.
    #[must_use]
    pub fn busy_poll(&self) -> Duration {
        let micros = self.filled("busy_poll").and_then(|value| value.trim().parse().ok());
        Duration::from_micros(micros.unwrap_or(50))
    }

    /// The oldest version of the protocol that will do, and the newest that is asked for. As in
    /// libpq, 3.0 is asked for unless something newer is wanted.
    pub(crate) fn protocol_versions(&self) -> (ProtocolVersion, ProtocolVersion) {
        let version = |name| match self.filled(name) {
            Some("3.2" | "latest") => Some(ProtocolVersion::V3_2),
            Some(_) => Some(ProtocolVersion::V3_0),
            None => None,
        };
        let oldest = version("min_protocol_version").unwrap_or(ProtocolVersion::V3_0);
        (oldest, version("max_protocol_version").unwrap_or(oldest))
    }

    /// Which ways to authenticate `require_auth` allows; nothing when any will do.
    pub(crate) fn required_authentication(&self) -> Option<Requirement> {
        let text = self.filled("require_auth")?;
        let methods = require_auth::parse(text).ok()?;
        Some(Requirement { text: text.to_owned(), methods })
    }

    /// Whether TLS begins with the first byte, instead of after a question in clear.
    pub(crate) fn has_direct_tls(&self) -> bool {
        self.filled("sslnegotiation") == Some("direct")
    }

    /// Whether the server's side is to be a walsender, which can stream replication.
    pub(crate) fn wants_replication(&self) -> bool {
        self.filled("replication").is_some()
    }

    /// An integer option if it is above zero.
    pub(crate) fn positive(&self, name: &str) -> Option<u32> {
        let value: i32 = self.filled(name)?.trim().parse().ok()?;
        u32::try_from(value).ok().filter(|value| *value > 0)
    }

    /// A switch, 0 or 1, that is on unless it is turned off.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.filled(name).is_none_or(|value| value.trim() != "0")
    }

    /// The parameters of the startup message beside the user.
    pub(crate) fn startup_parameters(&self) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        let mut add = |name: &str, value: Option<&str>| {
            parameters.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        };
        add("database", self.dbname());
        add("replication", self.filled("replication"));
        add("options", self.filled("options"));
        add("application_name", self.application_name());
        // What the client decodes is UTF-8 unless the caller wants to see something else; "auto"
        // is libpq's word for the locale's encoding.
        let encoding = self.filled("client_encoding").filter(|encoding| *encoding != "auto");
        add("client_encoding", encoding.or(Some("UTF8")));
        for (name, value) in self.resolved.iter().flat_map(|resolved| &resolved.session) {
            add(name, Some(value));
        }
        parameters
    }
}
