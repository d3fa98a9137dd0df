//! A pool of clients for tokio.
//!
//! ```
//! # kecoa::example::asynchronous_pool(async |pool| {
//! # #[cfg(any())] {
//! let config = Config::parse("postgresql://localhost:26257/bank")?;
//! let pool = Pool::builder().max_size(10).build(&config)?;
//! # }
//! let mut client = pool.get().await?;
//! let (balance,): (i64,) =
//!     client.query_one_as("SELECT balance FROM accounts WHERE id = $1", &[&1_i64]).await?;
//! assert_eq!(balance, 1000);
//! # Ok(()) });
//! ```
//!
//! The rules are those of the [blocking pool](crate::pool::blocking), in [`core`](crate::pool::core), which has
//! no I/O; this one runs them on tokio.
//!
//! # Futures that are dropped
//!
//! A future of [`Pool::get`] that is dropped leaves the line; those behind it keep their places, and
//! a connection that it was just given is the next one's. A connection may be given back in the
//! middle of anything: what is under way is cancelled and an open transaction rolled back, in the
//! background and before anybody else gets the connection; one that is not ready after 30 s is closed.

mod builder;
mod pooled;
mod shared;

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

pub use self::builder::{Builder, Hook, Work};
pub use self::pooled::Pooled;
use self::shared::{Inner, Shared};
use super::discarding;
use super::stats::Stats;
use crate::client::tokio::Client;
use crate::error::Error;

/// Keeps connections, each of which one task at a time checks out. Cloning it gives another handle to the
/// same pool; with the last handle the pool is closed.
///
/// - [`min_size`](Builder::min_size) connections are opened with the pool, and up to
///   [`max_size`](Builder::max_size) when they are asked for, by tasks of the pool's.
/// - Callers get connections in the order in which they asked. Who waits for longer than
///   [`timeout`](Builder::timeout) gets an error that names the longest holders.
/// - When no connection can be opened, whoever waits longest is told why; but a server that was there
///   before, or says that it starts or is full, is waited for and tried again with growing pauses.
/// - What the server has closed is never given out: a look at the socket tells. The loss of one connection
///   has the other idle ones looked at, and what was lost is replaced in the background.
/// - A connection comes back when its [`Pooled`] is dropped, and is made ready for its next user.
///
/// A pool belongs to the runtime in which it was built, and is of no use in a forked child, as that
/// runtime is not either.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("Pool")
            .field("name", &self.shared().options.name)
            .field("size", &stats.size)
            .field("idle", &stats.idle)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool to be: set what matters, then [`build`](Builder::build) it.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.0
    }

    /// Checks a connection out, until the guard is dropped. Waits for up to the pool's
    /// [`timeout`](Builder::timeout); the place in the line is that of the future's first poll.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when none came free in time, or too many
    /// wait already; [`Usage`](crate::ErrorKind::Usage) when the pool is closed; or why none can be
    /// opened, as [`Client::connect`].
    #[track_caller]
    pub fn get(&self) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        self.check_out(self.shared().options.timeout, Location::caller())
    }

    /// [`get`](Pool::get) with a time limit of its own.
    ///
    /// # Errors
    /// As [`Pool::get`].
    #[track_caller]
    pub fn get_timeout(
        &self,
        timeout: Duration,
    ) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        self.check_out(Some(timeout), Location::caller())
    }

    fn check_out(
        &self,
        timeout: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        // Who waits has a handle: the pool is not closed meanwhile.
        let pool = self.clone();
        async move { Shared::get(pool.shared(), timeout, taken).await }
    }

    /// Waits until there are [`min_size`](Builder::min_size) connections.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the last error in connecting.
    pub async fn wait(&self, timeout: Duration) -> Result<(), Error> {
        self.shared().wait(timeout).await
    }

    /// Replaces every connection, without a moment in which there is none: idle ones one after the
    /// other, those that are checked out when they come back. Begins at once, and the future waits for up to
    /// `timeout`; whether all are replaced.
    pub fn drain(&self, timeout: Duration) -> impl Future<Output = bool> + Send + use<'_> {
        self.shared().drain(timeout)
    }

    /// Closes idle connections at once, and those that are checked out when they come back; who waits gets an error.
    /// The future waits for those that are checked out for up to `timeout`; whether all came back.
    ///
    /// ```
    /// # kecoa::example::asynchronous_pool(async |pool| {
    /// let client = pool.get().await?;
    /// drop(client);
    /// assert!(pool.close(std::time::Duration::from_secs(5)).await);
    /// assert_eq!(pool.get().await.unwrap_err().to_string(), "pool is closed");
    /// # Ok(()) });
    /// ```
    pub fn close(&self, timeout: Duration) -> impl Future<Output = bool> + Send + use<'_> {
        self.shared().close(timeout)
    }

    /// Changes the sizes. What is too much is closed when it is idle.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for sizes that make no sense.
    pub fn resize(&self, min_size: usize, max_size: usize) -> Result<(), Error> {
        self.shared().resize(min_size, max_size)
    }

    /// The pool's figures.
    ///
    /// ```
    /// # kecoa::example::asynchronous_pool(async |pool| {
    /// let client = pool.get().await?;
    /// assert_eq!((pool.stats().in_use, pool.stats().lent), (1, 1));
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}

/// Undoes what the last caller did to the session, for [`Builder::reset`]: settings, temporary
/// tables, LISTEN. One round trip. As DISCARD ALL, but for prepared statements, of which the client
/// keeps account.
///
/// ```
/// use kecoa::pool::tokio::{Pool, discard_session};
///
/// let builder = Pool::builder().reset(|client| Box::pin(discard_session(client)));
/// ```
///
/// # Errors
/// As [`Client::batch`].
pub async fn discard_session(client: &mut Client) -> Result<(), Error> {
    let sql = discarding(client.crdb_version().is_some());
    client.simple(sql.as_bytes()).await.map(drop)
}
