//! A connection, for threads.

use std::fmt;

use crate::client::inner::InnerClient;
use crate::client::state::connection_state;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::{Interrupt, Never};
use crate::session::Session;

/// A connection to CockroachDB or PostgreSQL.
///
/// ```no_run
/// use kecoa::{Config, Error, blocking::Client};
///
/// let mut client = Client::connect(&Config::parse("postgresql://localhost:26257/bank")?)?;
/// client.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", &[&100_i64, &1_i64])?;
/// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64])?;
/// let balance: i64 = row.get("balance")?;
/// println!("{balance}");
/// # Ok::<(), Error>(())
/// ```
///
/// A client whose connection is lost stays a client: [`is_closed`](Client::is_closed) says so, and
/// [`reconnect`](Client::reconnect) makes a new connection. Dropping it closes the connection.
pub struct Client {
    pub(super) inner: InnerClient,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", self.session_ref().connection())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects. A configuration that was not [resolved](Config::resolve) is resolved against the
    /// environment of the process first.
    ///
    /// ```no_run
    /// use kecoa::{Config, Error, blocking::Client};
    ///
    /// // Hosts are tried in order; what is not said comes from PG* variables and files, as in libpq.
    /// let config = Config::parse("postgresql://maya@a.example,b.example/bank?connect_timeout=5")?;
    /// let mut client = Client::connect(&config)?;
    /// println!("{:?}", client.parameter("server_version"));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), [`Connect`](crate::ErrorKind::Connect),
    /// [`Tls`](crate::ErrorKind::Tls), [`Authentication`](crate::ErrorKind::Authentication),
    /// [`Timeout`](crate::ErrorKind::Timeout), [`Protocol`](crate::ErrorKind::Protocol).
    pub fn connect(config: &Config) -> Result<Client, Error> {
        Client::connect_with(config, &mut Never)
    }

    /// Connects; the hook can end the wait.
    ///
    /// # Errors
    /// As [`Client::connect`], and [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
    pub fn connect_with(config: &Config, hook: &mut dyn Interrupt) -> Result<Client, Error> {
        Ok(Client { inner: InnerClient::connect(config, hook)? })
    }

    /// Closes what is left of the connection and makes a new one with the same configuration.
    /// Session settings, prepared statements and notices of the old one are gone.
    ///
    /// # Errors
    /// As [`Client::connect`]; the client is closed then.
    pub fn reconnect(&mut self) -> Result<(), Error> {
        self.reconnect_with(&mut Never)
    }

    /// [`reconnect`](Client::reconnect) with a hook that can end the wait.
    ///
    /// # Errors
    /// As [`Client::connect_with`]; the client is closed then.
    pub fn reconnect_with(&mut self, hook: &mut dyn Interrupt) -> Result<(), Error> {
        self.inner.reconnect(hook)
    }

    #[cfg(test)]
    pub(crate) fn through(
        connector: std::sync::Arc<dyn crate::net::wire::Connector>,
        hook: &mut dyn Interrupt,
    ) -> Result<Client, Error> {
        Ok(Client { inner: InnerClient::through(connector, hook)? })
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.inner.session()
    }

    pub(crate) fn session_ref(&self) -> &Session {
        self.inner.session_ref()
    }
}

connection_state!(Client, inner);
