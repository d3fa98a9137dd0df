//! A connection, for tokio.

use std::collections::VecDeque;
use std::fmt;

use kecoa_proto::Notification;

use super::link::Link;
use crate::client::state::connection_state;
use crate::config::Config;
use crate::error::Error;
use crate::row::ResultSet;

/// A connection to CockroachDB or PostgreSQL, for tokio.
///
/// ```
/// # kecoa::example::asynchronous(async |client| {
/// client.execute("UPDATE accounts SET balance = balance + $1 WHERE id = $2", &[&100_i64, &1_i64]).await?;
/// let row = client.query_one("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
/// assert_eq!(row.get::<i64>("balance")?, 1100);
/// # Ok(()) });
/// ```
///
/// Parameters are encoded when a method is called; everything else happens when its future is
/// polled. Futures can be sent to other threads. There is no task in the background: a future drives
/// the connection while it is polled, so that a query costs one write, one wake-up and one read. A
/// client therefore does one thing at a time (`&mut self`); what is to be in flight together goes
/// through a [`Pipeline`](crate::Pipeline), or has a client of its own, out of a [`Pool`](crate::Pool). The same
/// client without tokio is [`blocking::Client`](crate::blocking::Client).
///
/// A client whose connection is lost stays a client: [`is_closed`](Client::is_closed) says so, and
/// [`reconnect`](Client::reconnect) makes a new connection. Dropping it closes the connection.
///
/// # Futures that are dropped
///
/// Every future may be dropped at any time, as `tokio::time::timeout` and `select!` do. The server
/// is asked to cancel what the future waited for, and the client stays usable: the next call first
/// waits until that is over (at most 10 s; then it closes the connection). Whether a statement that
/// was dropped took effect is not known, as ever. A [`RowStream`](crate::RowStream) or a copy that is dropped before
/// its end is not cancelled: what the server still sends is read and dropped by the next call, and
/// a `COPY … FROM STDIN` is given up. The future of a transaction rolls back.
///
/// # What it needs
///
/// A tokio runtime with I/O and time. Connecting (host names, TLS, authentication) and sending a
/// cancel request run on tokio's threads for blocking work.
pub struct Client {
    pub(super) link: Link,
    /// Those that were taken off the session, and not given to anybody yet.
    pub(super) notifications: VecDeque<Notification>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("connection", self.link.session_ref().connection())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Connects, as [`blocking::Client::connect`](crate::blocking::Client::connect) does, on one of
    /// tokio's threads for blocking work.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), kecoa::Error> {
    /// use kecoa::{Client, Config};
    ///
    /// let config = Config::parse("postgresql://maya@localhost:26257/bank?sslmode=require")?;
    /// let mut client = Client::connect(&config).await?;
    /// client.batch("SET statement_timeout TO '5s'").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`blocking::Client::connect`](crate::blocking::Client::connect).
    pub async fn connect(config: &Config) -> Result<Client, Error> {
        Ok(Client { link: Link::connect(config).await?, notifications: VecDeque::new() })
    }

    /// Closes what is left of the connection and makes a new one with the same configuration.
    ///
    /// # Errors
    /// As [`connect`](Client::connect); the client is closed then.
    pub async fn reconnect(&mut self) -> Result<(), Error> {
        self.link.reconnect().await
    }

    /// Whether the session has ended, as far as a look at the socket tells.
    pub(crate) fn poll_session(&mut self) -> Result<(), Error> {
        self.link.session().poll()
    }

    /// Whether there is something to read, as far as the event loop has told.
    pub(crate) fn may_have_news(&self) -> bool {
        self.link.may_have_news()
    }

    /// Whether statements have changed the session since it was accepted.
    pub(crate) fn is_changed(&self) -> bool {
        self.link.session_ref().is_changed()
    }

    /// The session is as it is to be.
    pub(crate) fn accept_session(&mut self) {
        self.link.session().accept_changes();
    }

    pub(crate) fn is_at_rest(&self) -> bool {
        self.link.is_at_rest()
    }

    pub(crate) async fn end_everything(&mut self) -> Result<(), Error> {
        self.link.end_everything().await
    }

    pub(crate) async fn simple(&mut self, sql: &[u8]) -> Result<Vec<ResultSet>, Error> {
        self.link.simple(sql).await
    }
}

connection_state!(Client, link.inner);
