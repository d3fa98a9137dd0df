//! One of the hosts to try.

/// One of the places to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name, address or socket directory; empty when only `hostaddr` was given.
    pub host: String,
    /// An address that spares the look-up of the name.
    pub hostaddr: Option<String>,
    /// The port; for a unix socket the number in its file name.
    pub port: u16,
}

impl Target {
    /// Whether this is a unix socket: libpq takes what starts with "/" or "@" for one.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        self.hostaddr.is_none() && self.host.starts_with(['/', '@'])
    }

    /// The host as it was given, or the address where only that was.
    pub(crate) fn host_or_address(&self) -> &str {
        match &self.hostaddr {
            Some(address) if self.host.is_empty() => address,
            _ => &self.host,
        }
    }

    /// The path of the unix socket, if this is one.
    #[must_use]
    pub fn socket_path(&self) -> Option<String> {
        self.is_unix().then(|| format!("{}/.s.PGSQL.{}", self.host, self.port))
    }
}

pub(super) const DEFAULT_PORT: u16 = 5432;
